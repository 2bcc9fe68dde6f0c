import * as fs from 'node:fs';
import { openAllowance, type CallPolicy } from '../disk/call-policy.js';
import { promised } from '../disk/promised.js';
import type { MaybePromise } from '../maybe-promise.js';

/** The calls that sending a file takes, on this thread. Errors are those of `node:fs`, with a `code`. */
export interface DirectFileCalls {
  /** Does not follow a symbolic link. */
  readonly lstat: (path: string) => fs.BigIntStats;
  readonly stat: (path: string) => fs.BigIntStats;
  readonly open: (path: string, flags: number) => number;
  readonly fstat: (fd: number) => fs.BigIntStats;
  /** Like pread(2): returns how many bytes were read, 0 at the end. */
  readonly read: (fd: number, buffer: Uint8Array, position: number) => number;
  readonly close: (fd: number) => void;
}

/** The same through the thread pool, and what is never asked otherwise. */
export type PoolFileCalls = {
  [Name in keyof DirectFileCalls]: (
    ...args: Parameters<DirectFileCalls[Name]>
  ) => Promise<ReturnType<DirectFileCalls[Name]>>;
} & {
  /** `f_type` of statfs(2). */
  readonly volumeType: (path: string) => Promise<bigint>;
};

/** The same in either way. */
export type FileCalls = {
  [Name in keyof DirectFileCalls]: (
    ...args: Parameters<DirectFileCalls[Name]>
  ) => MaybePromise<ReturnType<DirectFileCalls[Name]>>;
};

const BIGINT = { bigint: true } as const;

export const DIRECT: DirectFileCalls = {
  lstat: (path) => fs.lstatSync(path, BIGINT),
  stat: (path) => fs.statSync(path, BIGINT),
  open: (path, flags) => fs.openSync(path, flags),
  fstat: (fd) => fs.fstatSync(fd, BIGINT),
  read: (fd, buffer, position) => fs.readSync(fd, buffer, 0, buffer.length, position),
  close: (fd) => fs.closeSync(fd),
};

export const POOL: PoolFileCalls = {
  lstat: (path) => promised((done) => fs.lstat(path, BIGINT, done)),
  stat: (path) => promised((done) => fs.stat(path, BIGINT, done)),
  open: (path, flags) => promised((done) => fs.open(path, flags, done)),
  fstat: (fd) => promised((done) => fs.fstat(fd, BIGINT, done)),
  read: (fd, buffer, position) => promised((done) => fs.read(fd, buffer, 0, buffer.length, position, done)),
  close: (fd) => promised((done) => fs.close(fd, (error) => done(error ?? null))),
  volumeType: (path) =>
    promised((done) => fs.statfs(path, BIGINT, (error, volume) => done(error, error === null ? volume.type : 0n))),
};

/** On this thread or through the pool, as the policy of the file's volume wants it. */
export class AdaptiveCalls implements FileCalls {
  readonly #policy: CallPolicy;
  readonly #direct: DirectFileCalls;
  readonly #pool: PoolFileCalls;

  constructor(policy: CallPolicy, direct: DirectFileCalls, pool: PoolFileCalls) {
    this.#policy = policy;
    this.#direct = direct;
    this.#pool = pool;
  }

  lstat(path: string): MaybePromise<fs.BigIntStats> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#pool.lstat(path));
    try {
      return this.#direct.lstat(path);
    } finally {
      this.#policy.end(began);
    }
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
    let fd = -1;
    try {
      fd = this.#direct.open(path, flags);
      return fd;
    } finally {
      this.#policy.end(began, openAllowance(fd));
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
      this.#direct.close(fd);
    } finally {
      this.#policy.end(began);
    }
  }
}
