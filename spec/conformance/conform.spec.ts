import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { conformClient, conformServer, SERVER_CASES, type Report } from '../../lib/conformance/index.js';
import { listen, NULL_SERVERS } from './support/null-servers.js';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const CLASSIC_SERVER = `python3 '${path('../interop/classic_server.py')}' {port} {dir}`;
const CLASSIC_CLIENT = `python3 '${path('../interop/classic_client.py')}' {file} {host} {port}`;
const FULL_SERVER = `python3 '${path('support/full_server.py')}' {port} {dir}`;

// What the suite makes for itself goes here, so that it can be seen whether anything is left.
const temporary = t.testdir();
process.env['TMPDIR'] = temporary;

const skip = ((): string | false => {
  try {
    execFileSync('python3', ['--version']);
    return false;
  } catch {
    return 'python3 is not installed';
  }
})();

function notPassed({ results }: Report): string[] {
  return results
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ id, verdict, reason }) => `${verdict} ${id}: ${reason}`);
}

t.test('the classic Python server passes classic', { skip }, async (t) => {
  for (const exec of [CLASSIC_SERVER, `${CLASSIC_SERVER} --suffix ''`]) {
    const report = await conformServer({ exec, profile: 'classic' });
    t.strictSame(notPassed(report), []);
    t.equal(report.exitCode, 0);
  }
});

t.test('the classic Python client passes classic', { skip }, async (t) => {
  const report = await conformClient({ exec: CLASSIC_CLIENT, profile: 'classic' });
  t.strictSame(notPassed(report), []);
  t.equal(report.exitCode, 0);
});

t.test('a server that keeps every clause passes full', { skip }, async (t) => {
  const report = await conformServer({ exec: FULL_SERVER });
  t.strictSame(notPassed(report), []);
  t.equal(report.exitCode, 0);
  t.strictSame(JSON.parse(JSON.stringify(report)), report, 'the report survives JSON');
});

t.test('without a directory what is on disk is untestable, never a pass', { skip }, async (t) => {
  const dir = t.testdir();
  const exec = FULL_SERVER.replace('{dir}', `'${dir}'`);
  const report = await conformServer({ exec });
  t.equal(report.observation, 'exec');
  for (const { id, verdict, needs } of report.results) {
    if (needs === 'dir') t.equal(verdict, 'untestable', id);
    if (needs === 'wire') t.equal(verdict, 'pass', id);
  }
});

t.test('a directory of the user is left as it was', { skip }, async (t) => {
  const dir = t.testdir({ 'mine.txt': 'mine' });
  const report = await conformServer({ exec: FULL_SERVER, dir });
  t.strictSame(notPassed(report), []);
  t.strictSame(readdirSync(dir), ['mine.txt']);
});

t.test('null servers pass no case', async (t) => {
  const empty = t.testdir();
  const all = Object.entries(NULL_SERVERS).map(async ([name, behaviour]) => {
    const server = await listen(behaviour);
    t.teardown(server.close);
    for (const dir of [undefined, empty]) {
      const report = await conformServer({ port: server.port, patience: 80, width: 40, ...(dir && { dir }) });
      const where = `${name}, ${dir === undefined ? 'wire only' : 'with a directory'}`;
      t.equal(report.summary.pass, 0, where);
      t.equal(report.summary['suite fault'], 0, where);
      t.not(report.exitCode, 0, where);
      t.equal(report.results.length, SERVER_CASES.length, where);
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

t.test('null clients pass no case', { skip }, async (t) => {
  const nulls = {
    'does nothing': `python3 -c pass {file} {port}`,
    'fails at once': `python3 -c 'raise SystemExit(1)' {file} {port}`,
    'connects and leaves': `python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[2])))' {file} {port}`,
    'cannot be started': `no-such-program {file} {port}`,
  };
  for (const [name, exec] of Object.entries(nulls)) {
    const report = await conformClient({ exec, patience: 500 });
    t.equal(report.summary.pass, 0, name);
    t.not(report.exitCode, 0, name);
  }
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
  const exec = CLASSIC_SERVER.replace('python3 ', `python3 '${dir}/fragile.py' `);
  const only = ['server/size/1*', 'server/end/fin-*'];
  const report = await conformServer({ exec, profile: 'classic', only });
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
  t.rejects(conformClient({ exec: 'a client {port}' }), { code: 'OPTION_INVALID' });
  t.rejects(conformClient({ exec: 'a client {file}' }), { code: 'OPTION_INVALID' });
  const none = await conformClient({ exec: 'python3 -c pass {file} {port}', only: ['no/such/case'] });
  t.not(none.exitCode, 0, 'nothing ran');
});

t.test('nothing is left in the temporary folder', async (t) => {
  t.strictSame(readdirSync(temporary), []);
});
