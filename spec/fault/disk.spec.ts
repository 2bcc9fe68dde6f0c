import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eventually, missingTool, NO_PROCFS, Program, Sender, Serving, temporaryFiles, transfer } from './rig.js';

const MiB = 2 ** 20;

/** Whether this process may mount: root in a container often may not. */
const CANNOT_MOUNT = ((): string | false => {
  if (process.platform !== 'linux') return 'tmpfs is of Linux';
  // In a mount namespace of its own, so that it leaves no trace.
  const { status } = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return status !== 0 && 'this process may not mount';
})();

function run(command: string, ...argv: string[]): void {
  const { status, stderr } = spawnSync(command, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${argv.join(' ')}: ${stderr}`);
}

function tmpfs(t: Test, options: string): string {
  // Not in tap's folder, which is removed before anything can be unmounted.
  const directory = mkdtempSync(join(tmpdir(), 'go-ahead-fault-'));
  run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', directory);
  t.teardown(() => {
    run('umount', '-l', directory);
    rmdirSync(directory);
  });
  return directory;
}

async function stop(t: Test, server: Serving): Promise<void> {
  server.kill('SIGTERM');
  t.equal(await server.exit, 0, 'the server lived through it');
}

/** The codes of the first failures, when there are so many. */
async function codes(server: Serving, count: number): Promise<unknown[]> {
  await server.until(() => server.count('failed') >= count);
  return server.events.flatMap(({ event, code }) => (event === 'failed' ? [code] : []));
}

t.test('a full disk', { skip: CANNOT_MOUNT || NO_PROCFS }, async (t) => {
  const volume = tmpfs(t, 'size=8m');
  const server = await Serving.start(t, volume);
  const { port } = server;
  const body = Buffer.alloc(5 * MiB, 'x');

  t.equal(await transfer(port, 'large.bin', Buffer.alloc(9 * MiB)), 'refused', 'what does not fit is refused');
  const first = new Sender(port);
  t.ok(await first.begin(body.length, 'first.bin'));
  t.equal(await transfer(port, 'second.bin', body), 'refused', 'space is promised once');
  t.equal(await transfer(port, 'small.bin', Buffer.alloc(MiB, 'y')), 'confirmed', 'the rest of it still serves');
  unlinkSync(join(volume, 'small.bin'));
  first.reset();
  await server.until(() => server.count('failed') === 3);
  t.equal(await transfer(port, 'second.bin', body), 'confirmed', 'a promise that is void is given back');
  unlinkSync(join(volume, 'second.bin'));

  // Somebody else takes the space that was promised.
  const victim = new Sender(port);
  t.ok(await victim.begin(body.length, 'victim.bin'));
  await victim.write(body.subarray(0, MiB));
  await eventually(() => temporaryFiles(volume).length === 1);
  writeFileSync(join(volume, 'filler'), Buffer.alloc(6.5 * MiB));
  victim.finish(body.subarray(MiB));
  t.equal(await victim.outcome(), 'failed', 'full in the middle of the body: a reset');
  t.strictSame(readdirSync(volume), ['filler'], 'and nothing is left of it');
  t.equal(await transfer(port, 'next.bin', Buffer.alloc(1000, 'z')), 'confirmed', 'the next small one works');
  t.strictSame(await codes(server, 4), ['NO_SPACE', 'NO_SPACE', 'CONNECTION_RESET', 'STORAGE_FAILED']);
  await stop(t, server);
});

t.test('a full disk, and two workers', { skip: CANNOT_MOUNT || NO_PROCFS }, async (t) => {
  const volume = tmpfs(t, 'size=8m');
  const server = await Serving.start(t, volume, ['--workers', '2']);
  const body = Buffer.alloc(MiB, 'x');
  // Whichever worker accepts which: eight fit, and no more are promised.
  const senders = Array.from({ length: 20 }, () => new Sender(server.port));
  const begun = await Promise.all(senders.map((sender, index) => sender.begin(body.length, `${index}.bin`)));
  const served = senders.filter((sender, index) => {
    // Who is refused closes too, or the server waits for that when it stops.
    if (begun[index] !== true) sender.socket.destroy();
    return begun[index];
  });
  t.ok(served.length >= 7 && served.length <= 8, `${served.length} of 20 are promised their space`);
  for (const sender of served) sender.finish(body);
  const outcomes = await Promise.all(served.map((sender) => sender.outcome()));
  t.ok(
    outcomes.every((outcome) => outcome === 'confirmed'),
    'and get it',
  );
  t.equal(readdirSync(volume).length, served.length);
  t.strictSame(new Set(await codes(server, 20 - served.length)), new Set(['NO_SPACE']));
  for (const name of readdirSync(volume)) unlinkSync(join(volume, name));
  t.equal(
    await transfer(server.port, 'next.bin', Buffer.alloc(6 * MiB)),
    'confirmed',
    'what they gave back is free again',
  );
  await stop(t, server);
});

t.test('no inodes are left', { skip: CANNOT_MOUNT || NO_PROCFS }, async (t) => {
  // One for the directory itself; on tmpfs a link needs one too, for as long as the file has two names.
  const volume = tmpfs(t, 'size=8m,nr_inodes=5');
  const server = await Serving.start(t, volume);
  const hello = Buffer.from('hello');
  for (const name of ['a', 'b']) writeFileSync(join(volume, name), '');
  t.equal(await transfer(server.port, 'c.txt', hello), 'confirmed');
  t.equal(await transfer(server.port, 'd.txt', hello), 'failed', 'a reset, when it shows at the last step only');
  writeFileSync(join(volume, 'e'), '');
  t.equal(await transfer(server.port, 'f.txt', hello), 'refused', 'before the reply, when it shows at the first');
  t.strictSame(readdirSync(volume).sort(), ['a', 'b', 'c.txt', 'e'], 'nothing is left of them');
  for (const name of ['a', 'b', 'e']) unlinkSync(join(volume, name));
  t.equal(await transfer(server.port, 'd.txt', hello), 'confirmed');
  await stop(t, server);
});

t.test('a disk that becomes read-only', { skip: CANNOT_MOUNT || NO_PROCFS }, async (t) => {
  const volume = tmpfs(t, 'size=8m');
  const server = await Serving.start(t, volume);
  // No file may be open for writing at a remount.
  run('mount', '-o', 'remount,ro', volume);
  t.equal(await transfer(server.port, 'a.txt', Buffer.from('hello')), 'refused');
  t.strictSame(await codes(server, 1), ['STORAGE_FAILED']);
  t.match(server.events.at(-1), { message: /mounted read-only/ });
  const second = new Program(t, ['serve', volume, '--port', '0']);
  t.equal(await second.exit, 1, 'and nobody starts on it');
  t.match(second.stderr, /filesystem is read-only/);
  run('mount', '-o', 'remount,rw', volume);
  t.equal(await transfer(server.port, 'a.txt', Buffer.from('hello')), 'confirmed');
  await stop(t, server);
});

t.test('a limit of file sizes (RLIMIT_FSIZE)', { skip: missingTool('prlimit') || NO_PROCFS }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory, [], ['prlimit', `--fsize=${MiB}`]);
  const body = Buffer.alloc(3 * MiB, 'x');
  for (let index = 0; index < 3; index++) t.equal(await transfer(server.port, `${index}.bin`, body), 'failed');
  t.strictSame(readdirSync(directory), [], 'nothing is left of them');
  t.strictSame(await codes(server, 3), Array(3).fill('STORAGE_FAILED'));
  t.match(server.events.at(-1), { message: /EFBIG.*ulimit -f/ });
  t.equal(await transfer(server.port, 'small.bin', body.subarray(0, MiB)), 'confirmed', 'up to the limit it serves');
  await stop(t, server);
});

t.test('a directory that is removed while running, and put back', { skip: NO_PROCFS }, async (t) => {
  const base = t.testdir({ inbox: {} });
  const [inbox, away] = [join(base, 'inbox'), join(base, 'away')];
  const server = await Serving.start(t, inbox);
  const open = new Sender(server.port);
  await open.begin(5, 'open.txt');
  renameSync(inbox, away);
  t.equal(await transfer(server.port, 'a.txt', Buffer.from('hello')), 'refused');
  open.finish(Buffer.from('hello'));
  t.equal(await open.outcome(), 'failed', 'what cannot be published is reset');
  t.strictSame(readdirSync(base), ['away'], 'nothing is made in its place');
  renameSync(away, inbox);
  t.equal(await transfer(server.port, 'a.txt', Buffer.from('hello')), 'confirmed');
  rmSync(inbox, { recursive: true });
  t.equal(await transfer(server.port, 'b.txt', Buffer.from('hello')), 'refused');
  mkdirSync(inbox);
  t.equal(await transfer(server.port, 'b.txt', Buffer.from('hello')), 'confirmed', 'a new one serves too');
  t.strictSame(readdirSync(inbox), ['b.txt']);
  await stop(t, server);
});

const NOBODY = 65_534;

t.test('no permission', { skip: missingTool('setpriv') || process.geteuid?.() !== 0 }, async (t) => {
  const directory = t.testdir({ inbox: {} });
  const inbox = join(directory, 'inbox');
  const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  // Nobody must get there at all.
  const reachable = spawnSync(asNobody[0]!, [...asNobody.slice(1), 'ls', inbox]).status === 0;
  const command = spawnSync(asNobody[0]!, [...asNobody.slice(1), process.execPath, '--version']).status === 0;
  if (!reachable || !command) return void t.pass('nobody cannot reach the directory or node here');
  const barred = new Program(t, ['serve', inbox, '--port', '0'], asNobody);
  t.equal(await barred.exit, 1);
  t.match(barred.stderr, /permission is denied/);
  chownSync(inbox, NOBODY, NOBODY);
  const server = await Serving.start(t, inbox, [], asNobody);
  const open = new Sender(server.port);
  await open.begin(5, 'open.txt');
  chmodSync(inbox, 0o500);
  t.equal(await transfer(server.port, 'a.txt', Buffer.from('hello')), 'refused');
  open.finish(Buffer.from('hello'));
  t.equal(await open.outcome(), 'failed');
  chmodSync(inbox, 0o700);
  t.equal(await transfer(server.port, 'a.txt', Buffer.from('hello')), 'confirmed');
  t.strictSame(
    readdirSync(inbox).filter((name) => !name.startsWith('.')),
    ['a.txt'],
  );
  await stop(t, server);
});
