// Utilization: what each plugin uses over time, and now.

import { get, type Plugin } from '../api';
import { Chart, type ChartData } from '../chart';
import { empty, failure, fill, h } from '../dom';
import { bytes, count } from '../format';
import { link, place, remember, type Page } from '../page';

export interface History {
  engine: string;
  series: { times_ms: number[]; values: string[]; plugins: { [name: string]: (number | null)[][] } };
}

/** Lines of one kind of value for some plugins. */
export function historyLines(history: History, value: string, names: string[], label: (name: string) => string): ChartData {
  const at = history.series.values.indexOf(value);
  const lines = names
    .filter((name) => history.series.plugins[name])
    .map((name) => ({ label: label(name), values: history.series.plugins[name][at] }));
  return { times: history.series.times_ms.map((ms) => ms / 1000), lines, marks: [] };
}

const VALUES: [string, string, (n: number) => string][] = [
  ['utilization_percent', 'Share of a thread', (n) => `${n.toFixed(n < 10 ? 1 : 0)} %`],
  ['messages_per_s', 'Messages a second', count],
  ['memory_bytes', 'Memory', bytes],
  ['lag_bytes', 'Behind', bytes],
];

/** Lines in a chart: those with the greatest values. */
const LINES = 8;

const REFRESH_EVERY = 6000;

export function utilization(): Page {
  const { query } = place();
  let week = query.get('span') === 'week';
  const charts = VALUES.map(([, title, format]) => new Chart({ height: 210, group: 'utilization', title, format }));
  const table = h('div', { class: 'scroll' });
  const board = h(
    'div',
    { class: 'columns two' },
    VALUES.map(([, title], n) => h('section', { class: 'panel' }, h('h2', null, title), charts[n].element)),
  );
  const problem = h('div');

  async function load(): Promise<void> {
    try {
      const [history, { plugins }] = await Promise.all([
        get<History>('/api/v1/history', week ? { span: 'week' } : {}),
        get<{ plugins: Plugin[] }>('/api/v1/plugins'),
      ]);
      const names = Object.keys(history.series.plugins).filter((name) => name !== history.engine);
      problem.replaceChildren();
      if (history.series.times_ms.length === 0) {
        fill(problem, empty('No samples yet', week ? 'A sample is taken every ten minutes.' : 'A sample is taken every six seconds.'));
      }
      VALUES.forEach(([value], n) => {
        const at = history.series.values.indexOf(value);
        const peak = (name: string) => Math.max(0, ...history.series.plugins[name][at].map((v) => v ?? 0));
        const top = names.map((name) => [name, peak(name)] as const).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
        const shown = top.slice(0, LINES).map(([name]) => name).sort();
        charts[n].set(historyLines(history, value, shown, (name) => name));
      });
      showTable(history, plugins.filter((plugin) => plugin.condition === 'running'));
    } catch (error) {
      fill(problem, failure(error, () => void load()));
    }
  }

  function showTable(history: History, plugins: Plugin[]): void {
    const last = (name: string, value: string) => {
      const values = history.series.plugins[name]?.[history.series.values.indexOf(value)];
      return values?.[values.length - 1] ?? null;
    };
    const busy = (plugin: Plugin) => plugin.matching_total_ns + plugin.processing_total_ns + plugin.timing_total_ns;
    const part = (ns: number, plugin: Plugin) => (busy(plugin) ? `${Math.round((100 * ns) / busy(plugin))} %` : '–');
    const sorted = [...plugins].sort((a, b) => (last(b.name, 'utilization_percent') ?? 0) - (last(a.name, 'utilization_percent') ?? 0));
    const heads = ['Plugin', 'Thread', 'Messages/s', 'Matcher', 'process_message', 'timer_event', 'Memory', 'Behind'];
    const cell = (value: number | null, format: (n: number) => string) => h('td', { class: 'n' }, value === null ? '–' : format(value));
    fill(
      table,
      h(
        'table',
        { class: 'dense' },
        h('thead', null, h('tr', null, heads.map((head, n) => h('th', { class: n ? 'n' : '', scope: 'col' }, head)))),
        h(
          'tbody',
          null,
          sorted.slice(0, 500).map((plugin) => {
            const share = last(plugin.name, 'utilization_percent');
            const state = share === null ? '' : share >= 90 ? 'bad' : share >= 70 ? 'warn' : '';
            return h(
              'tr',
              null,
              h('td', null, h('a', { href: link(['plugins', plugin.name]) }, plugin.name)),
              h('td', { class: `n ${state}` }, share === null ? '–' : VALUES[0][2](share)),
              cell(last(plugin.name, 'messages_per_s'), count),
              h('td', { class: 'n' }, part(plugin.matching_total_ns, plugin)),
              h('td', { class: 'n' }, part(plugin.processing_total_ns, plugin)),
              h('td', { class: 'n' }, part(plugin.timing_total_ns, plugin)),
              cell(plugin.memory, bytes),
              cell(plugin.lag_bytes, bytes),
            );
          }),
        ),
      ),
    );
  }

  const span = h('div', { class: 'choice', role: 'group', 'aria-label': 'Span' });
  const draw = () =>
    fill(
      span,
      [false, true].map((is) =>
        h(
          'button',
          {
            type: 'button',
            'aria-pressed': String(is === week),
            onclick: () => {
              week = is;
              remember({ span: is ? 'week' : undefined });
              draw();
              void load();
            },
          },
          is ? 'Last week' : 'Last 30 minutes',
        ),
      ),
    );
  draw();
  void load();
  const timer = setInterval(() => void load(), REFRESH_EVERY);
  return {
    element: h('div', null, h('div', { class: 'head' }, h('h1', null, 'Utilization'), span), problem, board, h('h2', null, 'Now'), table),
    leave: () => {
      clearInterval(timer);
      charts.forEach((chart) => chart.destroy());
    },
  };
}
