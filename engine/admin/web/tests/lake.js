// The lake with a bucket of S3: folders, pages, and what is said when the store does not answer.

import { VIEWS, check, open, run, until } from './browser.js';

const [base, state] = process.argv.slice(2);
const STORE = 's3://lake/landfill/';

async function up(browser) {
  for (const view of VIEWS) {
    const { page, context, healthy, shoot } = await open(browser, view);
    await page.goto(`${base}/#/lake`);
    await page.getByRole('link', { name: STORE }).waitFor();
    await shoot('lake-stores');
    await page.getByRole('link', { name: STORE }).click();
    await page.getByText('note.txt').waitFor();
    check((await page.getByText('secret').count()) === 0, 'what lies beside the prefix is not shown');
    await shoot('lake-bucket');
    await page.getByRole('link', { name: '20261101/' }).click();
    await page.getByText('500 entries').waitFor();
    await shoot('lake-page');
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText('620 entries').waitFor();
    check((await page.locator('tbody tr').count()) === 620, 'every object once');
    check((await page.getByRole('button', { name: 'Show more' }).count()) === 0, 'there are no more');
    await page.goBack();
    await page.getByRole('link', { name: '20261102/' }).click();
    await page.getByText('<img src=x').waitFor();
    await healthy('lake');
    await context.close();
  }
}

async function down(browser) {
  for (const view of VIEWS) {
    const { page, context, healthy, shoot } = await open(browser, view, /502/);
    await page.goto(`${base}/#/lake`);
    await page.getByRole('link', { name: STORE }).click();
    const told = page.getByRole('alert');
    await told.waitFor();
    const text = await told.innerText();
    check(text.includes(STORE) && text.includes('output.landfill'), `it says which store: ${text}`);
    await shoot('lake-down');
    await page.getByRole('button', { name: 'Try again' }).click();
    await until('it was tried again', async () => (await page.getByRole('alert').count()) === 1);
    await healthy('lake without its store');
    await context.close();
  }
}

await run(state === 'down' ? down : up);
