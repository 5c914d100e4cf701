// The past of a graph after a restart: comparison and windows beyond its buffer, and a graph whose plugin is gone.

import { VIEWS, check, open, run, until } from './browser.js';

const [base, state] = process.argv.slice(2);
const ID = 'analysis.minutes/cbuf/requests';
const at = (query = '') => `${base}/#/graphs/${encodeURIComponent(ID)}${query}`;

async function short(browser) {
  for (const view of VIEWS) {
    const { page, context, healthy, shoot } = await open(browser, view);
    await page.goto(at('?compare=day,week'));
    await page.locator('html[data-painted=graph] .u-over').waitFor();
    await until('both comparisons are there', async () => (await page.locator('.key').count()) === 3);
    const values = await page.locator('.key b').allInnerTexts();
    check(values.every((value) => /^\d/.test(value)), `each has a number now: ${values}`);
    check((await page.locator('.note').innerText()) === '', 'nothing is missing');
    await healthy('comparison with the past');
    await shoot('past-comparison');
    // The buffer holds two hours; nine days were kept, perhaps without the last of them.
    await page.getByRole('button', { name: '7 d', exact: true }).click();
    await page.getByRole('button', { name: 'Last week', exact: true }).click();
    const span = () =>
      page.evaluate(async (id) => {
        const until = Math.floor(Date.now() / 1000);
        const answer = await fetch(`/api/v1/graph/past?id=${encodeURIComponent(id)}&from=${until - 604800}&until=${until}`);
        const past = await answer.json();
        return past.values[0].filter((value) => value !== null).length;
      }, ID);
    check((await span()) > 8_600, `six days of minutes and more: ${await span()}`);
    await page.locator('.muted', { hasText: 'kept since' }).waitFor();
    await shoot('past-week');
    // Panning leads further back, too.
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await page.locator('.plot').focus();
    for (let n = 0; n < 8; n += 1) await page.keyboard.press('ArrowLeft');
    await healthy('panned into the past');
    await shoot('past-panned');
    await context.close();
  }
}

async function gone(browser) {
  const { page, context, healthy, shoot } = await open(browser, VIEWS[0], /404/);
  await page.goto(at());
  await page.locator('html[data-painted=graph] .u-over').waitFor();
  await page.getByText('has not injected this graph since the engine started').waitFor();
  check(/^\d/.test(await page.locator('.key b').first().innerText()), 'there are numbers');
  await healthy('a graph whose plugin is gone');
  await shoot('past-gone');
  await context.close();
}

await run(state === 'gone' ? gone : short);
