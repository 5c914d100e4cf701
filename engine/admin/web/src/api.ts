// Talks to the API: requests with the token, and one stream of live events for all pages.

export interface Me {
  name: string;
  role: 'anyone' | 'viewer' | 'author' | 'operator';
  token: string;
  can_log_out: boolean;
  hostname: string | null;
  can_load: boolean;
  version: string;
}

export interface Listed {
  id: string;
  logger: string;
  kind: string;
  name: string;
  bytes: number;
  at_ms: number;
  generation: number;
}

export interface Alert {
  number: number;
  at_ms: number;
  logger: string;
  id: string;
  summary: string;
  detail: string;
  severity: number;
  state: string;
  to: string[];
}

/** What an alert output has told of itself. */
export interface AlertOutput {
  plugin: string;
  alerts: { state: string; plugin: string; id: string; silence?: string; count: number; told: { channel: string; at: number; state: string }[] }[];
  channels: { name: string; kind: string; waiting: number; failures: number; error?: string; sent: number; sent_at?: number }[];
}

export interface Silence {
  id: string;
  start: number;
  end: number;
  author: string;
  reason: string;
  plugin?: string;
  alert?: string;
  expression?: string;
}

export interface Queue {
  name: string;
  segments: number;
  bytes: number;
  appended: string;
  blocked: string | null;
  disk_free: number | null;
  readers: { name: string; lag_bytes: number }[];
}

export interface Overview {
  at_ms: number;
  started_ms: number;
  hostname: string;
  in_per_s: number;
  in_bytes_per_s: number;
  analysed_per_s: number;
  out_per_s: number;
  failures: number;
  running: number;
  stopped: number;
  ended: number;
  terminated: number;
  queues: Queue[];
  errors: [string, string][];
  alerts: number;
  payloads: number;
}

export interface Plugin {
  name: string;
  kind: string;
  condition: 'running' | 'ended' | 'terminated' | 'stopped';
  error: string | null;
  owner: string | null;
  matcher: string | null;
  may_change: boolean;
  ticker_s: number;
  injects: number;
  inject_bytes: number;
  messages: number;
  failures: number;
  memory: number;
  memory_max: number;
  memory_limit: number;
  output_max: number;
  output_limit: number;
  message_limit: number;
  instructions_max: number;
  instruction_limit: number;
  matching_ns: [number, number];
  processing_ns: [number, number];
  timing_ns: [number, number];
  matching_total_ns: number;
  processing_total_ns: number;
  timing_total_ns: number;
  lag_bytes: number | null;
}

export interface GraphData {
  generation: number;
  time: number;
  seconds_per_row: number;
  rows: number;
  total_rows: number;
  columns: { name: string; unit: string; aggregation: string }[];
  annotations: { x: number; col: number; shortText: string; text: string }[];
  values: (number | null)[][];
}

export interface Shown {
  time: string;
  message: { [key: string]: unknown };
}

/** What the server said instead of an answer. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
  }
}

export let me: Me = {
  name: '',
  role: 'anyone',
  token: '',
  can_log_out: false,
  hostname: null,
  can_load: false,
  version: '',
};

/** Asks who we are. */
export async function whoAmI(): Promise<Me> {
  me = await get<Me>('/api/v1/me');
  return me;
}

const RANKS = ['anyone', 'viewer', 'author', 'operator'];

/** Whether our role is at least this. */
export function can(role: Me['role']): boolean {
  return RANKS.indexOf(me.role) >= RANKS.indexOf(role);
}

async function answer(response: Response): Promise<Response> {
  if (response.ok) return response;
  let text = `${response.status} ${response.statusText}`;
  try {
    text = ((await response.json()) as { error: string }).error ?? text;
  } catch {
    // Not ours: the status has to do.
  }
  throw new Refused(response.status, text);
}

/** Gets JSON; `query` is put behind the path. */
export async function get<T>(path: string, query: { [name: string]: string | number } = {}): Promise<T> {
  const response = await answer(await fetch(address(path, query)));
  return (await response.json()) as T;
}

/** Gets text. */
export async function text(path: string, query: { [name: string]: string } = {}): Promise<string> {
  return (await answer(await fetch(address(path, query)))).text();
}

/** Changes something. */
export async function post<T>(path: string, body: unknown = {}): Promise<T> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-foresight-token': me.token },
    body: JSON.stringify(body),
  });
  return (await (await answer(response)).json()) as T;
}

/** The address of a thing. */
export function address(path: string, query: { [name: string]: string | number } = {}): string {
  const pairs = Object.entries(query).map(([k, v]) => `${k}=${encodeURIComponent(String(v))}`);
  return pairs.length ? `${path}?${pairs.join('&')}` : path;
}

type Listener<T> = (data: T) => void;
const listeners: { [name: string]: Set<Listener<never>> } = {};
let source: EventSource | null = null;
let lastOverview: Overview | null = null;

/** Calls back with each event of this name, until the returned function is called. */
export function on(name: 'overview', listener: Listener<Overview>): () => void;
export function on(name: 'payloads', listener: Listener<{ payloads: Listed[]; is_cut: boolean }>): () => void;
export function on(name: 'alerts', listener: Listener<{ alerts: Alert[] }>): () => void;
export function on(name: 'connection', listener: Listener<boolean>): () => void;
export function on(name: string, listener: Listener<never>): () => void {
  const all = (listeners[name] ??= new Set());
  all.add(listener);
  if (name === 'overview' && lastOverview) (listener as Listener<Overview>)(lastOverview);
  return () => all.delete(listener);
}

function tell(name: string, data: unknown): void {
  for (const listener of listeners[name] ?? []) (listener as Listener<unknown>)(data);
}

/** Begins to listen; one stream serves all pages. */
export function connect(): void {
  source?.close();
  source = new EventSource('/api/v1/events');
  source.onopen = () => tell('connection', true);
  source.onerror = () => {
    tell('connection', false);
    // A browser does not come back by itself after an answer that is none, as when a session has ended.
    if (source?.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  };
  for (const name of ['overview', 'payloads', 'alerts']) {
    source.addEventListener(name, (event) => {
      const data: unknown = JSON.parse((event as MessageEvent<string>).data);
      if (name === 'overview') lastOverview = data as Overview;
      tell(name, data);
    });
  }
}

/** Ends the stream. */
export function disconnect(): void {
  source?.close();
  source = null;
}
