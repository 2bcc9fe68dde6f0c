import { createServer } from 'node:net';
import t from 'tap';
import { acceptDirectly } from '../../lib/net/direct-accept.js';
import { DirectReader } from '../../lib/net/direct-reader.js';
import { ReadBuffers } from '../../lib/net/read-buffers.js';
import type { Storage } from '../../lib/storage/storage.js';
import { everyWay, isOver, serverRig, upload, type RigOptions } from './server-rig.js';
import { GO_AHEAD, headerBytes, pattern, ScriptedStorage, turns } from './support.js';
import { runSeed, seededRandom } from '../support/random.js';
import { until } from '../support/until.js';

const HEADER = 2048;
const BODY = 65_536;
const BULK = 2 ** 20;

for (const retainsChunk of [undefined, true, false])
  t.test(
    `the storage gets views of read buffers: no byte of a body is copied (retains chunks: ${retainsChunk})`,
    async (t) => {
      const storage = new ScriptedStorage();
      storage.retainsChunk = () => retainsChunk;
      const rig = await serverRig(t, { storage });
      const body = pattern(8_000_000);
      for (const name of ['one', 'two']) {
        const peer = await rig.connect();
        await upload(peer, headerBytes(body.length, name), body);
        t.equal(await peer.ended, 'FIN');
        t.ok(storage.files.get(name)?.equals(body));
      }
      t.ok(
        storage.memory.every(({ byteLength }) => [HEADER, BODY, BULK].includes(byteLength)),
        'whole read buffers',
      );
      t.ok(
        storage.memory.some(({ byteLength }) => byteLength === BULK),
        'and large ones for a large body',
      );
      const most = retainsChunk === false ? 1 : 3;
      t.ok(
        new Set(storage.memory).size <= most,
        `one of each kind serves both, or one in all: ${new Set(storage.memory).size}`,
      );
      await rig.server.close();
    },
  );

{
  const seed = runSeed();
  const make = (): RigOptions => {
    const random = seededRandom(seed);
    const storage = new ScriptedStorage();
    let retains = false;
    // It turns slow and quick again at any time: asked before a chunk, it writes that chunk as it said it would.
    storage.retainsChunk = () => retains;
    storage.answer = (call) => {
      if (call !== 'write') return random() < 0.5 ? 'later' : 'at once';
      const answer = retains ? 'hangs' : 'at once';
      retains = random() < 0.4;
      return answer;
    };
    return { storage };
  };
  everyWay(`a disk that is slow by turns, seed ${seed}`, make, async (t, rig) => {
    const storage = rig.storage as ScriptedStorage;
    // Others are read meanwhile.
    const settling = setInterval(() => storage.settle(), 3);
    const sizes = [0, 1, 1500, 70_000, 300_000, 2_000_000];
    await Promise.all(
      sizes.map(async (size, index) => {
        const peer = await rig.connect();
        await peer.write(headerBytes(size, `${index}`));
        await peer.has(GO_AHEAD.length);
        const body = pattern(size + index).subarray(index);
        for (let start = 0; start < size; start += 50_000) {
          await peer.write(body.subarray(start, start + 50_000));
          await turns(1);
        }
        peer.fin();
        t.equal(await peer.ended, 'FIN');
        t.ok(storage.files.get(`${index}`)?.equals(body), `${size} bytes beside others`);
      }),
    );
    clearInterval(settling);
  });
}

t.test('a buffer that the storage still uses is not read into', async (t) => {
  // The rig's storage copies only when the write settles.
  const storage = new ScriptedStorage({ write: 'later' });
  const rig = await serverRig(t, { storage });
  const body = pattern(6_000_000);
  const peer = await rig.connect();
  await upload(peer, headerBytes(body.length, 'slow'), body);
  t.equal(await peer.ended, 'FIN');
  t.ok(storage.files.get('slow')?.equals(body));
  await until(() => rig.server.bufferedBytes === 0);
  await rig.server.close();
});

t.test('connections of which nothing is in use hold nothing', async (t) => {
  const storage = new ScriptedStorage();
  storage.retainsChunk = () => false;
  const rig = await serverRig(t, { storage });
  const peers = await Promise.all(Array.from({ length: 10 }, () => rig.connect()));
  await until(() => rig.server.connections === 10);
  for (const [index, peer] of peers.entries()) {
    await peer.write(headerBytes(10_000_000, `n${index}`));
    await peer.has(8);
    await peer.write(Buffer.alloc(1_000_000));
  }
  await until(() => rig.seen.at(-1)?.upload.received === 1_000_000n);
  t.equal(rig.server.bufferedBytes, 0);
  await rig.server.close({ drain: 0 });
});

t.test('an idle connection holds little', async (t) => {
  // A storage that is done at once: what a slow one holds is not idle.
  const rig = await serverRig(t, { storage: new ScriptedStorage() });
  const peers = await Promise.all(Array.from({ length: 10 }, () => rig.connect()));
  await until(() => rig.server.connections === 10);
  t.equal(rig.server.bufferedBytes, 0, 'in the header');
  for (const [index, peer] of peers.entries()) {
    await peer.write(headerBytes(10_000_000, `n${index}`));
    await peer.has(8);
  }
  t.equal(rig.server.bufferedBytes, 10 * BODY, 'waiting for the body');
  for (const peer of peers) await peer.write('a few bytes');
  await until(() => rig.seen.filter(({ kind }) => kind === 'progress').length === 10);
  // A disk that was slow for a moment, as under load, still holds a buffer of its own.
  await until(() => rig.server.bufferedBytes === 10 * BODY);
  const small = await rig.connect();
  await small.write(headerBytes(1024, 'small'));
  await small.has(8);
  t.equal(rig.server.bufferedBytes, 10 * BODY + HEADER, 'a small body needs little');
  await rig.server.close({ drain: 0 });
  t.equal(rig.server.bufferedBytes, 0);
});

t.test('a connection that slows down gives its large buffer back', async (t) => {
  const rig = await serverRig(t, { storage: new ScriptedStorage() });
  const peer = await rig.connect();
  await peer.write(headerBytes(2 ** 40, 'slower'));
  await peer.has(8);
  let sent = 0n;
  // Whether the last read of a burst was a large one is up to the kernel.
  while (rig.server.bufferedBytes < BULK) {
    await peer.write(Buffer.alloc(BULK));
    sent += BigInt(BULK);
    await until(() => rig.seen.at(-1)?.upload.received === sent);
  }
  await peer.write('a few bytes');
  await until(() => rig.server.bufferedBytes === BODY);
  peer.reset();
  await isOver(rig);
  await rig.server.close();
});

{
  let written = 0;
  let settle: (() => void)[] = [];
  const MAX_PENDING = 2 ** 18;
  /** Takes every chunk, and is done with none until it is told. */
  const lagging = (): Storage => ({
    create: ({ name, size }) => ({
      write: (chunk) => {
        written += chunk.length;
        return new Promise((resolve) => settle.push(resolve));
      },
      commit: () => ({ name, path: undefined, size }),
      abort: () => undefined,
    }),
  });
  const make = (): RigOptions => {
    written = 0;
    settle = [];
    return { storage: lagging(), maxPendingBytes: MAX_PENDING };
  };

  everyWay('reads stop when the storage lags, and go on when it is done', make, async (t, rig) => {
    const size = 32 * 2 ** 20;
    const peer = await rig.connect();
    await peer.write(headerBytes(size, 'lag'));
    await peer.has(8);
    let sent = false;
    const sending = peer.write(Buffer.alloc(size)).then(() => (sent = true));
    await until(() => written > 0);
    await turns(300);
    // One read more may be under way when reading is paused.
    t.ok(written <= MAX_PENDING + 2 * BULK, `${written} bytes were read`);
    t.notOk(sent, 'the sender is held up');
    rig.clock.advance(60_000);
    t.equal(peer.ending, undefined, 'and not blamed for it');
    const settling = setInterval(() => {
      for (const done of settle.splice(0)) done();
    });
    await sending;
    peer.fin();
    t.equal(await peer.ended, 'FIN');
    clearInterval(settling);
    t.equal(written, size);
  });

  everyWay('buffers come back only when the storage is done with them', make, async (t, rig) => {
    const peer = await rig.connect();
    await peer.write(headerBytes(100_000, 'reset'));
    await peer.has(8);
    await peer.write(Buffer.alloc(5000));
    await until(() => written === 5000);
    peer.reset();
    await turns();
    if (rig.way === 'direct reads') t.ok(rig.server.bufferedBytes >= BODY, 'the storage may still be writing from it');
    t.equal(rig.kinds().includes('failed'), false, 'so the failure is not over either');
    for (const done of settle.splice(0)) done();
    await isOver(rig);
    t.match(rig.seen.at(-1), { error: { code: 'CONNECTION_RESET' } });
  });

  t.test('small chunks hold no more memory than large ones while the storage lags', async (t) => {
    const rig = await serverRig(t, make());
    const peer = await rig.connect();
    await peer.write(headerBytes(100_000, 'trickle'));
    await peer.has(8);
    for (let count = 1; count <= 40; count++) {
      const before = written;
      await peer.write('x');
      for (let turn = 0; turn < 200 && written === before; turn++) await turns(1);
    }
    t.ok(rig.server.bufferedBytes <= MAX_PENDING + BULK, `${rig.server.bufferedBytes} bytes are held for ${written}`);
    for (const done of settle.splice(0)) done();
    const settling = setInterval(() => {
      for (const done of settle.splice(0)) done();
    });
    await rig.server.close({ drain: 0 });
    clearInterval(settling);
  });
}

t.test('where the server is not as expected it is left as it was', async (t) => {
  const never = (): void => void t.fail('nothing can have come');
  for (const handle of [null, undefined, 7, {}, { onconnection: 7 }]) {
    const listener = createServer();
    Reflect.set(listener, '_handle', handle);
    acceptDirectly(listener, never);
    t.equal(Reflect.get(listener, '_handle'), handle);
  }
});

t.test('what is not a connection goes on to Node', async (t) => {
  const seen: unknown[] = [];
  const listener = createServer();
  const handle = {
    onconnection(this: unknown, status: unknown, client: unknown) {
      seen.push([this === handle, status, client]);
    },
  };
  Reflect.set(listener, '_handle', handle);
  const direct: object[] = [];
  acceptDirectly(listener, (client) => direct.push(client));
  const client = { useUserBuffer: () => undefined };
  Reflect.apply(Reflect.get(handle, 'onconnection'), handle, [0, client]);
  t.strictSame(direct, [client]);
  t.strictSame(seen, []);
  for (const other of [undefined, null, 7, {}])
    Reflect.apply(Reflect.get(handle, 'onconnection'), handle, [-24, other]);
  t.strictSame(
    seen,
    [undefined, null, 7, {}].map((other) => [true, -24, other]),
  );
  Reflect.set(listener, '_handle', null);
});

t.test('a server whose handles are not as expected reads plainly', async (t) => {
  const rig = await serverRig(t, {});
  // What Node calls the method that is looked for is hidden from the sockets that the server accepts.
  const probe = await rig.connect();
  const prototype: object = Object.getPrototypeOf(Reflect.get(probe.socket, '_handle'));
  const stream: object = Object.getPrototypeOf(Object.getPrototypeOf(prototype) as object) as object;
  const owner = [prototype, Object.getPrototypeOf(prototype) as object, stream].find((candidate) =>
    Object.hasOwn(candidate, 'useUserBuffer'),
  );
  if (owner === undefined) throw new Error('Node has no useUserBuffer any more: direct reads never happen');
  const hidden = Object.getOwnPropertyDescriptor(owner, 'useUserBuffer');
  Reflect.deleteProperty(owner, 'useUserBuffer');
  try {
    await until(() => rig.server.connections === 1);
    const before = rig.server.bufferedBytes;
    const peer = await rig.connect();
    await until(() => rig.server.connections === 2);
    t.equal(rig.server.bufferedBytes, before, 'no pooled buffer is held for it');
    await upload(peer, headerBytes(100_000, 'plain'), pattern(100_000));
    t.equal(await peer.ended, 'FIN');
    t.same(peer.received, GO_AHEAD);
    t.ok(rig.files().get('plain')?.equals(pattern(100_000)));
  } finally {
    Object.defineProperty(owner, 'useUserBuffer', hidden ?? {});
  }
  await rig.server.close({ drain: 0 });
});

t.test('a reader that has no session yet, or is closed twice', async (t) => {
  const buffers = new ReadBuffers();
  const reader = new DirectReader(buffers);
  t.equal(reader.read(5), true);
  t.ok(buffers.isShared(reader.buffer));
  reader.close();
  reader.close();
  t.equal(buffers.ownedBytes, 0);
});
