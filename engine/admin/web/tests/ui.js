// Looks at every page in every view, then does everything that can be done, as an operator.

import { readFile } from 'node:fs/promises';
import { VIEWS, check, open, run, until } from './browser.js';

const base = process.argv[2];
const at = (hash) => `${base}/#/${hash}`;

/** Each page, and what is on it when it is there. */
const PAGES = [
  ['overview', '.figure strong'],
  ['graphs', 'html[data-painted=graphs] .tile canvas'],
  ['plugins', 'tbody tr >> nth=5'],
  ['plugins/analysis.graphs', 'pre.code'],
  ['plugins/analysis.failing', '.panel.bad pre'],
  ['plugins/new', 'textarea.code'],
  ["matcher?e=Type%20%3D%3D%20'log'%20%26%26%20(Severity%20%3C%203%20%7C%7C%20Fields%5Bstatus%5D%20%3D%3D%20500)", '.tree'],
  ['matcher?e=Type%20%3D%3D%20log', '.fault mark'],
  ['alerts', 'details.alert'],
  ['utilization', 'tbody tr'],
  ['outputs', 'tbody tr >> nth=3'],
  ['outputs?payload=analysis.graphs%2Fhtml%2Freport', 'iframe'],
  ['lake/results', 'tbody tr'],
  ['dashboard/graphs/analysis.nobody.nothing.html', '.empty'],
  ['audit', '.empty, tbody tr'],
];

const GRAPH = 'analysis.graphs/cbuf/traffic%207';
const graphAt = (query = '') => at(`graphs/${encodeURIComponent(GRAPH)}${query}`);

async function everyPage(browser) {
  for (const view of VIEWS) {
    const { page, context, healthy, shoot } = await open(browser, view);
    await page.goto(base);
    for (const [hash, selector] of [...PAGES, [`graphs/${encodeURIComponent(GRAPH)}`, 'html[data-painted=graph] canvas']]) {
      await page.goto(at(hash));
      await page.locator(selector).first().waitFor();
      await page.waitForTimeout(300);
      const where = hash.replace(/[^a-z]+/gi, '-').slice(0, 40).replace(/-$/, '');
      await healthy(where);
      await shoot(where);
    }
    await context.close();
  }
}

async function firstPaint(browser) {
  const { page, context } = await open(browser, VIEWS[0]);
  // A new window of Chromium loads pages of its own at first, which take the time of ours.
  await page.waitForTimeout(1500);
  const begun = Date.now();
  await page.goto(at('graphs'));
  await page.waitForSelector('html[data-painted=graphs]');
  const took = Date.now() - begun;
  const tiles = await page.locator('.tile canvas').count();
  check(tiles >= 20, `${tiles} graphs`);
  console.log(`first paint of ${tiles} graphs: ${took} ms`);
  await context.close();
}

const hashQuery = (page) => page.evaluate(() => Object.fromEntries(new URLSearchParams(location.hash.split('?')[1] ?? '')));

async function graphs(page, shoot) {
  await page.goto(at('graphs'));
  await page.locator('html[data-painted=graphs] .tile canvas').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('traffic 7');
  await until('the filter leaves one graph', async () => (await page.locator('.tile:visible').count()) === 1);
  await page.locator('.tile:visible a').click();
  await page.locator('html[data-painted=graph] .u-over').waitFor();
  const over = page.locator('.u-over');
  const box = await over.boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 4 });
  await page.mouse.up();
  let query = await hashQuery(page);
  check(Number(query.to) > Number(query.from), 'a drag zooms and the address knows');
  const zoomed = page.url();
  await page.locator('.plot').focus();
  await page.keyboard.press('ArrowRight');
  const panned = await hashQuery(page);
  check(Number(panned.from) > Number(query.from), 'a key pans');
  await page.locator('.key').nth(1).click();
  query = await hashQuery(page);
  check(query.hide === 'errors (count)', `the legend hides a line: ${JSON.stringify(query)}`);
  for (const name of ['Log scale', 'Normal band', 'Yesterday', 'Last week']) await page.getByRole('button', { name, exact: true }).click();
  query = await hashQuery(page);
  check(query.log === '1' && query.band === '1' && query.compare === 'day,week', `the address knows the view: ${JSON.stringify(query)}`);
  check((await page.locator('.note').innerText()).includes('nothing of'), 'a short buffer has no last week');
  await page.getByRole('button', { name: 'Log scale' }).click();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 50);
  await shoot('action-graph');
  const link = page.url();
  const other = await page.context().newPage();
  await other.goto(link);
  await other.locator('html[data-painted=graph] .u-over').waitFor();
  check((await other.locator('.key.off').count()) === 1, 'a link leads to the same view');
  check((await other.getByRole('button', { name: 'Normal band' }).getAttribute('aria-pressed')) === 'true', 'a link leads to the same view');
  await other.close();
  check(zoomed !== link, 'the view has changed meanwhile');
  const [png] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'PNG' }).click()]);
  const picture = await readFile(await png.path());
  check(picture.subarray(1, 4).toString() === 'PNG' && picture.length > 5000, 'a picture');
  const [csv] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()]);
  const text = await readFile(await csv.path(), 'utf8');
  check(text.startsWith('time,"requests (count)"') && text.split('\n').length > 1440, 'a table');
  // Live: the newest value grows while nobody does anything.
  await page.goto(graphAt());
  await page.locator('html[data-painted=graph] .key b').first().waitFor();
  const value = () => page.locator('.key b').first().innerText();
  const before = await value();
  await until('the graph is live', async () => (await value()) !== before);
  check((await page.locator('.mark.alert').count()) > 0, 'annotations are listed');
  // 100,000 points.
  await page.goto(at(`graphs/${encodeURIComponent('analysis.graphs/cbuf/a%20large%20one')}`));
  await page.locator('html[data-painted=graph] .u-over').waitFor();
  const ms = await page.evaluate(async () => {
    const plot = document.querySelector('.plot');
    const begun = performance.now();
    for (let n = 0; n < 20; n += 1) {
      plot.dispatchEvent(new KeyboardEvent('keydown', { key: n % 2 ? '-' : '+', bubbles: true }));
      await new Promise(requestAnimationFrame);
    }
    return (performance.now() - begun) / 20;
  });
  console.log(`a zoom of 100,000 points: ${ms.toFixed(1)} ms`);
  await shoot('action-large-graph');
}

async function plugins(page, shoot) {
  await page.goto(at('plugins'));
  await page.locator('tbody tr').first().waitFor();
  await page.getByRole('button', { name: 'Failures' }).click();
  await page.getByLabel('State or kind').selectOption('terminated');
  await until('one was terminated', async () => (await page.locator('tbody tr').count()) === 1);
  await page.getByRole('link', { name: 'analysis.failing' }).click();
  await page.locator('.panel.bad').getByText('boom <b>bold</b>').waitFor();
  await page.goto(at('plugins/analysis.watch'));
  await page.locator('pre.code').first().waitFor();
  check((await page.locator('pre.code').first().innerText()).includes("_password = 'sesame'"), 'an operator sees private keys');
  const badge = (text) => page.locator('.head .badge', { hasText: text }).waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await shoot('action-confirm');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Stop' }).click();
  await badge('stopped');
  await page.getByRole('button', { name: 'Start' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Start' }).click();
  await badge('running');
  // A new plugin: faults are told, then it is tested and deployed.
  await page.goto(at('plugins'));
  await page.getByRole('link', { name: 'New plugin' }).click();
  await page.getByLabel('Name').fill('counted');
  check(await page.getByRole('button', { name: 'Deploy' }).isDisabled(), 'untested versions are not deployed');
  const source = page.getByLabel('Lua source');
  const good = await source.inputValue();
  await source.fill('function process_message( return 0 end');
  await page.getByRole('button', { name: 'Test' }).click();
  await page.getByText('counted.lua:1:').waitFor();
  await source.fill("function process_message() error('boom') end\nfunction timer_event() end");
  await page.getByRole('button', { name: 'Test' }).click();
  await page.locator('pre.bad').getByText('boom').waitFor();
  await source.fill(good.replace('function timer_event', "print('<i>printed</i>')\nfunction timer_event"));
  await page.getByRole('button', { name: 'Test' }).click();
  await page.getByText('Passed').waitFor();
  await page.getByText('<i>printed</i>').last().waitFor();
  await shoot('action-trial');
  await page.getByLabel('Messages', { exact: true }).selectOption('live');
  await page.getByLabel('How many').fill('20');
  await page.getByRole('button', { name: 'Test' }).click();
  await page.getByText('of 20 messages matched').waitFor();
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.locator('.head h1', { hasText: 'analysis.counted' }).waitFor();
  await badge('running');
  await page.getByRole('link', { name: 'New version' }).click();
  await until('the source is in the editor', async () => (await source.inputValue()).includes('printed'));
}

async function matcher(page, shoot) {
  await page.goto(at('matcher'));
  const field = page.getByLabel('Expression');
  await field.fill("Type == 'log' && Severity <");
  await page.locator('.panel .bad').getByText('expected').waitFor();
  await field.fill("Type == 'log' && Severity <= 3");
  await page.locator('.tree').getByText('Severity <= 3').waitFor();
  await page.getByRole('button', { name: 'Search recorded' }).click();
  await page.locator('details.message').first().waitFor();
  await page.locator('details.message summary').first().click();
  await page.locator('details.message table').getByText('Fields[status]').first().waitFor();
  await shoot('action-messages');
  await page.getByRole('button', { name: 'Watch live' }).click();
  await page.getByText('messages match').waitFor();
  await page.locator('details.message').first().waitFor();
  await page.getByRole('button', { name: 'Stop watching' }).click();
  await field.fill("Type == 'nothing like it'");
  await page.getByRole('button', { name: 'Search recorded' }).click();
  await page.getByText('No message matches').waitFor();
}

async function alerting(page, shoot) {
  await page.goto(at('alerts'));
  await page.getByRole('cell', { name: /^file/ }).waitFor();
  await page.getByText('works').first().waitFor();
  await page.getByRole('button', { name: 'New silence' }).click();
  await page.getByRole('button', { name: 'Begin' }).click();
  await page.getByText('a silence needs a reason').waitFor();
  await shoot('action-silence');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await page.locator('details.alert summary').first().click();
  await page.locator('details.alert[open]').getByRole('button', { name: 'Silence' }).click();
  await page.getByLabel('Reason').fill('we know <img src=x onerror="window.hacked = 1">');
  await page.getByRole('button', { name: 'Begin' }).click();
  await page.locator('.silences').getByText('we know <img').waitFor();
  await shoot('action-silenced');
  await page.locator('.silences').getByRole('button', { name: 'End' }).click();
  await page.locator('.silences').getByText('None holds').waitFor();
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByRole('button', { name: 'Send it' }).click();
  await page.locator('details.alert').getByText('a test of the way that alerts go').waitFor();
  await page.locator('.badge.test').waitFor();
}

/** Links of alerts lead to what they name. */
async function dashboards(page, shoot) {
  await page.goto(at('alerts'));
  await page.locator('details.alert summary', { hasText: 'the rate fell' }).first().click();
  await page.getByText('expected 1200 a minute').first().waitFor();
  const link = page.locator('details.alert[open] pre a').first();
  const address = await link.innerText();
  check(address === `${base}/dashboard_output/graphs/analysis.watch.the_rate.html`, `the link in the alert: ${address}`);
  await link.click();
  await page.locator('html[data-painted=graph] .u-over').waitFor();
  check((await page.locator('h1').innerText()) === 'the rate', 'the graph of the alert');
  // Its plugin says what is normal: the band is there unasked, and no line for it.
  check((await page.getByRole('button', { name: 'Normal band' }).getAttribute('aria-pressed')) === 'true', 'the band is shown');
  check((await page.locator('.key').count()) === 1, 'bounds are no lines');
  check((await page.locator('.head').innerText()).includes('its detector says what is normal'), 'it is said whose band it is');
  await shoot('action-band');
  // As the link of a mail, in a new window.
  const other = await page.context().newPage();
  await other.goto(address);
  await other.locator('html[data-painted=graph] .u-over').waitFor();
  check((await other.locator('h1').innerText()) === 'the rate', 'the graph of the mail');
  await other.goto(`${base}/dashboard_output/analysis.graphs.report.html`);
  await other.frameLocator('iframe').getByText('Report').waitFor();
  await other.goto(`${base}/dashboard_output/graphs/analysis.large.too_large.html`);
  await other.getByText('This graph is not there yet').waitFor();
  await other.locator('.panel.warning').getByText('analysis.large left out a graph').waitFor();
  await shoot('action-alert-link');
  await other.screenshot({ path: `${process.env.SCREENSHOTS ?? '.'}/action-no-graph.png` });
  await other.close();
}

/** Graphs that are too large are told of, with the remedy. */
async function tooLarge(page, shoot) {
  await page.goto(at('graphs'));
  const notice = page.locator('.panel.warning');
  await notice.getByText('analysis.large left out a graph').waitFor();
  const text = await notice.innerText();
  check(text.includes('output_limit is 64.0 KiB') && /output_limit = \d+/.test(text), `the reason and the remedy: ${text}`);
  await shoot('action-too-large');
  await page.goto(at('plugins/analysis.large'));
  await page.locator('.panel.warning').getByText('output_limit = ').waitFor();
}

async function rest(page, shoot) {
  await page.getByLabel('Filter alerts').fill('no such alert');
  await page.getByText('Nothing fits').waitFor();
  await page.goto(at('utilization'));
  await page.getByRole('button', { name: 'Last week' }).click();
  await page.getByText('every ten minutes').or(page.locator('tbody tr').first()).first().waitFor();
  await page.goto(at('outputs'));
  await page.getByRole('link', { name: 'state', exact: true }).click();
  await page.locator('pre').getByText('"seen"').waitFor();
  await page.goto(at('outputs?payload=analysis.graphs%2Fhtml%2Freport'));
  await page.frameLocator('iframe').getByText('Report').waitFor();
  await page.goto(at('outputs/results'));
  await page.getByRole('link', { name: 'page.html' }).click();
  await page.frameLocator('iframe').getByText('Written by an output').waitFor();
  await page.goto(at('lake'));
  for (const name of ['results', '2026/', '11/']) await page.getByRole('link', { name, exact: true }).click();
  await page.getByText('data.txt').waitFor();
  await page.goto(at('audit'));
  await page.locator('tbody').getByText('deploy').first().waitFor();
  await shoot('action-audit');
  // By keyboard alone.
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await page.getByLabel('Expression').waitFor();
  const dark = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await dark();
  await page.getByRole('button', { name: 'Light or dark' }).click();
  check((await dark()) !== before, 'the theme can be chosen');
  await page.getByRole('button', { name: 'Light or dark' }).click();
}

/** What is shown when the engine does not answer. */
async function faults(browser) {
  const { page, context, shoot } = await open(browser, VIEWS[0], /Failed to load resource|net::/);
  await page.goto(base);
  await page.locator('.figure').first().waitFor();
  await page.route('**/api/v1/plugins', (route) => route.abort());
  await page.goto(at('plugins'));
  await page.getByRole('alert').getByText('could not be loaded').waitFor();
  await shoot('action-fault');
  await page.unroute('**/api/v1/plugins');
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('tbody tr').first().waitFor();
  await page.goto(at('graphs/nobody%2Fcbuf%2Fnothing'));
  await page.getByText('no payload with this id').waitFor();
  await context.close();
}

await run(async (browser) => {
  const ready = await browser.newPage();
  await ready.goto(at('graphs'));
  await until('twenty graphs', async () => (await ready.locator('.tile canvas').count()) >= 20);
  await ready.close();
  await firstPaint(browser);
  await everyPage(browser);
  const { page, context, healthy, shoot } = await open(browser, VIEWS[0], /422|400/);
  await page.goto(base);
  for (const part of [graphs, dashboards, tooLarge, plugins, matcher, alerting, rest]) {
    await part(page, shoot);
    await healthy(part.name);
  }
  await context.close();
  await faults(browser);
});
