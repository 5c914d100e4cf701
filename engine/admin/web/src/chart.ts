// One chart over uPlot: zoom, pan, a crosshair shared by all charts, marks, bands of normal, comparison, PNG.

import uPlot from 'uplot';
import { h, fill } from './dom';
import { count, time } from './format';

/** A least and a greatest value for each time; null where none is known. */
export interface Band {
  low: (number | null)[];
  high: (number | null)[];
}

/** A series of numbers over time. */
export interface Line {
  label: string;
  values: (number | null)[];
  hidden?: boolean;
  /** Where its values would be normal, as its detector says. */
  band?: Band;
  /** Seconds by which it is shifted: a comparison with the past, drawn dashed in the colour of `like`. */
  like?: number;
  /** How it is dashed then. */
  dash?: number[];
}

/** A mark at a time. */
export interface Mark {
  /** Seconds since 1970. */
  x: number;
  text: string;
  kind: 'alert' | 'info';
}

export interface ChartData {
  /** Seconds since 1970, one for each value. */
  times: number[];
  lines: Line[];
  marks: Mark[];
}

export interface ChartOptions {
  height: number;
  log?: boolean;
  /** Draw where values usually lie. */
  band?: boolean;
  /** Small: no axis labels but the last, no legend. */
  small?: boolean;
  /** Charts of the same group share the crosshair. */
  group?: string;
  /** From and to, seconds; without them everything is shown. */
  range?: [number, number] | null;
  /** Called when somebody zooms or pans; null for everything. */
  onrange?: (range: [number, number] | null) => void;
  format?: (n: number) => string;
  /** What the chart shows, for those who cannot see it. */
  title: string;
}

/** Colours that can be told apart, also by people who see few colours (Okabe and Ito), with enough contrast on both grounds. */
const COLORS = {
  light: ['#0067a8', '#b85c00', '#00795a', '#a83f7c', '#6b5bb5', '#7a6a00', '#2f7f8f', '#9a3b2e'],
  dark: ['#56b4e9', '#e69f00', '#2fc497', '#e48fc0', '#a99bf0', '#d8c94a', '#6cc9d8', '#ef8a7a'],
};

const dark = window.matchMedia('(prefers-color-scheme: dark)');

/** Whether the page is dark: as chosen, else as the system is. */
export function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : dark.matches;
}

/** The colour of the nth line. */
export function color(n: number): string {
  const all = isDark() ? COLORS.dark : COLORS.light;
  return all[n % all.length];
}

/** What `css` found, by theme and name: each look has the browser compute styles. */
const styles = new Map<string, string>();

function css(name: string): string {
  const key = `${isDark()} ${name}`;
  let value = styles.get(key);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    styles.set(key, value);
  }
  return value;
}

/** Half of the width of the band of normal, in deviations. */
const BAND_DEVIATIONS = 3;

/** The deviation is that of about so many values; a band begins after so many. */
const BAND_SPAN = 60;
const BAND_FIRST = 20;

/** How fast level and trend follow. */
const LEVEL_WEIGHT = 0.2;
const TREND_WEIGHT = 0.02;

/** Where each value would usually lie, told from those before it: level and trend (Holt), and the deviation of what they miss. */
export function band(values: (number | null)[]): Band {
  const low: (number | null)[] = [];
  const high: (number | null)[] = [];
  const weight = 2 / (BAND_SPAN + 1);
  let [level, trend, variance, n] = [NaN, 0, 0, 0];
  for (const value of values) {
    const expected = level + trend;
    const width = BAND_DEVIATIONS * Math.sqrt(variance);
    const known = n >= BAND_FIRST;
    low.push(known ? expected - width : null);
    high.push(known ? expected + width : null);
    if (value === null) continue;
    n += 1;
    if (n === 1) {
      level = value;
      continue;
    }
    // What lies far outside moves the band only a little, so that a fault does not become normal at once.
    const missed = value - expected;
    const taken = known && width > 0 ? Math.max(-width, Math.min(width, missed)) : missed;
    level = expected + LEVEL_WEIGHT * taken;
    trend += TREND_WEIGHT * taken;
    variance = (1 - weight) * (variance + weight * taken * taken);
  }
  return { low, high };
}

/** The least time that everything is shown as, seconds: one sample alone has none. */
const SPAN_MIN = 60;

/** How times are written below a chart: by the step between them, then what is added where the day changes. */
const TIMES: (string | number | null)[][] = [
  [3600 * 24 * 365, '{YYYY}', null, null, null, null, null, null, 1],
  [3600 * 24 * 28, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [3600 * 24, '{DD} {MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{DD} {MMM}', null, '\n{DD} {MMM}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{DD} {MMM}', null, '\n{DD} {MMM}', null, null, null, 1],
  [0.001, ':{ss}.{fff}', '\n{DD} {MMM} {HH}:{mm}', null, '\n{DD} {MMM} {HH}:{mm}', null, '\n{HH}:{mm}', null, 1],
];

/** A chart in an element. */
export class Chart {
  readonly element: HTMLElement;
  private plot: uPlot | null = null;
  private data: ChartData = { times: [], lines: [], marks: [] };
  private readonly holder: HTMLElement;
  private readonly legend: HTMLElement;
  private readonly tip: HTMLElement;
  private readonly observer: ResizeObserver;
  private range: [number, number] | null;
  /** The width of the element, once the browser has told it; to ask for it would have the page laid out for each chart. */
  private measured = 0;

  constructor(private options: ChartOptions) {
    this.range = options.range ?? null;
    this.tip = h('div', { class: 'tip', hidden: true });
    this.holder = h('div', {
      class: 'plot',
      tabindex: options.small ? -1 : 0,
      role: 'img',
      'aria-label': options.title,
      onkeydown: (event: KeyboardEvent) => this.key(event),
      onwheel: (event: WheelEvent) => this.wheel(event),
      ondblclick: () => this.show(null),
    });
    this.legend = h('div', { class: 'legend' });
    this.element = h('div', { class: `chart ${options.small ? 'small' : ''}` }, this.holder, this.tip);
    if (!options.small) this.element.append(this.legend);
    this.observer = new ResizeObserver(([entry]) => {
      this.measured = entry.contentRect.width;
      this.fit();
    });
    this.observer.observe(this.element);
  }

  /** Shows other data; zoom and hidden lines stay. */
  set(data: ChartData): void {
    const same =
      this.plot !== null &&
      data.lines.length === this.data.lines.length &&
      data.lines.every((line, n) => {
        const old = this.data.lines[n];
        return line.label === old.label && line.hidden === old.hidden && line.like === old.like;
      });
    this.data = data;
    if (same && this.plot) {
      this.plot.setData(this.columns(), false);
      this.zoom();
      this.showLegend(this.plot.cursor.idx ?? null);
    } else {
      this.build();
    }
  }

  /** Changes options that need a new drawing. */
  change(options: Partial<ChartOptions>): void {
    this.options = { ...this.options, ...options };
    this.build();
  }

  /** Shows from..to, or everything. */
  show(range: [number, number] | null, tell = true): void {
    this.range = range;
    this.zoom();
    if (tell) this.options.onrange?.(range);
  }

  /** The chart as a picture. */
  png(): Promise<Blob | null> {
    const canvas = this.plot?.ctx.canvas;
    if (!canvas) return Promise.resolve(null);
    const copy = document.createElement('canvas');
    copy.width = canvas.width;
    copy.height = canvas.height;
    const ctx = copy.getContext('2d');
    if (!ctx) return Promise.resolve(null);
    ctx.fillStyle = css('--surface');
    ctx.fillRect(0, 0, copy.width, copy.height);
    ctx.drawImage(canvas, 0, 0);
    return new Promise((resolve) => copy.toBlob(resolve, 'image/png'));
  }

  destroy(): void {
    this.observer.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  private columns(): uPlot.AlignedData {
    const positive = (v: number | null) => (v !== null && v > 0 ? v : null);
    const values = this.data.lines.map((line) => (this.options.log ? line.values.map(positive) : line.values));
    return [this.data.times, ...values] as uPlot.AlignedData;
  }

  private width(): number {
    return Math.max(120, Math.round(this.measured || this.element.clientWidth));
  }

  private fit(): void {
    if (this.plot && this.plot.width !== this.width()) {
      this.plot.setSize({ width: this.width(), height: this.options.height });
    }
  }

  private whole(): [number, number] {
    const { times } = this.data;
    const now = Date.now() / 1000;
    if (times.length === 0) return [now - SPAN_MIN, now];
    const last = times[times.length - 1];
    return [Math.min(times[0], last - SPAN_MIN), last];
  }

  private zoom(): void {
    const [min, max] = this.range ?? this.whole();
    this.plot?.setScale('x', { min, max: max > min ? max : min + 1 });
  }

  private build(): void {
    this.plot?.destroy();
    const { small, height, log, group, format = count } = this.options;
    const grid = { stroke: css('--line'), width: 1 };
    const axis = { stroke: css('--muted'), grid, ticks: grid, font: `11px ${css('--font')}` };
    const series: uPlot.Series[] = this.data.lines.map((line, n) => ({
      label: line.label,
      stroke: color(line.like ?? n),
      width: 1.5,
      dash: line.like === undefined ? undefined : (line.dash ?? [5, 4]),
      alpha: line.like === undefined ? 1 : 0.75,
      show: !line.hidden,
      points: { show: this.data.times.length < 30, size: 4 },
      spanGaps: false,
    }));
    this.plot = new uPlot(
      {
        width: this.width(),
        height,
        legend: { show: false },
        cursor: {
          sync: group ? { key: group } : undefined,
          drag: { x: true, y: false, setScale: false },
          points: { size: 7 },
          y: false,
        },
        scales: {
          x: { time: true },
          y: { distr: log ? 3 : 1, range: log ? undefined : (_, min, max) => this.ySpan(min, max) },
        },
        axes: [
          { ...axis, space: small ? 64 : 60, size: 40, values: TIMES as uPlot.Axis.Values },
          { ...axis, size: small ? 46 : 60, space: small ? 30 : 36, values: (_, ticks) => ticks.map((t) => (t === null ? '' : format(t))) },
        ],
        series: [{}, ...series],
        hooks: {
          setSelect: [(plot) => this.selected(plot)],
          setCursor: [(plot) => this.moved(plot)],
          drawClear: [(plot) => this.drawBands(plot)],
          draw: [(plot) => this.drawMarks(plot)],
        },
      },
      this.columns(),
      this.holder,
    );
    this.zoom();
    this.showLegend(null);
  }

  /** The vertical axis, with room for bands that are known, as far as the values stay readable. */
  private ySpan(min: number | null, max: number | null): [number, number] {
    if (!this.options.band || max === null) return ySpan(min, max);
    const highs = this.data.lines.flatMap((line) => (line.hidden ? [] : (line.band?.high ?? [])));
    const highest = highs.reduce<number>((most, high) => Math.max(most, high ?? most), max);
    return ySpan(min, Math.max(max, Math.min(highest, max * BAND_ROOM)));
  }

  private selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.show([from, to]);
  }

  private moved(plot: uPlot): void {
    const { idx, left = -1 } = plot.cursor;
    if (!this.options.small) this.showLegend(idx ?? null);
    const near = this.data.marks.filter((mark) => Math.abs(plot.valToPos(mark.x, 'x') - left) < 7);
    this.tip.hidden = left < 0 || (near.length === 0 && !this.options.small);
    if (this.tip.hidden) return;
    const lines = near.map((mark) => h('div', { class: `mark ${mark.kind}` }, `${time(mark.x * 1000)} ${mark.text}`));
    if (this.options.small && idx !== null && idx !== undefined) {
      const format = this.options.format ?? count;
      const values = this.data.lines.slice(0, 6).map((line, n) => {
        const value = line.values[idx];
        const dot = h('i', { class: `dot c${(line.like ?? n) % 8}` });
        return h('div', null, dot, `${line.label} ${value === null || value === undefined ? '–' : format(value)}`);
      });
      lines.unshift(h('div', { class: 'when' }, time(this.data.times[idx] * 1000)), ...values);
    }
    fill(this.tip, lines);
    const room = this.element.clientWidth - this.tip.offsetWidth - 8;
    const offset = plot.over.offsetLeft + left + 14;
    this.tip.style.left = `${Math.max(0, Math.min(room, offset))}px`;
  }

  private showLegend(idx: number | null): void {
    if (this.options.small) return;
    const at = idx ?? this.data.times.length - 1;
    const format = this.options.format ?? count;
    const when = h('span', { class: 'when' }, this.data.times.length ? time(this.data.times[at] * 1000) : '');
    const buttons = this.data.lines.map((line, n) => {
      const value = line.values[at];
      return h(
        'button',
        {
          type: 'button',
          class: `key ${line.hidden ? 'off' : ''}`,
          'aria-pressed': line.hidden ? 'false' : 'true',
          onclick: () => this.toggle(n),
          title: 'show or hide; with Alt show only this',
          'data-n': n,
        },
        h('i', { class: `dot c${(line.like ?? n) % 8} ${line.like === undefined ? '' : 'dashed'}` }),
        h('span', null, line.label),
        h('b', null, value === null || value === undefined ? '–' : format(value)),
      );
    });
    // Keep the focus of somebody who goes through the legend by keyboard.
    const focused = this.legend.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset.n : undefined;
    fill(this.legend, when, buttons);
    if (focused !== undefined) this.legend.querySelector<HTMLElement>(`[data-n="${focused}"]`)?.focus();
  }

  /** Told when a line is shown or hidden. */
  ontoggle: ((hidden: string[]) => void) | null = null;

  private toggle(n: number): void {
    const line = this.data.lines[n];
    line.hidden = !line.hidden;
    this.plot?.setSeries(n + 1, { show: !line.hidden });
    this.showLegend(null);
    this.ontoggle?.(this.data.lines.filter((other) => other.hidden).map((other) => other.label));
  }

  private drawBands(plot: uPlot): void {
    if (!this.options.band) return;
    const { ctx } = plot;
    this.data.lines.forEach((line, n) => {
      if (line.hidden || line.like !== undefined || n >= 4) return;
      const { low, high } = line.band ?? band(line.values);
      const [from, to] = plot.series[0].idxs ?? [0, this.data.times.length - 1];
      const step = Math.max(1, Math.floor((to - from) / 2000));
      ctx.save();
      ctx.beginPath();
      ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
      ctx.clip();
      ctx.fillStyle = color(n);
      ctx.globalAlpha = line.band ? 0.2 : 0.14;
      // One area for each time in which bounds are known.
      let part: number[] = [];
      for (let at = from; at <= to + step; at += step) {
        const known = at <= to && typeof low[at] === 'number' && typeof high[at] === 'number';
        if (known) part.push(at);
        else if (part.length) {
          this.fillBand(plot, part, low, high);
          part = [];
        }
      }
      ctx.restore();
    });
  }

  private fillBand(plot: uPlot, part: number[], low: Band['low'], high: Band['high']): void {
    const { ctx } = plot;
    const floor = plot.scales.y.min ?? 0;
    const x = (at: number) => plot.valToPos(this.data.times[at], 'x', true);
    const y = (value: number | null) => plot.valToPos(this.options.log ? Math.max(value ?? 0, floor) : (value ?? 0), 'y', true);
    ctx.beginPath();
    for (const at of part) ctx.lineTo(x(at), y(high[at]));
    for (const at of part.reverse()) ctx.lineTo(x(at), y(low[at]));
    ctx.closePath();
    ctx.fill();
  }

  private drawMarks(plot: uPlot): void {
    const { ctx } = plot;
    const { left, top, width, height } = plot.bbox;
    const size = 4 * devicePixelRatio;
    for (const mark of this.data.marks) {
      const x = plot.valToPos(mark.x, 'x', true);
      if (x < left || x > left + width) continue;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = css(mark.kind === 'alert' ? '--bad' : '--accent');
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(x - size, top);
      ctx.lineTo(x + size, top);
      ctx.lineTo(x, top + 1.6 * size);
      ctx.fill();
      ctx.restore();
    }
  }

  private shift(part: number): void {
    const [from, to] = this.range ?? this.whole();
    const by = (to - from) * part;
    this.show([from + by, to + by]);
  }

  private scale(factor: number, center?: number): void {
    const [from, to] = this.range ?? this.whole();
    const middle = center ?? (from + to) / 2;
    const next: [number, number] = [middle - (middle - from) * factor, middle + (to - middle) * factor];
    const [first, last] = this.whole();
    this.show(next[0] <= first && next[1] >= last ? null : next);
  }

  private key(event: KeyboardEvent): void {
    const actions: { [key: string]: () => void } = {
      ArrowLeft: () => this.shift(-0.2),
      ArrowRight: () => this.shift(0.2),
      '+': () => this.scale(0.6),
      '-': () => this.scale(1 / 0.6),
      '0': () => this.show(null),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  private wheel(event: WheelEvent): void {
    if (this.options.small || !this.plot || !(event.ctrlKey || event.shiftKey)) return;
    event.preventDefault();
    const delta = event.deltaY || event.deltaX;
    if (event.shiftKey) return this.shift(Math.sign(delta) * 0.1);
    const left = event.clientX - this.plot.over.getBoundingClientRect().left;
    this.scale(delta > 0 ? 1.25 : 0.8, this.plot.posToVal(left, 'x'));
  }
}

/** How much higher than the values the vertical axis may go to show a band. */
const BAND_ROOM = 1.5;

/** From 0, or from below, to a little above the greatest value. */
function ySpan(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const low = Math.min(0, min);
  const high = Math.max(0, max) || (low < 0 ? 0 : 4);
  const room = (high - low || 1) * 0.06;
  return [low < 0 ? low - room : 0, high + room];
}
