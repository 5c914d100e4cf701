// What becomes of alerts: how the channels work, what is silenced, and the forms for it.

import { can, get, post, type Alert, type AlertOutput, type Silence } from '../api';
import { confirmed, fill, h, toast } from '../dom';
import { ago, span, time } from '../format';

/** What is known of alerts beyond their messages. */
export interface Known {
  outputs: AlertOutput[];
  silences: Silence[];
  at_ms: number;
}

const LENGTHS: [string, number][] = [
  ['1 hour', 60],
  ['4 hours', 240],
  ['1 day', 1440],
  ['1 week', 10080],
];

/** Asks for all of it. */
export async function known(): Promise<Known> {
  const [states, silences] = await Promise.all([
    get<{ outputs: AlertOutput[]; at_ms: number }>('/api/v1/alerts/state'),
    get<{ silences: Silence[] }>('/api/v1/silences'),
  ]);
  return { outputs: states.outputs, silences: silences.silences, at_ms: states.at_ms };
}

/** `firing`, `silenced`, `recovered` or `test`: of an alert that outputs know, what they know. */
export function stateOf(alert: Alert, all: Known): string {
  if (alert.state !== 'firing') return alert.state;
  for (const output of all.outputs) {
    const found = output.alerts.find((one) => one.plugin === alert.logger && one.id === alert.id);
    if (found) return found.state === 'firing' && found.silence ? 'silenced' : found.state;
  }
  return alert.state;
}

/** Where the newest state of this alert was told. */
export function toldOf(alert: Alert, all: Known): string[] {
  const found = all.outputs.flatMap((output) => output.alerts.filter((one) => one.plugin === alert.logger && one.id === alert.id));
  return found.flatMap((one) => one.told.map((told) => `${told.channel} (${time(told.at * 1000)})`));
}

/** Asks for a new silence; `changed` is called when it is there. */
export function silenceDialog(plugin: string, alert: string, changed: () => void): void {
  const of = h('input', { type: 'text', value: plugin, placeholder: 'any plugin' });
  const id = h('input', { type: 'text', value: alert, placeholder: 'any alert' });
  const expression = h('input', { type: 'text', class: 'mono', placeholder: 'Severity > 3' });
  const length = h('select', null, LENGTHS.map(([name, minutes]) => h('option', { value: minutes }, name)));
  const reason = h('input', { type: 'text', placeholder: 'what others should know' });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const close = () => {
    dialog.close();
    dialog.remove();
  };
  const send = async (event: Event) => {
    event.preventDefault();
    try {
      const wanted = { plugin: of.value, alert: id.value, expression: expression.value, minutes: Number(length.value), reason: reason.value };
      await post('/api/v1/silences/begin', wanted);
      close();
      toast('The silence has begun');
      changed();
    } catch (error) {
      fill(problem, error instanceof Error ? error.message : String(error));
    }
  };
  const field = (name: string, input: HTMLElement) => h('label', { class: 'field' }, h('span', null, name), input);
  const dialog = h(
    'dialog',
    { 'aria-label': 'New silence', oncancel: () => dialog.remove() },
    h('h2', null, 'New silence'),
    h('p', { class: 'muted' }, 'Alerts that fit all of what is given are told to nobody meanwhile. They are listed here all the same.'),
    h(
      'form',
      { onsubmit: (event: Event) => void send(event) },
      field('Plugin', of),
      field('Alert', id),
      field('Expression', expression),
      field('For', length),
      field('Reason', reason),
      problem,
      h('div', { class: 'row end' }, h('button', { type: 'button', onclick: close }, 'Cancel'), h('button', { class: 'primary', type: 'submit' }, 'Begin')),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
}

/** Sends a test alert. */
export async function sendTest(): Promise<void> {
  if (!(await confirmed('Send a test alert', 'It goes to every channel of every alert output, also to people.', 'Send it'))) return;
  try {
    await post('/api/v1/alerts/test');
    toast('The test is on its way');
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), 'bad');
  }
}

/** How the channels of all alert outputs work. */
export function channelsPanel(all: Known): HTMLElement {
  const rows = all.outputs.flatMap((output) =>
    output.channels.map((channel) =>
      h(
        'tr',
        null,
        h('td', null, channel.name, ' ', h('span', { class: 'muted' }, channel.kind, h('span', { class: 'wide' }, `, ${output.plugin}`))),
        h('td', null, h('span', { class: channel.failures ? 'bad' : 'good' }, channel.failures ? (channel.error ?? 'fails') : 'works')),
        h('td', { class: 'n' }, channel.waiting),
        h('td', { class: 'n' }, channel.sent_at ? ago(channel.sent_at * 1000) : '–'),
      ),
    ),
  );
  const text = h('p', { class: 'muted' }, 'No alert output has said anything yet: ', h('code', null, 'output/alert.lua'), ' sends alerts to people.');
  const head = h('tr', null, ['Channel', 'State', 'Waiting', 'Sent'].map((name, i) => h('th', { class: i > 1 ? 'n' : undefined }, name)));
  return h('section', { class: 'panel' }, h('h2', null, 'Channels'), rows.length ? h('div', { class: 'scroll' }, h('table', { class: 'plain' }, h('thead', null, head), h('tbody', null, rows))) : text);
}

/** The silences that hold, to be ended by those who may. */
export function silencesPanel(all: Known, changed: () => void): HTMLElement {
  const holding = all.silences.filter((silence) => silence.end * 1000 > all.at_ms);
  const end = async (silence: Silence) => {
    try {
      await post('/api/v1/silences/end', { id: silence.id });
      toast('The silence has ended');
      changed();
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), 'bad');
    }
  };
  const items = holding.map((silence) =>
    h(
      'div',
      { class: 'item row spread' },
      h(
        'div',
        null,
        h('strong', null, [silence.plugin, silence.alert, silence.expression].filter(Boolean).join(' · ')),
        h('span', { class: 'muted' }, `${silence.reason} (${silence.author}), ${span(silence.end - all.at_ms / 1000)} more`),
      ),
      can('operator') && h('button', { onclick: () => void end(silence) }, 'End'),
    ),
  );
  return h('section', { class: 'panel silences' }, h('h2', null, 'Silences'), items.length ? items : h('p', { class: 'muted' }, 'None holds.'));
}
