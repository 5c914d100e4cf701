// Plugins: all of them in a table, and one with its files, limits and what can be done with it.

import { can, get, me, post, type Plugin } from '../api';
import { Chart } from '../chart';
import { confirmed, empty, failure, fill, filterField, h, toast, type Child } from '../dom';
import { bytes, count, duration, plural, span } from '../format';
import { highlighted } from '../highlight';
import { link, place, remember, type Page } from '../page';
import { deployPage } from './deploy';
import { historyLines, type History } from './utilization';

const REFRESH_EVERY = 2000;

/** Rows that are shown at once. */
const ROWS_MAX = 400;

/** The table, the editor, or the plugin that the address names. */
export function plugins(): Page {
  const { path } = place();
  if (path[1] === 'new') return deployPage(null);
  if (path[1] && path[2] === 'edit') return deployPage(path[1]);
  return path[1] ? single(path[1]) : list();
}

type Column = [string, (plugin: Plugin) => number | string, (plugin: Plugin) => Child, string];

const share = (used: number, limit: number): Child =>
  limit > 0 ? h('meter', { min: 0, max: limit, high: limit * 0.8, value: Math.min(used, limit), title: `${Math.round((100 * used) / limit)} % of the limit` }) : null;

const COLUMNS: Column[] = [
  ['Plugin', (p) => p.name, (p) => h('a', { href: link(['plugins', p.name]) }, p.name), ''],
  ['State', (p) => p.condition, (p) => h('span', { class: `badge ${p.condition}` }, p.condition), ''],
  ['Messages', (p) => (p.kind === 'input' ? p.injects : p.messages), (p) => count(p.kind === 'input' ? p.injects : p.messages), 'n'],
  ['Failures', (p) => p.failures, (p) => (p.failures ? h('b', { class: 'bad' }, count(p.failures)) : '0'), 'n'],
  ['Injected', (p) => p.injects, (p) => count(p.injects), 'n wide'],
  ['Behind', (p) => p.lag_bytes ?? -1, (p) => (p.lag_bytes === null ? '–' : bytes(p.lag_bytes)), 'n'],
  ['Memory', (p) => p.memory, (p) => [bytes(p.memory), share(p.memory_max, p.memory_limit)], 'n'],
  ['Output', (p) => p.output_max, (p) => [bytes(p.output_max), share(p.output_max, p.output_limit)], 'n wide'],
  ['Mean call', (p) => p.processing_ns[0], (p) => duration(p.processing_ns[0]), 'n'],
  ['Timer', (p) => p.timing_ns[0], (p) => duration(p.timing_ns[0]), 'n wide'],
  ['Owner', (p) => p.owner ?? '', (p) => p.owner ?? '–', 'wide'],
];

function list(): Page {
  const { query } = place();
  let filter = query.get('q') ?? '';
  let state = query.get('state') ?? '';
  let sort = Number(query.get('sort') ?? 0);
  let down = query.get('down') === '1';
  let all: Plugin[] = [];
  const board = h('div', { class: 'scroll' });
  const summary = h('span', { class: 'muted' });

  function show(): void {
    const wanted = filter.toLowerCase();
    const fitting = all.filter((p) => p.name.toLowerCase().includes(wanted) && (!state || p.condition === state || p.kind === state));
    const key = COLUMNS[sort]?.[1] ?? COLUMNS[0][1];
    fitting.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      const order = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y));
      return down ? -order : order;
    });
    fill(summary, fitting.length === all.length ? plural(all.length, 'plugin') : `${fitting.length} of ${plural(all.length, 'plugin')}`);
    if (all.length === 0) {
      fill(board, empty('No plugins', 'Put a configuration and its Lua source into the run directory, or deploy one here.'));
      return;
    }
    if (fitting.length === 0) {
      fill(board, empty('Nothing fits', 'No plugin has this in its name and is in this state.'));
      return;
    }
    const head = COLUMNS.map(([title, , , kind], n) =>
      h(
        'th',
        { class: kind, scope: 'col', 'aria-sort': n === sort ? (down ? 'descending' : 'ascending') : 'none' },
        h(
          'button',
          {
            type: 'button',
            onclick: () => {
              down = n === sort ? !down : n > 1;
              sort = n;
              remember({ sort: String(sort), down: down ? '1' : undefined });
              show();
            },
          },
          title,
          n === sort && (down ? ' ↓' : ' ↑'),
        ),
      ),
    );
    const rows = fitting.slice(0, ROWS_MAX).map((plugin) =>
      h('tr', { class: plugin.condition }, COLUMNS.map(([, , cell, kind]) => h('td', { class: kind }, cell(plugin)))),
    );
    const focused = document.activeElement?.closest('th');
    const at = focused ? [...(focused.parentElement?.children ?? [])].indexOf(focused) : -1;
    fill(board, h('table', { class: 'dense' }, h('thead', null, h('tr', null, head)), h('tbody', null, rows)));
    if (at >= 0) board.querySelectorAll<HTMLElement>('th button')[at]?.focus();
    if (fitting.length > ROWS_MAX) board.append(h('p', { class: 'muted' }, `The first ${ROWS_MAX} are shown; filter to see others.`));
  }

  async function load(): Promise<void> {
    try {
      all = (await get<{ plugins: Plugin[] }>('/api/v1/plugins')).plugins;
      show();
    } catch (error) {
      fill(board, failure(error, () => void load()));
    }
  }

  const states = h('select', { 'aria-label': 'State or kind', onchange: (event: Event) => {
    state = (event.target as HTMLSelectElement).value;
    remember({ state });
    show();
  } }, ['', 'running', 'stopped', 'terminated', 'ended', 'input', 'analysis', 'output'].map((one) => h('option', { value: one, selected: one === state }, one || 'all')));
  void load();
  const timer = setInterval(() => void load(), REFRESH_EVERY);
  return {
    element: h(
      'div',
      null,
      h(
        'div',
        { class: 'head' },
        h('h1', null, 'Plugins'),
        summary,
        filterField('Filter plugins', 'Filter by name', filter, (text) => {
          filter = text;
          remember({ q: filter });
          show();
        }),
        states,
        can('author') && me.can_load && h('a', { class: 'button primary', href: link(['plugins', 'new']) }, 'New plugin'),
      ),
      board,
    ),
    leave: () => clearInterval(timer),
  };
}

export interface Detail {
  name: string;
  owner: string | null;
  may_change: boolean;
  state: Plugin | null;
  files: { config: string; config_path: string; source: string; source_path: string; error: string | null; checkpoint: string | null };
}

function single(name: string): Page {
  const body = h('div');
  const facts = h('div');
  const actions = h('div', { class: 'row' });
  const state = h('span');
  const rate = new Chart({ height: 150, group: 'plugin', title: `Messages a second of ${name}` });
  const use = new Chart({ height: 150, group: 'plugin', title: `Share of a thread that ${name} uses`, format: (n) => `${n.toFixed(1)} %` });
  let known = '';

  async function act(word: 'stop' | 'restart', title: string, text: string): Promise<void> {
    if (!(await confirmed(title, text, title))) return;
    try {
      await post(`/api/v1/plugins/${encodeURIComponent(name)}/${word}`);
      toast(word === 'stop' ? `${name} was told to stop` : `${name} was told to restart`);
      setTimeout(() => void load(), 1500);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), 'bad');
    }
  }

  function show(detail: Detail): void {
    const plugin = detail.state;
    const condition = plugin?.condition ?? 'ended';
    fill(state, h('span', { class: `badge ${condition}` }, condition));
    const stopped = condition !== 'running';
    fill(
      actions,
      detail.may_change && me.can_load && [
        h('button', { type: 'button', onclick: () => void act('restart', stopped ? 'Start' : 'Restart', `${name} starts with what lies in the run directory. Its state and its place in the queue stay.`) }, stopped ? 'Start' : 'Restart'),
        condition === 'running' && h('button', { type: 'button', class: 'danger', onclick: () => void act('stop', 'Stop', `${name} ends after the message it holds. An output forgets its place in the queue.`) }, 'Stop'),
        h('a', { class: 'button', href: link(['plugins', name, 'edit']) }, 'New version'),
      ],
    );
    if (plugin) fill(facts, factsOf(plugin), tooLarge(plugin));
    // Files are drawn anew only when they change, so that what somebody has selected stays.
    const text = JSON.stringify(detail.files);
    if (text === known) return;
    known = text;
    const { files } = detail;
    fill(
      body,
      files.error && h('section', { class: 'panel bad' }, h('h2', null, 'Why it ended'), h('pre', { class: 'wrap' }, files.error)),
      code('Configuration', files.config_path, files.config),
      files.source ? code('Source', files.source_path, files.source) : h('p', { class: 'muted' }, 'The source was not found.'),
      files.checkpoint && code('Checkpoint', 'as recorded last', files.checkpoint),
    );
  }

  async function load(): Promise<void> {
    try {
      const [detail, history] = await Promise.all([
        get<Detail>(`/api/v1/plugins/${encodeURIComponent(name)}`),
        get<History>('/api/v1/history', { plugin: name }),
      ]);
      show(detail);
      rate.set(historyLines(history, 'messages_per_s', [name], () => 'messages/s'));
      use.set(historyLines(history, 'utilization_percent', [name], () => 'of a thread'));
    } catch (error) {
      known = '';
      fill(body, failure(error, () => void load()));
    }
  }

  void load();
  const timer = setInterval(() => void load(), 2 * REFRESH_EVERY);
  return {
    element: h(
      'div',
      null,
      h('div', { class: 'head' }, h('a', { class: 'back', href: link(['plugins']) }, '← Plugins'), h('h1', null, name), state, actions),
      facts,
      h('div', { class: 'columns two' }, h('section', { class: 'panel' }, h('h2', null, 'Messages'), rate.element), h('section', { class: 'panel' }, h('h2', null, 'Time'), use.element)),
      body,
    ),
    leave: () => {
      clearInterval(timer);
      rate.destroy();
      use.destroy();
    },
  };
}

/** Why payloads of a plugin are left out, and what helps; nothing when none was. */
export function tooLarge(plugin: Plugin): HTMLElement | null {
  const { name, output_max, output_limit, message_limit } = plugin;
  const isOver = (limit: number) => limit > 0 && output_max > limit;
  if (!isOver(output_limit) && !isOver(message_limit)) return null;
  const limits = [isOver(output_limit) && `its output_limit is ${bytes(output_limit)}`, isOver(message_limit) && `the max_message_size of all is ${bytes(message_limit)}`];
  // How long it would have become is not known: what is too long is not built to its end.
  const enough = 2 ** Math.ceil(Math.log2(output_max * 2));
  return h(
    'section',
    { class: 'panel warning', role: 'note' },
    h('h2', null, `${name} left out a graph or another payload`),
    h('p', null, `It was too large: ${limits.filter(Boolean).join(', ')}. Let the plugin keep fewer rows or columns, or allow more, and more again if this notice stays after its restart:`),
    h(
      'pre',
      { class: 'code wrap' },
      `output_limit = ${Math.max(enough, output_limit)} -- in the configuration of the plugin\n`,
      message_limit < enough && `max_message_size = ${enough} -- in the main configuration, before a restart`,
    ),
  );
}

function code(title: string, path: string, text: string): HTMLElement {
  return h('section', { class: 'panel' }, h('div', { class: 'row spread' }, h('h2', null, title), h('span', { class: 'muted mono' }, path)), h('pre', { class: 'code', tabindex: 0 }, highlighted(text)));
}

function factsOf(plugin: Plugin): HTMLElement {
  const limit = (used: number, max: number, format: (n: number) => string): Child =>
    max > 0 ? [`${format(used)} of ${format(max)}`, share(used, max)] : `${format(used)}, no limit`;
  const pair = ([mean, deviation]: [number, number]) => (mean > 0 ? `${duration(mean)} ± ${duration(deviation)}` : '–');
  const busy = (plugin.matching_total_ns + plugin.processing_total_ns + plugin.timing_total_ns) / 1e9;
  const rows: [string, Child][] = [
    ['Matcher', plugin.matcher ? h('a', { class: 'mono', href: link(['matcher'], { e: plugin.matcher }) }, plugin.matcher) : '–'],
    ['Timer', plugin.ticker_s ? `every ${span(plugin.ticker_s)}` : 'none'],
    ['Owner', plugin.owner ?? 'operators'],
    ['Processed', `${count(plugin.messages)}, ${count(plugin.failures)} failed`],
    ['Injected', `${count(plugin.injects)}, ${bytes(plugin.inject_bytes)}`],
    ['Behind', plugin.lag_bytes === null ? '–' : bytes(plugin.lag_bytes)],
    ['Memory', [`${bytes(plugin.memory)} now; most `, limit(plugin.memory_max, plugin.memory_limit, bytes)]],
    ['Output', limit(plugin.output_max, plugin.output_limit, bytes)],
    ['Instructions', limit(plugin.instructions_max, plugin.instruction_limit, count)],
    ['Matching', pair(plugin.matching_ns)],
    ['process_message', pair(plugin.processing_ns)],
    ['timer_event', pair(plugin.timing_ns)],
    ['Time used', busy > 0 ? (busy < 60 ? `${busy.toFixed(2)} s` : span(busy)) : '–'],
  ];
  return h('dl', { class: 'facts panel' }, rows.map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))));
}
