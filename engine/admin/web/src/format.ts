// Numbers and times as people read them.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** 1536 -> "1.5 KiB". */
export function bytes(n: number): string {
  let unit = 0;
  while (n >= 1024 && unit < UNITS.length - 1) {
    n /= 1024;
    unit += 1;
  }
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${UNITS[unit]}`;
}

/** 1234567 -> "1.23 M"; small numbers stay whole. */
export function count(n: number): string {
  if (!Number.isFinite(n)) return '–';
  const abs = Math.abs(n);
  if (abs >= 1e9) return `${(n / 1e9).toFixed(2)} G`;
  if (abs >= 1e6) return `${(n / 1e6).toFixed(2)} M`;
  if (abs >= 1e4) return `${(n / 1e3).toFixed(1)} k`;
  if (Number.isInteger(n)) return n.toString();
  return abs >= 100 ? n.toFixed(0) : abs >= 1 ? n.toFixed(1) : n.toPrecision(2);
}

/** 1, "column" -> "1 column"; 2, "column" -> "2 columns". */
export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** Nanoseconds -> "1.2 µs". */
export function duration(ns: number): string {
  if (ns <= 0) return '–';
  if (ns < 1e3) return `${ns.toFixed(0)} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(1)} ms`;
  return `${(ns / 1e9).toFixed(1)} s`;
}

/** Seconds -> "3 d 4 h". */
export function span(s: number): string {
  const parts: [number, string][] = [
    [86400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const out: string[] = [];
  for (const [size, unit] of parts) {
    const n = Math.floor(s / size);
    if (n > 0) {
      out.push(`${n} ${unit}`);
      s -= n * size;
    }
    if (out.length === 2) break;
  }
  return out.join(' ') || '0 s';
}

const two = (n: number) => String(n).padStart(2, '0');

/** Milliseconds since 1970 -> "2026-11-24 18:05:09", local time. */
export function time(ms: number): string {
  const t = new Date(ms);
  if (Number.isNaN(t.getTime())) return '–';
  const date = `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
  return `${date} ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}

/** How long ago, in words. */
export function ago(ms: number): string {
  const s = Math.max(0, Math.round((Date.now() - ms) / 1000));
  return s < 5 ? 'now' : `${span(s)} ago`;
}
