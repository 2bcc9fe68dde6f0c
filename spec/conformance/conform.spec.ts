import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { conformServer, SERVER_CASES, type Report } from '../../lib/conformance/index.js';
import { listen, NULL_SERVERS, wrongOf } from './support/null-servers.js';
import { noPython, PYTHON } from '../support/python.mjs';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
/** In ms; what the servers below are told, so that the cases about their patience run. */
const TIMES = { headerTimeout: 2000, idleTimeout: 3000 };
const CLASSIC_SERVER = `'${PYTHON}' '${path('../interop/classic_server.py')}' {port} {dir}`;
const FULL_SERVER = `'${PYTHON}' '${path('support/full_server.py')}' {port} {dir} --header-deadline 2 --body-deadline 3`;
const OURS = path('../../dist/cli/main.js');
const OUR_SERVER = `'${process.execPath}' '${OURS}' serve {dir} --port {port} --header-deadline 2 --body-deadline 3`;

// What the suite makes for itself goes here, so that it can be seen whether anything is left.
const temporary = t.testdir();
process.env['TMPDIR'] = temporary;

const skip = noPython;

/** Without the cases that do not apply or are untestable for a reason that is expected. */
function notPassed({ results }: Report, expected = /(?!)/): string[] {
  return results
    .filter(({ verdict, reason }) => {
      const idle = verdict === 'not applicable' || verdict === 'untestable';
      return verdict !== 'pass' && !(idle && expected.test(reason));
    })
    .map(({ id, verdict, reason }) => `${verdict} ${id}: ${reason}`);
}

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

t.test('our own server passes full', { skip: existsSync(OURS) ? false : 'npm run build' }, async (t) => {
  const report = await conformServer({ exec: OUR_SERVER, declared: TIMES });
  t.strictSame(notPassed(report, /this target is "numbered"$/), []);
  t.equal(report.exitCode, 0);
  t.strictSame(JSON.parse(JSON.stringify(report)), report, 'the report survives JSON');

  // What a server may do with a name that is taken excludes one another, so no single one can pass all.
  const passed = new Set(report.results.filter(({ verdict }) => verdict === 'pass').map(({ id }) => id));
  for (const [policy, conflict] of [
    ['replace', 'replaced'],
    ['refuse', 'refused'],
  ] as const) {
    // prettier-ignore
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

t.test('null servers pass no case', async (t) => {
  const dir = t.testdir();
  // With a directory only what needs one: it can only add reasons to fail to a case that the wire alone decides.
  const needDirectory = SERVER_CASES.filter(({ needs }) => needs === 'dir');
  const all = Object.entries(NULL_SERVERS).map(async ([name, behaviour]) => {
    const server = await listen(behaviour);
    t.teardown(server.close);
    for (const [where, options, number] of [
      ['wire only', {}, SERVER_CASES.length],
      ['with a directory', { dir, cases: needDirectory }, needDirectory.length],
    ] as const) {
      const report = await conformServer({ port: server.port, patience: 80, width: 40, ...options });
      t.strictSame(wrongOf(report), [], `${name}, ${where}`);
      t.not(report.exitCode, 0, `${name}, ${where}`);
      t.equal(report.results.length, number, `${name}, ${where}`);
    }
  });
  await Promise.all(all);
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
