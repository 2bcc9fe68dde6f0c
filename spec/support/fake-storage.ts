import { GoAheadError } from '../../lib/errors.js';
import type { MaybePromise } from '../../lib/maybe-promise.js';
import type { Storage, Stored, Upload } from '../../lib/storage/storage.js';
import type { Header } from '../../lib/wire/header.js';

export type StorageCall = 'create' | 'write' | 'commit' | 'abort';
/** `sync` answers at once, `promise` by a promise that is settled already, `manual` when {@link FakeStorage.settle} is called. */
export type Answering = 'sync' | 'promise' | 'manual';

export interface FakeStorageOptions {
  readonly answering?: Answering;
  /** Which call fails; for `write` the first one, unless `failAfter` says how many go well before. */
  readonly fail?: StorageCall;
  readonly failAfter?: number;
  /** What its uploads say of it; one that does not retain them copies at once. */
  readonly retainsChunk?: boolean;
  /** What becomes of a promise that it answers with. */
  readonly wrap?: <T>(promise: Promise<T>) => Promise<T>;
  /** What it fails with. Default: a plain error, as a storage that does not keep to the interface may throw. */
  readonly failure?: Error;
}

interface Waiting {
  readonly call: StorageCall;
  readonly settle: () => void;
}

export const DISK_FAULT = new Error('EIO: i/o error');

/**
 * A storage in memory that fails on demand, and says when it was used other than the interface allows. A chunk is
 * copied when its write settles, so that memory which is given back too early shows as wrong bytes.
 */
export class FakeStorage implements Storage {
  /** What was committed. */
  readonly files: { readonly name: string; readonly bytes: Buffer }[] = [];
  readonly calls: StorageCall[] = [];
  /** Breaches of the interface. */
  readonly breaches: string[] = [];
  /** Uploads that were created and neither committed nor aborted. */
  open = 0;
  readonly #options: FakeStorageOptions;
  readonly #waiting: Waiting[] = [];
  #left: number;
  #failNext = false;

  constructor(options: FakeStorageOptions = {}) {
    this.#options = options;
    this.#left = options.failAfter ?? 0;
  }

  /** The calls that wait for {@link settle}, oldest first. */
  get waiting(): readonly StorageCall[] {
    return this.#waiting.map(({ call }) => call);
  }

  /** Lets the oldest waiting call come to its end. */
  settle(): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) throw new Error('no call is waiting');
    waiting.settle();
  }

  /** Makes the next call that comes to its end fail. */
  failNext(): void {
    this.#failNext = true;
  }

  create(header: Header): MaybePromise<Upload> {
    return this.#answer('create', () => {
      this.open += 1;
      return this.#upload(header);
    });
  }

  #upload(header: Header): Upload {
    const chunks: Buffer[] = [];
    let writing = 0;
    let over = false;
    const finish = (call: StorageCall): void => {
      if (over) this.breaches.push(`${call} after the end`);
      if (writing > 0) this.breaches.push(`${call} during ${writing} writes`);
      over = true;
    };
    const { retainsChunk } = this.#options;
    return {
      retainsChunk,
      write: (given) => {
        const chunk = retainsChunk === false ? Buffer.from(given) : given;
        if (over) this.breaches.push('write after the end');
        if (chunk.length === 0) this.breaches.push('an empty write');
        writing += 1;
        const index = chunks.push(Buffer.alloc(0)) - 1;
        const done = (): void => void (writing -= 1);
        return this.#answer('write', () => void (chunks[index] = Buffer.from(chunk)), done);
      },
      commit: () => {
        finish('commit');
        // Whatever comes of it, the upload is gone.
        this.open -= 1;
        return this.#answer('commit', (): Stored => {
          const bytes = Buffer.concat(chunks);
          this.files.push({ name: header.name, bytes });
          return { name: header.name, path: undefined, size: BigInt(bytes.length) };
        });
      },
      abort: () => {
        finish('abort');
        return this.#answer('abort', () => void (this.open -= 1));
      },
    };
  }

  #wrap<T>(promise: Promise<T>): Promise<T> {
    return this.#options.wrap?.(promise) ?? promise;
  }

  #answer<T>(call: StorageCall, work: () => T, done: () => void = () => undefined): MaybePromise<T> {
    this.calls.push(call);
    const fails = this.#options.fail === call && this.#left-- <= 0;
    const run = (): T => {
      done();
      const told = this.#failNext;
      this.#failNext = false;
      if (fails || told) throw this.#options.failure ?? DISK_FAULT;
      return work();
    };
    switch (this.#options.answering ?? 'sync') {
      case 'sync':
        return run();
      case 'promise':
        return this.#wrap(Promise.resolve().then(run));
      case 'manual':
        return this.#wrap(new Promise<void>((settle) => this.#waiting.push({ call, settle })).then(run));
    }
  }
}

export const REFUSAL = new GoAheadError('NO_SPACE', 'no room');
