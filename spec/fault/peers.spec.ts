import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { headerBytes } from '../net/support.js';
import { pick, runSeed, seededRandom } from '../support/random.js';
import {
  atOnce,
  delay,
  eventually,
  figure,
  LONG,
  NO_PROCFS,
  processFigures,
  scaled,
  Sender,
  Serving,
  transfer,
} from './rig.js';

/** Peers that are hostile or broken, against the real program: what they get, and what they cost. */

const MiB = 2 ** 20;
const seed = runSeed();

/** It lives, has nothing open, kept nothing, and serves the next one. */
async function unharmed(t: Test, server: Serving, directory: string, descriptors: number): Promise<void> {
  t.ok(await eventually(() => processFigures(server.pid).descriptors <= descriptors), 'every descriptor is back');
  t.strictSame(readdirSync(directory), [], 'nothing was stored, and nothing is left');
  t.equal(await transfer(server.port, 'good.txt', Buffer.from('hello')), 'confirmed', 'the next one is served');
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
  t.equal(server.stderr, '');
}

t.test('who is slow', { skip: NO_PROCFS }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory, ['--header-deadline', '0.4', '--body-deadline', '0.4']);
  const { descriptors } = processFigures(server.pid);
  const since = performance.now();

  // A header that goes on for ever, byte by byte.
  const trickling = async (): Promise<void> => {
    const sender = new Sender(server.port);
    let sent = 0;
    for (const byte of headerBytes(5, 'x'.repeat(500))) {
      if (sender.endedAt > 0) break;
      await sender.write(Uint8Array.of(byte));
      sent += 1;
      await delay(20);
    }
    t.not(await sender.outcome(), 'confirmed');
    const ms = sender.endedAt - since;
    t.ok(sent > 9 && ms > 350 && ms < 8_000, `a byte every 20 ms in the header: ended after ${Math.round(ms)} ms`);
  };
  const silent = async (): Promise<void> => {
    const sender = new Sender(server.port);
    t.equal(await sender.outcome(), 'refused', 'one that says nothing');
    t.ok(sender.endedAt - since < 8_000);
  };
  const stalled = async (): Promise<void> => {
    const sender = new Sender(server.port);
    await sender.begin(1000, 'stalls.bin');
    await sender.write(Buffer.alloc(999));
    t.equal(await sender.outcome(), 'failed', 'one that stops before the last byte');
  };
  // As long as bytes come it is served: a minimum rate is for the user to set.
  const slow = async (): Promise<void> => {
    const sender = new Sender(server.port);
    await sender.begin(11, 'slow.bin');
    for (let byte = 0; byte < 10; byte++) {
      await delay(100);
      await sender.write(Uint8Array.of(byte));
    }
    sender.reset();
  };
  await Promise.all([trickling(), silent(), stalled(), slow()]);
  await eventually(() => server.count('failed') === 4);
  const codes = server.events.flatMap(({ code }) => (code === undefined ? [] : [code]));
  t.strictSame(codes.sort(), ['BODY_TIMEOUT', 'CONNECTION_RESET', 'HEADER_TIMEOUT', 'HEADER_TIMEOUT']);
  await unharmed(t, server, directory, descriptors);
});

t.test(
  'a byte every second',
  { skip: NO_PROCFS || (!LONG && 'it takes half a minute: with an injected clock in spec/net/secure.spec.ts') },
  async (t) => {
    const directory = t.testdir({});
    const server = await Serving.start(t, directory, [
      '--header-deadline',
      '6',
      '--body-deadline',
      '5',
      '--min-rate',
      '2',
    ]);
    const { descriptors } = processFigures(server.pid);
    const trickle = async (what: string, begin: (sender: Sender) => Promise<unknown>, bytes: Buffer): Promise<void> => {
      const sender = new Sender(server.port);
      await begin(sender);
      const since = performance.now();
      for (const byte of bytes) {
        if (sender.endedAt > 0) break;
        await sender.write(Uint8Array.of(byte));
        await delay(1_000);
      }
      t.not(await sender.outcome(), 'confirmed');
      const seconds = (sender.endedAt - since) / 1_000;
      t.ok(seconds > 5 && seconds < 20, what);
      figure(t, `a byte every second ${what}`, `ended after ${seconds.toFixed(1)} s`);
    };
    await Promise.all([
      // In the size: a name that pauses for a second is taken for whole.
      trickle('in the header, whose deadline is 6 s', async () => undefined, headerBytes(5, 'x'.repeat(30))),
      trickle('in the body, whose minimum rate is 2', (sender) => sender.begin(40, 'slow'), Buffer.alloc(30)),
    ]);
    await eventually(() => server.count('failed') === 2);
    const codes = server.events.flatMap(({ code }) => (code === undefined ? [] : [code]));
    t.strictSame(codes.sort(), ['BODY_TOO_SLOW', 'HEADER_TIMEOUT']);
    await unharmed(t, server, directory, descriptors);
  },
);

t.test('who never reads', { skip: NO_PROCFS }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory);
  const { descriptors } = processFigures(server.pid);
  // The kernel takes a reply of 8 bytes whatever the window; what counts is that nothing waits for it to be read.
  const senders = Array.from({ length: 20 }, () => new Sender(server.port));
  for (const sender of senders) {
    sender.socket.pause();
    sender.socket.write(headerBytes(5, '..x'));
  }
  t.ok(await eventually(() => readdirSync(directory).length === 20));
  for (const sender of senders) sender.socket.write('hello!');
  await server.until(() => server.count('failed') === 20);
  for (const sender of senders) sender.socket.destroy();
  await unharmed(t, server, directory, descriptors);
});

/**
 * Writes for as long as the other side lets it; returns how many bytes the kernel took. A server that has closed its side and
 * reads nothing ends the connection after five seconds: the long form waits for it.
 */
async function flood(sender: Sender, bytes: number): Promise<number> {
  const chunk = Buffer.alloc(MiB, 'x');
  let taken = 0;
  for (let stuck = false; taken < bytes && sender.endedAt === 0 && !stuck; taken += chunk.length) {
    const written = sender.write(chunk).then(() => false);
    const ended = sender.ended.then(() => false);
    stuck = await Promise.race([written, ended, delay(LONG ? 20_000 : 200).then(() => true)]);
  }
  sender.reset();
  return taken;
}

const GIGABYTE = 1024 * MiB;

t.test('a gigabyte where none belongs', { skip: NO_PROCFS }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory, ['--grace', '20']);
  const { descriptors } = processFigures(server.pid);
  const cases: Record<string, (sender: Sender) => Promise<void>> = {
    'after the last byte': async (sender) => {
      await sender.begin(5, 'a.bin');
      sender.socket.write('hello');
    },
    'in the place of a header': async () => undefined,
    'before the reply': async (sender) => void sender.socket.write(headerBytes(5, 'b.bin')),
    'after a refusal': async (sender) => {
      await sender.begin(2n ** 64n - 1n, 'c.bin');
    },
  };
  // That what the kernel counts is what is read.
  const idle = processFigures(server.pid).read;
  t.equal(await transfer(server.port, 'good.bin', Buffer.alloc(8 * MiB)), 'confirmed');
  t.ok(processFigures(server.pid).read - idle >= 8 * MiB);
  unlinkSync(join(directory, 'good.bin'));
  for (const [what, begin] of Object.entries(cases)) {
    const before = processFigures(server.pid);
    const sender = new Sender(server.port);
    await begin(sender);
    const taken = await flood(sender, GIGABYTE);
    const after = processFigures(server.pid);
    const read = (after.read - before.read) / MiB;
    t.ok(taken < GIGABYTE, `${what}: it is ended after ${taken / MiB} MiB`);
    t.ok(read < 4, `${what}: the server reads ${read.toFixed(2)} MiB of it`);
    figure(
      t,
      `a gigabyte ${what}`,
      `${read.toFixed(2)} MiB read, memory ${(after.memory - before.memory).toFixed(1)} MiB`,
    );
  }
  await unharmed(t, server, directory, descriptors);
});

t.test('a gigabyte during and after the commit', { skip: NO_PROCFS }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory, ['--grace', '0']);
  const before = processFigures(server.pid);
  // Past the grace it is too late to discard the file (7.3): these bytes are left to the kernel until the close.
  const sender = new Sender(server.port);
  await sender.begin(5, 'late.txt');
  await sender.write(Buffer.from('hello'));
  await delay(2);
  const taken = await flood(sender, GIGABYTE);
  await server.until(() => server.count('stored') + server.count('failed') > 0);
  const after = processFigures(server.pid);
  const read = (after.read - before.read) / MiB;
  t.ok(taken < GIGABYTE, `it is ended after ${taken / MiB} MiB`);
  t.ok(read < 4, `the server reads ${read.toFixed(2)} MiB`);
  t.ok(after.memory - before.memory < 48, 'and keeps none of it');
  figure(t, 'a gigabyte from the commit on', `${read.toFixed(2)} MiB read`);
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
  t.equal(server.stderr, '');
});

const STRANGERS: Readonly<Record<string, string | Uint8Array>> = {
  HTTP: 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a short HTTP': 'GET /\r\n\r\n',
  SSH: 'SSH-2.0-OpenSSH_9.6\r\n',
  SMTP: 'EHLO example.org\r\n',
  Redis: '*1\r\n$4\r\nPING\r\n',
  // ClientHello: record of type 22, version 3.1, handshake type 1 (RFC 8446, 4.1.2 and 5.1).
  TLS: Buffer.concat([Buffer.from('16030100c8010000c40303', 'hex'), Buffer.alloc(192, 0xa5)]),
  SMB: Buffer.from('00000054ff534d4272000000001843c8', 'hex'),
  RDP: Buffer.from('030000130ee000000000000100080003000000', 'hex'),
  DNS: Buffer.from('001d000001000001000000000000076578616d706c65036f72670000010001', 'hex'),
  zeros: Buffer.alloc(1024),
  ones: Buffer.alloc(1024, 0xff),
};

t.test('who speaks something else', { skip: NO_PROCFS }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory, ['--header-deadline', '0.5', '--body-deadline', '0.5']);
  const { descriptors } = processFigures(server.pid);
  for (const [what, bytes] of Object.entries(STRANGERS)) {
    const sender = new Sender(server.port);
    sender.socket.write(bytes);
    const outcome = await sender.outcome();
    // Zeros are a file of no bytes, were its name not NUL; a short header of another protocol may wait for the deadline.
    t.equal(sender.received, '', `${what} gets no byte (${outcome})`);
  }
  // A port scan: connections that are closed, half-closed or reset at once.
  await atOnce(scaled(300, 10_000), 50, async (index) => {
    const sender = new Sender(server.port);
    sender.socket.once('connect', () => {
      if (index % 3 === 0) sender.socket.destroy();
      else if (index % 3 === 1) sender.socket.end();
      else sender.reset();
    });
    await sender.outcome();
  });
  await unharmed(t, server, directory, descriptors);
});

t.test('a second header after the file', { skip: NO_PROCFS }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory);
  const { descriptors } = processFigures(server.pid);
  for (const apart of [false, true]) {
    const sender = new Sender(server.port);
    await sender.begin(5, 'first.txt');
    if (apart) {
      await sender.write(Buffer.from('hello'));
      await delay(20);
      sender.socket.write(headerBytes(5, 'second.txt'));
    } else sender.socket.write(Buffer.concat([Buffer.from('hello'), headerBytes(5, 'second.txt')]));
    t.equal(await sender.ended, 'RST', apart ? 'on its own' : 'with the last bytes');
  }
  await unharmed(t, server, directory, descriptors);
});

t.test(`random bytes, seed ${seed}`, { skip: NO_PROCFS, timeout: 3_600_000 }, async (t) => {
  const directory = t.testdir({});
  const server = await Serving.start(t, directory, ['--header-deadline', '1', '--body-deadline', '1', '--no-sync']);
  const { descriptors } = processFigures(server.pid);
  const random = seededRandom(seed);
  let confirmed = 0;
  const streams = scaled(300, 20_000);
  await atOnce(streams, 50, async () => {
    const size = pick(random, 40);
    const noise = Buffer.from(Array.from({ length: pick(random, 1200) }, () => pick(random, 256)));
    const sender = new Sender(server.port);
    // Half of them begin well, and some of those go on well.
    const well = random() < 0.5;
    if (well) sender.socket.write(headerBytes(size, `r${pick(random, 1e9)}`));
    const waits = well && random() < 0.7;
    const replied = waits && (await Promise.race([sender.replied, delay(500).then(() => false)]));
    sender.socket.write(well && random() < 0.5 ? noise.subarray(0, size) : noise);
    if (random() < 0.7) sender.socket.end();
    else if (random() < 0.5) sender.reset();
    // Who has ended before it read the reply cannot tell a reset that comes with the reply from the receipt.
    if ((await sender.ended) === 'FIN' && replied) confirmed += 1;
    t.ok('go ahead'.startsWith(sender.received) || sender.received === 'go ahead');
    sender.socket.destroy();
  });
  await eventually(() => server.count('stored') + server.count('failed') === streams, 5_000);
  const files = readdirSync(directory, { withFileTypes: true });
  t.equal(files.length, server.count('stored'), 'what is there is what was logged');
  t.ok(
    confirmed > 0 && confirmed <= server.count('stored'),
    `${confirmed} were confirmed, ${server.count('stored')} are stored`,
  );
  for (const { event, size, path } of server.events) {
    if (event !== 'stored') continue;
    if (statSync(String(path)).size !== size) t.fail(`${String(path)} is not of the announced size`);
  }
  t.ok(await eventually(() => processFigures(server.pid).descriptors <= descriptors), 'every descriptor is back');
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
  figure(t, `${streams} random streams over TCP`, `${server.count('stored')} were transfers by chance, each exact`);
});
