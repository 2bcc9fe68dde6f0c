/** What proves the suite for clients: peers that must pass everything, and peers that must pass nothing. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { CLIENT_CASES, conformClient } from '../../lib/conformance/index.js';
import { Listener } from '../../lib/conformance/target/listener.js';
import { conform, declare } from './support/command.js';
import { notPassed, wrongOf } from './support/verdicts.js';
import { MAIN, notBuilt } from '../support/built.js';
import { noPython, PYTHON } from '../support/python.mjs';

t.setTimeout(300_000);

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
// Without what site.py looks for, Python starts in half of the time.
const CLASSIC = `'${PYTHON}' -S '${path('../interop/classic_client.py')}'`;
const FULL = `'${PYTHON}' -S '${path('support/full_client.py')}' {file} {host} {port} 2`;

const temporary = t.testdir();
process.env['TMPDIR'] = temporary;

const skip = noPython;
/** In ms; what the clients below are told, so that the cases about their patience run. */
const TIMES = { replyTimeout: 2000, sendTimeout: 2000, confirmTimeout: 2000 };
/** What is not asked of a client whose times nobody tells. */
const UNDECLARED = /^needs /;

t.test('at least 80 cases', async (t) => {
  t.ok(CLIENT_CASES.length >= 80, `${CLIENT_CASES.length}`);
});

t.test('the classic Python client passes classic', { skip }, async (t) => {
  const report = await conformClient({ exec: `${CLASSIC} {file} {host} {port}`, profile: 'classic' });
  t.strictSame(notPassed(report, UNDECLARED), []);
  t.equal(report.exitCode, 0);
});

t.test('a client that is told a name only, and no port', { skip }, async (t) => {
  const cwd = t.testdir({ 'mine.txt': 'mine' });
  const place = await Listener.open({ host: '127.0.0.1', port: 0 });
  await place.close();
  const { port } = place;
  const only = ['client/end/whole', 'client/name/*', 'client/size/1*', 'client/reply/capital'];
  for (const exec of [`${CLASSIC} {name} {host} ${port}`, `${CLASSIC} ./{name} 127.0.0.1 ${port}`]) {
    const report = await conformClient({ exec, port, cwd, profile: 'classic', only });
    t.strictSame(notPassed(report, UNDECLARED), []);
    t.equal(report.exitCode, 0);
  }
  t.strictSame(readdirSync(cwd), ['mine.txt']);
});

t.test('a small client that keeps every clause passes what classic does not ask', { skip }, async (t) => {
  // Each case is a process. The rest is tried with our own client, and with this one in `npm run conform:zoo`.
  const cases = CLIENT_CASES.filter(({ profiles }) => !profiles.includes('classic'));
  const skip = ['client/name/*', 'client/size/*'];
  const report = await conformClient({ exec: FULL, declared: TIMES, cases, skip });
  t.ok(report.results.length > 50);
  t.strictSame(notPassed(report, UNDECLARED), []);
  t.equal(report.exitCode, 0);
  t.strictSame(JSON.parse(JSON.stringify(report)), report, 'the report survives JSON');
});

t.test('our own client passes full', { skip: notBuilt }, async (t) => {
  const deadlines = '--reply-timeout 2 --send-timeout 2 --confirm-timeout 2';
  const exec = `'${process.execPath}' '${MAIN}' send {file} --to {host}:{port} ${deadlines}`;
  const report = await conform('client', '--exec', exec, ...declare(TIMES));
  t.equal(report.results.length, CLIENT_CASES.length);
  t.strictSame(notPassed(report, UNDECLARED), []);
  t.equal(report.exitCode, 0);
});

t.test('a null client that says a lot passes none of the most telling cases', async (t) => {
  // Below tap, so that the coverage has what only such a client brings about.
  const report = await conformClient({ exec: 'echo {file} {port}', patience: 200, width: 24, quick: true });
  t.ok(report.results.length > 10);
  t.strictSame(wrongOf(report), []);
  t.equal(report.exitCode, 1);
});

t.test('null clients pass no case', { skip: notBuilt }, async (t) => {
  const nulls = {
    'does nothing': 'true {file} {port}',
    'fails at once': 'false {file} {port}',
    // Not `sleep` by itself: it would take the file for a time, and fail at once.
    hangs: `bash -c 'sleep 60' {file} {port}`,
    'connects and leaves': `bash -c 'exec 3<>/dev/tcp/127.0.0.1/$0' {port} {file}`,
    'connects and hangs': `bash -c 'exec 3<>/dev/tcp/127.0.0.1/$0; sleep 60' {port} {file}`,
    echoes: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/$0; cat <&3 >&3' {port} {file}`,
    'speaks HTTP': `bash -c 'exec 3<>/dev/tcp/127.0.0.1/$0; echo GET / HTTP/1.1 >&3; cat <&3' {port} {file}`,
  };
  // They do nothing but wait, so they wait together.
  const all = Object.entries(nulls).map(async ([name, exec]) => {
    const quick = !['does nothing', 'fails at once', 'hangs'].includes(name);
    const flags = ['--patience', '200', '--parallel', '24', ...(quick ? ['--quick'] : [])];
    const report = await conform('client', '--exec', exec, ...flags);
    t.ok(report.results.length >= (quick ? 10 : CLIENT_CASES.length), name);
    t.strictSame(wrongOf(report), [], name);
    t.equal(report.exitCode, name === 'fails at once' ? 4 : 1, name);
  });
  await Promise.all(all);
});

t.test('a client that cannot be started', async (t) => {
  const report = await conformClient({ exec: 'no-such-program {file} {port}' });
  t.equal(report.exitCode, 4);
  t.equal(report.summary.inconclusive, CLIENT_CASES.length);
  t.match(report.results[0]?.reason, /could not be started: .*ENOENT/);

  const missing = await conformClient({ exec: `'${process.execPath}' no-such-file.js {file} {port}`, quick: true });
  t.equal(missing.exitCode, 4, 'an interpreter that finds no program');
  t.match(
    missing.cause,
    /^The client did not connect, and exited with status 1; stderr ends: Error: Cannot find module/,
  );
  t.strictSame([...new Set(missing.results.map(({ verdict }) => verdict))], ['inconclusive']);
});

t.test('usage', async (t) => {
  for (const exec of ['a client {port}', 'a client {file}', 'a client {name} {port}']) {
    await t.rejects(conformClient({ exec }), { code: 'OPTION_INVALID' }, exec);
  }
  const none = await conformClient({ exec: 'true {file} {port}', only: ['no/such/case'] });
  t.equal(none.exitCode, 6, 'nothing ran');
});

t.test('nothing is left in the temporary folder', async (t) => {
  t.strictSame(readdirSync(temporary), []);
});
