import { CallPolicy, openAllowance, type Synchronous } from '../disk/call-policy.js';
import type { CoreWait } from '../disk/core-wait.js';
import type { MaybePromise } from '../maybe-promise.js';
import type { Entry, FileSystem, Volume } from './file-system.js';

/** Half of what page caches take in on machines of today: a write may take its size divided by this, in bytes/ms. */
const BYTES_PER_MS = 512 * 1024;

/** The calls on one volume, each made on this thread or through the pool as the policy wants it. */
export class Disk {
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly #fileSystem: FileSystem;
  readonly #policy: CallPolicy;

  /** What is not said here is said of {@link CallPolicy}. */
  constructor(
    fileSystem: FileSystem,
    volumeType: bigint,
    synchronous: Synchronous,
    now: () => number,
    afterLooking?: (looked: () => void) => void,
    coreWait?: CoreWait,
  ) {
    this.#fileSystem = fileSystem;
    this.now = now;
    this.#policy = new CallPolicy(volumeType, synchronous, now, afterLooking, coreWait);
  }

  /** Whether the next call is made on this thread. */
  get direct(): boolean {
    return this.#policy.direct;
  }

  open(path: string, flags: number, mode: number): MaybePromise<number> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#fileSystem.pool.open(path, flags, mode));
    let fd = -1;
    try {
      fd = this.#fileSystem.direct.open(path, flags, mode);
      return fd;
    } finally {
      this.#policy.end(began, openAllowance(fd));
    }
  }

  /** Like pwrite(2), it may write less than it was given. For who has found {@link direct}. */
  writeDirectly(fd: number, chunk: Uint8Array, offset: number, length: number, position: number): number {
    const began = this.#policy.begin();
    try {
      return this.#fileSystem.direct.write(fd, chunk, offset, length, position);
    } finally {
      this.#policy.end(began, length / BYTES_PER_MS);
    }
  }

  /** The same, otherwise. */
  writeInPool(fd: number, chunk: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    const began = this.#policy.begin();
    const result = this.#fileSystem.pool.write(fd, chunk, offset, length, position);
    return this.#policy.pooled(began, result, length / BYTES_PER_MS);
  }

  close(fd: number): MaybePromise<void> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#fileSystem.pool.close(fd));
    try {
      this.#fileSystem.direct.close(fd);
    } finally {
      this.#policy.end(began);
    }
  }

  link(existing: string, created: string): MaybePromise<void> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#fileSystem.pool.link(existing, created));
    try {
      this.#fileSystem.direct.link(existing, created);
    } finally {
      this.#policy.end(began);
    }
  }

  rename(from: string, to: string): MaybePromise<void> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#fileSystem.pool.rename(from, to));
    try {
      this.#fileSystem.direct.rename(from, to);
    } finally {
      this.#policy.end(began);
    }
  }

  unlink(path: string): MaybePromise<void> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#fileSystem.pool.unlink(path));
    try {
      this.#fileSystem.direct.unlink(path);
    } finally {
      this.#policy.end(began);
    }
  }

  lstat(path: string): MaybePromise<Entry | undefined> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#fileSystem.pool.lstat(path));
    try {
      return this.#fileSystem.direct.lstat(path);
    } finally {
      this.#policy.end(began);
    }
  }

  statfs(path: string): MaybePromise<Volume> {
    const began = this.#policy.begin();
    if (!this.#policy.direct) return this.#policy.pooled(began, this.#fileSystem.pool.statfs(path));
    try {
      return this.#fileSystem.direct.statfs(path);
    } finally {
      this.#policy.end(began);
    }
  }

  /** Always through the pool: waiting for the medium is what this call is for. */
  fsync(fd: number): Promise<void> {
    return this.#fileSystem.pool.fsync(fd);
  }
}
