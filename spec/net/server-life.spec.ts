import { writeFileSync } from 'node:fs';
import { createServer as createNetServer, Server as NetServer, Socket, type AddressInfo } from 'node:net';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { GoAheadError } from '../../lib/errors.js';
import { DEFAULT_PORT } from '../../lib/net/address.js';
import { createServer } from '../../lib/net/create-server.js';
import { listenError } from '../../lib/net/listen-error.js';
import { Server } from '../../lib/net/server.js';
import { DirectoryStorage } from '../../lib/storage/directory-storage.js';
import { MemoryStorage } from '../../lib/storage/memory-storage.js';
import { everyWay, isOver, serverRig, upload, type RigOptions } from './server-rig.js';
import { connectPeer, headerBytes, ScriptedStorage, turns } from './support.js';
import { until } from '../support/until.js';

t.test('needs a directory or a storage', async (t) => {
  const storage = new MemoryStorage();
  for (const options of [{}, { directory: '.', storage }]) {
    t.throws(() => createServer(options), { code: 'OPTION_INVALID' });
  }
  t.type(createServer({ storage }), Server);
  t.equal(DEFAULT_PORT, 12000);
});

t.test('says why it cannot listen, and can try again', async (t) => {
  const taken = createNetServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const server = createServer({ storage: new MemoryStorage() });
  t.throws(() => server.address(), { code: 'LISTEN_FAILED' });
  const tries = [
    [{ port }, `127.0.0.1:${port}: the port is in use`],
    [{ port: 0, host: '192.0.2.1' }, 'not an address of this machine'],
    [{ port: 0, host: '127.0.0.1.invalid' }, ''],
    [{ port: 65_536 }, '65536'],
    [{ port: -1 }, '-1'],
    [{ port: 1.5 }, '1.5'],
  ] as const;
  for (const host of ['', null, 5]) {
    // As callers without types would.
    const given = { port: 0 };
    Object.assign(given, { host });
    await t.rejects(server.listen(given), { code: 'OPTION_INVALID' }, 'to Node it would be every interface');
  }
  for (const [options, message] of tries) {
    const error: unknown = await server.listen(options).catch((reason: unknown) => reason);
    t.match(error, { code: 'LISTEN_FAILED' }, JSON.stringify(options));
    t.ok(error instanceof GoAheadError && error.message.includes(message) && error.cause instanceof Error, message);
  }
  const address = await server.listen({ port: 0 });
  t.match(address, { address: '127.0.0.1', family: 'IPv4' }, 'nobody else is let in by default');
  t.same(server.address(), address);
  await t.rejects(server.listen({ port: 0 }), { code: 'LISTEN_FAILED' }, 'it listens already');
  await server.close();
  t.throws(() => server.address(), { code: 'LISTEN_FAILED' });
  await t.rejects(server.listen({ port: 0 }), { code: 'ABORTED' }, 'once closed it stays so');
});

t.test('of two calls to listen at once, the second fails', async (t) => {
  for (const place of [{ directory: t.testdir({}) }, { storage: new MemoryStorage() }]) {
    for (const host of ['127.0.0.1', 'localhost']) {
      const server = createServer(place);
      const first = server.listen({ host, port: 0 });
      await t.rejects(server.listen({ host, port: 0 }), { code: 'LISTEN_FAILED', message: /or is about to/ });
      t.same(await first, server.address());
      await server.close();
    }
  }
});

t.test('every reason why it cannot listen has an advice', async (t) => {
  for (const [code, advice] of [
    ['EADDRINUSE', /choose another, or 0 for a free one$/],
    ['EACCES', /choose one above 1023$/],
    ['EADDRNOTAVAIL', /not an address of this machine$/],
    ['ENOTFOUND', /not an address of this machine$/],
    ['EMFILE', /: Error: no$/],
  ] as const) {
    const error = listenError('::1', 7, Object.assign(new Error('no'), { code }));
    t.match(error, { code: 'LISTEN_FAILED', message: advice }, code);
    t.match(error.message, 'cannot listen on [::1]:7: ');
  }
  t.match(listenError('h', 7, 'not an error'), { message: /: not an error$/ });
});

t.test(
  'says that a port is not allowed',
  { skip: process.geteuid?.() === 0 && 'root may listen on every port' },
  async (t) => {
    const server = createServer({ storage: new MemoryStorage() });
    await t.rejects(server.listen({ port: 1 }), { code: 'LISTEN_FAILED', message: /above 1023/ });
  },
);

t.test('needs a directory that is one', async (t) => {
  const directory = t.testdir({ file: '' });
  for (const path of [join(directory, 'missing'), join(directory, 'file')]) {
    const server = createServer({ directory: path });
    await t.rejects(server.listen({ port: 0 }), { code: 'DIRECTORY_INVALID' });
    await server.close();
  }
});

t.test('listens on every address, by name and by IPv6 where there is any', async (t) => {
  const server = createServer({ storage: new MemoryStorage() });
  const { port } = await server.listen({ host: 'localhost', port: 0 });
  t.ok(port > 0);
  await server.close();
  const six = createServer({ storage: new MemoryStorage() });
  const error: unknown = await six.listen({ host: '::1', port: 0 }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  t.ok(error === undefined || (error instanceof GoAheadError && error.code === 'LISTEN_FAILED'));
  await six.close();
});

everyWay('close ends idle connections at once, and lets running uploads finish', {}, async (t, rig) => {
  const idle = await rig.connect();
  const settling = await rig.connect();
  const running = await rig.connect();
  await running.write(headerBytes(4, 'running'));
  await running.has(8);
  await settling.write(headerBytes(4, 's').subarray(0, 5));
  await until(() => rig.server.connections === 3);
  await turns();
  let closed = false;
  const closing = rig.server.close().then(() => (closed = true));
  t.equal(await idle.ended, 'FIN');
  t.equal(await settling.ended, 'FIN');
  t.equal(idle.receivedLength + settling.receivedLength, 0);
  t.match(rig.seen.slice(-2), [{ error: { code: 'ABORTED' } }, { error: { code: 'ABORTED' } }]);
  await turns();
  t.notOk(closed, 'it waits for the running one');
  await t.rejects(rig.connect(), { code: 'ECONNREFUSED' });
  await running.write('done');
  running.fin();
  t.equal(await running.ended, 'FIN');
  await closing;
  t.match(rig.seen.at(-1), { kind: 'stored' }, 'and has told of it before it is closed');
});

everyWay('close resets what runs past the deadline', { drain: 5_000 }, async (t, rig) => {
  const running = await rig.connect();
  await running.write(headerBytes(4, 'running'));
  await running.has(8);
  const closing = rig.server.close();
  rig.clock.advance(4_999);
  await turns();
  t.equal(running.ending, undefined);
  rig.clock.advance(1);
  t.equal(await running.ended, 'RST');
  await closing;
  t.match(rig.seen.at(-1), { kind: 'failed', error: { code: 'ABORTED' } });
  t.equal(rig.files().size, 0);
});

everyWay('a second close can only shorten the wait', {}, async (t, rig) => {
  const running = await rig.connect();
  await running.write(headerBytes(4, 'running'));
  await running.has(8);
  const closing = rig.server.close({ drain: 100 });
  void rig.server.close({ drain: 1_000_000 });
  rig.clock.advance(50);
  t.equal(rig.server.close({ drain: 0 }), closing, 'the same close');
  t.equal(await running.ended, 'RST');
  await closing;
});

for (const [first, options] of [
  ['lets uploads finish', {}],
  ['resets', { drain: 0 }],
] as const) {
  everyWay(`a listener may close the server that closes already and ${first}`, {}, async (t, rig) => {
    const peers = await Promise.all(Array.from({ length: 5 }, () => rig.connect()));
    await until(() => rig.server.connections === peers.length);
    let [depth, deepest] = [0, 0];
    rig.server.on('failed', () => {
      deepest = Math.max(deepest, ++depth);
      void rig.server.close({ drain: 0 });
      depth -= 1;
    });
    await rig.server.close(options);
    await Promise.all(peers.map(({ ended }) => ended));
    t.equal(rig.seen.length, peers.length);
    t.ok(deepest <= 2, 'a thousand idle connections are no thousand calls within each other');
  });
}

{
  let [answers, given]: [((hasSlot: boolean) => void)[], number] = [[], 0];
  const make = (): RigOptions => {
    [answers, given] = [[], 0];
    const take = (): Promise<boolean> => new Promise((answer) => answers.push(answer));
    return { slots: { take, give: () => (given += 1) } };
  };
  everyWay('who gets a slot when the server closes already is closed in silence', make, async (t, rig) => {
    const peer = await connectPeer(t, rig.port);
    await until(() => answers.length === 1);
    const closing = rig.server.close();
    answers[0]?.(true);
    await peer.ended;
    await closing;
    t.same([peer.receivedLength, rig.seen, given], [0, [], 1]);
  });
}

everyWay('close refuses a time that is none, and does nothing', {}, async (t, rig) => {
  const running = await rig.connect();
  await running.write(headerBytes(4, 'running'));
  await running.has(8);
  for (const drain of [-1, NaN, Infinity, 2 ** 31]) {
    await t.rejects(rig.server.close({ drain }), { code: 'OPTION_INVALID', message: /`drain`/ }, `${drain}`);
  }
  t.equal(rig.server.address().port, rig.port, 'it listens on');
  await running.write('done');
  running.fin();
  t.equal(await running.ended, 'FIN');
});

everyWay('an error listener that throws loses no connection', {}, async (t, rig) => {
  const thrown: unknown[] = [];
  process.setUncaughtExceptionCaptureCallback((reason) => thrown.push(reason));
  t.teardown(() => process.setUncaughtExceptionCaptureCallback(null));
  const fault = new Error('a listener of the user');
  const fail = (): void => {
    throw fault;
  };
  rig.server.on('failed', fail);
  rig.server.on('error', fail);
  const peer = await rig.connect();
  await peer.write(headerBytes(4, '..'));
  t.equal(await peer.ended, 'FIN');
  await until(() => rig.server.connections === 0);
  t.strictSame(thrown, [fault], 'and is an uncaught exception all the same');
});

everyWay('close on nothing, and twice', {}, async (t, rig) => {
  await rig.server.close();
  await rig.server.close();
  await rig.server[Symbol.asyncDispose]();
  t.equal(rig.server.connections, 0);
});

{
  let storage: ScriptedStorage;
  for (const call of ['abort', 'commit'] as const) {
    const make = (): RigOptions => ({ storage: (storage = new ScriptedStorage({ [call]: 'hangs' })) });
    everyWay(`close waits for the storage, when the sender is gone already (${call})`, make, async (t, rig) => {
      const peer = await rig.connect();
      await peer.write(headerBytes(4, 'x'));
      await peer.has(8);
      if (call === 'commit') await peer.write('done');
      peer.fin();
      await until(() => storage.waiting === 1);
      peer.reset();
      await turns();
      let closed = false;
      const closing = rig.server.close({ drain: 0 }).then(() => (closed = true));
      await turns();
      t.notOk(closed, 'something is still under way on the disk');
      t.same(rig.kinds(), ['begun']);
      storage.settle();
      await closing;
      t.same(rig.kinds(), ['begun', call === 'abort' ? 'failed' : 'stored'], 'and all is told by then');
    });
  }

  const make = (): RigOptions => ({ storage: (storage = new ScriptedStorage({ abort: 'hangs' })) });
  everyWay('close waits for the storage, when the sender has reset', make, async (t, rig) => {
    const peer = await rig.connect();
    await peer.write(headerBytes(4, 'x'));
    await peer.has(8);
    peer.reset();
    await until(() => storage.waiting === 1);
    await turns();
    let closed = false;
    const closing = rig.server.close().then(() => (closed = true));
    await turns();
    t.notOk(closed, 'something is still under way on the disk');
    storage.settle();
    await closing;
    t.same(rig.kinds(), ['begun', 'failed']);
  });
}

t.test('a signal closes it at once', async (t) => {
  const abort = new AbortController();
  const rig = await serverRig(t, { signal: abort.signal });
  const running = await rig.connect();
  await running.write(headerBytes(4, 'running'));
  await running.has(8);
  abort.abort();
  t.equal(await running.ended, 'RST');
  await rig.server.close();
  t.equal(rig.files().size, 0);
});

t.test('a signal that comes before or while it begins to listen', async (t) => {
  const before = createServer({ storage: new MemoryStorage(), signal: AbortSignal.abort('no') });
  await t.rejects(before.listen({ port: 0 }), { code: 'ABORTED', cause: 'no' });
  for (const host of ['127.0.0.1', 'localhost']) {
    const abort = new AbortController();
    const during = createServer({ storage: new MemoryStorage(), signal: abort.signal });
    const listening = during.listen({ port: 0, host });
    abort.abort('stop');
    await t.rejects(listening, { code: 'ABORTED', cause: 'stop' }, host);
    t.throws(() => during.address(), { code: 'LISTEN_FAILED' }, 'nothing listens on');

    const closed = createServer({ storage: new MemoryStorage() });
    closed.on('error', (error) => t.fail(error.message));
    const opening = closed.listen({ port: 0, host });
    const closing = closed.close();
    await t.rejects(opening, { code: 'ABORTED' }, host);
    await closing;
    // The name that `listen` asked for has been answered by then.
    await lookup('localhost');
    await turns();
    t.throws(() => closed.address(), { code: 'LISTEN_FAILED' }, 'nothing listens on');
  }
});

t.test('sweeps what a killed run left, and keeps to its directory', async (t) => {
  const rig = await serverRig(t, { suffix: '.temp', onConflict: 'refuse' });
  writeFileSync(join(rig.directory, 'mine.txt'), 'mine');
  const peer = await rig.connect();
  await upload(peer, headerBytes(2, '../../etc/up.txt'), Buffer.from('ok'));
  t.equal(await peer.ended, 'FIN');
  const again = await rig.connect();
  await upload(again, headerBytes(2, 'up.txt'), Buffer.from('no'));
  await isOver(rig, 2);
  t.match(rig.seen.at(-1), { error: { code: 'NAME_TAKEN' } });
  t.same([...rig.files().keys()].sort(), ['mine.txt', 'up.txt.temp'], 'the options reach the storage');
  await rig.server.close();
  t.ok(await DirectoryStorage.open(rig.directory));
});

t.test('an accept that fails, and a sender that is gone when it is accepted', async (t) => {
  let listener: NetServer | undefined;
  const original = Reflect.get(NetServer.prototype, 'listen') as () => NetServer;
  const spy = new Proxy(original, {
    apply: (listen, server: NetServer, options: []): NetServer => Reflect.apply(listen, (listener = server), options),
  });
  Reflect.set(NetServer.prototype, 'listen', spy);
  const rig = await serverRig(t, {});
  Reflect.set(NetServer.prototype, 'listen', original);
  const reported: GoAheadError[] = [];
  rig.server.on('error', (error) => reported.push(error));
  const fault = new Error('accept EMFILE');
  listener?.emit('error', fault);
  t.match(reported, [{ code: 'INTERNAL', cause: fault }]);
  const gone = new Socket();
  listener?.emit('connection', gone);
  t.equal(rig.server.connections, 1);
  gone.destroy();
  await isOver(rig);
  t.match(rig.seen, [{ kind: 'failed', upload: { peer: 'unknown:0', name: undefined, size: undefined } }]);
  const peer = await rig.connect();
  await upload(peer, headerBytes(1, 'after'), Buffer.from('x'));
  t.equal(await peer.ended, 'FIN', 'it goes on');
  await rig.server.close();
});
