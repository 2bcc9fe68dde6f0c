import { once } from 'node:events';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import t from 'tap';
import { createServer } from '../../lib/net/create-server.js';
import { DeliveredClose } from '../../lib/net/delivered-close.js';
import { HandleConnection } from '../../lib/net/handle-connection.js';
import { ReadBuffers, type BufferKind } from '../../lib/net/read-buffers.js';
import {
  isTcpHandle,
  streamInternals,
  type StreamInternals,
  type StreamRequest,
  type TcpHandle,
} from '../../lib/net/stream-internals.js';
import { ManualClock } from '../support/manual-clock.js';
import { upload } from './server-rig.js';
import { connectPeer, GO_AHEAD, headerBytes, ScriptedStorage } from './support.js';

/** libuv's numbers, from its documentation of errors; the last is the end of the stream. */
const [EPIPE, EINVAL, ENOTCONN, ECONNRESET, EOF] = [-32, -22, -107, -104, -4095];

/** A handle, and what Node tells of it, that do as they are told and write down what they are asked. */
class Fake implements TcpHandle, StreamInternals {
  readonly calls: string[] = [];
  readonly requests: StreamRequest[] = [];
  readonly status: Partial<Record<'readStart' | 'writeBuffer' | 'shutdown' | 'reset' | 'getpeername', number>> = {};
  onread: TcpHandle['onread'] = null;
  memory: Uint8Array | undefined;
  later = false;
  #read = 0;
  #closed: () => void = () => undefined;

  #call(name: keyof Fake['status']): number {
    this.calls.push(name);
    return this.status[name] ?? 0;
  }

  useUserBuffer(memory: Uint8Array): void {
    this.memory = memory;
  }
  readStart = (): number => this.#call('readStart');
  readStop(): number {
    this.calls.push('readStop');
    return 0;
  }
  writeBuffer(request: StreamRequest, bytes: Uint8Array): number {
    this.requests.push(request);
    this.calls.push(`write ${Buffer.from(bytes).toString()}`);
    return this.status.writeBuffer ?? 0;
  }
  shutdown(request: StreamRequest): number {
    this.requests.push(request);
    return this.#call('shutdown');
  }
  close(closed: () => void): void {
    this.calls.push('close');
    this.#closed = closed;
  }
  reset(closed: () => void): number {
    this.#closed = closed;
    return this.#call('reset');
  }
  getpeername(found: { address?: string; port?: number }): number {
    found.address = '192.0.2.1';
    found.port = 4711;
    return this.status.getpeername ?? 0;
  }

  lastRead = (): number => this.#read;
  lastWriteIsLater = (): boolean => this.later;
  writeRequest = (): StreamRequest => ({});
  shutdownRequest = (): StreamRequest => ({});

  /** What libuv does when bytes are there, or an error. */
  read(bytesOrError: string | number): void {
    if (typeof bytesOrError === 'string') this.memory?.set(Buffer.from(bytesOrError));
    this.#read = typeof bytesOrError === 'string' ? bytesOrError.length : bytesOrError;
    this.memory = this.onread?.() ?? this.memory;
  }
  /** The close is over, of whatever kind. */
  closed(): void {
    this.#closed();
  }
  /** The request that was made last is complete. */
  complete(status = 0): void {
    this.requests.at(-1)?.oncomplete?.(status);
  }
}

/** Knows how many are out. */
class CountedBuffers extends ReadBuffers {
  lent = 0;
  override acquire(wanted: BufferKind, owned: boolean): Buffer {
    this.lent += 1;
    return super.acquire(wanted, owned);
  }
  override release(buffer: Buffer): void {
    this.lent -= 1;
    super.release(buffer);
  }
}

/** A connection on a fake handle, with a session that writes down what it hears. */
function rig(deliveredClose?: DeliveredClose) {
  const fake = new Fake();
  const buffers = new CountedBuffers();
  const heard: unknown[] = [];
  const connection = new HandleConnection(fake, fake, deliveredClose);
  let inUse: Promise<void> | undefined;
  const session = {
    get retainsChunk() {
      return inUse !== undefined;
    },
    header: undefined,
    received: 0n,
    receive(chunk: Uint8Array) {
      heard.push(Buffer.from(chunk).toString());
      return inUse;
    },
    end: () => void heard.push('end'),
    lost: (cause?: unknown) => void heard.push(cause ?? 'lost'),
  };
  connection.once('close', () => heard.push('closed'));
  connection.feed(session, buffers);
  return { fake, buffers, heard, connection, use: (until: Promise<void> | undefined) => (inUse = until) };
}

t.test('what Node has is what is expected', async (t) => {
  t.ok(streamInternals(), 'else every connection costs a socket');
  const listener = createNetServer();
  const seen = new Promise<Socket>((resolve) => listener.on('connection', resolve));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const peer = connect((listener.address() as { port: number }).port, '127.0.0.1');
  const socket = await seen;
  const handle = Reflect.get(socket, '_handle') as object;
  t.equal(isTcpHandle(handle), true);
  for (const name of [
    'useUserBuffer',
    'readStart',
    'readStop',
    'writeBuffer',
    'shutdown',
    'close',
    'reset',
    'getpeername',
  ]) {
    const prototype = Object.create(Object.getPrototypeOf(handle) as object, {
      [name]: { value: undefined },
    }) as object;
    t.equal(isTcpHandle(Object.create(prototype) as object), false, `without ${name}`);
  }
  for (const other of [{}, Object.create(null) as object]) t.equal(isTcpHandle(other), false);
  peer.destroy();
  socket.destroy();
  listener.close();
});

t.test('where Node has something else there is nothing', async (t) => {
  const good = {
    streamBaseState: new Int32Array(5),
    kReadBytesOrError: 0,
    kLastWriteWasAsync: 3,
    WriteWrap: Map,
    ShutdownWrap: Map,
  };
  t.equal(streamInternals(() => good)?.lastRead(), 0);
  t.equal(
    streamInternals(() => ({ ...good, kReadBytesOrError: 5 }))?.lastRead(),
    EOF,
    'a place that is not there ends',
  );
  for (const name of Object.keys(good)) {
    for (const value of [undefined, null, 'x', {}]) {
      t.equal(
        streamInternals(() => ({ ...good, [name]: value })),
        undefined,
        `${name}: ${JSON.stringify(value)}`,
      );
    }
  }
  for (const bindings of [null, 7, () => undefined, () => 7, () => null]) t.equal(streamInternals(bindings), undefined);
  const forbidden = (): never => {
    throw new Error('Access to this API has been restricted');
  };
  t.equal(streamInternals(forbidden), undefined);
});

t.test('a server is as good without it', async (t) => {
  const binding = Object.getOwnPropertyDescriptor(process, 'binding') ?? {};
  Object.defineProperty(process, 'binding', { value: undefined, configurable: true });
  const storage = new ScriptedStorage();
  const server = createServer({ storage, resetIfKilled: false });
  Object.defineProperty(process, 'binding', binding);
  const { port } = await server.listen({ port: 0 });
  const peer = await connectPeer(t, port);
  await upload(peer, headerBytes(5, 'a.txt'), Buffer.from('hello'));
  t.equal(await peer.ended, 'FIN');
  t.same(peer.received, GO_AHEAD);
  t.equal(storage.files.get('a.txt')?.toString(), 'hello');
  await server.close();
});

t.test('what is read', async (t) => {
  const { fake, buffers, heard, connection, use } = rig();
  t.strictSame([connection.remoteAddress, connection.remotePort], ['192.0.2.1', 4711]);
  t.strictSame(fake.calls, ['readStart']);
  fake.read(0);
  t.strictSame(heard, [], 'nothing came');
  const shared = fake.memory;
  fake.read('one');
  t.equal(fake.memory, shared);
  t.equal(buffers.ownedBytes, 0, 'nothing of its own while nothing is in use for longer');
  let free: () => void = () => undefined;
  use(new Promise((settled) => (free = settled)));
  fake.read('two');
  t.notOk(buffers.isShared(fake.memory as Buffer));
  const own = fake.memory;
  fake.read('three');
  t.not(fake.memory, own, 'what is in use is not read into');
  t.equal(buffers.ownedBytes, 3 * 2048);
  free();
  await Promise.resolve();
  await Promise.resolve();
  t.equal(buffers.ownedBytes, 2048);
  use(undefined);
  fake.read('four');
  t.equal(fake.memory, shared, 'when that is over it gives its own back');
  t.equal(buffers.ownedBytes, 0);
  fake.read(EOF);
  t.strictSame(heard, ['one', 'two', 'three', 'four', 'end']);
  connection.pause();
  connection.resume();
  t.strictSame(fake.calls, ['readStart', 'readStop'], 'after the end nothing is read');
});

const endings: [name: string, act: (rig_: ReturnType<typeof rig>) => void, calls: string[], heard: unknown[]][] = [
  [
    'a reset that comes as an error',
    ({ fake }) => fake.read(ECONNRESET),
    ['close'],
    [{ code: 'ECONNRESET' }, 'closed'],
  ],
  [
    'a reset that comes as an orderly end',
    ({ fake }) => {
      fake.status.getpeername = ENOTCONN;
      fake.read(EOF);
    },
    [],
    ['lost', 'lost', 'closed'],
  ],
  [
    'an end after our own',
    ({ fake, connection }) => {
      connection.end();
      fake.status.getpeername = ENOTCONN;
      fake.read(EOF);
    },
    ['shutdown'],
    ['end', 'lost', 'closed'],
  ],
  [
    'a write that fails at once',
    ({ fake, connection }) => {
      fake.status.writeBuffer = EPIPE;
      void connection.write(Buffer.from('x'));
    },
    ['write x', 'close'],
    [{ code: 'EPIPE', syscall: 'write', errno: EPIPE }, 'closed'],
  ],
  [
    'a write that fails later',
    ({ fake, connection }) => {
      fake.later = true;
      void connection.write(Buffer.from('x'));
      fake.complete(EPIPE);
    },
    ['write x', 'close'],
    [{ code: 'EPIPE' }, 'closed'],
  ],
  [
    'reading that cannot go on',
    ({ fake, connection }) => {
      connection.pause();
      fake.status.readStart = ENOTCONN;
      connection.resume();
    },
    ['readStop', 'readStart', 'close'],
    [{ code: 'ENOTCONN' }, 'closed'],
  ],
  ['a reset of ours', ({ connection }) => connection.reset(), ['reset'], ['lost', 'closed']],
  [
    'a reset that comes too late',
    ({ fake, connection }) => {
      fake.status.reset = EINVAL;
      connection.reset();
    },
    ['reset', 'close'],
    ['lost', 'closed'],
  ],
  [
    'a close',
    ({ fake, connection }) => {
      connection.close();
      fake.complete();
    },
    ['shutdown', 'close'],
    ['lost', 'closed'],
  ],
  [
    'a close after our FIN',
    ({ connection }) => {
      connection.end();
      connection.close();
    },
    ['shutdown', 'close'],
    ['lost', 'closed'],
  ],
  [
    'a close of what is lost',
    ({ fake, connection }) => {
      fake.status.shutdown = ENOTCONN;
      connection.close();
    },
    ['shutdown', 'close'],
    ['lost', 'closed'],
  ],
  [
    'a close that a reset of the peer overtakes',
    ({ fake, connection }) => {
      connection.close();
      fake.read(ECONNRESET);
      fake.complete(ENOTCONN);
    },
    ['shutdown', 'close'],
    [{ code: 'ECONNRESET' }, 'closed'],
  ],
];

for (const [name, act, calls, heard] of endings) {
  t.test(name, async (t) => {
    const made = rig();
    const { fake, buffers, connection } = made;
    act(made);
    t.strictSame(fake.calls, ['readStart', ...calls]);
    const before = fake.calls.length;
    if (!connection.destroyed) connection.destroy();
    else {
      await connection.write(Buffer.from('y'));
      for (const call of ['end', 'close', 'reset', 'pause', 'resume', 'destroy'] as const) connection[call]();
      fake.read('too late');
      fake.read(ECONNRESET);
      t.equal(fake.calls.length, before, 'nothing is asked of a handle that is closed');
    }
    t.equal(buffers.lent, 1, 'the memory is in use until libuv has let go of it');
    fake.closed();
    t.equal(buffers.lent, 0);
    t.match(made.heard, heard);
    t.equal(made.heard.length, heard.length);
  });
}

t.test('a write is over when it is complete', async (t) => {
  const { fake, connection } = rig();
  t.equal(connection.write(Buffer.from('x')), undefined, 'at once');
  fake.later = true;
  let over = false;
  const bytes = Buffer.from('y');
  const written = Promise.resolve(connection.write(bytes)).then(() => (over = true));
  await Promise.resolve();
  t.equal(over, false);
  t.equal(fake.requests.at(-1)?.bytes, bytes, 'and kept until then');
  fake.complete();
  await written;

  const { fake: gone, connection: lost, heard } = rig();
  gone.later = true;
  const cancelled = lost.write(Buffer.from('z'));
  lost.destroy();
  // As libuv completes what is under way when a handle is closed: ECANCELED.
  gone.complete(-125);
  gone.closed();
  await cancelled;
  t.same(heard, ['lost', 'closed'], 'what we have ended ourselves is no failure');
});

t.test('a close waits for the delivery where it must', async (t) => {
  const clock = new ManualClock();
  const { fake, connection } = rig(new DeliveredClose(clock));
  connection.close();
  t.strictSame(fake.calls, ['readStart', 'shutdown']);
  fake.complete();
  t.strictSame(fake.calls, ['readStart', 'shutdown', 'readStop']);
  clock.advance(5);
  t.equal(connection.destroyed, false);
  fake.status.getpeername = ENOTCONN;
  clock.advance(10);
  t.strictSame(fake.calls.at(-1), 'close');
  t.equal(clock.armed(), 0);
});
