/** The commands of the README, run by a shell in a folder that has what they name. The library's example: package.spec.ts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { Capture } from './cli/fake-process.js';
import { noPython, PYTHON } from './support/python.mjs';
import { makeCertificates, noOpenssl } from './net/certificates.js';

const root = resolve(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const commands = [...readme.matchAll(/^ {4}((?:.*\| )?go-ahead .*?)(?: {2,}#.*)?$/gm)].map(([, line = '']) => line);
const [, preparing = ''] = /^ {4}(mkdir .*?)(?: {2,}#.*)?$/m.exec(readme) ?? [];
const [plain, secure] = commands.filter((line) => line.startsWith('go-ahead serve'));
const sends = commands.filter((line) => line.includes('go-ahead send'));
const judgements = commands.filter((line) => line.startsWith('go-ahead conform'));
const POSIX = { skip: process.platform === 'win32' && 'the README is written for a POSIX shell' };

function folder(t: Test): string {
  const cwd = t.testdir({
    bin: { 'go-ahead': `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/main.js')}' "$@"\n` },
    'report.pdf': 'a report',
    photos: { 'one.jpg': 'one', 'two.jpg': 'two' },
    folder: { file: 'x' },
    syslog: 'a line\n',
  });
  chmodSync(join(cwd, 'bin', 'go-ahead'), 0o755);
  for (const role of ['server', 'client'])
    copyFileSync(join(root, `spec/interop/classic_${role}.py`), join(cwd, `${role}.py`));
  return cwd;
}

interface Run {
  readonly child: ChildProcess;
  readonly output: Capture;
  /** The status, or the signal in its place. */
  readonly exit: Promise<unknown>;
}

function shell(t: Test, cwd: string, command: string): Run {
  const path = `${join(cwd, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  const environment = { ...process.env, PATH: path };
  const child = spawn('sh', ['-c', command], { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const output = new Capture();
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const exit = once(child, 'close').then(([code, signal]: (number | string | null)[]) => code ?? signal);
  return { child, output, exit };
}

/** `exec`, so that a signal is the server's and not the shell's. */
async function serve(t: Test, cwd: string, command: string): Promise<Run & { readonly port: string }> {
  t.equal(await shell(t, cwd, preparing).exit, 0, preparing);
  const run = shell(t, cwd, `exec ${command} --port 0`);
  const [, port = ''] = await run.output.waitFor(/listening on 127\.0\.0\.1:(\d+), storing in .*inbox\n/);
  return { ...run, port };
}

t.test('all of them are known here', async (t) => {
  t.equal(commands.length, 8, commands.join('\n'));
  t.same(
    commands.filter((line) => ![plain, secure, ...sends, ...judgements, 'go-ahead demo'].includes(line)),
    [],
  );
});

t.test('serve, send', POSIX, async (t) => {
  const cwd = folder(t);
  const server = await serve(t, cwd, plain ?? '');
  for (const line of sends) {
    const command = line.includes('--to')
      ? line.replace('example.org:12000', `:${server.port}`).replace('/var/log/', '')
      : `${line} --to :${server.port}`;
    const { exit, output } = shell(t, cwd, command);
    t.equal(await exit, 0, command, { output: output.text });
  }
  server.child.kill('SIGINT');
  t.equal(await server.exit, 0);
  const stored = readdirSync(join(cwd, 'inbox'));
  t.same(stored.sort(), ['folder.tar', 'one.jpg', 'report.pdf', 'today.log', 'two.jpg']);
  t.equal(readFileSync(join(cwd, 'inbox', 'today.log'), 'utf8'), 'a line\n');
});

t.test('serve with TLS', { skip: POSIX.skip || noOpenssl }, async (t) => {
  const { ca, server: own } = makeCertificates(t);
  const cwd = folder(t);
  const files = { 'cert.pem': own.cert, 'key.pem': own.key, 'ca.pem': ca.cert };
  for (const [file, text] of Object.entries(files)) writeFileSync(join(cwd, file), text);
  const server = await serve(t, cwd, secure ?? '');
  const { exit, output } = shell(t, cwd, `go-ahead send report.pdf --tls --tls-ca ca.pem --to :${server.port}`);
  t.equal(await exit, 0, 'exits with 0', { output: output.text });
  server.child.kill('SIGINT');
  t.equal(await server.exit, 0);
  t.same(readdirSync(join(cwd, 'inbox')), ['report.pdf']);
});

t.test('conform', { skip: POSIX.skip || noPython }, async (t) => {
  const cwd = folder(t);
  symlinkSync(PYTHON, join(cwd, 'bin/python3'));
  for (const line of judgements) {
    const { exit, output } = shell(t, cwd, `${line} --quick`);
    // The classic client keeps what the course asks, and not all of the protocol.
    t.equal(await exit, line.includes('classic') ? 0 : 1, line, { output: output.text });
  }
  t.match(readFileSync(join(cwd, 'report.html'), 'utf8'), /^<!doctype html>/i);
});

t.test('demo', POSIX, async (t) => {
  const { exit, output } = shell(t, folder(t), 'go-ahead demo');
  t.equal(await exit, 0, 'exits with 0', { output: output.text });
  t.match(output.text, /all \d+ files arrived and match by SHA-256/);
});
