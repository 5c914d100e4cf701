// From a circular buffer to a chart: rows to times, comparison with the past, marks.

import { get, type Alert, type GraphData, type Listed } from './api';
import type { ChartData, Line, Mark } from './chart';

/** Buffers with more cells are not fetched whole each time. */
const WHOLE_MAX = 20_000;

/** So many of the last rows may still have changed. */
const RECENT_ROWS = 30;

/** Fetched anew as a whole after so many parts, because old rows may change too. */
const PARTS_MAX = 30;

/** A graph with its last known numbers. */
export class GraphSource {
  data: GraphData | null = null;
  private parts = 0;

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

export const COMPARISONS: { [name: string]: { label: string; seconds: number } } = {
  day: { label: 'yesterday', seconds: 86_400 },
  week: { label: 'last week', seconds: 604_800 },
};

/** What a chart draws of a buffer. */
export function chartData(data: GraphData, hidden: Set<string>, compare: string[], alerts: Alert[]): ChartData {
  const step = data.seconds_per_row;
  const times = Array.from({ length: data.rows }, (_, row) => data.time + row * step);
  const lines: Line[] = data.columns.map((column, n) => {
    const label = column.unit ? `${column.name} (${column.unit})` : column.name;
    return { label, values: data.values[n], hidden: hidden.has(label) };
  });
  const own = lines.length;
  for (const name of compare) {
    const comparison = COMPARISONS[name];
    if (!comparison) continue;
    const shift = Math.round(comparison.seconds / step);
    // A buffer that does not go back so far has nothing to compare with.
    if (shift >= data.rows) continue;
    for (let n = 0; n < own; n += 1) {
      if (lines[n].hidden) continue;
      const values = data.values[n];
      const past = values.map((_, row) => (row >= shift ? values[row - shift] : null));
      lines.push({ label: `${lines[n].label}, ${comparison.label}`, values: past, like: n });
    }
  }
  const marks: Mark[] = data.annotations.map((mark) => ({
    x: mark.x / 1000,
    text: `${data.columns[mark.col - 1]?.name ?? ''}: ${mark.text}`,
    kind: mark.shortText.toLowerCase().startsWith('a') ? 'alert' : 'info',
  }));
  const until = data.time + data.rows * step;
  for (const alert of alerts) {
    const x = alert.at_ms / 1000;
    if (x >= data.time && x <= until) marks.push({ x, text: alert.summary, kind: 'alert' });
  }
  return { times, lines, marks };
}

/** How far back a buffer goes, seconds. */
export function reach(data: GraphData): number {
  return data.total_rows * data.seconds_per_row;
}
