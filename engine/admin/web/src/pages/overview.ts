// Overview: is everything well, and if not, where to look.

import { get, on, type Alert, type Overview } from '../api';
import { Chart } from '../chart';
import { fill, h } from '../dom';
import { ago, bytes, count, plural, span } from '../format';
import { link, type Page } from '../page';
import { historyLines, type History } from './utilization';

/** The history is fetched again this often, ms: as often as there is a new sample. */
const HISTORY_EVERY = 6000;

/** Alerts that are shown. */
const ALERTS = 6;

export function overview(): Page {
  const figures = h('div', { class: 'figures' });
  const queues = h('div', { class: 'panel' });
  const errors = h('div', { class: 'panel' });
  const alerts = h('div', { class: 'panel' });
  const rate = new Chart({ height: 170, group: 'overview', title: 'Messages a second that came in' });
  const lag = new Chart({ height: 170, group: 'overview', title: 'Bytes that the slowest plugin is behind', format: bytes });
  let list: Alert[] = [];

  function figure(label: string, value: string, detail: string, state = ''): HTMLElement {
    return h('div', { class: `figure ${state}` }, h('span', null, label), h('strong', null, value), h('small', null, detail));
  }

  function show(now: Overview): void {
    const worst = now.queues.map((queue) => Math.max(0, ...queue.readers.map((reader) => reader.lag_bytes)));
    const behind = Math.max(0, ...worst);
    const blocked = now.queues.filter((queue) => queue.blocked);
    fill(
      figures,
      figure('In', `${count(now.in_per_s)} /s`, `${bytes(now.in_bytes_per_s)}/s`),
      figure('Analysed', `${count(now.analysed_per_s)} /s`, 'plugin calls'),
      figure('Out', `${count(now.out_per_s)} /s`, 'to outputs'),
      figure('Behind', bytes(behind), blocked.length ? 'writers wait' : 'the slowest reader', blocked.length ? 'bad' : ''),
      figure(
        'Plugins',
        String(now.running),
        [`${now.stopped} stopped`, now.ended && `${now.ended} ended`].filter(Boolean).join(', '),
      ),
      figure('Errors', String(now.terminated), `${count(now.failures)} failed calls`, now.terminated ? 'bad' : ''),
      figure('Up', span(Math.max(0, (now.at_ms - now.started_ms) / 1000)), now.hostname),
    );
    fill(
      queues,
      h('h2', null, 'Queues'),
      now.queues.map((queue) =>
        h(
          'div',
          { class: 'queue' },
          h('div', { class: 'row spread' }, h('strong', null, queue.name), h('span', { class: 'muted' }, `${bytes(queue.bytes)} in ${plural(queue.segments, 'segment')}`)),
          queue.blocked && h('p', { class: 'problem' }, `Writers wait: ${queue.blocked}`),
          queue.readers.length === 0 && h('p', { class: 'muted' }, 'Nobody reads this queue.'),
          h(
            'table',
            { class: 'plain' },
            queue.readers.slice(0, 6).map((reader) =>
              h('tr', null, h('td', null, reader.name), h('td', { class: 'n' }, reader.lag_bytes ? `${bytes(reader.lag_bytes)} behind` : 'up to date')),
            ),
          ),
        ),
      ),
      now.queues[0]?.disk_free != null && h('p', { class: 'muted' }, `${bytes(now.queues[0].disk_free)} free on the disk`),
    );
    fill(
      errors,
      h('h2', null, 'Errors'),
      now.errors.length === 0 && h('p', { class: 'muted' }, 'No plugin was ended by an error.'),
      now.errors.map(([name, error]) =>
        h('a', { class: 'item bad', href: link(['plugins', name]) }, h('strong', null, name), h('span', { class: 'mono' }, error)),
      ),
      now.terminated > now.errors.length && h('p', null, h('a', { href: link(['plugins'], { state: 'terminated' }) }, `all ${now.terminated}`)),
    );
  }

  function showAlerts(): void {
    fill(
      alerts,
      h('div', { class: 'row spread' }, h('h2', null, 'Alerts'), list.length > 0 && h('a', { href: link(['alerts']) }, 'all')),
      list.length === 0 && h('p', { class: 'muted' }, 'No alert so far. Plugins send them with the module heka.alert.'),
      list.slice(0, ALERTS).map((alert) =>
        h('a', { class: 'item', href: link(['alerts'], { n: String(alert.number) }) }, h('strong', null, alert.summary), h('span', { class: 'muted' }, `${alert.logger} · ${ago(alert.at_ms)}`)),
      ),
    );
  }

  async function loadHistory(): Promise<void> {
    try {
      const history = await get<History>('/api/v1/history', { plugin: '' });
      rate.set(historyLines(history, 'messages_per_s', [history.engine], () => 'messages/s'));
      lag.set(historyLines(history, 'lag_bytes', [history.engine], () => 'behind'));
    } catch {
      // The next turn tries again; the figures above say whether there is a connection.
    }
  }

  const offs = [
    on('overview', show),
    on('alerts', (more) => {
      list = [...more.alerts, ...list];
      showAlerts();
    }),
  ];
  showAlerts();
  void get<{ alerts: Alert[] }>('/api/v1/alerts', { limit: ALERTS }).then((answer) => {
    list = answer.alerts;
    showAlerts();
  }, () => undefined);
  void loadHistory();
  const timer = setInterval(() => void loadHistory(), HISTORY_EVERY);
  const element = h(
    'div',
    null,
    h('div', { class: 'head' }, h('h1', null, 'Overview')),
    figures,
    h(
      'div',
      { class: 'columns two' },
      h('section', { class: 'panel' }, h('h2', null, 'Messages in'), rate.element),
      h('section', { class: 'panel' }, h('h2', null, 'Slowest plugin'), lag.element),
    ),
    h('div', { class: 'columns three' }, queues, alerts, errors),
  );
  return {
    element,
    leave: () => {
      offs.forEach((off) => off());
      clearInterval(timer);
      rate.destroy();
      lag.destroy();
    },
  };
}
