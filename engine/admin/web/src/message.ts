// Shows a message: its headers, its fields, its payload; everything as text.

import type { Shown } from './api';
import { h } from './dom';

const HEADERS = ['Type', 'Logger', 'Severity', 'Hostname', 'Pid', 'EnvVersion', 'Uuid'];

/** Longest value that is shown at once, characters. */
const VALUE_MAX = 4000;

function text(value: unknown): string {
  const whole = typeof value === 'string' ? value : JSON.stringify(value);
  return whole.length > VALUE_MAX ? `${whole.slice(0, VALUE_MAX)}…` : whole;
}

interface Field {
  name: unknown;
  value: unknown[];
  representation?: string;
}

/** A message that opens when it is clicked. */
export function messageView(shown: Shown, open = false): HTMLElement {
  const { message } = shown;
  const fields = (message.Fields as Field[] | undefined) ?? [];
  const payload = message.Payload === undefined ? '' : text(message.Payload);
  const summary = h(
    'summary',
    null,
    h('time', null, shown.time.replace('T', ' ').replace(/\.(\d{3})\d*Z$/, '.$1 Z')),
    h('b', null, text(message.Type ?? '')),
    h('span', { class: 'muted' }, text(message.Logger ?? '')),
    h('span', { class: 'cut' }, payload ? payload.slice(0, 160) : fields.slice(0, 6).map((field) => `${text(field.name)}=${field.value.map(text).join('|').slice(0, 40)}`).join('  ')),
  );
  const rows: [string, string][] = HEADERS.filter((name) => message[name] !== undefined).map((name) => [name, text(message[name])]);
  for (const field of fields.slice(0, 200)) {
    const unit = field.representation ? ` ${text(field.representation)}` : '';
    rows.push([`Fields[${text(field.name)}]`, field.value.map(text).join(' | ') + unit]);
  }
  const details = h('details', { class: 'message', open }, summary);
  // What nobody opens is not drawn.
  const draw = () => {
    if (details.childElementCount > 1) return;
    details.append(
      h('table', { class: 'plain' }, rows.map(([name, value]) => h('tr', null, h('th', { scope: 'row' }, name), h('td', { class: 'mono' }, value)))),
    );
    if (payload) details.append(h('pre', { class: 'wrap' }, payload));
  };
  details.addEventListener('toggle', draw);
  if (open) draw();
  return details;
}
