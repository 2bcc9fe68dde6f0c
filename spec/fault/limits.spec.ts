import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { headerBytes } from '../net/support.js';
import { delay, eventually, figure, missingTool, NO_PROCFS, processFigures, Sender, Serving, transfer } from './rig.js';

/** At a limit: refuse, stay up, recover. */

async function hold(port: number, count: number): Promise<Sender[]> {
  const senders = Array.from({ length: count }, () => new Sender(port));
  await Promise.all(
    senders.map(
      ({ socket, ended }) =>
        new Promise<void>((resolve) => {
          socket.once('connect', () => resolve());
          void ended.then(() => resolve());
        }),
    ),
  );
  return senders;
}

t.test('descriptors run out (RLIMIT_NOFILE)', { skip: missingTool('prlimit') || NO_PROCFS }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory, [], ['prlimit', '--nofile=64']);
  const idle = processFigures(server.pid);
  t.ok(idle.descriptors < 40);

  const held = await hold(server.port, 200);
  await delay(200);
  const before = processFigures(server.pid);
  await delay(500);
  const after = processFigures(server.pid);
  t.ok(after.cpu - before.cpu < 200, `no busy loop: ${after.cpu - before.cpu} ms of CPU in 500 ms at the limit`);
  figure(t, 'CPU with 200 connections at a limit of 64 descriptors', `${after.cpu - before.cpu} ms in 500 ms`);
  t.ok(server.stderr.length < 100_000, 'nor does it fill the log');

  for (const { socket } of held) socket.destroy();
  t.ok(await server.settles(idle.descriptors), 'every descriptor is back');
  t.equal(await transfer(server.port, 'a.txt', Buffer.from('hello')), 'confirmed', 'it recovers');

  // So few are left that there is none for the file, or none to sync the directory.
  t.ok(await server.settles(idle.descriptors));
  const free = 64 - processFigures(server.pid).descriptors;
  const outcomes: string[] = [];
  for (const left of [0, 1, 2, 3, 4]) {
    const almost = await hold(server.port, free - left);
    await delay(50);
    outcomes.push(await transfer(server.port, `${left}.txt`, Buffer.from('hello')));
    for (const { socket } of almost) socket.destroy();
    t.ok(await server.settles(idle.descriptors), `${left} left: ${outcomes.at(-1) ?? ''}`);
  }
  t.not(outcomes[0], 'confirmed');
  t.equal(outcomes[4], 'confirmed');
  const told = outcomes.flatMap((outcome, left) => (outcome === 'confirmed' ? [`${left}.txt`] : []));
  t.strictSame(readdirSync(directory), [...told, 'a.txt'], 'what was confirmed is there, and nothing else');
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
});

t.test('the limit of connections', { skip: NO_PROCFS }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory, ['--max-connections', '5']);
  const idle = processFigures(server.pid);
  const held = await hold(server.port, 4);
  t.equal(await transfer(server.port, 'fifth.txt', Buffer.from('hello')), 'confirmed');
  held.push(...(await hold(server.port, 1)));
  await eventually(() => processFigures(server.pid).descriptors >= idle.descriptors + 5);
  for (let index = 0; index < 20; index++) {
    const sender = new Sender(server.port);
    sender.socket.write(headerBytes(5, 'sixth.txt'));
    await sender.ended;
    t.equal(sender.received, '', 'above the limit there is no reply');
  }
  await server.until(() => server.count('failed') === 20);
  t.match(server.stdout, /"code":"TOO_MANY_CONNECTIONS","message":"the limit of 5 connections at once/, 'but a reason');
  held[0]?.reset();
  await eventually(() => processFigures(server.pid).descriptors < idle.descriptors + 5);
  t.equal(await transfer(server.port, 'again.txt', Buffer.from('hello')), 'confirmed');
  for (const { socket } of held) socket.destroy();
  t.ok(await server.settles(idle.descriptors));
  t.strictSame(readdirSync(directory), ['again.txt', 'fifth.txt']);
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
});

t.test('the limit of connections of one address', { skip: NO_PROCFS || process.platform !== 'linux' }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory, ['--max-connections-per-address', '3']);
  const idle = processFigures(server.pid);
  const held = await hold(server.port, 3);
  await eventually(() => processFigures(server.pid).descriptors >= idle.descriptors + 3);
  for (let index = 0; index < 20; index++) {
    const sender = new Sender(server.port);
    sender.socket.write(headerBytes(5, 'fourth.txt'));
    await sender.ended;
    t.equal(sender.received, '', 'above the limit there is no reply');
  }
  // 127.0.0.0/8 is all of this machine.
  const other = new Sender(server.port, '127.0.0.1', '127.0.0.2');
  t.ok(await other.begin(5, 'other.txt'), 'another address is served');
  other.finish(Buffer.from('hello'));
  t.equal(await other.outcome(), 'confirmed');
  for (const { socket } of held) socket.destroy();
  t.ok(await server.settles(idle.descriptors));
  t.equal(await transfer(server.port, 'again.txt', Buffer.from('hello')), 'confirmed', 'and below it this one too');
  t.strictSame(readdirSync(directory).sort(), ['again.txt', 'other.txt']);
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
});

const QUEUED = 700;

function queueAllowed(): number {
  return Number(readFileSync('/proc/sys/net/core/somaxconn', 'latin1'));
}

t.test(
  'connections that wait to be accepted',
  { skip: NO_PROCFS || (queueAllowed() < QUEUED && `the system lets ${queueAllowed()} wait`) },
  async (t) => {
    const directory = t.testdir({});
    const server = await Serving.start(t, directory, ['--no-sync', '--header-deadline', '60']);
    // A server that accepts nobody for a while: the kernel holds them for it, or drops their packets.
    server.kill('SIGSTOP');
    let connected = 0;
    const senders = Array.from({ length: QUEUED }, () => new Sender(server.port));
    for (const { socket } of senders) socket.once('connect', () => (connected += 1));
    await eventually(() => connected === QUEUED, 5_000);
    t.equal(connected, QUEUED, 'all of them wait');
    server.kill('SIGCONT');
    const outcomes = await Promise.all(
      senders.map(async (sender, index) => {
        if (await sender.begin(5, `${index}.txt`)) sender.finish(Buffer.from('hello'));
        return sender.outcome();
      }),
    );
    t.equal(outcomes.filter((outcome) => outcome === 'confirmed').length, QUEUED, 'and all of them are served');
    t.equal(readdirSync(directory).length, QUEUED);
    server.kill('SIGTERM');
    t.equal(await server.exit, 0);
  },
);
