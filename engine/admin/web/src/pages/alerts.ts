// Alerts: what plugins thought worth telling, newest first.

import { can, get, on, type Alert } from '../api';
import { empty, failure, fill, filterField, h, linked } from '../dom';
import { ago, time } from '../format';
import { link, place, remember, type Page } from '../page';
import { channelsPanel, known, sendTest, silenceDialog, silencesPanel, stateOf, toldOf, type Known } from './alerting';

export function alerts(): Page {
  const { query } = place();
  let filter = query.get('q') ?? '';
  const opened = Number(query.get('n') ?? 0);
  let list: Alert[] = [];
  let all: Known = { outputs: [], silences: [], at_ms: 0 };
  const panels = h('div', { class: 'columns two' });
  const board = h('div', { class: 'alerts' });
  const summary = h('span', { class: 'muted' });

  function show(): void {
    const wanted = filter.toLowerCase();
    const fitting = list.filter((alert) => `${alert.logger} ${alert.id} ${alert.summary} ${alert.detail}`.toLowerCase().includes(wanted));
    fill(summary, list.length ? `${fitting.length} of ${list.length}` : '');
    if (list.length === 0) {
      fill(board, empty('No alerts', 'Plugins send alerts with the module ', h('code', null, 'heka.alert'), '. The last thousand are kept here, over restarts too.'));
      return;
    }
    if (fitting.length === 0) {
      fill(board, empty('Nothing fits', 'No alert has this text.'));
      return;
    }
    fill(
      board,
      fitting.slice(0, 300).map((alert) =>
        h(
          'details',
          { class: 'alert', open: alert.number === opened },
          h('summary', null, h('time', { title: ago(alert.at_ms) }, time(alert.at_ms)), h('span', { class: `badge ${stateOf(alert, all)}` }, stateOf(alert, all)), h('strong', null, alert.summary), h('span', { class: 'muted' }, `${alert.logger} · ${alert.id}`)),
          alert.detail && h('pre', { class: 'wrap' }, linked(alert.detail)),
          alert.to.length > 0 && h('p', { class: 'muted' }, `sent to ${alert.to.join('; ')}`),
          toldOf(alert, all).length > 0 && h('p', { class: 'muted' }, `told by ${toldOf(alert, all).join(', ')}`),
          can('operator') && alert.state === 'firing' && h('p', null, h('button', { onclick: () => silenceDialog(alert.logger, alert.id, () => void loadKnown()) }, 'Silence')),
          h('p', null, h('a', { href: link(['plugins', alert.logger]) }, 'the plugin'), ' · ', h('a', { href: link(['graphs'], { q: alert.logger }) }, 'its graphs')),
        ),
      ),
    );
  }

  async function load(): Promise<void> {
    try {
      list = (await get<{ alerts: Alert[] }>('/api/v1/alerts', { limit: 1000 })).alerts;
      show();
    } catch (error) {
      fill(board, failure(error, () => void load()));
    }
  }

  async function loadKnown(): Promise<void> {
    try {
      all = await known();
    } catch {
      // The list says so if the server is gone.
      return;
    }
    fill(panels, channelsPanel(all), silencesPanel(all, () => void loadKnown()));
    // What somebody has opened must not close under their hands.
    if (!board.querySelector('details[open]')) show();
  }

  const timer = setInterval(() => void loadKnown(), 5000);
  const off = on('alerts', (more) => {
    list = [...more.alerts, ...list.filter((old) => !more.alerts.some((one) => one.number === old.number))];
    show();
  });
  void load();
  void loadKnown();
  return {
    element: h(
      'div',
      null,
      h(
        'div',
        { class: 'head' },
        h('h1', null, 'Alerts'),
        summary,
        filterField('Filter alerts', 'Filter by any text', filter, (text) => {
          filter = text;
          remember({ q: filter });
          show();
        }),
        can('operator') && h('button', { onclick: () => void sendTest() }, 'Send a test'),
        can('operator') && h('button', { onclick: () => silenceDialog('', '', () => void loadKnown()) }, 'New silence'),
      ),
      panels,
      board,
    ),
    leave: () => {
      clearInterval(timer);
      off();
    },
  };
}
