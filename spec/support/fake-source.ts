import type { MaybePromise } from '../../lib/maybe-promise.js';
import type { Source } from '../../lib/sources/source.js';
import type { Answering } from './fake-storage.js';

export type SourceCall = 'read' | 'verify' | 'close';

export interface FakeSourceOptions {
  readonly answering?: Answering;
  /** What is announced. Default: what the chunks have. */
  readonly size?: bigint;
  readonly fail?: SourceCall;
  readonly failure?: Error;
}

export const SOURCE_FAULT = new Error('EIO: i/o error');

/** Chunks given beforehand, with every call under control, and a record of what was lent and came back. */
export class FakeSource implements Source {
  readonly size: bigint;
  readonly calls: SourceCall[] = [];
  /** Breaches of the interface. */
  readonly breaches: string[] = [];
  /** The most chunks that were out at once. */
  mostOut = 0;
  readonly #options: FakeSourceOptions;
  readonly #chunks: Uint8Array[];
  readonly #out = new Set<Uint8Array>();
  readonly #waiting: (() => void)[] = [];
  #reading = false;
  #closed = false;

  constructor(chunks: readonly (Uint8Array | string)[], options: FakeSourceOptions = {}) {
    this.#chunks = chunks.map((chunk) => Buffer.from(chunk));
    this.#options = options;
    this.size = options.size ?? BigInt(this.#chunks.reduce((sum, { length }) => sum + length, 0));
  }

  /** Chunks that are lent at this moment. */
  get out(): number {
    return this.#out.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets the oldest waiting call come to its end. */
  settle(): void {
    const settle = this.#waiting.shift();
    if (settle === undefined) throw new Error('no call is waiting');
    settle();
  }

  read(): MaybePromise<Uint8Array | undefined> {
    if (this.#reading) this.breaches.push('a read during a read');
    this.#reading = true;
    return this.#answer('read', () => {
      this.#reading = false;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) this.#out.add(chunk);
      this.mostOut = Math.max(this.mostOut, this.#out.size);
      return chunk;
    });
  }

  release(chunk: Uint8Array): void {
    if (!this.#out.delete(chunk)) this.breaches.push('a release of what is not out');
    chunk.fill(0xee);
  }

  verify(): MaybePromise<void> {
    return this.#answer('verify', () => undefined);
  }

  close(): MaybePromise<void> {
    return this.#answer('close', () => undefined);
  }

  #answer<T>(call: SourceCall, work: () => T): MaybePromise<T> {
    if (this.#closed) this.breaches.push(`${call} after close`);
    if (call === 'close') this.#closed = true;
    this.calls.push(call);
    const run = (): T => {
      if (this.#options.fail === call) throw this.#options.failure ?? SOURCE_FAULT;
      return work();
    };
    switch (this.#options.answering ?? 'sync') {
      case 'sync':
        return run();
      case 'promise':
        return Promise.resolve().then(run);
      case 'manual':
        return new Promise<void>((settle) => this.#waiting.push(settle)).then(run);
    }
  }
}
