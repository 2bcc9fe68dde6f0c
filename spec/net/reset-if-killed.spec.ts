import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import {
  connect,
  createServer as createNetServer,
  type AddressInfo,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { GoAheadError } from '../../lib/errors.js';
import { DeliveredClose } from '../../lib/net/delivered-close.js';
import { resetIfKilled, RESETS_IF_KILLED } from '../../lib/net/reset-if-killed.js';
import { createServer } from '../../lib/net/create-server.js';
import { MOST_REFUSALS } from '../../lib/net/refusals.js';
import { isOver, serverRig, upload, type Way } from './server-rig.js';
import { connectPeer, GO_AHEAD, headerBytes, Peer, ScriptedStorage, turns } from './support.js';
import { until, untilElsewhere } from '../support/until.js';
import { ManualClock } from '../support/manual-clock.js';

const skip = !RESETS_IF_KILLED && 'accepted sockets are known to have SO_LINGER of their listener on Linux only';
const DIST = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

/** A server whose commits never end, in a process of its own. */
const SERVER_THAT_HANGS = `
  import { createServer } from ${JSON.stringify(DIST)};
  const upload = { write: () => undefined, commit: () => new Promise(() => console.log('committing')), abort: () => undefined };
  const server = createServer({ storage: { create: () => upload }, resetIfKilled: process.argv[1] === 'true' });
  console.log((await server.listen({ port: 0 })).port);
`;

t.test('what a sender sees of a server that is killed while it commits', { skip }, async (t) => {
  for (const [option, ending] of [
    [true, 'RST'],
    // What it is for: without it the kernel confirms.
    [false, 'FIN'],
  ] as const) {
    const argv = ['--input-type=module', '-e', SERVER_THAT_HANGS, String(option)];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => child.kill('SIGKILL'));
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await untilElsewhere(() => said.includes('\n'));
    const peer = await connectPeer(t, Number.parseInt(said, 10));
    await upload(peer, headerBytes(5, 'a.txt'), Buffer.from('hello'));
    await untilElsewhere(() => said.includes('committing'));
    t.equal(peer.ending, undefined);
    child.kill('SIGKILL');
    t.equal(await peer.ended, ending, `resetIfKilled: ${option}`);
  }
});

t.test('as long as it lives, senders see what they always do', { skip }, async (t) => {
  const storage = new ScriptedStorage();
  const rig = await serverRig(t, { storage, resetIfKilled: true, maxSize: 10n });
  const stored = await rig.connect();
  await upload(stored, headerBytes(5, 'a.txt'), Buffer.from('hello'));
  t.equal(await stored.ended, 'FIN', 'stored');
  const refused = await rig.connect();
  await refused.write(headerBytes(11, 'large.txt'));
  t.equal(await refused.ended, 'FIN', 'refused');
  const failed = await rig.connect();
  await upload(failed, headerBytes(5, 'b.txt'), Buffer.from('hell'));
  t.equal(await failed.ended, 'RST', 'failed');
  refused.fin();
  // Its FIN is an event; that the connection is over is seen at the next look.
  await turns();
  rig.clock.advance(5);
  await until(() => rig.server.connections === 0);
  t.equal(rig.clock.armed(), 0);
  await rig.server.close();
});

for (const way of ['direct reads', 'direct reads of sockets', 'plain reads'] as const) {
  t.test(
    `who comes when there is no room sees an orderly close, but a flood does not (${way})`,
    { skip },
    async (t) => {
      const rig = await serverRig(t, { storage: new ScriptedStorage(), resetIfKilled: true, maxConnections: 1 }, way);
      const first = await rig.connect();
      await until(() => rig.server.connections === 1);
      const refused = await Promise.all(Array.from({ length: MOST_REFUSALS }, () => rig.connect()));
      // Unread, it would make a plain close a reset.
      for (const peer of refused) await peer.write(headerBytes(5, 'a.txt'));
      t.strictSame(new Set(await Promise.all(refused.map(({ ended }) => ended))), new Set(['FIN']));
      t.equal(rig.seen.length, MOST_REFUSALS, 'all are told of');
      t.match(rig.seen.at(-1), {
        kind: 'failed',
        upload: { id: MOST_REFUSALS + 1, name: undefined, received: 0n },
        error: { code: 'TOO_MANY_CONNECTIONS', side: 'local', expected: 'at most 1 connection at once' },
      });
      t.equal(rig.server.connections, 1, 'none of them is served');

      // It may be gone before it is there.
      const flooding = new Peer(connect(rig.port, '127.0.0.1'));
      t.equal(await flooding.ended, 'RST', 'as long as so many senders have not closed');
      for (const peer of refused) peer.fin();
      await turns();
      rig.clock.advance(5_000);
      await turns();
      t.equal(rig.clock.armed(10_000) + rig.clock.armed(5), rig.clock.armed(), 'nothing waits for them any more');
      const again = await rig.connect();
      t.equal(await again.ended, 'FIN', 'and the next one is refused in an orderly way');
      t.equal(rig.seen.length, MOST_REFUSALS + 1, 'of the flood nothing was told');
      first.fin();
      await first.ended;
      await turns();
      rig.clock.advance(5);
      await until(() => rig.server.connections === 0);
      await rig.server.close();
      t.equal(rig.clock.armed(), 0, 'a server that closes waits for none of them');
    },
  );
}

/** A transfer to its end, with a sender that does not close its side. */
async function storedAndOpen(t: Test, way: Way) {
  const rig = await serverRig(t, { storage: new ScriptedStorage(), resetIfKilled: true }, way);
  const peer = await rig.connect();
  await peer.write(headerBytes(0, 'a.txt'));
  await peer.has(GO_AHEAD.length);
  rig.clock.advance(250);
  await isOver(rig);
  t.equal(await peer.ended, 'FIN', 'the receipt does not wait');
  await until(() => rig.clock.armed() > 0);
  t.equal(rig.server.connections, 1, 'the close does');
  return { ...rig, peer };
}

for (const way of ['direct reads', 'direct reads of sockets', 'plain reads'] as const) {
  t.test(`a close waits for the sender's, five seconds at most (${way})`, { skip }, async (t) => {
    const { server, clock, peer } = await storedAndOpen(t, way);
    for (const ms of [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_445]) {
      t.strictSame([clock.asked.at(-1), server.connections], [ms, 1]);
      clock.advance(ms);
      await turns(2);
    }
    await until(() => server.connections === 0);
    t.equal(clock.now(), 250 + 5_000);
    t.equal(peer.ending, 'FIN');
    await server.close();
  });

  t.test(`bytes that come while a close waits do no harm (${way})`, { skip }, async (t) => {
    const { server, clock, peer } = await storedAndOpen(t, way);
    for (let index = 0; index < 20; index++) {
      peer.socket.write(Buffer.alloc(10_000));
      await turns(5);
    }
    t.equal(server.connections, 1);
    clock.advance(5_000);
    t.equal(await peer.ended, 'FIN');
    await until(() => {
      clock.advance(5_000);
      return server.connections === 0;
    });
    await server.close();
  });

  t.test(`a close is over when the sender has closed (${way})`, { skip }, async (t) => {
    const { server, clock, peer } = await storedAndOpen(t, way);
    peer.fin();
    await turns();
    clock.advance(5);
    await until(() => server.connections === 0);
    t.equal(clock.armed(), 0);
    await server.close();
  });

  t.test(`a server that must close does not wait (${way})`, { skip }, async (t) => {
    const { server, clock, peer } = await storedAndOpen(t, way);
    await server.close({ drain: 0 });
    t.equal(server.connections, 0);
    t.equal(clock.armed(), 0);
    t.equal(peer.ending, 'FIN');
  });
}

/** A connection whose other end has closed, so that only its own FIN can be missing. */
async function closedByPeer(t: Test): Promise<Socket> {
  const listener = createNetServer({ allowHalfOpen: true });
  listener.listen(0, '127.0.0.1');
  t.teardown(() => listener.close());
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  await once(listener, 'listening');
  const peer = await connectPeer(t, (listener.address() as AddressInfo).port);
  const [socket] = await accepted;
  socket.resume();
  peer.fin();
  await once(socket, 'end');
  return socket;
}

t.test('a FIN that the network has lost is waited for', async (t) => {
  const socket = await closedByPeer(t);
  const clock = new ManualClock();
  new DeliveredClose(clock).watch(socket);
  // As getpeername(2) answers while it is on its way: loopback loses nothing.
  let delivered = false;
  const handle = Reflect.get(socket, '_handle') as object;
  Reflect.set(handle, 'getpeername', () => (delivered ? -107 : 0));
  let closed = false;
  socket.on('close', () => (closed = true));
  socket.end();
  await until(() => clock.armed() > 0);
  for (const ms of [5, 10, 20, 40]) {
    t.strictSame([clock.asked.at(-1), closed], [ms, false]);
    clock.advance(ms);
    await turns();
  }
  delivered = true;
  clock.advance(80);
  await until(() => closed);
  t.equal(clock.armed(), 0);
});

t.test('once a server must close, a close waits for a moment only', async (t) => {
  const clock = new ManualClock();
  const deliveredClose = new DeliveredClose(clock);
  deliveredClose.cut();
  const socket = await closedByPeer(t);
  deliveredClose.watch(socket);
  Reflect.set(Reflect.get(socket, '_handle') as object, 'getpeername', () => 0);
  let closed = false;
  socket.on('close', () => (closed = true));
  socket.end();
  await until(() => clock.armed() > 0);
  for (const ms of [5, 10, 20, 40, 80, 95]) {
    t.strictSame([clock.asked.at(-1), closed], [ms, false]);
    clock.advance(ms);
    await turns();
  }
  t.strictSame([closed, clock.now()], [true, 250]);
});

t.test('where the handle is not what is expected, a close does not wait', async (t) => {
  for (const broken of ['no handle', 'no getpeername', 'no readStop']) {
    const socket = await closedByPeer(t);
    const clock = new ManualClock();
    new DeliveredClose(clock).watch(socket);
    const handle = Reflect.get(socket, '_handle') as object;
    socket.end(() => {
      if (broken === 'no handle')
        Object.defineProperty(socket, '_handle', { get: () => undefined, set: () => undefined });
      else if (broken === 'no getpeername') Reflect.set(handle, 'getpeername', undefined);
      else {
        Reflect.set(handle, 'getpeername', () => 0);
        Reflect.set(handle, 'readStop', undefined);
      }
    });
    await once(socket, 'close');
    t.strictSame(clock.asked, [], broken);
    if (broken === 'no handle') (handle as { close(): void }).close();
  }
});

t.test('a reset does not wait', async (t) => {
  const socket = await closedByPeer(t);
  const clock = new ManualClock();
  new DeliveredClose(clock).watch(socket);
  socket.resetAndDestroy();
  await once(socket, 'close');
  t.strictSame(clock.asked, []);
});

t.test('where it cannot be done the server says so, and serves', { skip }, async (t) => {
  const { execPath } = process;
  t.teardown(() => (process.execPath = execPath));
  process.execPath = '/nonexistent/node';
  const told: GoAheadError[] = [];
  const server = createServer({ storage: new ScriptedStorage() });
  server.on('error', (error) => told.push(error));
  const { port } = await server.listen({ port: 0 });
  t.match(told, [{ code: 'KILL_UNGUARDED', cause: { code: 'ENOENT' } }]);
  const peer = await connectPeer(t, port);
  await upload(peer, headerBytes(5, 'a.txt'), Buffer.from('hello'));
  t.equal(await peer.ended, 'FIN');
  await server.close();
});

t.test('the reasons why it cannot be done', { skip }, async (t) => {
  const listener = (handle: unknown): NetServer => Object.assign(createNetServer(), { _handle: handle });
  for (const handle of [undefined, null, {}, { fd: -1 }, { fd: '3' }]) {
    t.match(await resetIfKilled(listener(handle)), { message: /no descriptor/ }, JSON.stringify(handle));
  }
  const fd = openSync(t.testdir({ file: '' }) + '/file', 'r');
  t.match(await resetIfKilled(listener({ fd })), { message: 'the child process ended with 1' });
});
