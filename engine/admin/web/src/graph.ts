// From a circular buffer to a chart: rows to times, comparison with the past, marks.

import { get, type Alert, type GraphData, type Listed } from './api';
import type { ChartData, Line, Mark } from './chart';

/** Buffers with more cells are not fetched whole each time. */
const WHOLE_MAX = 20_000;

/** So many of the last rows may still have changed. */
const RECENT_ROWS = 30;

/** The past on the disk grows this often at most. */
const PAST_EVERY_MS = 300_000;

/** Fetched anew as a whole after so many parts, because old rows may change too. */
const PARTS_MAX = 30;

/** A graph with its last known numbers. */
export class GraphSource {
  data: GraphData | null = null;
  /** What is kept on the disk, as far as it was asked for. */
  past: GraphData | null = null;
  private parts = 0;
  private pastFrom = Infinity;
  private pastAt = 0;

  constructor(readonly listed: Listed) {}

  /** Fetches what is new. */
  async fetch(): Promise<GraphData> {
    const { data } = this;
    const large = data && data.total_rows * data.columns.length > WHOLE_MAX && this.parts < PARTS_MAX;
    if (!data || !large) {
      this.parts = 0;
      this.data = await get<GraphData>('/api/v1/graph', { id: this.listed.id });
      return this.data;
    }
    this.parts += 1;
    const since = data.time + Math.max(0, data.rows - RECENT_ROWS) * data.seconds_per_row;
    const part = await get<GraphData>('/api/v1/graph', { id: this.listed.id, since });
    this.data = joined(data, part);
    return this.data;
  }

  /** Fetches what is kept from `from` on; not again when that was done lately. */
  async fetchPast(from: number): Promise<void> {
    if (from >= this.pastFrom && Date.now() - this.pastAt < PAST_EVERY_MS) return;
    const until = this.data ? this.data.time + this.data.rows * this.data.seconds_per_row : Math.ceil(Date.now() / 1000);
    this.pastFrom = Math.min(from, this.pastFrom);
    this.pastAt = Date.now();
    const past = await get<GraphData>('/api/v1/graph/past', { id: this.listed.id, from: Math.floor(this.pastFrom), until });
    this.past = past.rows > 0 ? past : null;
  }

  /** Takes the kept past for the graph itself, when its plugin has not injected it since the engine started; whether there is one. */
  async fetchOnlyPast(seconds: number): Promise<boolean> {
    await this.fetchPast(Date.now() / 1000 - seconds);
    this.data = this.past;
    return this.data !== null;
  }
}

/** The old rows up to where the new ones begin, then these; as many as the buffer has. */
function joined(old: GraphData, part: GraphData): GraphData {
  const step = part.seconds_per_row;
  const keep = Math.round((part.time - old.time) / step);
  if (part.columns.length !== old.columns.length || step !== old.seconds_per_row || keep < 0 || keep > old.rows) return part;
  const values = part.values.map((column, n) => old.values[n].slice(0, keep).concat(column));
  const extra = Math.max(0, values[0].length - part.total_rows);
  return {
    ...part,
    time: old.time + extra * step,
    rows: values[0].length - extra,
    values: values.map((column) => column.slice(extra)),
  };
}

export const COMPARISONS: { [name: string]: { label: string; seconds: number; dash: number[] } } = {
  day: { label: 'yesterday', seconds: 86_400, dash: [6, 4] },
  week: { label: 'last week', seconds: 604_800, dash: [2, 3] },
};

/** A number of a column at a time, of the buffer or else of its past; null where there is none. */
type Lookup = (column: number, at: number) => number | null;

function lookup(data: GraphData, past: GraphData | null): Lookup {
  const own = (column: number, at: number) => data.values[column][Math.floor((at - data.time) / data.seconds_per_row)] ?? null;
  if (!past || past.rows === 0) return own;
  const places = columnsOf(data).map((name) => columnsOf(past).indexOf(name));
  return (column, at) => {
    const place = places[column];
    const kept = place < 0 ? undefined : past.values[place][Math.floor((at - past.time) / past.seconds_per_row)];
    return own(column, at) ?? kept ?? null;
  };
}

/** The names of the columns; equal ones are told apart by their number. */
function columnsOf(data: GraphData): string[] {
  const seen = new Map<string, number>();
  return data.columns.map(({ name }) => {
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    return `${n} ${name}`;
  });
}

/** A column that is drawn, and those with its bounds of normal. */
interface Shown {
  n: number;
  low: number | null;
  high: number | null;
}

/** The columns that are drawn: not those that are bounds of others, nor those that were never used or named. */
function columnsShown(data: GraphData): Shown[] {
  const shown: Shown[] = [];
  data.columns.forEach(({ name, unit }, n) => {
    if (unit === 'low' || unit === 'high') {
      const bounded = shown.find((one) => data.columns[one.n].name === name && one[unit] === null);
      if (bounded) {
        bounded[unit] = n;
        return;
      }
    }
    const isUnused = name === `Column_${n + 1}` && data.values[n].every((value) => value === null);
    if (!isUnused) shown.push({ n, low: null, high: null });
  });
  // A buffer that nobody has used yet shows what it is made for.
  return shown.length ? shown : data.columns.map((_, n) => ({ n, low: null, high: null }));
}

/** Whether the plugin says what is normal of a graph. */
export function hasBounds(data: GraphData): boolean {
  return columnsShown(data).some(({ low, high }) => low !== null && high !== null);
}

/** How a graph is shown. */
export interface View {
  hidden: Set<string>;
  /** Keys of `COMPARISONS`. */
  compare: string[];
  alerts: Alert[];
  /** What is kept on the disk. */
  past: GraphData | null;
  /** Rows of the past are shown from here on, seconds since 1970. */
  from: number;
}

/** What a chart draws of a buffer. */
export function chartData(data: GraphData, view: View): ChartData {
  const { hidden, compare, past } = view;
  const step = data.seconds_per_row;
  const at = lookup(data, past);
  const earlier = past ? rowTimes(past).filter((t) => t >= view.from && t < data.time) : [];
  const times = earlier.concat(rowTimes(data));
  // The newest row still changes: what it does not have yet is not in the past either.
  const newest = data.time + (data.rows - 1) * step;
  const valuesOf = (n: number) => (past ? times.map((t) => (t === newest ? data.values[n][data.rows - 1] : at(n, t))) : data.values[n]);
  const shown = columnsShown(data);
  const lines: Line[] = shown.map(({ n, low, high }) => {
    const column = data.columns[n];
    const label = column.unit ? `${column.name} (${column.unit})` : column.name;
    const band = low === null || high === null ? undefined : { low: valuesOf(low), high: valuesOf(high) };
    return { label, values: valuesOf(n), hidden: hidden.has(label), band };
  });
  const own = lines.length;
  for (const name of compare) {
    const comparison = COMPARISONS[name];
    if (!comparison) continue;
    for (let n = 0; n < own; n += 1) {
      if (lines[n].hidden) continue;
      const values = times.map((t) => at(shown[n].n, t - comparison.seconds));
      if (values.every((value) => value === null)) continue;
      lines.push({ label: `${lines[n].label}, ${comparison.label}`, values, like: n, dash: comparison.dash });
    }
  }
  return { times, lines, marks: marksOf(data, view, times[0] ?? data.time) };
}

function rowTimes(data: GraphData): number[] {
  return Array.from({ length: data.rows }, (_, row) => data.time + row * data.seconds_per_row);
}

/** Annotations of the buffer and of its past, and the alerts of its plugin. */
function marksOf(data: GraphData, view: View, from: number): Mark[] {
  const seen = new Set<string>();
  const marks: Mark[] = [];
  const add = (x: number, text: string, kind: Mark['kind']) => {
    if (seen.has(`${x} ${text}`)) return;
    seen.add(`${x} ${text}`);
    marks.push({ x, text, kind });
  };
  for (const source of view.past ? [data, view.past] : [data]) {
    for (const mark of source.annotations) {
      const x = mark.x / 1000;
      const kind = mark.shortText.toLowerCase().startsWith('a') ? 'alert' : 'info';
      if (x >= from) add(x, `${source.columns[mark.col - 1]?.name ?? ''}: ${mark.text}`, kind);
    }
  }
  const until = data.time + data.rows * data.seconds_per_row;
  for (const alert of view.alerts) {
    const x = alert.at_ms / 1000;
    if (x >= from && x <= until) add(x, alert.summary, 'alert');
  }
  return marks;
}

/** How far back a buffer goes, seconds. */
export function reach(data: GraphData): number {
  return data.total_rows * data.seconds_per_row;
}

/** When the newest row begins, seconds since 1970. */
export function newest(data: GraphData): number {
  return data.time + (data.rows - 1) * data.seconds_per_row;
}
