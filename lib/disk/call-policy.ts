import type { CoreWait } from './core-wait.js';

/*
 * When to call the filesystem on the event loop's own thread. A call through the thread pool costs about twice the CPU
 * of a direct one, but a direct one that takes long stops every connection. So: directly while the file is on a local
 * filesystem and the calls come back at once; through the pool from the first one that does not, until calls through the
 * pool have been quick for a while.
 */

/** A direct call that takes longer is slow, in milliseconds; the copying of many bytes is allowed for besides. */
export const SLOW_MS = 2;
/** How old, at most, the reading is against which the wait for a core during a call is counted. In milliseconds. */
const READING_AGE_MS = 1;
/**
 * Calls through the pool also wait for one of its few threads, so more is allowed, and for each round of calls that went before
 * as much again: with thousands of connections the last one waits long for a quick disk. How long their results wait for a busy event
 * loop does not count: what is there when the loop looks for the first time came as soon as could be seen. (A slow disk that
 * is taken for a quick one this way is found out by the first direct call, and that only once in the time below.)
 */
export const SLOW_IN_POOL_MS = 50;
/** libuv has as many unless it is told otherwise (https://docs.libuv.org/en/v1.x/threadpool.html). */
const POOL_THREADS = Number(process.env['UV_THREADPOOL_SIZE']) || 4;
/** So many quick calls in a row through the pool before direct ones are tried again. */
export const QUICK_CALLS = 16;
/**
 * And so many times as long as the slow call took, since the last slow one: then slow calls cannot take more than this
 * part of the event loop's time, and an outlier of a busy machine is soon forgotten.
 */
export const CALM_FACTOR = 20;
export const LONGEST_CALM_MS = 60_000;

/**
 * `f_type` in statfs(2) of the filesystems whose calls end in memory or on a disk of this machine. The numbers are those of
 * Linux; elsewhere none matches, and everything goes through the pool.
 */
const LOCAL_FILESYSTEMS: ReadonlySet<bigint> = new Set([
  0xef53n, // ext2, ext3, ext4
  0x58465342n, // xfs
  0x9123683en, // btrfs
  0x01021994n, // tmpfs
  0x858458f6n, // ramfs
  0xf2f52010n, // f2fs
  0x2fc12fc1n, // zfs
  0x794c7630n, // overlayfs
]);

/**
 * What an open may take besides, in milliseconds. The first descriptor beyond the process's table of them makes the kernel double
 * the table and, where there are threads, wait for every core to have left the old one (`expand_fdtable` in fs/file.c of
 * Linux): some milliseconds, and no sign of a slow disk.
 */
export function openAllowance(fd: number): number {
  return fd >= 64 && (fd & (fd - 1)) === 0 ? Infinity : 0;
}

/** `adaptive` is the policy above; `never` sends every call through the pool. */
export const SYNCHRONOUS = ['adaptive', 'never'] as const;
export type Synchronous = (typeof SYNCHRONOUS)[number];

/** The policy for the calls on one volume. Who calls asks {@link direct}, and tells when the call began and ended. */
export class CallPolicy {
  readonly #now: () => number;
  readonly #afterLooking: (looked: () => void) => void;
  readonly #coreWait: CoreWait;
  /** A reading of it, and when. */
  #waitedThen = 0;
  #readAt = -Infinity;
  readonly #mayBeDirect: boolean;
  #direct: boolean;
  /** Until when, at least, no direct call is made. */
  #calmUntil = 0;
  #calm = 0;
  #quickCalls = 0;
  /** Calls that the pool has not answered yet. */
  #inPool = 0;

  /**
   * @param volumeType `f_type` of statfs(2)
   * @param now monotonic, in milliseconds
   * @param afterLooking calls back when the event loop has looked for results once
   * @param coreWait what of a slow call is not the disk's
   */
  constructor(
    volumeType: bigint,
    synchronous: Synchronous,
    now: () => number,
    afterLooking: (looked: () => void) => void = setImmediate,
    coreWait: CoreWait = () => 0,
  ) {
    this.#now = now;
    this.#afterLooking = afterLooking;
    this.#coreWait = coreWait;
    this.#mayBeDirect = synchronous === 'adaptive' && LOCAL_FILESYSTEMS.has(BigInt.asUintN(32, volumeType));
    this.#direct = this.#mayBeDirect;
    // Now, so that its file is open before descriptors may run out.
    if (this.#mayBeDirect) this.#waitedThen = coreWait();
  }

  /** Whether the next call is to be made on this thread. */
  get direct(): boolean {
    return this.#direct;
  }

  // No closures around the calls: there are six for a small file that is received, and seven for one that is sent.

  /** When the call began. */
  begin(): number {
    const now = this.#now();
    if (this.#direct && now - this.#readAt >= READING_AGE_MS) {
      this.#readAt = now;
      this.#waitedThen = this.#coreWait();
    }
    return now;
  }

  /** Of a direct call, also of one that failed. @param allowance what it may take besides, in milliseconds */
  end(began: number, allowance = 0): void {
    const took = this.#now() - began;
    // That other programs had the core is no fault of the disk, and the pool would have had to wait too.
    if (took > SLOW_MS + allowance && took - this.#waited() > SLOW_MS + allowance) this.#leaveDirect(took);
  }

  /** A call through the pool, which gives `result`. @param allowance what it may take besides, in milliseconds */
  pooled<T>(began: number, result: Promise<T>, allowance = 0): Promise<T> {
    if (this.#mayBeDirect) {
      let looked = false;
      this.#afterLooking(() => (looked = true));
      this.#inPool += 1;
      const rounds = Math.ceil(this.#inPool / POOL_THREADS);
      const settled = (): void => {
        this.#inPool -= 1;
        this.#notePooled(!looked || this.#now() - began <= (SLOW_IN_POOL_MS + allowance) * rounds);
      };
      result.then(settled, settled);
    }
    return result;
  }

  #waited(): number {
    return Math.max(0, this.#coreWait() - this.#waitedThen);
  }

  #leaveDirect(took: number): void {
    this.#direct = false;
    this.#calm = Math.min(took * CALM_FACTOR, LONGEST_CALM_MS);
    this.#startCalm();
  }

  #startCalm(): void {
    this.#calmUntil = this.#now() + this.#calm;
    this.#quickCalls = 0;
  }

  #notePooled(quick: boolean): void {
    if (!quick) {
      this.#direct = false;
      this.#startCalm();
      return;
    }
    this.#quickCalls += 1;
    if (this.#quickCalls >= QUICK_CALLS && this.#now() >= this.#calmUntil) this.#direct = true;
  }
}
