// Outputs and Lake: the newest payloads of plugins, and what lies in the directories that the operator named.

import { address, get, on, text, type Listed } from '../api';
import { empty, failure, fill, h } from '../dom';
import { ago, bytes, time } from '../format';
import { link, place, type Page } from '../page';

interface Root {
  name: string;
  path: string;
}

interface Store {
  name: string;
  plugin: string;
  address: string;
}

interface Listing {
  entries: Entry[];
  is_cut: boolean;
  next: string | null;
}

interface Entry {
  name: string;
  is_dir: boolean;
  bytes: number;
  changed_ms: number;
}

/** Text that is shown of a file, characters. */
const SHOWN_MAX = 300_000;

/** In addresses the name of a store has this in front, so that it is no directory's. */
const STORE = 's3:';

function crumbs(page: string, root: string, path: string[]): HTMLElement {
  const name = root.startsWith(STORE) ? root.slice(STORE.length) : root;
  const parts = [h('a', { href: link([page]) }, page === 'lake' ? 'Lake' : 'Outputs'), h('a', { href: link([page, root]) }, name)];
  path.forEach((name, n) => parts.push(h('a', { href: link([page, root, ...path.slice(0, n + 1)]) }, name)));
  return h('nav', { class: 'crumbs', 'aria-label': 'Path' }, parts);
}

function roots(page: string, list: Root[]): HTMLElement {
  return h(
    'table',
    { class: 'dense' },
    h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Directory'), h('th', { scope: 'col' }, 'Where'))),
    h('tbody', null, list.map((root) => h('tr', null, h('td', null, h('a', { href: link([page, root.name]) }, root.name)), h('td', { class: 'mono muted' }, root.path)))),
  );
}

/** A page of what lies in a directory, or in a store of the lake. */
function listing(page: string, root: string, path: string[], after: string): Promise<Listing> {
  const query = { path: path.join('/'), after };
  const of: { [name: string]: string } = root.startsWith(STORE) ? { store: root.slice(STORE.length), ...query } : { root, ...query };
  return get<Listing>(`/api/v1/${page}`, of);
}

function entryRow(page: string, root: string, path: string[], entry: Entry): HTMLElement {
  const leads = entry.is_dir || page === 'outputs';
  const target = link([page, root, ...path, entry.name], { file: entry.is_dir ? undefined : '1' });
  return h(
    'tr',
    null,
    h('td', null, leads ? h('a', { href: target }, entry.is_dir ? `${entry.name}/` : entry.name) : entry.name),
    h('td', { class: 'n' }, entry.is_dir ? '' : bytes(entry.bytes)),
    // Folders of a bucket have no time.
    entry.changed_ms > 0 ? h('td', { title: time(entry.changed_ms) }, ago(entry.changed_ms)) : h('td', null, ''),
  );
}

async function directory(page: string, root: string, path: string[], board: HTMLElement): Promise<void> {
  const body = h('tbody');
  const summary = h('p', { class: 'muted' });
  const more = h('div');
  let [n, size] = [0, 0];

  function add(part: Listing): void {
    body.append(...part.entries.map((entry) => entryRow(page, root, path, entry)));
    n += part.entries.length;
    size += part.entries.reduce((sum, entry) => sum + (entry.is_dir ? 0 : entry.bytes), 0);
    const rest = part.is_cut ? '; the directory has more than can be listed' : part.next ? ' so far' : '';
    fill(summary, `${n === 1 ? '1 entry' : `${n} entries`}, ${bytes(size)}${rest}`);
    const { next } = part;
    fill(more, next && h('button', { type: 'button', onclick: () => void load(next) }, 'Show more'));
  }

  async function load(after: string): Promise<void> {
    fill(more, h('span', { class: 'muted' }, 'Loading…'));
    try {
      add(await listing(page, root, path, after));
    } catch (error) {
      fill(more, failure(error, () => void load(after)));
    }
  }

  fill(board, crumbs(page, root, path), h('p', { class: 'muted' }, 'Loading…'));
  const first = await listing(page, root, path, '').catch((error: unknown) => {
    fill(board, crumbs(page, root, path), failure(error, () => void directory(page, root, path, board)));
    return null;
  });
  if (!first) return;
  const head = h('tr', null, h('th', { scope: 'col' }, 'Name'), h('th', { class: 'n', scope: 'col' }, 'Size'), h('th', { scope: 'col' }, 'Changed'));
  const table = h('table', { class: 'dense' }, h('thead', null, head), body);
  const nothing = root.startsWith(STORE) ? 'No object lies here yet: outputs carry a file into the store when it is finished.' : 'This directory is empty.';
  fill(board, crumbs(page, root, path), first.entries.length === 0 ? empty('Nothing here', nothing) : table, summary, more);
  add(first);
}

/** A payload or file: html in a frame that may do nothing, everything else as text. */
async function content(board: HTMLElement, name: string, kind: string, path: string, query: { [name: string]: string }): Promise<void> {
  if (kind === 'html' || kind === 'htm') {
    fill(board, h('iframe', { class: 'sheet', sandbox: '', src: address(path, query), title: name, referrerpolicy: 'no-referrer' }));
    return;
  }
  const whole = await text(path, query);
  const shown = whole.slice(0, SHOWN_MAX);
  if (kind === 'tsv' && shown.includes('\t')) {
    const lines = shown.split('\n').filter(Boolean).slice(0, 1000);
    fill(board, h('div', { class: 'scroll' }, h('table', { class: 'dense' }, lines.map((line) => h('tr', null, line.split('\t').slice(0, 100).map((cell) => h('td', null, cell)))))));
    return;
  }
  let pretty = shown;
  if (kind === 'json') {
    try {
      pretty = JSON.stringify(JSON.parse(whole), null, 2).slice(0, SHOWN_MAX);
    } catch {
      // Lines of JSON, or none at all: shown as it is.
    }
  }
  fill(board, h('pre', { class: 'code wrap', tabindex: 0 }, pretty), whole.length > SHOWN_MAX && h('p', { class: 'muted' }, 'Only the beginning is shown.'));
}

/** What outputs wrote, and the newest payload of each plugin. */
export function outputs(): Page {
  const { path, query } = place();
  const board = h('div');
  const payloads = h('div');
  let offs: (() => void)[] = [];
  const problem = (error: unknown) => fill(board, failure(error));

  async function overview(): Promise<void> {
    const answer = await get<{ roots: Root[] }>('/api/v1/outputs');
    fill(
      board,
      h('h2', null, 'Directories of outputs'),
      answer.roots.length ? roots('outputs', answer.roots) : h('p', { class: 'muted' }, 'None are configured: set admin_outputs in the main configuration.'),
      h('h2', null, 'Newest payloads'),
      payloads,
    );
    await showPayloads();
    offs = [on('payloads', () => void showPayloads())];
  }

  async function showPayloads(): Promise<void> {
    const answer = await get<{ payloads: Listed[] }>('/api/v1/payloads');
    const list = answer.payloads.slice(0, 500);
    fill(
      payloads,
      list.length === 0
        ? empty('No payloads yet', 'What analysis plugins give to inject_payload appears here.')
        : h(
            'table',
            { class: 'dense' },
            h('thead', null, h('tr', null, ['Name', 'Type', 'Plugin', 'Size', 'Renewed'].map((head, n) => h('th', { scope: 'col', class: n === 3 ? 'n' : '' }, head)))),
            h(
              'tbody',
              null,
              list.map((one) =>
                h(
                  'tr',
                  null,
                  h('td', null, h('a', { href: one.kind.startsWith('cbuf') ? link(['graphs', one.id]) : link(['outputs'], { payload: one.id }) }, one.name || 'unnamed')),
                  h('td', null, one.kind),
                  h('td', null, one.logger),
                  h('td', { class: 'n' }, bytes(one.bytes)),
                  h('td', null, ago(one.at_ms)),
                ),
              ),
            ),
          ),
    );
  }

  const payload = query.get('payload');
  if (payload) {
    const [logger, kind, name] = payload.split('/').map(decodeURIComponent);
    const inner = h('div');
    fill(board, h('nav', { class: 'crumbs' }, h('a', { href: link(['outputs']) }, 'Outputs'), h('span', null, `${name || 'unnamed'} of ${logger}`)), inner);
    const load = () => content(inner, name, kind, '/api/v1/payload', { id: payload }).catch((error: unknown) => fill(inner, failure(error)));
    void load();
    if (kind !== 'html') offs = [on('payloads', (more) => { if (more.payloads.some((one) => one.id === payload)) void load(); })];
  } else if (query.get('file')) {
    const inner = h('div');
    const name = path[path.length - 1];
    fill(board, crumbs('outputs', path[1], path.slice(2)), inner);
    void content(inner, name, name.split('.').pop() ?? '', '/api/v1/outputs/file', { root: path[1], path: path.slice(2).join('/') }).catch((error: unknown) => fill(inner, failure(error)));
  } else if (path[1]) {
    void directory('outputs', path[1], path.slice(2), board).catch(problem);
  } else {
    void overview().catch(problem);
  }
  return { element: h('div', null, h('div', { class: 'head' }, h('h1', null, 'Outputs')), board), leave: () => offs.forEach((off) => off()) };
}

/** The directories and stores of the lake, or how to get some. */
function places(directories: Root[], stores: Store[]): HTMLElement[] {
  if (!directories.length && !stores.length) {
    return [
      empty(
        'No stores',
        'Buckets appear here as soon as an output opens one. Name the directories of the lake in the main configuration: ',
        h('code', null, 'admin_lake = "landfill=/data/landfill;parquet=/data/parquet"'),
      ),
    ];
  }
  const heads = ['Store', 'Opened by'].map((head) => h('th', { scope: 'col' }, head));
  const row = (store: Store) =>
    h(
      'tr',
      null,
      h('td', null, h('a', { class: 'mono', href: link(['lake', STORE + store.name]) }, store.address)),
      h('td', null, h('a', { href: link(['plugins', store.plugin]) }, store.plugin)),
    );
  const buckets = h('table', { class: 'dense' }, h('thead', null, h('tr', null, heads)), h('tbody', null, stores.map(row)));
  const parts: HTMLElement[] = [];
  if (directories.length) parts.push(h('h2', null, 'Directories'), roots('lake', directories));
  if (stores.length) parts.push(h('h2', null, 'Stores of outputs'), buckets);
  return parts;
}

/** What lies where in the data lake. */
export function lake(): Page {
  const { path } = place();
  const board = h('div');
  const problem = (error: unknown) => fill(board, failure(error));
  if (path[1]) {
    void directory('lake', path[1], path.slice(2), board).catch(problem);
  } else {
    void get<{ roots: Root[]; stores: Store[] }>('/api/v1/lake').then((answer) => fill(board, places(answer.roots, answer.stores))).catch(problem);
  }
  return { element: h('div', null, h('div', { class: 'head' }, h('h1', null, 'Lake')), board) };
}
