// Graphs: all circular buffers as a grid, and one of them large.

import { address, get, on, Refused, type Alert, type GraphData, type Listed, type Plugin } from '../api';
import { Chart } from '../chart';
import { empty, failure, fill, filterField, h, toast } from '../dom';
import { plural, span, time } from '../format';
import { COMPARISONS, GraphSource, chartData, hasBounds, newest, reach } from '../graph';
import { link, place, remember, type Page } from '../page';
import { tooLarge } from './plugins';

/** Graphs of the grid that are drawn at first; more come when the page is scrolled. */
const DRAWN_FIRST = 24;

/** Windows that can be chosen, in seconds. */
const WINDOWS: [string, number][] = [
  ['15 min', 900],
  ['1 h', 3600],
  ['6 h', 21_600],
  ['24 h', 86_400],
  ['7 d', 604_800],
];

/** The longest window of one graph, seconds: further back nothing is kept by default. */
const LONGEST: [string, number] = ['15 d', 1_296_000];

/** Plugins whose missing graphs are told of at once. */
const NOTICES_MAX = 5;

const isGraph = (listed: Listed) => listed.kind === 'cbuf' || listed.kind === 'cbufd';

/** The grid, or the graph that the address names. */
export function graphs(): Page {
  const { path } = place();
  return path[1] ? single(path[1]) : grid();
}

/** Notices about plugins whose graphs are missing because they are too large, in an element that is filled later. */
export function missingGraphs(wanted: (plugin: string) => boolean): HTMLElement {
  const notices = h('div', { class: 'notices' });
  const load = async () => {
    const { plugins } = await get<{ plugins: Plugin[] }>('/api/v1/plugins');
    fill(notices, plugins.filter((plugin) => wanted(plugin.name)).flatMap((plugin) => tooLarge(plugin) ?? []).slice(0, NOTICES_MAX));
  };
  // Whoever cannot know sees the graphs that there are.
  void load().catch(() => undefined);
  return notices;
}

interface Tile {
  element: HTMLElement;
  chart: Chart;
  source: GraphSource;
  stale: boolean;
  visible: boolean;
  busy: boolean;
  error: HTMLElement;
}

function grid(): Page {
  const tiles = new Map<string, Tile>();
  const { query } = place();
  let filter = query.get('q') ?? '';
  let windowS = Number(query.get('window') ?? 0);
  const board = h('div', { class: 'board' });
  const summary = h('span', { class: 'muted' });
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const tile = tiles.get((entry.target as HTMLElement).dataset.id ?? '');
      if (!tile) continue;
      tile.visible = entry.isIntersecting;
      if (tile.visible && tile.stale) void refresh(tile);
    }
  }, { rootMargin: '200px' });

  async function refresh(tile: Tile): Promise<void> {
    if (tile.busy) return;
    tile.busy = true;
    try {
      const data = await tile.source.fetch();
      tile.stale = false;
      tile.chart.show(range(data), false);
      tile.chart.set(chartData(data, { hidden: new Set(), compare: [], alerts: [], past: null, from: data.time }));
      tile.error.hidden = true;
    } catch (error) {
      tile.stale = false;
      fill(tile.error, error instanceof Error ? error.message : String(error));
      tile.error.hidden = false;
    } finally {
      tile.busy = false;
    }
  }

  const range = (data: GraphData): [number, number] | null => {
    if (!windowS) return null;
    const end = newest(data);
    return [Math.max(data.time, end - windowS), end];
  };

  function tile(listed: Listed): Tile {
    const title = `${listed.name || 'unnamed'} of ${listed.logger}`;
    const chart = new Chart({ height: 150, small: true, group: 'grid', title });
    const error = h('p', { class: 'problem', hidden: true });
    const element = h(
      'section',
      { class: 'tile', 'data-id': listed.id },
      h(
        'a',
        { class: 'tile-head', href: link(['graphs', listed.id]) },
        h('strong', null, listed.name || 'unnamed'),
        h('span', { class: 'muted' }, listed.logger),
      ),
      chart.element,
      error,
    );
    watcher.observe(element);
    return { element, chart, source: new GraphSource(listed), stale: true, visible: false, busy: false, error };
  }

  const matches = (listed: Listed) => `${listed.logger} ${listed.name}`.toLowerCase().includes(filter.toLowerCase());

  function show(): void {
    let shown = 0;
    for (const [, tile] of [...tiles].sort(([a], [b]) => a.localeCompare(b))) {
      const fits = matches(tile.source.listed);
      tile.element.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    fill(summary, shown === tiles.size ? plural(shown, 'graph') : `${shown} of ${plural(tiles.size, 'graph')}`);
  }

  /** Puts all tiles on the board, and nothing else. */
  function lay(): void {
    const sorted = [...tiles].sort(([a], [b]) => a.localeCompare(b));
    board.replaceChildren(...sorted.map(([, one]) => one.element));
    show();
  }

  function add(list: Listed[]): void {
    const fresh = list.filter(isGraph).filter((listed) => !tiles.has(listed.id));
    for (const listed of fresh) tiles.set(listed.id, tile(listed));
    if (fresh.length) lay();
  }

  async function load(): Promise<void> {
    try {
      const { payloads } = await get<{ payloads: Listed[] }>('/api/v1/payloads');
      if (!payloads.some(isGraph)) {
        fill(
          board,
          empty(
            'No graphs yet',
            'A graph appears here as soon as an analysis plugin injects a circular buffer: ',
            h('code', null, 'inject_payload("cbuf", "name", buffer)'),
            '. Plugins do so in timer_event, so after a start it takes as long as their ticker_interval.',
          ),
        );
        return;
      }
      add(payloads);
      // An event may have come before the list, with all of them.
      lay();
      const first = [...tiles.values()].slice(0, DRAWN_FIRST);
      for (const one of first) one.visible = true;
      await Promise.all(first.map(refresh));
      document.documentElement.dataset.painted = 'graphs';
    } catch (error) {
      fill(board, failure(error, () => void load()));
    }
  }

  const off = on('payloads', ({ payloads, is_cut }) => {
    add(payloads);
    const renewed = is_cut ? [...tiles.values()] : payloads.flatMap((listed) => tiles.get(listed.id) ?? []);
    for (const one of renewed) {
      one.stale = true;
      if (one.visible && !one.element.hidden) void refresh(one);
    }
  });
  void load();
  const search = filterField('Filter graphs', 'Filter by plugin or name', filter, (text) => {
    filter = text;
    remember({ q: filter });
    show();
  });
  const choose = (s: number) => {
    windowS = s;
    remember({ window: s ? String(s) : undefined });
    for (const one of tiles.values()) if (one.source.data) one.chart.show(range(one.source.data), false);
  };
  const element = h(
    'div',
    null,
    h('div', { class: 'head' }, h('h1', null, 'Graphs'), summary, search, windows(WINDOWS, windowS, choose)),
    missingGraphs(() => true),
    board,
  );
  return {
    element,
    leave: () => {
      off();
      watcher.disconnect();
      for (const one of tiles.values()) one.chart.destroy();
      delete document.documentElement.dataset.painted;
    },
  };
}

function windows(some: [string, number][], chosen: number, choose: (s: number) => void): HTMLElement {
  const all: [string, number][] = [['All', 0], ...some];
  const group = h('div', { class: 'choice', role: 'group', 'aria-label': 'Window' });
  const draw = (now: number) =>
    fill(
      group,
      all.map(([label, s]) =>
        h('button', { type: 'button', 'aria-pressed': String(s === now), onclick: () => { draw(s); choose(s); } }, label),
      ),
    );
  draw(chosen);
  return group;
}

/** One graph, large, with everything that can be done with it. */
function single(id: string): Page {
  const { query } = place();
  const [logger, kind, name] = id.split('/').map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  const listed: Listed = { id, logger, kind, name, bytes: 0, at_ms: 0, generation: 0 };
  const source = new GraphSource(listed);
  const hidden = new Set((query.get('hide') ?? '').split('\u001f').filter(Boolean));
  let compare = (query.get('compare') ?? '').split(',').filter(Boolean);
  let log = query.get('log') === '1';
  /** Bands are shown unasked where the plugin says what is normal. */
  let band = query.has('band') ? query.get('band') === '1' : null;
  let live = true;
  let alerts: Alert[] = [];
  const from = Number(query.get('from'));
  const to = Number(query.get('to'));
  let windowS = Number(query.get('window') ?? 0);
  let zoomed: [number, number] | null = to > from ? [from, to] : null;
  let isPast = false;
  const title = `${name || 'unnamed'} of ${logger}`;
  const chart = new Chart({
    height: Math.max(260, Math.min(460, window.innerHeight - 330)),
    group: 'one',
    log,
    band: band ?? false,
    range: zoomed,
    onrange: (range) => {
      windowS = 0;
      remember({
        window: undefined,
        from: range ? range[0].toFixed(0) : undefined,
        to: range ? range[1].toFixed(0) : undefined,
      });
      zoomed = range;
      draw();
      void loadPast();
    },
    title,
  });
  chart.ontoggle = (labels) => {
    hidden.clear();
    labels.forEach((label) => hidden.add(label));
    remember({ hide: labels.join('\u001f') || undefined });
    draw();
  };
  const status = h('span', { class: 'muted' });
  const marks = h('div');
  const note = h('p', { class: 'muted note' });
  const body = h('div', null, chart.element);

  /** Where what is shown begins, seconds since 1970: before the buffer when somebody looks there. */
  function begin(data: GraphData): number {
    if (windowS) return newest(data) - windowS;
    return zoomed ? Math.min(zoomed[0], data.time) : data.time;
  }

  function draw(): void {
    const { data } = source;
    if (!data) return;
    const own = alerts.filter((alert) => alert.logger === logger);
    const drawn = chartData(data, { hidden, compare, alerts: own, past: source.past, from: begin(data) });
    if (band === null && hasBounds(data)) bandToggle.click();
    chart.set(drawn);
    if (windowS) chart.show([Math.max(drawn.times[0] ?? 0, begin(data)), newest(data)], false);
    fill(note, isPast && 'The plugin has not injected this graph since the engine started: this is what was kept of it on the disk. ', missing(data, drawn.lines.map((line) => line.label)));
    const list = [...drawn.marks].sort((a, b) => b.x - a.x).slice(0, 50);
    fill(
      marks,
      list.length > 0 && h('h2', null, 'Marks'),
      list.map((mark) =>
        h('div', { class: `mark ${mark.kind}` }, h('time', null, time(mark.x * 1000)), h('span', null, mark.text)),
      ),
    );
    const rows = `${plural(data.columns.length, 'column')}, ${plural(data.total_rows, 'row')} of ${span(data.seconds_per_row)}, ${span(reach(data))} in all`;
    const said = hasBounds(data) ? '; its detector says what is normal' : '; the band is estimated from the values';
    const kept = source.past && source.past.time < data.time ? `; kept since ${time(source.past.time * 1000)}` : '';
    fill(status, rows + kept + (band ? said : ''));
  }

  /** Says which comparisons have nothing to compare with. */
  function missing(data: GraphData, labels: string[]): string {
    const far = compare.filter((one) => COMPARISONS[one] && !labels.some((label) => label.endsWith(`, ${COMPARISONS[one].label}`)));
    if (!far.length) return '';
    const since = Math.min(data.time, source.past?.time ?? data.time);
    return `There is nothing of ${far.map((one) => COMPARISONS[one].label).join(' and ')} to compare with: what is known of this graph begins ${time(since * 1000)}.`;
  }

  /** Fetches as much of the past as is shown or compared with. */
  async function loadPast(): Promise<void> {
    const { data } = source;
    if (!data) return;
    const back = Math.max(0, ...compare.map((one) => COMPARISONS[one]?.seconds ?? 0));
    try {
      await source.fetchPast(begin(data) - back);
      draw();
    } catch (error) {
      fill(note, `The past of this graph could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** The graph as its plugin injected it last, or else what was kept of it before the engine started. */
  async function fetchGraph(): Promise<void> {
    try {
      await source.fetch();
      isPast = false;
    } catch (error) {
      isPast = error instanceof Refused && error.status === 404 && (await source.fetchOnlyPast(LONGEST[1]));
      if (!isPast) throw error;
    }
  }

  let busy = false;
  async function load(): Promise<void> {
    if (busy) return;
    busy = true;
    try {
      await fetchGraph();
      if (!body.contains(chart.element)) fill(body, chart.element);
      draw();
      await loadPast();
      document.documentElement.dataset.painted = 'graph';
    } catch (error) {
      fill(body, failure(error, () => void load()));
    } finally {
      busy = false;
    }
  }

  const offs = [
    on('payloads', ({ payloads, is_cut }) => {
      if (live && (is_cut || payloads.some((one) => one.id === id))) void load();
    }),
    on('alerts', (more) => {
      alerts = [...more.alerts, ...alerts];
      draw();
    }),
  ];
  void get<{ alerts: Alert[] }>('/api/v1/alerts', { limit: 500 }).then((answer) => {
    alerts = answer.alerts;
    draw();
  }, () => undefined);
  void load();

  const toggle = (label: string, pressed: boolean, change: (on: boolean) => void) => {
    const button: HTMLButtonElement = h(
      'button',
      {
        type: 'button',
        'aria-pressed': String(pressed),
        onclick: () => {
          pressed = !pressed;
          button.setAttribute('aria-pressed', String(pressed));
          change(pressed);
        },
      },
      label,
    );
    return button;
  };
  const comparison = (key: string, label: string) =>
    toggle(label, compare.includes(key), (is) => {
      compare = is ? [...compare, key] : compare.filter((one) => one !== key);
      remember({ compare: compare.join(',') || undefined });
      draw();
      void loadPast();
    });
  const bandToggle = toggle('Normal band', band ?? false, (is) => {
    band = is;
    remember({ band: is ? '1' : '0' });
    chart.change({ band: is });
    draw();
  });
  const tools = h(
    'div',
    { class: 'tools' },
    windows([...WINDOWS, LONGEST], windowS, (s) => {
      windowS = s;
      remember({ window: s ? String(s) : undefined, from: undefined, to: undefined });
      zoomed = null;
      if (!s) chart.show(null, false);
      draw();
      void loadPast();
    }),
    h(
      'div',
      { class: 'choice', role: 'group', 'aria-label': 'View' },
      toggle('Live', live, (is) => {
        live = is;
        if (is) void load();
      }),
      toggle('Log scale', log, (is) => {
        log = is;
        remember({ log: is ? '1' : undefined });
        chart.change({ log });
      }),
      bandToggle,
    ),
    h('div', { class: 'choice', role: 'group', 'aria-label': 'Compare with' }, comparison('day', 'Yesterday'), comparison('week', 'Last week')),
    h(
      'div',
      { class: 'row' },
      h('button', { type: 'button', onclick: () => void savePng(chart, title) }, 'PNG'),
      h('a', { class: 'button', href: address('/api/v1/graph.csv', { id }), download: '' }, 'CSV'),
      h('button', { type: 'button', onclick: () => void copyLink() }, 'Copy link'),
    ),
  );
  const element = h(
    'div',
    null,
    h(
      'div',
      { class: 'head' },
      h('a', { class: 'back', href: link(['graphs']) }, '← Graphs'),
      h('h1', null, name || 'unnamed'),
      h('a', { class: 'muted', href: link(['plugins', logger]) }, logger),
      status,
    ),
    tools,
    body,
    note,
    h('p', { class: 'muted hint' }, 'Drag to zoom, double-click for everything. Ctrl and wheel zoom, Shift and wheel pan. Keys: ← → + − 0.'),
    marks,
  );
  return {
    element,
    leave: () => {
      offs.forEach((off) => off());
      chart.destroy();
      delete document.documentElement.dataset.painted;
    },
  };
}

async function savePng(chart: Chart, title: string): Promise<void> {
  const blob = await chart.png();
  if (!blob) return;
  const url = URL.createObjectURL(blob);
  const name = `${title.replace(/[^A-Za-z0-9.-]+/g, '_')}.png`;
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    toast('The link to this view was copied');
  } catch {
    toast('The address bar has the link to this view');
  }
}

