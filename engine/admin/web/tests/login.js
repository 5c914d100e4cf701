// Users log in, see what their role allows, and log out.

import { VIEWS, check, open, run } from './browser.js';

const base = process.argv[2];

async function logIn(page, name, password) {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

await run(async (browser) => {
  for (const view of VIEWS) {
    const { page, context, healthy, shoot } = await open(browser, view, /401/);
    await page.goto(base);
    await page.getByLabel('Password').waitFor();
    await shoot('login');
    if (view.name === 'light') {
      await logIn(page, 'vera', 'wrong password');
      await page.getByText('name or password is wrong').waitFor();
    }
    await logIn(page, 'vera', 'correct horse');
    await page.locator('.figure').first().waitFor();
    await page.goto(`${base}/#/plugins/analysis.watch`);
    await page.locator('pre.code').first().waitFor();
    const config = await page.locator('pre.code').first().innerText();
    check(!config.includes('sesame') && config.includes('_password = nil -- private'), 'a viewer sees no private keys');
    check((await page.getByRole('button', { name: 'Stop' }).count()) === 0, 'a viewer stops nothing');
    check((await page.getByRole('link', { name: 'Audit' }).count()) === 0, 'a viewer reads no audit log');
    await healthy('viewer');
    await page.getByRole('button', { name: 'Log out vera' }).click();
    // The link of an alert leads to its graph after the login.
    await page.goto(`${base}/dashboard_output/graphs/analysis.watch.the_rate.html`);
    await page.getByLabel('Password').waitFor();
    await logIn(page, 'otto', 'correct horse');
    await page.locator('h1', { hasText: 'the rate' }).waitFor();
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.locator('tbody').getByText('vera').first().waitFor();
    await healthy('operator');
    await context.close();
  }
});
