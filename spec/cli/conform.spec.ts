/** The command of the conformance suite: its fixed forms, and each of its exit codes. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { CASES } from '../../lib/conformance/cases/index.js';
import type { Report } from '../../lib/conformance/index.js';
import { noPython, PYTHON } from '../support/python.mjs';
import { listen, start, type FakeProcess } from './fake-process.js';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const SERVER = `'${PYTHON}' -S '${path('../interop/classic_server.py')}'`;
const CLIENT = `'${PYTHON}' -S '${path('../interop/classic_client.py')}'`;
/** Keeps every MUST, and waits before each reply (3.9, a SHOULD). */
const SLOW_TO_REPLY = `'${process.execPath}' '${path('../conformance/zoo/server.mjs')}' {port} {dir} --no-sync --defect always-settles`;

// What the suite makes for itself goes here, so that it can be seen whether anything is left.
const temporary = t.testdir();
process.env['TMPDIR'] = temporary;

const conform = (...argv: readonly string[]): FakeProcess => start(['conform', ...argv]);

async function exits(t: Test, code: number, argv: readonly string[], said: RegExp): Promise<FakeProcess> {
  const run = conform(...argv);
  t.equal(await run.exit, code, `${argv.join(' ')}\n${run.stdout.text}${run.stderr.text}`);
  t.match(run.stdout.text + run.stderr.text, said);
  t.equal(run.listening(), 0, 'no listener for signals is left');
  return run;
}

/** Runs it with another value of a variable of the environment that has one. */
async function withVariable(name: 'PATH' | 'TMPDIR', value: string, run: () => Promise<unknown>): Promise<void> {
  const before = process.env[name];
  process.env[name] = value;
  try {
    await run();
  } finally {
    process.env[name] = before;
  }
}

/** A port on which nobody listens, or somebody who answers nothing. */
async function portOf(t: Test, answering: boolean): Promise<number> {
  const server = await listen((socket) => socket.on('error', () => undefined).end());
  if (answering) t.teardown(() => server.close());
  else await server.close();
  return server.port;
}

t.test('0: every required case passed', { skip: noPython }, async (t) => {
  await exits(
    t,
    0,
    [
      'server',
      '--exec',
      `${SERVER} {port} {dir}`,
      '--profile',
      'classic',
      '--only',
      'server/size/1*',
      '--skip',
      '*mib*',
    ],
    /exit 0: every required case passed\n$/,
  );
  await exits(
    t,
    0,
    [
      'client',
      '--exec',
      `${CLIENT} {file} {host} {port}`,
      '--profile',
      'classic',
      '--quick',
      '--only',
      'client/size/*',
    ],
    /exit 0: every required case passed\n$/,
  );
});

t.test('1: a MUST is broken', async (t) => {
  const port = await portOf(t, true);
  const only = ['--only', 'server/many/in-turn', '--patience', '100'];
  const run = await exits(
    t,
    1,
    ['server', '--port', String(port), '--dir', t.testdir(), ...only],
    /exit 1: a MUST is broken/,
  );
  t.match(run.stdout.text, /FAIL server\/many\/in-turn/);
  t.match(
    run.stdout.text,
    /go-ahead conform server --host 127\.0\.0\.1 --port \d+ --dir .* --only server\/many\/in-turn/,
  );
  await exits(
    t,
    1,
    ['client', '--exec', 'true {file} {port}', '--only', 'client/size/one', '--patience', '100'],
    /exit 1/,
  );
});

t.test('2: the command line is wrong', async (t) => {
  const exec = ['--exec', 'a {port} {dir} {file}'];
  const table: [readonly string[], RegExp][] = [
    [['sever'], /unknown command 'sever'.*server/],
    [['client'], /required option '--exec/],
    [['server', '--profile', 'easy'], /Allowed choices are classic, full/],
    [['server', '--port', '70000'], /0 to 65535/],
    [['server', '--reporter', 'xml'], /Expected NAME or NAME=FILE/],
    [['server', '--reporter', 'tap='], /no file after the "="/],
    [['server', '--reporter', 'tap', '--reporter', 'json'], /Only one report can go to standard output/],
    [['server', '--reporter', 'tap=a', '--reporter', 'json=./a'], /Two reports would go to one file/],
    [['server', '--reporter', 'tap=/no/such/folder/x'], /cannot be written.*ENOENT/],
    [['server', '--declare', 'concurrent=perhaps'], /expected concurrent as "yes" or "no"/],
    [['server', '--declare', 'size=1'], /expected one of/],
    [['server', '--seed', '-1'], /whole number/],
    [['server', '--parallel', '0'], /whole number/],
    [['server', '--patience', '1.5'], /whole number/],
    [['server', '--baseline', '/no/such/file'], /baseline .* cannot be read/],
    [['server', '--dir', '/no/such/folder'], /--dir .* is not a directory/],
    [['server', '--cwd', '.'], /there is no --exec/],
    [['server', '--exec', 'a server'], /not told a port/],
    [['server', '--exec', 'a "server'], /opening " and no closing one/],
    [['client', '--exec', 'a {port}'], /not told which file/],
    [['client', '--exec', 'a {file}'], /not told a port/],
    [['client', '--exec', 'a {name} {port}'], /told a name only/],
    [['client', ...exec, '--cwd', '/no/such/folder'], /--cwd .* is not a directory/],
    [['explain', 'server/size/zer'], /no case "server\/size\/zer"; did you mean server\/size\/zero/],
    [['explain', 'server/end/fin-midbody'], /did you mean server\/end\/fin-mid-body or .* or .*\?/],
    [['explain', 'nothing like it'], /no case "nothing like it"; see go-ahead conform list/],
    [['explain'], /missing required argument/],
    [['list', '--role', 'proxy'], /Allowed choices are server, client/],
  ];
  for (const [argv, message] of table) {
    const run = await exits(t, 2, argv, message);
    t.equal(run.stderr.lines.length, 1, 'one line');
    t.equal(run.stdout.text, '');
  }
});

t.test('3: only a SHOULD is broken', async (t) => {
  await exits(
    t,
    3,
    ['server', '--exec', SLOW_TO_REPLY, '--only', 'server/header/at-once'],
    /exit 3: only a SHOULD is broken/,
  );
});

t.test('4: the target could not be reached or started', async (t) => {
  const port = await portOf(t, false);
  // Told once, with what to do, and not for each case.
  await exits(
    t,
    4,
    ['server', '--port', String(port), '--quick'],
    /\n\n.*nothing listens on 127.0.0.1:\d+: start the server first.*\n.*\n\n\d+ inconclusive.*\nexit 4/,
  );
  await exits(
    t,
    4,
    ['server', '--exec', 'no-such-program {port} {dir}', '--quick'],
    /--exec could not be started.*ENOENT[^]*exit 4/,
  );
  await exits(
    t,
    4,
    ['server', '--exec', `'${process.execPath}' -e 'console.error("boom");process.exit(3)' {port}`, '--quick'],
    /since the command of --exec exited with status 3; stderr ends: boom\n[^]*exit 4/,
  );
  await exits(
    t,
    4,
    ['client', '--exec', 'no-such-program {port} {file}', '--quick'],
    /could not be started.*ENOENT[^]*exit 4/,
  );
});

t.test('5: a fault of the suite', { skip: existsSync('/dev/full') ? noPython : '/dev/full is not here' }, async (t) => {
  // What was judged is told all the same, but nobody must take a run for green whose report is lost.
  const argv = [
    'client',
    '--exec',
    `${CLIENT} {file} {host} {port}`,
    '--only',
    'client/size/one',
    '--profile',
    'classic',
  ];
  await exits(t, 5, [...argv, '--reporter', 'html=/dev/full'], /could not be written: .*ENOSPC[^]*exit 5/);
  await withVariable('TMPDIR', '/no/such/folder', () =>
    exits(t, 5, argv, /the suite failed: Error: ENOENT[^]*\n +at /),
  );
});

t.test('without a program that counts segments, nothing is claimed of them', { skip: noPython }, async (t) => {
  const argv = ['client', '--exec', `${CLIENT} {file} {host} {port}`, '--only', 'client/header/one-piece'];
  await withVariable('PATH', '', () => exits(t, 6, argv, /perl or python3\n1 untestable;/));
});

t.test('6: nothing ran', async (t) => {
  const port = String(await portOf(t, true));
  await exits(
    t,
    6,
    ['server', '--port', port, '--only', 'server/no/such/case'],
    /No case was selected: no case for a server is called server\/no\/such\/case\b[^]*exit 6: nothing/,
  );
  for (const [only, says] of [
    ['server/size/zer', /is called server\/size\/zer; did you mean server\/size\/zero\b.*\?\n/],
    ['server/name/parent', /No case was selected: server\/name\/parent is not in the profile classic\n/],
  ] as const) {
    await exits(t, 6, ['server', '--port', port, '--profile', 'classic', '--only', only], says);
  }
  const nobody = String(await portOf(t, false));
  await exits(t, 6, ['server', '--port', nobody, '--only', 'server/no/such/case'], /exit 6: nothing/);
  await exits(t, 6, ['client', '--exec', 'true {file} {port}', '--skip', '*'], /exit 6: nothing/);
  await exits(
    t,
    6,
    ['server', '--port', port, '--only', 'server/size/zero', '--patience', '100'],
    /untestable[^]*exit 6/,
  );
});

t.test('a fixed port, and a server that stores where it stands', { skip: noPython }, async (t) => {
  const cwd = t.testdir({ 'mine.txt': 'mine' });
  const port = String(await portOf(t, false));
  const argv = ['server', '--exec', `${SERVER} ${port} .`, '--port', port, '--cwd', cwd, '--profile', 'classic'];
  await exits(t, 0, [...argv, '--suffix', '.temp', '--only', 'server/size/1023'], /1 pass; 1 of 1 case /);
  t.strictSame(readdirSync(cwd), ['mine.txt']);
});

t.test('a fixed port, and a client that sends from where it stands', { skip: noPython }, async (t) => {
  const cwd = t.testdir({});
  const port = String(await portOf(t, false));
  const argv = ['client', '--exec', `${CLIENT} {name} 127.0.0.1 ${port}`, '--port', port, '--cwd', cwd];
  await exits(t, 0, [...argv, '--profile', 'classic', '--only', 'client/size/1023'], /1 pass; 1 of 1 case /);
  t.strictSame(readdirSync(cwd), []);
});

t.test('all reports at once, a trace, and the same order for the same seed', { skip: noPython }, async (t) => {
  const folder = t.testdir({});
  const names = ['tap', 'json', 'junit', 'html', 'markdown'];
  const reports = names.flatMap((name) => ['--reporter', `${name}=${join(folder, name)}`]);
  const only = ['--profile', 'classic', '--only', 'server/size/6*', '--parallel', '1', '--seed', '7'];
  const argv = ['server', '--exec', `${SERVER} {port} {dir}`, ...only, '--trace', join(folder, 'trace'), ...reports];
  await exits(t, 0, argv, /seed 7[^]*exit 0/);
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  t.match(read('tap'), /^TAP version 14\n1\.\.4\n/);
  t.match(read('junit'), /<testsuite .*tests="3"/);
  t.match(read('html'), /<!doctype html>/i);
  t.match(read('markdown'), /\| pass \| 3 \|/);
  const report = JSON.parse(read('json')) as Report;
  t.strictSame(
    report.results.map(({ id, verdict, level, clause }) => [id, verdict, level, clause]).sort(),
    ['65535', '65536', '66536'].map((size) => [`server/size/${size}`, 'pass', 'must', '6.3']),
  );
  t.match(readdirSync(join(folder, 'trace'), { recursive: true }).join(' '), /65535/);
  const order = (text: string): string[] => [...text.matchAll(/server\/size\/\d+/g)].map(([id]) => id);
  const first = order(read('tap'));
  await exits(t, 0, argv, /exit 0/);
  t.strictSame(order(read('tap')), first);
});

t.test('a known failure does not count until its date', async (t) => {
  const port = String(await portOf(t, true));
  const file = join(t.testdir({}), 'baseline.json');
  const argv = ['server', '--port', port, '--dir', t.testdir({}), '--only', 'server/many/in-turn', '--patience', '100'];
  const entry = { id: 'server/many/in-turn', reason: 'issue 1' };
  for (const [expires, code] of [
    ['2999-12-31', 6],
    ['2020-12-31', 1],
  ] as const) {
    // prettier-ignore
    writeFileSync(file, JSON.stringify({ version: 1, failures: [{ ...entry, expires }] }));
    await exits(t, code, [...argv, '--baseline', file], /issue 1|expired/);
  }
});

t.test('a run that is interrupted reports what it has, and says that it is not all', async (t) => {
  const server = await listen((socket) => socket.on('error', () => undefined).resume());
  t.teardown(() => server.close());
  for (const [signals, code] of [
    [['SIGINT'], 130],
    [['SIGTERM'], 143],
    // As a terminal that is closed does.
    [['SIGHUP', 'SIGHUP'], 129],
  ] as const) {
    const run = conform('server', '--port', String(server.port), '--dir', t.testdir({}), '--patience', '3000');
    await run.stdout.waitFor(/profile full/);
    for (const signal of signals) run.kill(signal);
    t.equal(await run.exit, code);
    t.match(run.stdout.text, /Ended after \d+ of \d+ cases/);
    t.equal(run.listening(), 0);
  }
});

t.test('list and explain', async (t) => {
  const all = await exits(t, 0, ['list'], /^ID +LEVEL +CLAUSE/);
  t.match(all.stdout.lines.at(-1), `${CASES.length} of ${CASES.length} cases`);
  const some = await exits(t, 0, ['list', '--role', 'client', '--profile', 'classic', '--quick', '--json'], /client\//);
  const listed = JSON.parse(some.stdout.text) as { id: string; role: string; quick: boolean }[];
  t.ok(listed.length > 3 && listed.every(({ role, quick }) => role === 'client' && quick));
  await exits(t, 0, ['explain', 'server/end/fin-mid-body'], /6\.4[^]*A receiver MUST discard the file/);
  await exits(t, 0, ['explain', 'server/end/fin-mid-body', '--json'], /^\{.*"sentence":"A receiver MUST discard/);
});

t.test('nothing is left in the temporary folder', async (t) => {
  t.strictSame(readdirSync(temporary), []);
});
