import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseTemporaryName } from '../../lib/storage/temporary-name.js';
import { Capture, header, RawPeer, upload } from './fake-process.js';
import { untilElsewhere } from '../support/until.js';
import { MAIN } from '../support/built.js';

const POSIX = { skip: process.platform === 'win32' && 'needs process groups and signals' };

async function serve(t: Test, directory: string, ...argv: string[]) {
  // In a process group of its own, as a shell starts it.
  const child = spawn(process.execPath, [MAIN, 'serve', directory, '--port', '0', '--workers', '2', ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('not started');
  t.teardown(() => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Ended before.
    }
  });
  const [stdout, stderr] = [new Capture(), new Capture()];
  child.stdout.pipe(stdout);
  child.stderr.pipe(stderr);
  const exit = once(child, 'exit').then(([code, signal]: (number | string | null)[]) => code ?? signal);
  const [, port] = await stdout.waitFor(/(?:listening on .*:|"port":)(\d+)/);
  return { child, pid, stdout, stderr, exit, port: Number(port) };
}

async function begin(port: number, name: string): Promise<RawPeer> {
  const peer = RawPeer.connect(port);
  peer.socket.write(header(5n, name));
  await peer.reply();
  return peer;
}

function workerOf(directory: string): number {
  return readdirSync(directory).flatMap((name) => parseTemporaryName(name)?.pid ?? [])[0] ?? 0;
}

/**
 * Settles when all that this worker did so far was told: it tells in order, but a moment after the reply, and killed before,
 * it never would.
 */
async function heard({ port, stdout }: { port: number; stdout: Capture }, directory: string, worker: number) {
  for (let turn = 1, accepted = 0; accepted !== worker; turn++) {
    const before = new Set(readdirSync(directory));
    const peer = await begin(port, `told-${turn}`);
    const temporary = readdirSync(directory).find((name) => !before.has(name)) ?? '';
    accepted = parseTemporaryName(temporary)?.pid ?? 0;
    peer.socket.end('hello');
    await peer.closed;
    await stdout.waitFor(new RegExp(`stored told-${turn}:`));
  }
}

function isGone(pid: number): boolean {
  try {
    // A zombie that nobody waits for is gone, too.
    return /^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return true;
  }
}

t.test('tells the same as one process, and follows the signals of a terminal', POSIX, async (t) => {
  const directory = t.testdir({});
  const server = await serve(t, directory, '--json', '--no-sync');
  t.equal(await upload(server.port, 'a.txt', 'hello'), 'fin');
  // Two workers may tell in either order.
  await server.stdout.waitFor(/"stored".*\n/);
  t.equal(await upload(server.port, '..', 'hello'), 'fin');
  await server.stdout.waitFor(/"failed".*\n/);
  t.match(server.stdout.objects, [
    { event: 'listening', host: '127.0.0.1', port: server.port, directory },
    { event: 'stored', name: 'a.txt', size: 5, path: join(directory, 'a.txt'), ms: Number, peer: /^127\.0\.0\.1:\d+$/ },
    { event: 'failed', name: '..', code: 'NAME_UNSAFE', message: String, received: 0, peer: /^127\.0\.0\.1:\d+$/ },
  ]);
  t.strictSame(
    server.stdout.objects.map((line) => Object.keys(line)),
    [
      ['event', 'host', 'port', 'directory'],
      ['event', 'name', 'size', 'path', 'ms', 'peer'],
      ['event', 'name', 'code', 'message', 'received', 'peer'],
    ],
  );
  const slow = await begin(server.port, 'slow.txt');
  process.kill(-server.pid, 'SIGINT');
  // Refused connections say that the signal has come.
  await RawPeer.refused(server.port);
  slow.socket.end('hello');
  t.equal(await slow.closed, 'fin');
  t.equal(await server.exit, 0);
  t.match(server.stdout.objects.at(-1), { event: 'stored', name: 'slow.txt' });
  t.equal(server.stderr.text, '');
  t.strictSame(readdirSync(directory), ['a.txt', 'slow.txt']);
});

t.test('a second signal resets', POSIX, async (t) => {
  const directory = t.testdir({});
  const server = await serve(t, directory);
  const stuck = await begin(server.port, 'stuck.txt');
  process.kill(-server.pid, 'SIGTERM');
  await RawPeer.refused(server.port);
  process.kill(-server.pid, 'SIGTERM');
  t.equal(await stuck.closed, 'reset');
  t.equal(await server.exit, 143);
  t.strictSame(readdirSync(directory), []);
  t.match(server.stdout.text, /failed "stuck\.txt" from 127\.0\.0\.1:\d+: the server is closing \(ABORTED\)\n/);
});

t.test('workers do not outlive the primary, and reset what they had', POSIX, async (t) => {
  const directory = t.testdir({});
  const server = await serve(t, directory);
  const lost = await begin(server.port, 'lost.txt');
  // Whole, but not committed: an orderly close would be a receipt.
  const whole = await begin(server.port, 'whole.txt');
  const worker = workerOf(directory);
  server.child.kill('SIGKILL');
  t.equal(await lost.closed, 'reset');
  t.equal(await whole.closed, 'reset');
  await untilElsewhere(() => isGone(worker) && readdirSync(directory).length === 0);
  t.ok(worker > 0);
});

t.test('ends clearly when no worker can be kept', POSIX, async (t) => {
  const directory = join(t.testdir({ in: {} }), 'in');
  const server = await serve(t, directory);
  const lost = await begin(server.port, 'lost.txt');
  const worker = workerOf(directory);
  await heard(server, directory, worker);
  rmSync(directory, { recursive: true });
  process.kill(worker, 'SIGKILL');
  await lost.closed;
  t.equal(await server.exit, 1);
  t.match(server.stdout.text, /failed "lost\.txt" .*: the worker process \d+ was ended by SIGKILL \(WORKER_LOST\)\n/);
  t.match(
    server.stderr.text,
    /a worker died 6 times in a row: .*could not start: Cannot store in .*does not exist; create it first: `mkdir .*`\n/,
  );
});
