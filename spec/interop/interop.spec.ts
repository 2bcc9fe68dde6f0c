import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer as createNetServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createSecureContext, connect as connectTls, TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import type { GoAheadError } from '../../lib/errors.js';
import { send } from '../../lib/net/client.js';
import { sendAll } from '../../lib/net/send-all.js';
import { createServer } from '../../lib/net/create-server.js';
import { listenToEnd, readPlainly, SocketTransport } from '../../lib/net/socket-transport.js';
import { systemClock } from '../../lib/net/system-clock.js';
import { ReceiveSession } from '../../lib/session/receive-session.js';
import { SendSession } from '../../lib/session/send-session.js';
import { MemorySource } from '../../lib/sources/memory-source.js';
import { DirectoryStorage } from '../../lib/storage/directory-storage.js';
import { MemoryStorage } from '../../lib/storage/memory-storage.js';
import type { Storage } from '../../lib/storage/storage.js';
import { pattern } from '../net/support.js';
import { noPython, PYTHON } from '../support/python.mjs';
import { untilElsewhere } from '../support/until.js';

t.jobs = 1;

const OPENSSL = spawnSync('openssl', ['version']).status === 0;
const noOpenssl = !OPENSSL && 'openssl is not installed, and Node cannot make a certificate';
const SCRIPTS = new URL('.', import.meta.url).pathname;

const LARGE = 100_000_000;
const SIZES = [0, 1, 1_023, 1_024, 1_025, LARGE];
const NAMES = SIZES.map((size) => `${size} Größe.bin`);

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function writeFiles(directory: string): Promise<string[]> {
  const block = pattern(1_000_000);
  for (const [index, size] of SIZES.entries()) {
    const path = join(directory, NAMES[index] ?? '');
    if (size < block.length) {
      writeFileSync(path, block.subarray(0, size));
      continue;
    }
    const file = createWriteStream(path);
    for (let at = 0; at < size; at += block.length) {
      // No two blocks are alike, so that one in the place of another shows.
      block.writeUInt32BE(at, 0);
      if (!file.write(Buffer.from(block))) await once(file, 'drain');
    }
    await new Promise((ended) => file.end(ended));
  }
  return NAMES.map((name) => join(directory, name));
}

async function runClassicClient(path: string, port: number, ...options: string[]): Promise<number | null> {
  const child = spawn(PYTHON, [join(SCRIPTS, 'classic_client.py'), path, '127.0.0.1', String(port), ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status;
}

/** The classic server takes a port and says nothing: it is there when it accepts. */
async function startClassicServer(t: Test, directory: string): Promise<number> {
  const free = createNetServer().listen(0);
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  await new Promise((closed) => free.close(closed));
  const child = spawn(PYTHON, [join(SCRIPTS, 'classic_server.py'), String(port), directory], { stdio: 'ignore' });
  t.teardown(async () => {
    child.kill();
    await once(child, 'exit');
  });
  await untilElsewhere(async () => {
    const socket = connect(port, '127.0.0.1');
    const accepted = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    return accepted;
  });
  return port;
}

async function sameFiles(t: Test, sent: readonly string[], stored: readonly string[]): Promise<void> {
  for (const [index, path] of sent.entries()) {
    const at = stored[index] ?? '';
    if (t.ok(existsSync(at), at)) t.equal(await sha256(at), await sha256(path), `the same SHA-256: ${path}`);
  }
}

/** The storage, with nothing written before so many uploads are under way: then they are for certain at once. */
function together(storage: Storage, count: number): { storage: Storage; most: () => number } {
  let begun = 0;
  let running = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  const all = async (): Promise<void> => {
    if (begun < count) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return {
    most: () => most,
    storage: {
      async create(header) {
        const upload = await storage.create(header);
        begun += 1;
        running += 1;
        most = Math.max(most, running);
        if (begun === count) for (const resolve of waiting) resolve();
        return {
          write: (chunk) => all().then(() => upload.write(chunk)),
          async commit() {
            running -= 1;
            return upload.commit();
          },
          abort: () => upload.abort(),
        };
      },
    },
  };
}

t.test('the classic client and this server', { skip: noPython }, async (t) => {
  const folder = t.testdir({ sent: {}, stored: {}, eight: {} });
  const sent = await writeFiles(join(folder, 'sent'));
  const stored = join(folder, 'stored');
  for (const directReads of [true, false]) {
    const server = createServer({ directory: stored, sync: false, onConflict: 'replace', directReads });
    const failures: GoAheadError[] = [];
    server.on('failed', (_, error) => failures.push(error));
    const { port } = await server.listen({ port: 0 });
    for (const path of sent) t.equal(await runClassicClient(path, port), 0);
    // It does not wait for the receipt, so the last file may still be on its way.
    await server.close();
    t.same(failures, []);
    t.same(readdirSync(stored).sort(), [...NAMES].sort());
    await sameFiles(
      t,
      sent,
      NAMES.map((name) => join(stored, name)),
    );
  }

  const { storage, most } = together(await DirectoryStorage.open(stored, { sync: false }), 8);
  const server = createServer({ storage });
  const { port } = await server.listen({ port: 0 });
  const eight = Array.from({ length: 8 }, (_, index) => join(folder, 'eight', `part ${index}.bin`));
  for (const [index, path] of eight.entries()) writeFileSync(path, pattern(20_000 + index));
  t.same(await Promise.all(eight.map((path) => runClassicClient(path, port, '--pause', '1'))), Array(8).fill(0));
  t.equal(most(), 8, 'all of them at once');
  t.equal(await runClassicClient(join(folder, 'eight', 'part 0.bin'), port, '--as', '/home/me/Größe/a path.bin'), 0);
  await server.close();
  t.same(readFileSync(join(stored, 'a path.bin')), pattern(20_000), 'a path as a name');
  await sameFiles(
    t,
    eight,
    eight.map((_, index) => join(stored, `part ${index}.bin`)),
  );
});

t.test('this client and the classic server', { skip: noPython }, async (t) => {
  const folder = t.testdir({ sent: {}, stored: {} });
  const sent = await writeFiles(join(folder, 'sent'));
  const stored = join(folder, 'stored');
  const port = await startClassicServer(t, stored);
  for (const path of sent) await send(path, { port });
  await sameFiles(
    t,
    sent,
    NAMES.map((name) => join(stored, `${name}.temp`)),
  );

  await send(pattern(5000), { port, name: 'some/folder/path.bin' });
  t.same(readFileSync(join(stored, 'path.bin.temp')), pattern(5000), 'a path as a name');

  const eight = Array.from({ length: 8 }, (_, index) => ({ file: pattern(20_000 + index), name: `part ${index}.bin` }));
  const results = await sendAll(eight, { port, concurrency: 8, chunkSize: 1000, pause: 5 });
  t.same(
    results.map(({ kind }) => kind),
    Array(8).fill('confirmed'),
  );
  for (const { file, name } of eight) t.same(readFileSync(join(stored, `${name}.temp`)).equals(file), true, name);
});

/** Ends of one stream: what is written to one is read from the other, and a break of one breaks the other. */
class MemoryEnd extends Duplex {
  other: MemoryEnd | undefined;
  #taken: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _: BufferEncoding, written: () => void): void {
    // In pieces, so that nothing leans on one write being one read; but a header that is cut between two characters is
    // taken for a whole one (3.9).
    const at = chunk.length > 1024 ? chunk.length >> 1 : 0;
    if (at > 0) this.other?.push(chunk.subarray(0, at));
    if (this.other?.push(chunk.subarray(at)) === false) this.other.#taken = written;
    else setImmediate(written);
  }

  override _final(ended: () => void): void {
    this.other?.push(null);
    ended();
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    const { other } = this;
    if (other !== undefined && !this.writableFinished && !other.destroyed) other.destroy(new Error('broken off'));
    this.#taken?.();
    destroyed(error);
  }
}

interface Ends {
  readonly near: Duplex;
  readonly far: Duplex;
  /** The sockets under them, where these are others. */
  readonly nearConnection?: Socket;
  readonly farConnection?: Socket;
}

async function memoryEnds(): Promise<Ends> {
  const [near, far] = [new MemoryEnd(), new MemoryEnd()];
  [near.other, far.other] = [far, near];
  return { near, far };
}

async function socketEnds(
  t: Test,
  where: { path: string } | { port: number },
): Promise<Ends & { near: Socket; far: Socket }> {
  const listener = createNetServer({ allowHalfOpen: true }).listen(where);
  await once(listener, 'listening');
  const address = listener.address();
  const to = typeof address === 'string' ? { path: address } : { port: address?.port ?? 0 };
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const near = connect({ ...to, allowHalfOpen: true });
  const [far] = await accepted;
  listener.close();
  t.teardown(() => {
    near.destroy();
    far.destroy();
  });
  return { near, far };
}

async function tlsEnds(t: Test): Promise<Ends> {
  const folder = t.testdir({});
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-days', '2', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const { near: nearConnection, far: farConnection } = await socketEnds(t, { port: 0 });
  const secureContext = createSecureContext({ key: readFileSync(key), cert: readFileSync(cert) });
  const far = new TLSSocket(farConnection, { isServer: true, secureContext, allowHalfOpen: true } as object);
  const near = connectTls({
    socket: nearConnection,
    ca: readFileSync(cert),
    servername: 'localhost',
    allowHalfOpen: true,
  } as object);
  await once(near, 'secureConnect');
  t.teardown(() => {
    near.destroy();
    far.destroy();
  });
  return { near, far, nearConnection, farConnection };
}

const STREAMS: readonly [name: string, skip: string | false, ends: (t: Test) => Promise<Ends>, resets: boolean][] = [
  ['a duplex in memory', false, memoryEnds, true],
  ['TCP', false, (t) => socketEnds(t, { port: 0 }), true],
  [
    'a Unix socket',
    process.platform !== 'linux' && 'the name of the socket is an abstract one, as only Linux has',
    // Abstract, since a path has 107 bytes at most, and a test directory may have more.
    (t) => socketEnds(t, { path: `\0go-ahead-${process.pid}-${t.name.length}` }),
    false,
  ],
  ['TLS', noOpenssl, tlsEnds, true],
];

/** One transfer between two sessions, and what both say of it. */
async function transfer(
  { near, far, nearConnection, farConnection }: Ends,
  body: Buffer,
  storage: Storage,
): Promise<[string, string]> {
  const receiver = new ReceiveSession({
    transport: new SocketTransport(far, farConnection),
    storage,
    clock: systemClock,
  });
  const source = new MemorySource(body, 100_000);
  const sender = new SendSession('notes.txt', {
    transport: new SocketTransport(near, nearConnection),
    source,
    clock: systemClock,
  });
  const received = new Promise<string>((over) => {
    receiver.on('stored', ({ name }) => over(name));
    receiver.on('failed', ({ code }) => over(code));
  });
  const sent = new Promise<string>((over) => {
    sender.on('confirmed', () => over('confirmed'));
    sender.on('failed', ({ code }) => over(code));
  });
  const gone = Promise.all([near, far].map((end: Writable) => once(end, 'close').catch(() => undefined)));
  for (const [stream, session] of [
    [far, receiver],
    [near, sender],
  ] as const) {
    listenToEnd(stream, session);
    readPlainly(stream, session);
  }
  receiver.start();
  sender.start();
  const outcomes = await Promise.all([received, sent]);
  await gone;
  return outcomes;
}

for (const [name, skip, makeEnds, resets] of STREAMS) {
  t.test(`two sessions over ${name}`, { skip }, async (t) => {
    for (const size of [0, 1, 65_536, 3_000_000]) {
      const storage = new MemoryStorage();
      t.same(await transfer(await makeEnds(t), pattern(size), storage), ['notes.txt', 'confirmed'], `${size} bytes`);
      t.ok(Buffer.from(storage.files.get('notes.txt') ?? '').equals(pattern(size)));
    }
    t.same(
      await transfer(await makeEnds(t), pattern(10), new MemoryStorage({ capacity: 5 })),
      ['NO_SPACE', 'REFUSED'],
      'a refusal is an orderly end',
    );
    const failing: Storage = {
      create: () => ({
        write: () => undefined,
        commit: () => Promise.reject(new Error('EIO')),
        abort: () => undefined,
      }),
    };
    const outcomes = await transfer(await makeEnds(t), pattern(10), failing);
    t.same(
      outcomes,
      // A Unix socket has no reset: here the receipt of a failure cannot be told from one of success.
      ['STORAGE_FAILED', resets ? 'CONNECTION_RESET' : 'confirmed'],
      'a failure after the last byte',
    );
  });
}

t.test('TLS without the socket under it breaks off and does not throw', { skip: noOpenssl }, async (t) => {
  const { near, far } = await tlsEnds(t);
  const failing: Storage = {
    create: () => ({
      write: () => {
        throw new Error('EIO');
      },
      commit: () => Promise.reject(new Error('not reached')),
      abort: () => undefined,
    }),
  };
  const [received, sent] = await transfer({ near, far }, pattern(1_000_000), failing);
  t.equal(received, 'STORAGE_FAILED');
  t.not(sent, 'confirmed');
});
