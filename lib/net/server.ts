import { EventEmitter, once } from 'node:events';
import { createServer as createNetServer, Socket, type AddressInfo, type Server as NetServer } from 'node:net';
import type { SecureContext } from 'node:tls';
import type * as TE from 'typed-emitter';
import { GoAheadError } from '../errors.js';
import type { Clock } from '../session/clock.js';
import { receiveOptions, requireCount, requireTime, timeFault } from '../session/options.js';
import type { Complete, ReceiveOptions } from '../session/options.js';
import { ReceiveSession } from '../session/receive-session.js';
import type { Transport } from '../session/transport.js';
import { chain } from '../maybe-promise.js';
import { DirectoryStorage, namingRules } from '../storage/directory-storage.js';
import type { Storage } from '../storage/storage.js';
import { addressOf, DEFAULT_PORT, formatAddress, requireHost } from './address.js';
import { CountedSlots, type ConnectionSlots } from './connection-slots.js';
import { Crowd, type Member } from './crowd.js';
import { DeliveredClose } from './delivered-close.js';
import { acceptDirectly, directSocket } from './direct-accept.js';
import { DirectReader } from './direct-reader.js';
import { HandleConnection } from './handle-connection.js';
import { listenError } from './listen-error.js';
import { ReadBuffers } from './read-buffers.js';
import { Refusals, tooManyConnections } from './refusals.js';
import { resetIfKilled, RESETS_IF_KILLED } from './reset-if-killed.js';
import { secureServerStream, serverContext } from './secure-stream.js';
import { listenToEnd, readPlainly, SocketTransport } from './socket-transport.js';
import type { IncomingUpload, ServerEvents } from './server-events.js';
import type { ListenOptions, ServerOptions } from './server-options.js';
import { emitSafely, reportFault } from './server-faults.js';
import { isTcpHandle, streamInternals, type StreamInternals } from './stream-internals.js';
import { systemClock } from './system-clock.js';

// Connections that wait to be accepted. Those above it are dropped, and try again only after a second; the system has its own
// limit besides (net.core.somaxconn, 4,096 on Linux).
const BACKLOG = 4_096;

const UNGUARDED = 'if this process is killed, senders may take the close of its connections for a receipt';

type Connection = Socket | HandleConnection;

/** A connection that there is room for, with what it is served with. */
interface Admission {
  readonly connection: Connection;
  readonly storage: Storage;
  readonly address: string;
  readonly ofAddress: { connections: number };
}

/** A connection that is served. */
interface Served extends Member {
  readonly session: ReceiveSession;
}

/** A receiver of files: many connections on one event loop. A thin shell around one `ReceiveSession` for each. */
export class Server extends (EventEmitter as new () => TE.default<ServerEvents>) {
  readonly #options: ServerOptions & Record<'maxConnections' | 'maxConnectionsPerAddress' | 'drain', number>;
  readonly #receiveOptions: Complete<ReceiveOptions>;
  readonly #slots: ConnectionSlots;
  readonly #clock: Clock;
  readonly #listener: NetServer;
  readonly #buffers = new ReadBuffers();
  readonly #deliveredClose: DeliveredClose;
  readonly #refusals: Refusals;
  readonly #internals: StreamInternals | undefined;
  /** The kernel resets what this server accepts, unless it is closed with care. */
  #resetsIfKilled = false;
  readonly #connections = new Crowd<Served>();
  readonly #ofAddress = new Map<string, { connections: number }>();
  readonly #onAbort = (): void => void this.close({ drain: 0 });
  #storage: Storage | undefined;
  #accepted = 0;
  #starting = false;
  #closing: Promise<void> | undefined;
  #aborting = false;
  #drained: (() => void) | undefined;

  /** @throws GoAheadError `OPTION_INVALID` */
  constructor(options: ServerOptions) {
    super();
    if ((options.directory === undefined) === (options.storage === undefined)) {
      throw new GoAheadError('OPTION_INVALID', 'a server needs either a directory or a storage', {
        expected: 'one of `directory` and `storage`',
        actual: options.directory === undefined ? 'neither' : 'both',
      });
    }
    const { maxConnections = 10_000, maxConnectionsPerAddress = maxConnections, drain = 10_000 } = options;
    requireCount('maxConnections', maxConnections);
    requireCount('maxConnectionsPerAddress', maxConnectionsPerAddress);
    requireTime('drain', drain);
    if (options.directory !== undefined) namingRules(options);
    this.#options = { ...options, maxConnections, maxConnectionsPerAddress, drain };
    this.#receiveOptions = receiveOptions(options);
    this.#slots = options.slots ?? new CountedSlots(maxConnections);
    this.#clock = options.clock ?? systemClock;
    this.#deliveredClose = new DeliveredClose(this.#clock);
    this.#refusals = new Refusals(this.#clock);
    this.#internals = options.bareHandles === false ? undefined : streamInternals();
    this.#storage = options.storage;
    const context = options.tls === undefined ? undefined : serverContext(options.tls);
    // A sender that half-closes is still owed a reply and a receipt.
    this.#listener = createNetServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      void chain(this.#slots.take(), (hasSlot) => {
        if (context === undefined) this.#acceptPlainly(socket, hasSlot);
        else this.#acceptSecurely(socket, context, hasSlot);
      });
    });
  }

  /**
   * Opens the directory (removing what killed runs left in it) and listens.
   *
   * @throws GoAheadError `DIRECTORY_INVALID`, `LISTEN_FAILED`, `ABORTED`; `OPTION_INVALID` for a host of no characters
   */
  async listen({ host = '127.0.0.1', port = DEFAULT_PORT }: ListenOptions = {}): Promise<AddressInfo> {
    requireHost(host);
    this.#requireOpen();
    if (this.#starting) throw new GoAheadError('LISTEN_FAILED', 'the server listens already, or is about to');
    this.#starting = true;
    try {
      return await this.#start(host, port);
    } catch (reason) {
      this.#starting = false;
      throw reason;
    }
  }

  async #start(host: string, port: number): Promise<AddressInfo> {
    const { signal, directory } = this.#options;
    if (directory !== undefined) this.#storage ??= await DirectoryStorage.open(directory, this.#options);
    this.#requireOpen();
    await this.#bind(host, port);
    if (signal?.aborted === true) await this.close({ drain: 0 });
    this.#requireOpen();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    return this.address();
  }

  #requireOpen(): void {
    const { signal } = this.#options;
    if (signal?.aborted !== true && this.#closing === undefined) return;
    throw new GoAheadError('ABORTED', 'the server was closed before it listened', { cause: signal?.reason });
  }

  async #bind(host: string, port: number): Promise<void> {
    const listener = this.#listener;
    const over = new AbortController();
    try {
      // It throws for a port out of range, and when it listens already.
      listener.listen({ host, port, backlog: BACKLOG });
      // `close` comes in place of `listening` when it is closed meanwhile.
      await Promise.race(['listening', 'close'].map((event) => once(listener, event, over)));
    } catch (cause) {
      throw listenError(host, port, cause);
    } finally {
      over.abort();
    }
    if (this.#closing !== undefined) return;
    // An accept that fails (EMFILE) is not the end of a server.
    listener.on('error', (cause) => reportFault(this, cause));
    const { directReads = true, resetIfKilled: guarded = true, tls } = this.#options;
    if (directReads && tls === undefined) {
      acceptDirectly(listener, (handle) => {
        void chain(this.#slots.take(), (hasSlot) => this.#acceptDirectly(handle, hasSlot));
      });
    }
    if (!guarded || !RESETS_IF_KILLED || tls !== undefined) return;
    const cause = await resetIfKilled(listener);
    this.#resetsIfKilled = cause === undefined;
    if (cause !== undefined) reportFault(this, new GoAheadError('KILL_UNGUARDED', UNGUARDED, { cause }));
  }

  /** @throws GoAheadError `LISTEN_FAILED` when the server does not listen */
  address(): AddressInfo {
    return addressOf(this.#listener);
  }

  /** Uploads and other connections at this moment, and those whose work on the disk is not over. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Bytes of read buffers that connections hold at this moment, without those that all share. */
  get bufferedBytes(): number {
    return this.#buffers.ownedBytes;
  }

  /**
   * Stops to accept, lets running uploads finish for `drain` milliseconds, then resets what is left. Settles when
   * every connection is closed and nothing of the failed ones is left on the disk. A second call can only shorten
   * the wait. Rejects with `OPTION_INVALID`, and does nothing, when `drain` is no time that the option of that name could be.
   */
  close({ drain = this.#options.drain }: { readonly drain?: number | undefined } = {}): Promise<void> {
    const fault = timeFault('drain', drain);
    if (fault !== undefined) return Promise.reject(fault);
    if (this.#closing === undefined) {
      this.#closing = this.#drain();
      // Only now: who hears of these may call this too. Who has not announced anything has nothing to lose.
      for (const { session } of this.#connections) {
        if (session.header === undefined) session.abort(closingError());
      }
    }
    if (drain <= 0) this.#abortAll();
    else if (this.#connections.size > 0) {
      const timer = this.#clock.schedule(drain, () => this.#abortAll());
      void this.#closing.then(() => timer.cancel());
    }
    return this.#closing;
  }

  /** As `close()`: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #drain(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    const stopped = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    this.#refusals.cut();
    await stopped;
    if (this.#connections.size > 0) await new Promise<void>((drained) => (this.#drained = drained));
  }

  #abortAll(): void {
    // Nobody comes after these. And who hears of each may ask for it again.
    if (this.#aborting) return;
    this.#aborting = true;
    for (const { session } of this.#connections) session.abort(closingError());
    this.#deliveredClose.cut();
  }

  /** By way of `net.Server`, reading plainly. */
  #acceptPlainly(socket: Socket, hasSlot: boolean): void {
    const admission = this.#admit(socket, hasSlot);
    if (admission === undefined) return;
    const session = this.#serve(admission, new SocketTransport(socket));
    listenToEnd(socket, session);
    readPlainly(socket, session);
    socket.resume();
  }

  #acceptSecurely(connection: Socket, context: SecureContext, hasSlot: boolean): void {
    const admission = this.#admit(connection, hasSlot);
    if (admission === undefined) return;
    const stream = secureServerStream(
      connection,
      context,
      this.#options.tls?.ca !== undefined,
      () => stream.attach(session),
      (error) => {
        session.abort(error);
        connection.destroy();
      },
    );
    // The deadline for the header is one for the handshake too.
    const session = this.#serve(admission, new SocketTransport(stream.socket, connection));
    connection.once('close', () => session.lost());
  }

  #acceptDirectly(handle: object, hasSlot: boolean): void {
    const internals = this.#internals;
    if (internals === undefined || !isTcpHandle(handle)) {
      this.#acceptWithSocket(handle, hasSlot);
      return;
    }
    const connection = new HandleConnection(handle, internals, this.#resetsIfKilled ? this.#deliveredClose : undefined);
    const admission = this.#admit(connection, hasSlot);
    if (admission !== undefined) connection.feed(this.#serve(admission, connection), this.#buffers);
  }

  #acceptWithSocket(handle: object, hasSlot: boolean): void {
    const reader = new DirectReader(this.#buffers);
    const socket = directSocket(handle, reader);
    socket.once('close', () => reader.close());
    const admission = this.#admit(socket, hasSlot);
    if (admission === undefined) return;
    const session = this.#serve(admission, new SocketTransport(socket));
    listenToEnd(socket, session);
    reader.feed(session);
  }

  /** Undefined when there is no room, and the connection is being closed. */
  #admit(connection: Connection, hasSlot: boolean): Admission | undefined {
    const storage = this.#storage;
    const address = connection.remoteAddress ?? 'unknown';
    const ofAddress = this.#ofAddress.get(address) ?? { connections: 0 };
    const isFull = ofAddress.connections >= this.#options.maxConnectionsPerAddress;
    const isOpen = storage !== undefined && !connection.destroyed && this.#closing === undefined;
    if (isOpen && hasSlot && !isFull) return { connection, storage, address, ofAddress };
    if (hasSlot) this.#slots.give();
    if (isOpen) this.#refuse(connection, address, hasSlot ? 'maxConnectionsPerAddress' : 'maxConnections');
    else connection.destroy();
    return undefined;
  }

  #refuse(connection: Connection, address: string, limit: 'maxConnections' | 'maxConnectionsPerAddress'): void {
    const peer = peerOf(address, connection);
    // Of a flood nothing is told.
    if (!this.#refusals.refuse(connection)) return;
    const upload = { id: ++this.#accepted, peer, name: undefined, size: undefined, received: 0n, ms: 0 };
    emitSafely(this, () => this.emit('failed', upload, tooManyConnections(limit, this.#options[limit])));
  }

  #serve({ connection, storage, address, ofAddress }: Admission, transport: Transport): ReceiveSession {
    if (this.#resetsIfKilled && connection instanceof Socket) this.#deliveredClose.watch(connection);
    const session = new ReceiveSession({ transport, storage, clock: this.#clock }, this.#receiveOptions);
    const served = { place: 0, session };
    this.#connections.add(served);
    this.#ofAddress.set(address, ofAddress);
    ofAddress.connections += 1;
    this.#announce(() => peerOf(address, connection), session);
    // A sender that is gone may leave work behind on the disk: both must be over.
    let running = 2;
    const over = (): void => {
      if (--running > 0) return;
      this.#connections.remove(served);
      this.#slots.give();
      ofAddress.connections -= 1;
      if (ofAddress.connections === 0) this.#ofAddress.delete(address);
      if (this.#connections.size === 0) this.#drained?.();
    };
    session.on('stored', over);
    session.on('failed', over);
    connection.once('close', over);
    session.start();
    return session;
  }

  #announce(peer: () => string, session: ReceiveSession): void {
    const id = ++this.#accepted;
    const start = this.#clock.now();
    const upload = (): IncomingUpload => ({
      id,
      peer: peer(),
      name: session.header?.name,
      size: session.header?.size,
      received: session.received,
      ms: this.#clock.now() - start,
    });
    // Where nobody listens it costs nothing.
    const listens = (event: keyof ServerEvents): boolean => this.listenerCount(event) > 0;
    session.on('begun', () => {
      if (listens('begun')) emitSafely(this, () => this.emit('begun', upload()));
    });
    if (listens('progress')) session.on('progress', () => emitSafely(this, () => this.emit('progress', upload())));
    session.on('stored', (stored) => {
      if (listens('stored')) emitSafely(this, () => this.emit('stored', upload(), stored));
    });
    session.on('failed', (error) => {
      if (listens('failed')) emitSafely(this, () => this.emit('failed', upload(), error));
    });
  }
}

function peerOf(address: string, { remotePort = 0 }: Connection): string {
  return formatAddress(address, remotePort);
}

function closingError(): GoAheadError {
  return new GoAheadError('ABORTED', 'the server is closing', {
    expected: 'an open server',
    actual: 'one that closes',
  });
}
