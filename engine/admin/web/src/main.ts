// Begins: asks who we are, shows the login or the pages, and goes where the address says.

import 'uplot/dist/uPlot.min.css';
import './style.css';
import { can, connect, disconnect, me, on, post, Refused, whoAmI } from './api';
import { failure, fill, h } from './dom';
import { link, place, type Page } from './page';
import { alerts } from './pages/alerts';
import { audit } from './pages/audit';
import { dashboard } from './pages/dashboard';
import { lake, outputs } from './pages/files';
import { graphs } from './pages/graphs';
import { matcher } from './pages/matcher';
import { overview } from './pages/overview';
import { plugins } from './pages/plugins';
import { utilization } from './pages/utilization';

/** Pages without a key are not in the navigation: links lead there. */
const PAGES: { [name: string]: { title: string; make: () => Page; key?: string; role?: 'operator' } } = {
  overview: { title: 'Overview', make: overview, key: 'o' },
  graphs: { title: 'Graphs', make: graphs, key: 'g' },
  plugins: { title: 'Plugins', make: plugins, key: 'p' },
  matcher: { title: 'Matcher', make: matcher, key: 'm' },
  alerts: { title: 'Alerts', make: alerts, key: 'a' },
  utilization: { title: 'Utilization', make: utilization, key: 'u' },
  outputs: { title: 'Outputs', make: outputs, key: 't' },
  lake: { title: 'Lake', make: lake, key: 'l' },
  dashboard: { title: 'Dashboard', make: dashboard },
  audit: { title: 'Audit', make: audit, key: 'd', role: 'operator' },
};

const top = document.getElementById('top') as HTMLElement;
const main = document.getElementById('main') as HTMLElement;
let current: Page | null = null;

function theme(name: string | null): void {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
}

function navigation(): void {
  const here = place().path[0] ?? 'overview';
  const links = Object.entries(PAGES)
    .filter(([, page]) => page.key && (!page.role || can(page.role)))
    .map(([name, page]) => h('a', { href: link([name]), 'aria-current': name === here ? 'page' : undefined, title: `key g, then ${page.key}` }, page.title));
  const live = h('span', { class: 'live', title: 'connected' });
  off?.();
  off = on('connection', (is) => {
    live.classList.toggle('lost', !is);
    live.title = is ? 'connected' : 'the connection is lost; trying again';
  });
  fill(
    top,
    h('a', { class: 'brand', href: link(['overview']) }, 'Foresight', live),
    h('nav', { 'aria-label': 'Pages' }, links),
    h(
      'div',
      { class: 'who' },
      h('button', { type: 'button', class: 'quiet', title: 'light or dark', 'aria-label': 'Light or dark', onclick: switchTheme }, '◐'),
      h('span', { class: 'muted', title: `${me.name}, ${me.role}` }, me.hostname ?? ''),
      me.can_log_out && h('button', { type: 'button', class: 'quiet', onclick: () => void logOut() }, `Log out ${me.name}`),
    ),
  );
}
let off: (() => void) | null = null;

function switchTheme(): void {
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  const now = document.documentElement.dataset.theme ?? (dark ? 'dark' : 'light');
  const next = now === 'dark' ? 'light' : 'dark';
  localStorage.setItem('theme', next);
  theme(next);
  show();
}

async function logOut(): Promise<void> {
  disconnect();
  await post('/api/v1/logout').catch(() => undefined);
  await begin();
}

function show(): void {
  if (!can('viewer')) return;
  current?.leave?.();
  current = null;
  const name = place().path[0] ?? 'overview';
  navigation();
  const page = PAGES[name];
  if (!page || (page.role && !can(page.role))) {
    fill(main, failure(`There is no page ${name}.`));
    return;
  }
  document.title = `${page.title} · Foresight`;
  try {
    current = page.make();
    fill(main, current.element);
  } catch (error) {
    fill(main, failure(error, show));
  }
}

function login(problem = ''): void {
  document.title = 'Foresight';
  top.replaceChildren();
  const name = h('input', { name: 'name', autocomplete: 'username', required: true, 'aria-label': 'Name', placeholder: 'Name' });
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true, 'aria-label': 'Password', placeholder: 'Password' });
  const send = async (event: Event) => {
    event.preventDefault();
    try {
      await post('/api/v1/login', { name: name.value, password: password.value });
      await begin();
    } catch (error) {
      login(error instanceof Error ? error.message : String(error));
    }
  };
  fill(
    main,
    h(
      'form',
      { class: 'login panel', onsubmit: (event: Event) => void send(event) },
      h('h1', null, 'Foresight'),
      problem && h('p', { class: 'problem', role: 'alert' }, problem),
      name,
      password,
      h('button', { class: 'primary' }, 'Log in'),
    ),
  );
  name.focus();
}

async function begin(): Promise<void> {
  try {
    await whoAmI();
  } catch (error) {
    const again = () => void begin();
    fill(main, failure(error instanceof Refused ? error : 'The engine does not answer.', again));
    return;
  }
  if (!can('viewer')) {
    current?.leave?.();
    current = null;
    if (me.name) fill(main, failure(`${me.name} has no right to look at this engine.`));
    else login();
    return;
  }
  connect();
  show();
}

/** `g` and a letter goes to a page, `/` to the filter. */
let going = 0;
document.addEventListener('keydown', (event) => {
  const target = event.target as HTMLElement;
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.key === '/') {
    const field = document.querySelector<HTMLElement>('[data-key="/"]');
    if (field) {
      event.preventDefault();
      field.focus();
    }
    return;
  }
  if (event.key === 'g') {
    going = Date.now();
    return;
  }
  if (Date.now() - going < 1500) {
    const found = Object.entries(PAGES).find(([, page]) => page.key === event.key);
    if (found) location.hash = link([found[0]]);
  }
  going = 0;
});

theme(localStorage.getItem('theme'));
window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
window.addEventListener('hashchange', () => {
  show();
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
});
void begin();
