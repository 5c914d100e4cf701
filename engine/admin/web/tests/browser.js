// What the tests of the pages share: a Chromium, pages that notice every fault, and checks.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Nothing takes this long but a hang. */
export const PATIENCE = 30_000;

/** The ways in which every page is looked at. */
export const VIEWS = [
  { name: 'light', viewport: { width: 1360, height: 900 }, colorScheme: 'light' },
  { name: 'dark', viewport: { width: 1360, height: 900 }, colorScheme: 'dark' },
  { name: 'phone', viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, hasTouch: true },
];

/** Runs the test and ends with its outcome; `more` are arguments of Chromium. */
export async function run(test, more = []) {
  const executablePath = PROGRAMS.find(existsSync);
  if (!executablePath) throw new Error('there is no Chromium: run sh .ci/needs');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', ...more] });
  try {
    await test(browser);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

/** Checks until it holds. */
export async function until(what, condition) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A page in one of the views; whatever its console complains of fails the test, unless `allowed` fits. */
export async function open(browser, view, allowed = /^$/) {
  const { name, ...options } = view;
  const context = await browser.newContext({ ...options, acceptDownloads: true });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // That a script of a plugin's html was blocked is what we want.
    const text = message.text();
    const fine = allowed.test(text) || text.startsWith('Blocked script execution');
    if (message.type() === 'error' && !fine) faults.push(text);
  });
  page.on('dialog', (dialog) => faults.push(`a dialog opened: ${dialog.message()}`));
  const healthy = async (where) => {
    check(faults.length === 0, `${name} ${where}: ${faults.join('; ')}`);
    const hacked = await page.evaluate(() => window.hacked);
    check(hacked === undefined, `${name} ${where}: something hostile was executed`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    check(wide <= 0, `${name} ${where}: ${wide} pixels stick out at the right`);
  };
  const shoot = async (where, full = false) => {
    const file = join(process.env.SCREENSHOTS ?? '.', `${where}-${name}.png`);
    await page.screenshot({ path: file, fullPage: full });
  };
  return { page, context, healthy, shoot };
}
