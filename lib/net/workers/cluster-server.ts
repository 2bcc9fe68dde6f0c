import type { Worker } from 'node:cluster';
import { EventEmitter, once } from 'node:events';
import { createServer as createNetServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type * as TE from 'typed-emitter';
import { GoAheadError } from '../../errors.js';
import type { Clock } from '../../session/clock.js';
import { receiveOptions, requireCount, requireTime, timeFault } from '../../session/options.js';
import { DirectoryStorage, namingRules } from '../../storage/directory-storage.js';
import { Disk } from '../../storage/disk.js';
import { NODE_FILE_SYSTEM, type FileSystem } from '../../storage/file-system.js';
import { freeSpaceOf } from '../../storage/free-space.js';
import { addressOf, DEFAULT_PORT, requireHost } from '../address.js';
import { listenError } from '../listen-error.js';
import type { IncomingUpload, ServerEvents } from '../server-events.js';
import type { ListenOptions, ServerOptions } from '../server-options.js';
import { emitSafely, reportFault } from '../server-faults.js';
import { systemClock } from '../system-clock.js';
import { forkWorker } from './fork-worker.js';
import { Ledger, SlotPool, SpacePool, type Answers } from './ledger.js';
import { fromPlainError, toPlainError, type FromServing, type Resource, type WorkerEvent } from './messages.js';
import { Supervisor, type WorkerProcess } from './supervisor.js';
import { WorkerUploads } from './worker-uploads.js';

/** What lives in one process, and can be given to a `Server` only. */
const NOT_SHARED = ['storage', 'clock', 'fileSystem', 'processes', 'now', 'wallClock', 'slots', 'space'] as const;
const MOST_WORKERS = 1_024;
/** Free ports that somebody else may take between our finding and our using them. */
const PORT_ATTEMPTS = 5;

/** As for a `Server`, but for what lives in one process. */
export interface ClusterServerOptions extends Omit<ServerOptions, (typeof NOT_SHARED)[number] | 'workers'> {
  /** Where to store; must exist. */
  readonly directory: string;
  /** Processes that accept and store, 1 to 1,024; this one only watches over them. A good number is that of the cores. */
  readonly workers: number;
}

/** What specs put in other things for. */
export interface ClusterParts {
  readonly clock?: Clock;
  /** For the promises of space only; the workers have their own. */
  readonly fileSystem?: FileSystem;
  readonly workerFile?: string;
  readonly fork?: typeof forkWorker;
}

/** What the primary knows of a worker. */
interface Member {
  connections: number;
  bufferedBytes: number;
  readonly uploads: WorkerUploads;
}

interface Listening {
  readonly address: AddressInfo;
  /** Absolute, without symbolic links. */
  readonly directory: string;
  readonly ledgers: Readonly<Record<Resource, Ledger<WorkerProcess>>>;
}

/** What Node's emitters tell of their own listeners; typed-emitter's map leaves it out. */
interface ListenerEvents {
  on(event: 'newListener' | 'removeListener', listener: (event: string | symbol) => void): unknown;
}

/**
 * A `Server` on several processes of node:cluster: one port, one directory, the same events and promises. This process
 * accepts nothing: it starts the workers, replaces those that die, and lends them space and connections.
 */
export class ClusterServer extends (EventEmitter as new () => TE.default<ServerEvents>) {
  readonly #options: ClusterServerOptions & { readonly maxConnections: number; readonly drain: number };
  readonly #clock: Clock;
  readonly #fileSystem: FileSystem;
  readonly #fork: () => Worker;
  readonly #members = new Map<WorkerProcess, Member>();
  readonly #onAbort = (): void => void this.close({ drain: 0 });
  #supervisor: Supervisor | undefined;
  #listening: Listening | undefined;
  #address: AddressInfo | undefined;
  #starting = false;
  #accepted = 0;
  #closing: Promise<void> | undefined;
  /** A worker died, and nobody has swept since. */
  #leftovers = false;

  /** @throws GoAheadError `OPTION_INVALID`, also for an option that cannot be shared between processes */
  constructor(options: ClusterServerOptions, parts: ClusterParts = {}) {
    super();
    for (const option of NOT_SHARED) refuseShared(options, option);
    const { directory, workers, maxConnections = 10_000, maxConnectionsPerAddress = maxConnections } = options;
    const { drain = 10_000 } = options;
    // Callers without types may leave it out.
    if (typeof directory !== 'string') throw optionInvalid('directory', 'a path, since workers share no storage');
    requireCount('workers', workers, MOST_WORKERS);
    requireCount('maxConnections', maxConnections);
    requireCount('maxConnectionsPerAddress', maxConnectionsPerAddress);
    requireTime('drain', drain);
    receiveOptions(options);
    namingRules(options);
    this.#options = { ...options, maxConnections, drain };
    const { clock = systemClock, fileSystem = NODE_FILE_SYSTEM } = parts;
    const { workerFile = fileURLToPath(import.meta.resolve('./worker.js')), fork = forkWorker } = parts;
    this.#clock = clock;
    this.#fileSystem = fileSystem;
    this.#fork = () => fork(workerFile);
    // Not asked for, it costs nothing.
    const listeners = this as unknown as ListenerEvents;
    listeners.on('newListener', (event) => this.#wantProgress(event, true));
    listeners.on('removeListener', (event) => this.#wantProgress(event, this.listenerCount('progress') > 0));
  }

  /**
   * Opens the directory (removing what killed runs left in it), starts the workers and settles when all of them listen.
   *
   * @throws GoAheadError `DIRECTORY_INVALID`, `LISTEN_FAILED`, `ABORTED`; `WORKER_LOST` when workers die as they start
   */
  async listen({ host = '127.0.0.1', port = DEFAULT_PORT }: ListenOptions = {}): Promise<AddressInfo> {
    const { signal } = this.#options;
    requireHost(host);
    this.#requireOpen();
    if (this.#starting) throw new GoAheadError('LISTEN_FAILED', 'the server listens already, or is about to');
    this.#starting = true;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    try {
      const { directory } = await DirectoryStorage.open(this.#options.directory, this.#options);
      const ledgers = await this.#openLedgers(directory);
      return await this.#startWorkers(host, port, directory, ledgers);
    } catch (reason) {
      this.#starting = false;
      signal?.removeEventListener('abort', this.#onAbort);
      throw reason;
    }
  }

  #requireOpen(): void {
    const { signal } = this.#options;
    if (signal?.aborted !== true && this.#closing === undefined) return;
    throw new GoAheadError('ABORTED', 'the server was closed before it listened', { cause: signal?.reason });
  }

  async #openLedgers(directory: string): Promise<Listening['ledgers']> {
    const { workers, maxConnections } = this.#options;
    const { pool } = this.#fileSystem;
    const [{ type }, entry] = await Promise.all([pool.statfs(directory), pool.lstat(directory)]);
    const disk = new Disk(this.#fileSystem, type, 'never', () => performance.now());
    const space = new SpacePool(freeSpaceOf(this.#fileSystem, entry?.dev ?? 0n), disk, directory);
    return {
      space: new Ledger(space, answersAbout('space'), this.#clock),
      connections: new Ledger(new SlotPool(maxConnections, workers), answersAbout('connections'), this.#clock),
    };
  }

  async #startWorkers(
    host: string,
    port: number,
    directory: string,
    ledgers: Listening['ledgers'],
    attempt = 1,
  ): Promise<AddressInfo> {
    const address = await findAddress(host, port);
    this.#requireOpen();
    const supervisor = this.#supervise({ address, directory, ledgers });
    this.#supervisor = supervisor;
    try {
      await supervisor.start();
      this.#requireOpen();
      this.#address = address;
      return address;
    } catch (reason) {
      await supervisor.stop(0);
      this.#requireOpen();
      const taken = reason instanceof GoAheadError && reason.code === 'LISTEN_FAILED';
      if (!taken || port !== 0 || attempt === PORT_ATTEMPTS) throw reason;
    }
    return this.#startWorkers(host, port, directory, ledgers, attempt + 1);
  }

  #supervise(listening: Listening): Supervisor {
    const { address, directory, ledgers } = listening;
    this.#listening = listening;
    return new Supervisor({
      count: this.#options.workers,
      clock: this.#clock,
      fork: this.#fork,
      start: () => ({
        type: 'start',
        options: { ...this.#options, directory, signal: undefined, workers: undefined },
        host: address.address,
        port: address.port,
        progress: this.listenerCount('progress') > 0,
      }),
      opened: (process) => {
        const uploads = new WorkerUploads(
          () => ++this.#accepted,
          () => this.#clock.now(),
        );
        const member: Member = { connections: 0, bufferedBytes: 0, uploads };
        this.#members.set(process, member);
        for (const ledger of Object.values(ledgers)) ledger.open(process);
        return {
          message: (message) => this.#hear(process, member, message, ledgers),
          gone: (error, asked) => {
            for (const ledger of Object.values(ledgers)) ledger.close(process);
            this.#members.delete(process);
            this.#lost(uploads.takeAll(), error, asked);
          },
        };
      },
      gaveUp: (error) => {
        reportFault(this, error);
        void this.close().then(() => emitSafely(this, () => this.emit('ended', error)));
      },
    });
  }

  /** @throws GoAheadError `LISTEN_FAILED` when the server does not listen */
  address(): AddressInfo {
    if (this.#address === undefined) throw new GoAheadError('LISTEN_FAILED', 'the server is not listening');
    return this.#address;
  }

  /** Of all workers, as each told last: a moment ago. */
  get connections(): number {
    return [...this.#members.values()].reduce((sum, { connections }) => sum + connections, 0);
  }

  /** Bytes of read buffers that connections hold, as each worker told last. */
  get bufferedBytes(): number {
    return [...this.#members.values()].reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0);
  }

  /**
   * Stops to accept, lets running uploads finish for `drain` milliseconds, then resets what is left. Settles when every
   * worker has ended and nothing of the failed uploads is left on the disk. A second call can only shorten the wait. Rejects
   * with `OPTION_INVALID`, and does nothing, when `drain` is no time that the option of that name could be.
   */
  close({ drain = this.#options.drain }: { readonly drain?: number | undefined } = {}): Promise<void> {
    const fault = timeFault('drain', drain);
    if (fault !== undefined) return Promise.reject(fault);
    if (this.#closing === undefined) this.#closing = this.#stop(drain);
    else this.#supervisor?.hurry(drain);
    return this.#closing;
  }

  /** As `close()`: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #stop(drain: number): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#address = undefined;
    await this.#supervisor?.stop(drain);
    if (!this.#leftovers || this.#listening === undefined) return;
    await DirectoryStorage.open(this.#listening.directory, this.#options).catch((cause: unknown) =>
      reportFault(this, cause),
    );
  }

  #hear(process: WorkerProcess, member: Member, message: FromServing, ledgers: Listening['ledgers']): void {
    switch (message.type) {
      case 'lease':
        ledgers[message.resource].held(process, message, false);
        ledgers[message.resource].ask(process, message.need);
        return;
      case 'held':
        ledgers[message.resource].held(process, message, message.recalled);
        return;
      case 'report':
        ({ connections: member.connections, bufferedBytes: member.bufferedBytes } = message);
        for (const event of message.events) emitSafely(this, () => this.#retell(event, member.uploads));
    }
  }

  #retell(event: WorkerEvent, uploads: WorkerUploads): void {
    switch (event.kind) {
      case 'begun':
      case 'progress':
        this.emit(event.kind, uploads.told(event.upload, false));
        return;
      case 'stored':
        this.emit('stored', uploads.told(event.upload, true), event.stored);
        return;
      case 'failed':
        this.emit('failed', uploads.told(event.upload, true), fromPlainError(event.error));
        return;
      case 'error':
        reportFault(this, fromPlainError(event.error));
    }
  }

  /** Of a worker that is gone. */
  #lost(lost: readonly IncomingUpload[], error: GoAheadError, asked: boolean): void {
    if (asked && lost.length === 0) return;
    this.#leftovers = true;
    for (const upload of lost) emitSafely(this, () => this.emit('failed', upload, error));
    reportFault(this, error);
  }

  #wantProgress(event: unknown, wanted: boolean): void {
    if (event !== 'progress') return;
    for (const process of this.#members.keys()) process.send({ type: 'progress', wanted });
  }
}

function answersAbout(resource: Resource): Answers<WorkerProcess> {
  return {
    granted: (process, amount) => process.send({ type: 'granted', resource, amount }),
    denied: (process, error) => process.send({ type: 'denied', resource, error: error && toPlainError(error) }),
    recall: (process) => process.send({ type: 'recall', resource }),
  };
}

/**
 * A port that is free, or the reason why the one that was asked for is not. It is given up at once: node:cluster opens it
 * for the workers, under a name that must have a number, or two servers on port 0 would share one and a replaced worker
 * come up on another.
 */
async function findAddress(host: string, port: number): Promise<AddressInfo> {
  const listener = createNetServer((socket) => socket.destroy());
  try {
    listener.listen({ host, port });
    await once(listener, 'listening');
  } catch (cause) {
    throw listenError(host, port, cause);
  }
  const address = addressOf(listener);
  listener.close();
  await once(listener, 'close');
  return address;
}

function optionInvalid(option: string, expected: string): GoAheadError {
  return new GoAheadError('OPTION_INVALID', `the option \`${option}\` of a server with workers must be ${expected}`, {
    expected,
  });
}

/** Callers without types may pass it. */
function refuseShared(options: object, option: (typeof NOT_SHARED)[number]): void {
  if (Reflect.get(options, option) === undefined) return;
  throw optionInvalid(option, 'left out: it lives in one process');
}
