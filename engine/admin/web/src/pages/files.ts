// Outputs and Lake: the newest payloads of plugins, and what lies in the directories that the operator named.

import { address, get, on, text, type Listed } from '../api';
import { empty, failure, fill, h } from '../dom';
import { ago, bytes, time } from '../format';
import { link, place, type Page } from '../page';

interface Root {
  name: string;
  path: string;
}

interface Entry {
  name: string;
  is_dir: boolean;
  bytes: number;
  changed_ms: number;
}

/** Text that is shown of a file, characters. */
const SHOWN_MAX = 300_000;

function crumbs(page: string, root: string, path: string[]): HTMLElement {
  const parts = [h('a', { href: link([page]) }, page === 'lake' ? 'Lake' : 'Outputs'), h('a', { href: link([page, root]) }, root)];
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

async function directory(page: string, root: string, path: string[], board: HTMLElement): Promise<void> {
  const listing = await get<{ entries: Entry[]; is_cut: boolean }>(`/api/v1/${page}`, { root, path: path.join('/') });
  const row = (entry: Entry) => {
    const leads = entry.is_dir || page === 'outputs';
    const target = entry.is_dir ? link([page, root, ...path, entry.name]) : link([page, root, ...path, entry.name], { file: '1' });
    return h(
      'tr',
      null,
      h('td', null, leads ? h('a', { href: target }, entry.is_dir ? `${entry.name}/` : entry.name) : entry.name),
      h('td', { class: 'n' }, entry.is_dir ? '' : bytes(entry.bytes)),
      h('td', { title: time(entry.changed_ms) }, ago(entry.changed_ms)),
    );
  };
  const total = listing.entries.reduce((sum, entry) => sum + (entry.is_dir ? 0 : entry.bytes), 0);
  fill(
    board,
    crumbs(page, root, path),
    listing.entries.length === 0
      ? empty('Nothing here', 'This directory is empty.')
      : h(
          'table',
          { class: 'dense' },
          h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Name'), h('th', { class: 'n', scope: 'col' }, 'Size'), h('th', { scope: 'col' }, 'Changed'))),
          h('tbody', null, listing.entries.map(row)),
        ),
    h('p', { class: 'muted' }, `${listing.entries.length} entries, ${bytes(total)}${listing.is_cut ? '; there are more' : ''}`),
  );
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

/** What lies where in the data lake. */
export function lake(): Page {
  const { path } = place();
  const board = h('div');
  const problem = (error: unknown) => fill(board, failure(error));
  if (path[1]) {
    void directory('lake', path[1], path.slice(2), board).catch(problem);
  } else {
    void get<{ roots: Root[] }>('/api/v1/lake')
      .then((answer) =>
        fill(board, answer.roots.length ? roots('lake', answer.roots) : empty('No stores', 'Name the directories of the lake in the main configuration: ', h('code', null, 'admin_lake = "landfill=/data/landfill;parquet=/data/parquet"'))),
      )
      .catch(problem);
  }
  return { element: h('div', null, h('div', { class: 'head' }, h('h1', null, 'Lake')), board) };
}
