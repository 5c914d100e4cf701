// Matcher: an expression, what it means or where it is wrong, and the messages it matches, recorded and live.

import { address, get, type Shown } from '../api';
import { empty, failure, fill, h } from '../dom';
import { count } from '../format';
import { messageView } from '../message';
import { place, remember, type Page } from '../page';

/** How long after the last key the expression is looked at, ms. */
const PAUSE = 150;

/** Live messages that stay on the page. */
const LIVE_MAX = 200;

interface Described {
  ok: boolean;
  text?: string;
  tree?: Tree;
  warnings?: string[];
  offset?: number;
  found?: string;
  expected?: string;
  hint?: string | null;
}

type Tree = { test: string } | { and: Tree[] } | { or: Tree[] };

function branch(tree: Tree): HTMLElement {
  if ('test' in tree) return h('li', null, h('code', null, tree.test));
  const [word, parts] = 'and' in tree ? ['all of', flat(tree, 'and')] : ['any of', flat(tree, 'or')];
  return h('li', null, h('span', { class: 'muted' }, word as string), h('ul', null, (parts as Tree[]).map(branch)));
}

/** a && (b && c) is one list. */
function flat(tree: Tree, word: 'and' | 'or'): Tree[] {
  const parts = (tree as { [word: string]: Tree[] | undefined })[word];
  return parts ? parts.flatMap((part) => flat(part, word)) : [tree];
}

export function matcher(): Page {
  const { query } = place();
  let expression = query.get('e') ?? "Type == 'log'";
  let queue = query.get('queue') ?? 'input';
  let watching: EventSource | null = null;
  let timer = 0;
  const explained = h('div', { class: 'panel', 'aria-live': 'polite' });
  const results = h('div', { class: 'messages' });
  const status = h('span', { class: 'muted', 'aria-live': 'polite' });
  const input = h('textarea', {
    class: 'mono',
    rows: 3,
    spellcheck: 'false',
    'aria-label': 'Expression',
    'data-key': '/',
    oninput: () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => void explain(), PAUSE);
    },
    onkeydown: (event: KeyboardEvent) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void search();
    },
  });
  input.value = expression;

  async function explain(): Promise<void> {
    expression = input.value;
    remember({ e: expression, queue });
    if (!expression.trim()) {
      fill(explained, h('p', { class: 'muted' }, 'Such as ', h('code', null, "Type == 'log' && Severity <= 3"), ' or ', h('code', null, "Fields[status] >= 500 && Logger =~ '^input'")));
      return;
    }
    try {
      const found = await get<Described>('/api/v1/matcher', { expression });
      if (found.ok && found.tree) {
        fill(
          explained,
          h('p', { class: 'good' }, 'Understood as'),
          h('ul', { class: 'tree' }, branch(found.tree)),
          (found.warnings ?? []).map((warning) => h('p', { class: 'warn' }, warning)),
        );
        return;
      }
      // Offsets count bytes; what stands before the fault is shown as it is.
      const bytes = new TextEncoder().encode(expression);
      const before = new TextDecoder().decode(bytes.slice(0, found.offset ?? 0));
      const rest = new TextDecoder().decode(bytes.slice(found.offset ?? 0));
      fill(
        explained,
        h('p', { class: 'bad' }, `Found ${found.found}, expected ${found.expected}`),
        h('pre', { class: 'wrap fault' }, before, h('mark', null, rest.slice(0, 1) || ' '), rest.slice(1)),
        found.hint && h('p', null, found.hint),
      );
    } catch (error) {
      fill(explained, failure(error));
    }
  }

  function end(): void {
    watching?.close();
    watching = null;
    fill(watch, 'Watch live');
    watch.setAttribute('aria-pressed', 'false');
  }

  async function search(): Promise<void> {
    end();
    await explain();
    fill(status, 'searching…');
    try {
      const found = await get<{ seen: number; messages: Shown[] }>('/api/v1/messages', { expression, queue, limit: 50 });
      fill(status, `${found.messages.length} shown, newest first; ${count(found.seen)} messages were looked at`);
      fill(results, found.messages.length ? found.messages.map((one) => messageView(one)) : empty('No message matches', 'The newest 64 MiB of the queue were searched. Messages that every reader has passed are kept only as the retention setting says; watch live to see those that come.'));
    } catch (error) {
      fill(status);
      fill(results, failure(error, () => void search()));
    }
  }

  async function live(): Promise<void> {
    if (watching) {
      end();
      return;
    }
    await explain();
    results.replaceChildren();
    fill(status, 'waiting for messages…');
    fill(watch, 'Stop watching');
    watch.setAttribute('aria-pressed', 'true');
    const stream = new EventSource(address('/api/v1/watch', { expression, queue }));
    watching = stream;
    stream.addEventListener('message', (event) => {
      results.prepend(messageView(JSON.parse((event as MessageEvent<string>).data) as Shown));
      while (results.childElementCount > LIVE_MAX) results.lastElementChild?.remove();
    });
    stream.addEventListener('counts', (event) => {
      const counts = JSON.parse((event as MessageEvent<string>).data) as { seen: number; matched: number; left_out: number };
      const left = counts.left_out ? `; ${count(counts.left_out)} came too fast to be shown` : '';
      fill(status, `${count(counts.matched)} of ${count(counts.seen)} messages match${left}`);
    });
    stream.onerror = () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      end();
      fill(status, 'The expression cannot be watched: it is wrong, or too many pages watch already.');
    };
  }

  const watch = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => void live() }, 'Watch live');
  const which = h(
    'select',
    {
      'aria-label': 'Queue',
      onchange: (event: Event) => {
        queue = (event.target as HTMLSelectElement).value;
        end();
        void explain();
      },
    },
    [
      ['input', 'what inputs inject'],
      ['analysis', 'what analysis plugins inject'],
    ].map(([value, label]) => h('option', { value, selected: value === queue }, label)),
  );
  void explain();
  return {
    element: h(
      'div',
      null,
      h('div', { class: 'head' }, h('h1', null, 'Matcher')),
      h('div', { class: 'columns two' }, h('section', { class: 'panel' }, input, h('div', { class: 'row' }, which, h('button', { type: 'button', class: 'primary', onclick: () => void search() }, 'Search recorded'), watch)), explained),
      h('p', null, status),
      results,
    ),
    leave: () => {
      clearTimeout(timer);
      watching?.close();
    },
  };
}
