// The pages and the API over TLS with an authority of our own, where others can reach it: nothing without a login.

import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { VIEWS, check, open, run } from './browser.js';

const [base, caFile, leafFile] = process.argv.slice(2);
const ca = readFileSync(caFile);
const leaf = new X509Certificate(readFileSync(leafFile));
// Chromium takes this key for good, and no other: it has no list of authorities that a test could add to.
const pin = createHash('sha256').update(leaf.publicKey.export({ type: 'spki', format: 'der' })).digest('base64');

/** Asks over TLS, trusting our authority unless told otherwise; of an endless answer the first piece. */
function ask(path, { method = 'GET', headers = {}, body = '', trusted = [ca] } = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request(base + path, { method, headers, ca: trusted, agent: false }, (answer) => {
      let text = '';
      const done = () => {
        request.destroy();
        resolve({ status: answer.statusCode, headers: answer.headers, text });
      };
      answer.setEncoding('utf8');
      answer.on('data', (piece) => {
        text += piece;
        if (answer.headers['content-type'] === 'text/event-stream' && text.includes('\n\n')) done();
      });
      answer.on('end', done);
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function api() {
  check((await ask('/')).headers['strict-transport-security'], 'browsers are told to stay with TLS');
  check((await ask('/api/v1/overview')).status === 401, 'nothing without a login');
  check((await ask('/api/v1/events')).status === 401, 'no events without a login');
  const { token } = JSON.parse((await ask('/api/v1/me')).text);
  const body = JSON.stringify({ name: 'vera', password: 'correct horse' });
  const headers = { 'content-type': 'application/json', 'content-length': body.length, 'x-foresight-token': token ?? '' };
  const login = await ask('/api/v1/login', { method: 'POST', headers, body });
  check(login.status === 200, `a login: ${login.text}`);
  const cookie = login.headers['set-cookie'][0];
  for (const word of ['Secure', 'HttpOnly', 'SameSite=Strict']) check(cookie.includes(word), `the cookie is ${word}: ${cookie}`);
  const session = { cookie: cookie.split(';')[0] };
  const events = await ask('/api/v1/events', { headers: session });
  check(events.text.startsWith('event: overview\ndata: {'), `events: ${events.text}`);
  check((await ask('/api/v1/audit', { headers: session })).status === 403, 'a viewer reads no audit log');
  const strange = await ask('/', { trusted: [] }).then(() => 'an answer', (error) => error.code);
  check(/UNABLE|SELF_SIGNED|LEAF/.test(strange), `whoever does not know the authority refuses: ${strange}`);
  const plain = await new Promise((resolve) => {
    const request = http.get(base.replace('https', 'http'), () => resolve('an answer'));
    request.on('error', () => resolve('nothing'));
  });
  check(plain === 'nothing', 'there is no answer without TLS');
}

async function pages(browser) {
  const { page, context, healthy, shoot } = await open(browser, VIEWS[0], /401/);
  await page.goto(base);
  await page.getByLabel('Name').fill('vera');
  await page.getByLabel('Password').fill('correct horse');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('.figure').first().waitFor();
  // The first event fills the page; the mark at the top says that the stream stands.
  await page.locator('.live[title=connected]').waitFor();
  const [cookie] = await context.cookies();
  check(cookie.secure && cookie.httpOnly && cookie.sameSite === 'Strict', `the cookie of the page: ${JSON.stringify(cookie)}`);
  await page.goto(`${base}/#/graphs`);
  await page.locator('html[data-painted=graphs] .tile canvas').first().waitFor();
  await healthy('over TLS');
  await shoot('over-tls');
  await context.close();
}

await run(async (browser) => {
  await api();
  await pages(browser);
}, [`--ignore-certificate-errors-spki-list=${pin}`]);
