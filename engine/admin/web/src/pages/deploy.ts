// The editor: a new plugin, or a new version of one, tested against messages before it is deployed.

import { can, get, post, type Plugin, type Shown } from '../api';
import { failure, fill, h, toast } from '../dom';
import { bytes, count, duration } from '../format';
import { messageView } from '../message';
import { link, type Page } from '../page';
import type { Detail } from './plugins';

const CONFIG = `filename = "NAME.lua"
message_matcher = "TRUE"
ticker_interval = 60
preserve_data = true
`;

const SOURCE = `require "circular_buffer"

-- A row a minute for a day; one column that counts messages.
local data = circular_buffer.new(1440, 1, 60)
local MESSAGES = data:set_header(1, "messages", "count", "sum")

function process_message()
    data:add(read_message("Timestamp"), MESSAGES, 1)
    return 0
end

function timer_event(ns, shutdown)
    inject_payload("cbuf", "messages", data)
end
`;

/** The engine looks into the load directory once a second. */
const TAKEN_TRIES = 20;

interface Report {
  passed: boolean;
  error: string | null;
  offered: number;
  processed: number;
  failures: number;
  first_failure: string | null;
  injected: number;
  messages: Shown[];
  log: string[];
  memory_max: number;
  instructions_max: number;
  mean_ns: number;
}

/** The editor for a plugin, or for a new one. */
export function deployPage(name: string | null): Page {
  const [oldKind, ...rest] = name?.split('.') ?? ['analysis'];
  let tested = '';
  const kind = h('select', { 'aria-label': 'Kind', disabled: name !== null, onchange: () => changed() }, ['analysis', 'input', 'output'].filter((one) => one === 'analysis' || can('operator')).map((one) => h('option', { value: one, selected: one === oldKind }, one)));
  const title = h('input', { type: 'text', 'aria-label': 'Name', placeholder: 'name', maxlength: 96, value: rest.join('.'), disabled: name !== null, spellcheck: 'false', oninput: () => renamed() });
  const config = h('textarea', { class: 'mono code', rows: 9, spellcheck: 'false', 'aria-label': 'Configuration', oninput: () => changed() });
  const source = h('textarea', { class: 'mono code', rows: 22, spellcheck: 'false', 'aria-label': 'Lua source', oninput: () => changed(), onkeydown: tabbed });
  const results = h('div', { 'aria-live': 'polite' });
  const deploy = h('button', { type: 'button', class: 'primary', disabled: true, onclick: () => void send() }, 'Deploy');
  const what = h('select', { 'aria-label': 'Messages' }, h('option', { value: 'recorded' }, 'recorded messages'), h('option', { value: 'live' }, 'live messages, up to 10 s'));
  const limit = h('input', { type: 'number', min: 1, max: 10000, value: 1000, 'aria-label': 'How many messages' });
  const test = h('button', { type: 'button', onclick: () => void run() }, 'Test');
  let lastName = '';

  const plugin = () => ({ kind: kind.value, name: title.value.trim(), config: config.value, source: source.value.trim() ? source.value : null });

  /** A plugin can be deployed when exactly this text was tested; inputs and outputs cannot be tested. */
  function changed(): void {
    deploy.disabled = kind.value === 'analysis' ? JSON.stringify(plugin()) !== tested : false;
    test.disabled = kind.value !== 'analysis';
    deploy.title = deploy.disabled ? 'Test this version first' : '';
  }

  function renamed(): void {
    const now = title.value.trim();
    config.value = config.value.replace(`"${lastName || 'NAME'}.lua"`, `"${now || 'NAME'}.lua"`);
    lastName = now;
    changed();
  }

  async function run(): Promise<void> {
    const trying = plugin();
    test.disabled = true;
    fill(results, h('p', { class: 'muted' }, what.value === 'live' ? 'Waiting for live messages…' : 'Running…'));
    try {
      const report = await post<Report>('/api/v1/trial', { ...trying, live: what.value === 'live', limit: Number(limit.value) || 100 });
      tested = report.passed ? JSON.stringify(trying) : '';
      fill(results, reportView(report));
    } catch (error) {
      tested = '';
      fill(results, failure(error));
    }
    changed();
  }

  async function send(): Promise<void> {
    try {
      const done = await post<{ name: string }>('/api/v1/deploy', plugin());
      toast(`${done.name} was put into the load directory`);
      fill(results, h('p', { class: 'muted' }, 'Waiting until the engine has taken it…'));
      await taken(done.name);
      location.hash = link(['plugins', done.name]);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), 'bad');
      fill(results, failure(error));
    }
  }

  async function load(): Promise<void> {
    if (name === null) {
      config.value = CONFIG;
      source.value = SOURCE;
    } else {
      try {
        const detail = await get<Detail>(`/api/v1/plugins/${encodeURIComponent(name)}`);
        config.value = detail.files.config;
        // An installed source is shared by several plugins: it is used as it is, unless a new one is written.
        const own = detail.files.source_path.endsWith(`/${title.value}.lua`);
        source.value = own ? detail.files.source : '';
        if (!own) source.placeholder = `Empty: ${detail.files.source_path} is used as it is.`;
      } catch (error) {
        fill(results, failure(error));
      }
    }
    changed();
  }

  void load();
  return {
    element: h(
      'div',
      null,
      h('div', { class: 'head' }, h('a', { class: 'back', href: name ? link(['plugins', name]) : link(['plugins']) }, name ? `← ${name}` : '← Plugins'), h('h1', null, name ? 'New version' : 'New plugin')),
      h(
        'div',
        { class: 'columns editor' },
        h('section', { class: 'panel' }, h('div', { class: 'row' }, kind, title), h('h2', null, 'Configuration'), config, h('h2', null, 'Source'), source),
        h('section', { class: 'panel' }, h('h2', null, 'Test'), h('p', { class: 'muted' }, 'Runs in a sandbox of its own; nothing it injects goes anywhere.'), h('div', { class: 'row' }, what, limit, test, deploy), results),
      ),
    ),
  };
}

/** Waits until the engine knows the plugin; after a while the page of the plugin says what is wrong. */
async function taken(name: string): Promise<void> {
  for (let n = 0; n < TAKEN_TRIES; n += 1) {
    const { plugins } = await get<{ plugins: Plugin[] }>('/api/v1/plugins');
    if (plugins.some((plugin) => plugin.name === name)) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Tab indents rather than leaves the editor; Escape, then Tab, leaves it. */
let leaving = false;
function tabbed(event: KeyboardEvent): void {
  const area = event.target as HTMLTextAreaElement;
  if (event.key === 'Escape') {
    leaving = true;
    return;
  }
  if (event.key !== 'Tab' || event.shiftKey || leaving) {
    leaving = false;
    return;
  }
  event.preventDefault();
  area.setRangeText('    ', area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new Event('input'));
}

function reportView(report: Report): HTMLElement {
  return h(
    'div',
    null,
    report.passed ? h('p', { class: 'good' }, 'Passed: it can be deployed.') : h('p', { class: 'bad' }, 'Failed.'),
    report.error && h('pre', { class: 'wrap bad' }, report.error),
    report.first_failure && h('pre', { class: 'wrap' }, report.first_failure),
    h(
      'p',
      null,
      `${count(report.processed)} of ${count(report.offered)} messages matched, ${count(report.failures)} failed; ${count(report.injected)} injected; ${duration(report.mean_ns)} a call; at most ${bytes(report.memory_max)} and ${count(report.instructions_max)} counted instructions.`,
    ),
    report.processed === 0 && report.passed && h('p', { class: 'warn' }, 'No message matched, so only the start and the timer were tested.'),
    report.log.length > 0 && h('details', { open: true }, h('summary', null, 'Log'), h('pre', { class: 'wrap' }, report.log.join('\n'))),
    report.messages.length > 0 && h('details', { open: true }, h('summary', null, 'Injected'), h('div', { class: 'messages' }, report.messages.map((one) => messageView(one)))),
  );
}
