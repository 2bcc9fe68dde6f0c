/**
 * Read buffers in three sizes. A connection starts with a small one, for its header, and gets a larger one only when
 * its traffic fills the one it has: thousands of idle connections then cost little, and a busy one pays few calls.
 */
const SIZES = {
  /** A header and one byte more, so that a header which is too long is seen in one read. */
  header: 2 * 2 ** 10,
  body: 64 * 2 ** 10,
  /** One gigabyte through buffers of 256 KiB costs twice what it costs through these. */
  bulk: 2 ** 20,
} as const;

export type BufferKind = keyof typeof SIZES;

export interface ReadBufferLimits {
  /** Bulk buffers in use at once, in bytes; above it connections stay with body buffers. Default 64 MiB. */
  readonly maxBulkBytes?: number;
  /**
   * Bulk and body buffers in use at once, in bytes; above it connections stay with header buffers. Default 1 GiB: a body
   * buffer for each of 10,000 connections, and thousands that wait for the disk, where each connection may have eight.
   */
  readonly maxBodyBytes?: number;
  /** Free buffers that are kept for later, in bytes. Default 16 MiB. */
  readonly maxFreeBytes?: number;
}

/**
 * What connections read into. A buffer is *shared* while nobody needs what is read longer than the call that tells of it: then
 * all buffers of all connections are the same memory, warm in the processor's caches. What somebody goes on using (a write that
 * the thread pool does) is in memory that the connection *owns*. Both count for the limits, as a shared buffer may have to
 * become an owned one at any time.
 *
 * This asks that a read and the call that tells of it are one step: libuv makes room, reads and tells, connection by
 * connection (`uv__read` in its src/unix/stream.c; on Windows it reads when bytes are there, too).
 */
export class ReadBuffers {
  readonly #free: Record<BufferKind, Buffer[]> = { header: [], body: [], bulk: [] };
  readonly #maxBulkBytes: number;
  readonly #maxBodyBytes: number;
  readonly #maxFreeBytes: number;
  /** Made when it is needed first. */
  #shared: Readonly<Record<BufferKind, Buffer>> | undefined;
  #bulkBytes = 0;
  /** Of bulk buffers too. */
  #bodyBytes = 0;
  #freeBytes = 0;
  #ownedBytes = 0;

  constructor(limits: ReadBufferLimits = {}) {
    const { maxBulkBytes = 64 * 2 ** 20, maxBodyBytes = 2 ** 30, maxFreeBytes = 16 * 2 ** 20 } = limits;
    this.#maxBulkBytes = maxBulkBytes;
    this.#maxBodyBytes = maxBodyBytes;
    this.#maxFreeBytes = maxFreeBytes;
  }

  /** Bytes that connections hold now, each for itself. */
  get ownedBytes(): number {
    return this.#ownedBytes;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A buffer of this kind, or a smaller one when too many are out. Its content is arbitrary. */
  acquire(wanted: BufferKind, owned: boolean): Buffer {
    const kind = this.#affordable(wanted);
    this.#count(kind, 1);
    return owned ? this.#own(kind) : this.#sharedBuffers[kind];
  }

  isShared(buffer: Buffer): boolean {
    return this.#shared !== undefined && buffer.buffer === this.#shared.header.buffer;
  }

  /** Makes a buffer the connection's own, if it is not: the same `length` bytes, in memory of which nobody else knows. */
  keep(buffer: Buffer, length: number): Buffer {
    if (!this.isShared(buffer)) return buffer;
    const owned = this.#own(kindOf(buffer));
    buffer.copy(owned, 0, 0, length);
    return owned;
  }

  /** Takes a buffer back. Nobody may hold a view of it any more, unless it is shared. */
  release(buffer: Buffer): void {
    const kind = kindOf(buffer);
    this.#count(kind, -1);
    if (this.isShared(buffer)) return;
    this.#ownedBytes -= buffer.length;
    if (this.#freeBytes + buffer.length > this.#maxFreeBytes) return;
    this.#freeBytes += buffer.length;
    this.#free[kind].push(buffer);
  }

  get #sharedBuffers(): Readonly<Record<BufferKind, Buffer>> {
    if (this.#shared === undefined) {
      const bulk = Buffer.allocUnsafeSlow(SIZES.bulk);
      this.#shared = { header: bulk.subarray(0, SIZES.header), body: bulk.subarray(0, SIZES.body), bulk };
    }
    return this.#shared;
  }

  #own(kind: BufferKind): Buffer {
    const size = SIZES[kind];
    this.#ownedBytes += size;
    const free = this.#free[kind].pop();
    if (free === undefined) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return free;
  }

  #affordable(wanted: BufferKind): BufferKind {
    const fits = (kind: BufferKind): boolean => this.#bodyBytes + SIZES[kind] <= this.#maxBodyBytes;
    if (wanted === 'bulk' && this.#bulkBytes + SIZES.bulk <= this.#maxBulkBytes && fits('bulk')) return 'bulk';
    return wanted !== 'header' && fits('body') ? 'body' : 'header';
  }

  #count(kind: BufferKind, buffers: 1 | -1): void {
    if (kind === 'header') return;
    this.#bodyBytes += buffers * SIZES[kind];
    if (kind === 'bulk') this.#bulkBytes += buffers * SIZES.bulk;
  }
}

export function kindOf(buffer: Buffer): BufferKind {
  if (buffer.length === SIZES.bulk) return 'bulk';
  return buffer.length === SIZES.body ? 'body' : 'header';
}
