import * as fs from 'node:fs';
import type { CallPolicy } from '../disk/call-policy.js';
import { promised } from '../disk/promised.js';
import type { MaybePromise } from '../maybe-promise.js';

/** The calls that sending a file takes. Errors are those of `node:fs`, with a `code`. */
export interface FileCalls {
  /** Follows symbolic links. */
  stat(path: string): MaybePromise<fs.BigIntStats>;
  open(path: string, flags: number): MaybePromise<number>;
  fstat(fd: number): MaybePromise<fs.BigIntStats>;
  /** Like pread(2): returns how many bytes were read, 0 at the end. */
  read(fd: number, buffer: Uint8Array, position: number): MaybePromise<number>;
  close(fd: number): MaybePromise<void>;
}

/** The same through the thread pool, and what is never asked otherwise. */
export interface PoolFileCalls extends FileCalls {
  /** `f_type` of statfs(2). */
  volumeType(path: string): Promise<bigint>;
  stat(path: string): Promise<fs.BigIntStats>;
  open(path: string, flags: number): Promise<number>;
  fstat(fd: number): Promise<fs.BigIntStats>;
  read(fd: number, buffer: Uint8Array, position: number): Promise<number>;
  close(fd: number): Promise<void>;
}

const BIGINT = { bigint: true } as const;

export const POOL: PoolFileCalls = {
  volumeType: (path) =>
    promised((done) => fs.statfs(path, BIGINT, (error, volume) => done(error, error === null ? volume.type : 0n))),
  stat: (path) => promised((done) => fs.stat(path, BIGINT, done)),
  open: (path, flags) => promised((done) => fs.open(path, flags, done)),
  fstat: (fd) => promised((done) => fs.fstat(fd, BIGINT, done)),
  read: (fd, buffer, position) => promised((done) => fs.read(fd, buffer, 0, buffer.length, position, done)),
  close: (fd) => promised((done) => fs.close(fd, (error) => done(error ?? null))),
};

export const DIRECT: FileCalls = {
  stat: (path) => fs.statSync(path, BIGINT),
  open: (path, flags) => fs.openSync(path, flags),
  fstat: (fd) => fs.fstatSync(fd, BIGINT),
  read: (fd, buffer, position) => fs.readSync(fd, buffer, 0, buffer.length, position),
  close: (fd) => fs.closeSync(fd),
};

/** Larger reads go through the pool at all times: there the next chunk is read while the network takes this one. */
export const LARGEST_DIRECT_READ = 64 * 1024;

/** On this thread or through the pool, as the policy of the file's volume wants it. */
export class AdaptiveCalls implements FileCalls {
  readonly #policy: CallPolicy;
  readonly #direct: FileCalls;
  readonly #pool: PoolFileCalls;

  constructor(policy: CallPolicy, direct = DIRECT, pool = POOL) {
    this.#policy = policy;
    this.#direct = direct;
    this.#pool = pool;
  }

  stat(path: string): MaybePromise<fs.BigIntStats> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#pool.stat(path));
    try {
      return this.#direct.stat(path);
    } finally {
      this.#policy.end(began);
    }
  }

  open(path: string, flags: number): MaybePromise<number> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#pool.open(path, flags));
    try {
      return this.#direct.open(path, flags);
    } finally {
      this.#policy.end(began);
    }
  }

  fstat(fd: number): MaybePromise<fs.BigIntStats> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#pool.fstat(fd));
    try {
      return this.#direct.fstat(fd);
    } finally {
      this.#policy.end(began);
    }
  }

  read(fd: number, buffer: Uint8Array, position: number): MaybePromise<number> {
    if (buffer.length > LARGEST_DIRECT_READ) return this.#pool.read(fd, buffer, position);
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#pool.read(fd, buffer, position));
    try {
      return this.#direct.read(fd, buffer, position);
    } finally {
      this.#policy.end(began);
    }
  }

  close(fd: number): MaybePromise<void> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#pool.close(fd));
    try {
      return this.#direct.close(fd);
    } finally {
      this.#policy.end(began);
    }
  }
}
