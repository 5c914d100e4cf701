// Where links of alerts lead: finds the graph or payload that `get_dashboard_uri` names and goes there.

import { get, on, type Listed } from '../api';
import { empty, failure, fill, h } from '../dom';
import { link, place, type Page } from '../page';
import { missingGraphs } from './graphs';

/** The names in such links: everything but letters, digits and dots is `_`. */
const plain = (text: string) => text.replace(/[^A-Za-z0-9.]/g, '_');

const isGraph = (listed: Listed) => listed.kind === 'cbuf' || listed.kind === 'cbufd';

/** Whether a link to `file` means this payload. */
function isMeant(listed: Listed, file: string, graphs: boolean): boolean {
  const name = `${plain(listed.logger)}.${plain(listed.name)}`;
  return graphs ? isGraph(listed) && file === `${name}.html` : file === `${name}.${plain(listed.kind)}`;
}

/** The address of the page that shows a payload. */
function shownAt(listed: Listed): string {
  return isGraph(listed) ? link(['graphs', listed.id]) : link(['outputs'], { payload: listed.id });
}

/** Goes to what is meant as soon as it is there. */
export function dashboard(): Page {
  const { path } = place();
  const graphs = path[1] === 'graphs' && path.length > 2;
  const file = path[path.length - 1];
  const board = h('div');

  const go = (payloads: Listed[]): boolean => {
    const found = payloads.find((listed) => isMeant(listed, file, graphs));
    // The way back leads past this page.
    if (found) location.replace(shownAt(found));
    return found !== undefined;
  };

  async function load(): Promise<void> {
    try {
      const { payloads } = await get<{ payloads: Listed[] }>('/api/v1/payloads');
      if (go(payloads)) return;
      fill(
        board,
        empty(
          graphs ? 'This graph is not there yet' : 'This payload is not there yet',
          'No plugin has injected ',
          h('code', null, file),
          ' since the engine started. It is shown here as soon as one does; meanwhile see ',
          h('a', { href: link(['graphs']) }, 'all graphs'),
          ' or ',
          h('a', { href: link(['plugins']) }, 'the plugins'),
          '.',
        ),
        missingGraphs((plugin) => file.startsWith(`${plain(plugin)}.`)),
      );
    } catch (error) {
      fill(board, failure(error, () => void load()));
    }
  }

  const off = on('payloads', ({ payloads, is_cut }) => {
    if (is_cut) void load();
    else go(payloads);
  });
  void load();
  return { element: board, leave: off };
}
