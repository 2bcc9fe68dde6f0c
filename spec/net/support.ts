import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import type { MaybePromise } from '../../lib/maybe-promise.js';
import type { Storage, Stored, Upload } from '../../lib/storage/storage.js';
import type { Header } from '../../lib/wire/header.js';
import { turn, until } from '../support/until.js';

/** The other side of every spec here: raw sockets and literal bytes, nothing of the library. */

/** Clause 5.1, by hand. */
export const GO_AHEAD = Buffer.from([0x67, 0x6f, 0x20, 0x61, 0x68, 0x65, 0x61, 0x64]);

/** Clauses 3.1 to 3.3, by hand. */
export function headerBytes(size: number | bigint, name: string | Uint8Array): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(size));
  return Buffer.concat([bytes, typeof name === 'string' ? Buffer.from(name, 'utf8') : name]);
}

/** Bytes in which a lost, doubled or moved block shows. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >>> 8) * 17 + (index >>> 16)) & 0xff;
  return bytes;
}

/** Lets the event loop turn a number of times: to give what must not happen a chance to happen. */
export async function turns(count = 50): Promise<void> {
  for (let index = 0; index < count; index++) await turn();
}

/** How the other end ended the stream: in an orderly way, by a reset, or, with TLS, by a FIN in the midst of it. */
export type Ending = 'FIN' | 'RST' | 'cut';

/** A raw socket, or TLS by hand on one, with all that came on it. */
export class Peer {
  readonly socket: Socket;
  /** What is below TLS; else the socket itself. */
  readonly tcp: Socket;
  readonly ended: Promise<Ending>;
  readonly #chunks: Buffer[] = [];
  ending: Ending | undefined;

  /** @param wasCut whether the stream that ends now ends without close_notify */
  constructor(socket: Socket, tcp = socket, wasCut = (): boolean => false) {
    this.socket = socket;
    this.tcp = tcp;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.ended = new Promise((resolve) => {
      const end = (ending: Ending): void => resolve((this.ending ??= ending));
      const lost = (error: NodeJS.ErrnoException): void => {
        if (error.code === 'ECONNRESET' || error.code === 'EPIPE') end('RST');
      };
      // libuv tells bytes and a reset that come together as an orderly end; getpeername(2) knows better.
      const wasReset = (): boolean => !tcp.writableFinished && tcp.remoteAddress === undefined;
      socket.on('end', () => end(wasReset() ? 'RST' : wasCut() ? 'cut' : 'FIN'));
      socket.on('error', lost);
      if (tcp !== socket) tcp.on('error', lost);
    });
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get receivedLength(): number {
    return this.#chunks.reduce((sum, { length }) => sum + length, 0);
  }

  /** Settles when the kernel has taken the bytes. */
  write(bytes: Uint8Array | string): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  fin(): void {
    this.socket.end();
  }

  reset(): void {
    this.tcp.resetAndDestroy();
  }

  /** Until so many bytes have come, or the stream has ended. */
  has(length: number): Promise<void> {
    return until(() => this.receivedLength >= length || this.ending !== undefined);
  }
}

export async function connectPeer(t: Test, port: number): Promise<Peer> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  t.teardown(() => socket.destroy());
  const peer = new Peer(socket);
  await once(socket, 'connect');
  return peer;
}

export interface ScriptedServer {
  readonly port: number;
  readonly peers: Peer[];
  /** Connections that are open at this moment, and the most that ever were. */
  open: number;
  mostOpen: number;
  readonly listener: NetServer;
}

/** A receiver written by hand: each connection runs the script. */
export async function scriptedServer(
  t: Test,
  script: (peer: Peer, index: number) => Promise<void> | void,
): Promise<ScriptedServer> {
  const peers: Peer[] = [];
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const peer = new Peer(socket);
    server.open += 1;
    server.mostOpen = Math.max(server.mostOpen, server.open);
    socket.on('close', () => (server.open -= 1));
    void script(peer, peers.push(peer) - 1);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const server: ScriptedServer = {
    port: (listener.address() as AddressInfo).port,
    peers,
    open: 0,
    mostOpen: 0,
    listener,
  };
  t.teardown(() => {
    for (const { socket } of peers) socket.destroy();
    listener.close();
  });
  return server;
}

export type StorageCall = 'create' | 'write' | 'commit' | 'abort';
export type Answer = 'at once' | 'later' | 'throws' | 'rejects' | 'hangs';

export const DISK_FAULT = new Error('EIO: i/o error, write');

/** A storage whose calls go wrong, or wait until they are told to settle. */
export class ScriptedStorage implements Storage {
  readonly files = new Map<string, Buffer>();
  readonly calls: StorageCall[] = [];
  /** The memory behind each chunk that was written. */
  readonly memory: ArrayBufferLike[] = [];
  aborted = 0;
  /** What its uploads say of the next chunk; undefined for a storage that says nothing. */
  retainsChunk: () => boolean | undefined = () => undefined;
  #waiting: (() => void)[] = [];
  readonly #answers: Partial<Record<StorageCall, Answer>>;
  readonly #failure: unknown;

  constructor(answers: Partial<Record<StorageCall, Answer>> = {}, failure: unknown = DISK_FAULT) {
    this.#answers = answers;
    this.#failure = failure;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets every call that hangs come to its end. */
  settle(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }

  create(header: Header): MaybePromise<Upload> {
    const chunks: Buffer[] = [];
    const retainsChunk = (): boolean | undefined => this.retainsChunk();
    return this.#answer('create', () => ({
      get retainsChunk() {
        return retainsChunk();
      },
      write: (chunk) => {
        this.memory.push(chunk.buffer);
        const index = chunks.push(Buffer.alloc(0)) - 1;
        // Copied when the call settles: memory that is used again too early shows.
        return this.#answer('write', () => void (chunks[index] = Buffer.from(chunk)));
      },
      commit: () =>
        this.#answer('commit', (): Stored => {
          this.files.set(header.name, Buffer.concat(chunks));
          return { name: header.name, path: undefined, size: header.size };
        }),
      abort: () => this.#answer('abort', () => void (this.aborted += 1)),
    }));
  }

  /** Other answers than it was made with, call by call. */
  answer: (call: StorageCall) => Answer | undefined = () => undefined;

  #answer<T>(call: StorageCall, work: () => T): MaybePromise<T> {
    this.calls.push(call);
    switch (this.answer(call) ?? this.#answers[call] ?? 'at once') {
      case 'at once':
        return work();
      case 'later':
        return turn().then(work);
      case 'throws':
        throw this.#failure;
      case 'rejects':
        return turn().then(() => {
          throw this.#failure;
        });
      case 'hangs':
        return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(work);
    }
  }
}
