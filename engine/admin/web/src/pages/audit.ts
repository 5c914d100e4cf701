// Audit: who changed what.

import { get } from '../api';
import { empty, failure, fill, h } from '../dom';
import type { Page } from '../page';

interface Entry {
  time: string;
  user: string;
  address: string;
  action: string;
  object: string;
  result: string;
}

export function audit(): Page {
  const board = h('div', { class: 'scroll' });
  async function load(): Promise<void> {
    try {
      const { entries } = await get<{ entries: Entry[] }>('/api/v1/audit', { limit: 500 });
      if (entries.length === 0) {
        fill(board, empty('Nothing yet', 'Logins, stops, restarts and deployments appear here.'));
        return;
      }
      const row = (entry: Entry) =>
        h('tr', null, h('td', null, entry.time), h('td', null, entry.user || '–'), h('td', { class: 'wide' }, entry.address), h('td', null, entry.action), h('td', null, entry.object), h('td', { class: entry.result === 'ok' ? 'good' : 'bad' }, entry.result));
      const heads = ['Time', 'User', 'From', 'Action', 'Object', 'Result'];
      fill(board, h('table', { class: 'dense' }, h('thead', null, h('tr', null, heads.map((head) => h('th', { scope: 'col', class: head === 'From' ? 'wide' : '' }, head)))), h('tbody', null, entries.map(row))));
    } catch (error) {
      fill(board, failure(error, () => void load()));
    }
  }
  void load();
  return { element: h('div', null, h('div', { class: 'head' }, h('h1', null, 'Audit')), board) };
}
