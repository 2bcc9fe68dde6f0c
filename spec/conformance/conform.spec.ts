import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { conformServer, SERVER_CASES } from '../../lib/conformance/index.js';
import { conform, declare, judgeNullServers } from './support/command.js';
import { listen, NULL_SERVERS } from './support/null-servers.mjs';
import { notPassed, wrongOf } from './support/verdicts.js';
import { MAIN, notBuilt } from '../support/built.js';
import { noPython, PYTHON } from '../support/python.mjs';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
/** In ms; what the servers below are told, so that the cases about their patience run. */
const TIMES = { headerTimeout: 2000, idleTimeout: 3000 };
const CLASSIC_SERVER = `'${PYTHON}' '${path('../interop/classic_server.py')}' {port} {dir}`;
const FULL_SERVER = `'${PYTHON}' '${path('support/full_server.py')}' {port} {dir} --header-deadline 2 --body-deadline 3`;
const OUR_SERVER = `'${process.execPath}' '${MAIN}' serve {dir} --port {port} --header-deadline 2 --body-deadline 3`;

// What the suite makes for itself goes here, so that it can be seen whether anything is left.
const temporary = t.testdir();
process.env['TMPDIR'] = temporary;

const skip = noPython;

t.test(
  'the classic Python server, of 60 lines and with buffers of 1,024 bytes, passes classic',
  { skip },
  async (t) => {
    const source = readFileSync(path('../interop/classic_server.py'), 'utf8');
    t.ok(source.trimEnd().split('\n').length <= 60 && source.includes('BUFFER = 1024'));
    const report = await conformServer({ exec: CLASSIC_SERVER, profile: 'classic' });
    t.strictSame(notPassed(report), []);
    t.equal(report.exitCode, 0);
    t.equal(report.suffix, '.temp', 'the suffix is found out');
    const only = ['server/name/*', 'server/taken/*', 'server/standing/*', 'server/end/*'];
    const bare = await conformServer({ exec: `${CLASSIC_SERVER} --suffix ''`, profile: 'classic', only });
    t.strictSame(notPassed(bare), [], 'without a suffix');
  },
);

t.test('our own server passes full', { skip: notBuilt }, async (t) => {
  const report = await conform('server', '--exec', OUR_SERVER, ...declare(TIMES));
  t.equal(report.results.length, SERVER_CASES.length);
  t.strictSame(notPassed(report, /this target is "numbered"$/), []);
  t.equal(report.exitCode, 0);

  // What a server may do with a name that is taken excludes one another, so no single one can pass all.
  const passed = new Set(report.results.filter(({ verdict }) => verdict === 'pass').map(({ id }) => id));
  for (const [policy, conflict] of [
    ['replace', 'replaced'],
    ['refuse', 'refused'],
  ] as const) {
    const only = ['server/taken/*', 'server/standing/*'];
    const exec = `${OUR_SERVER} --on-conflict ${policy}`;
    const other = await conformServer({ exec, declared: { conflict }, only });
    t.strictSame(notPassed(other, /this target is "\w+"$|so this is the user's choice$/), [], conflict);
    for (const { id, verdict } of other.results) if (verdict === 'pass') passed.add(id);
  }
  t.strictSame(
    SERVER_CASES.map(({ id }) => id).filter((id) => !passed.has(id)),
    [],
    'every case is passed',
  );
});

t.test(
  'a small server that keeps every clause passes full, and a directory of the user is left as it was',
  { skip },
  async (t) => {
    const dir = t.testdir({ 'mine.txt': 'mine' });
    const report = await conformServer({ exec: FULL_SERVER, dir, declared: TIMES });
    // What would touch the surroundings is not tried in a directory of the user's.
    t.strictSame(notPassed(report, /^needs a directory of the suite|this target is "numbered"$/), []);
    t.equal(report.exitCode, 0);
    t.strictSame(readdirSync(dir), ['mine.txt']);
  },
);

t.test('without a directory what is on disk is untestable, never a pass', { skip }, async (t) => {
  const dir = t.testdir();
  // What the connection alone shows is shown above; here a few of those stand for all.
  const cases = SERVER_CASES.filter(({ needs, quick }) => needs === 'dir' || quick === true);
  const report = await conformServer({ exec: FULL_SERVER.replace('{dir}', `'${dir}'`), cases });
  t.equal(report.observation, 'exec');
  const verdicts = (needs: string): string[] => [
    ...new Set(report.results.filter((result) => result.needs === needs).map(({ verdict }) => verdict)),
  ];
  t.strictSame(verdicts('dir'), ['untestable']);
  t.strictSame(verdicts('wire'), ['pass']);
});

t.test('null servers pass none of the most telling cases', async (t) => {
  // Below tap, so that the coverage has what only such servers bring about.
  const dir = t.testdir();
  const all = Object.entries(NULL_SERVERS).map(async ([name, behaviour]) => {
    const server = await listen(behaviour);
    t.teardown(server.close);
    const report = await conformServer({ port: server.port, dir, patience: 80, width: 40, quick: true });
    t.strictSame(wrongOf(report), [], name);
    t.strictSame(JSON.parse(JSON.stringify(report)), report, 'the report survives JSON');
  });
  await Promise.all(all);
});

t.test('null servers pass no case at all', { skip: notBuilt }, async (t) => {
  const runs = await judgeNullServers(t.testdir());
  t.equal(runs.length, 22, 'each with and without a directory');
  for (const { name, where, asked, report } of runs) {
    t.strictSame(wrongOf(report), [], `${name}, ${where}`);
    t.not(report.exitCode, 0, `${name}, ${where}`);
    t.ok(asked > 150 && report.results.length === asked, `${name}, ${where}`);
  }
});

t.test('a closed port', async (t) => {
  const server = await listen(() => undefined);
  server.close();
  const report = await conformServer({ port: server.port });
  t.equal(report.exitCode, 4);
  t.equal(report.summary.pass, 0);
  t.equal(report.summary.inconclusive, report.results.length);
});

t.test('a server that dies is named, started again, and the report is whole', { skip }, async (t) => {
  const dir = t.testdir({
    'fragile.py': [
      'import sys, runpy, socket, os, threading',
      'old = socket.socket.recv',
      // Dies of an early end of the stream.
      'def recv(self, n):',
      '    data = old(self, n)',
      '    if not data:',
      '        os._exit(70)',
      '    return data',
      'socket.socket.recv = recv',
      'sys.argv = sys.argv[1:]',
      'runpy.run_path(sys.argv[0], run_name="__main__")',
    ].join('\n'),
  });
  const exec = CLASSIC_SERVER.replace(PYTHON, `${PYTHON}' '${dir}/fragile.py`);
  const only = ['server/size/1*', 'server/end/fin-*'];
  const skip = ['server/size/1000-times-2-32'];
  const report = await conformServer({ exec, profile: 'classic', only, skip });
  const failed = report.results.filter(({ verdict }) => verdict === 'fail');
  t.strictSame(
    failed.map(({ id }) => id),
    [
      'server/end/fin-after-customary-buffer',
      'server/end/fin-after-first-byte',
      'server/end/fin-after-pause',
      'server/end/fin-before-first-byte',
      'server/end/fin-before-last-byte',
      'server/end/fin-mid-body',
    ],
  );
  t.match(failed[0]?.reason, /exited with status 70/);
  t.equal(report.summary.pass, report.results.length - 6, notPassed(report).join('\n'));
  t.equal(report.exitCode, 1);
});

t.test('usage', async (t) => {
  t.rejects(conformServer({ exec: 'a server' }), { code: 'OPTION_INVALID' });
});

t.test('nothing is left in the temporary folder', async (t) => {
  t.strictSame(readdirSync(temporary), []);
});
