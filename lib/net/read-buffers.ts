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

export class ReadBuffers {
  readonly #free: Record<BufferKind, Buffer[]> = { header: [], body: [], bulk: [] };
  readonly #maxBulkBytes: number;
  readonly #maxBodyBytes: number;
  readonly #maxFreeBytes: number;
  #bulkBytes = 0;
  /** Of bulk buffers too. */
  #bodyBytes = 0;
  #freeBytes = 0;
  #usedBytes = 0;

  constructor(limits: ReadBufferLimits = {}) {
    const { maxBulkBytes = 64 * 2 ** 20, maxBodyBytes = 2 ** 30, maxFreeBytes = 16 * 2 ** 20 } = limits;
    this.#maxBulkBytes = maxBulkBytes;
    this.#maxBodyBytes = maxBodyBytes;
    this.#maxFreeBytes = maxFreeBytes;
  }

  /** Bytes that connections hold now. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** A buffer of this kind, or a smaller one when too many are out. Its content is arbitrary. */
  acquire(wanted: BufferKind): Buffer {
    const kind = this.#affordable(wanted);
    const size = SIZES[kind];
    this.#count(kind, size);
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

  /** Takes a buffer back. Nobody may hold a view of it any more. */
  release(buffer: Buffer): void {
    const kind = kindOf(buffer);
    this.#count(kind, -buffer.length);
    if (this.#freeBytes + buffer.length > this.#maxFreeBytes) return;
    this.#freeBytes += buffer.length;
    this.#free[kind].push(buffer);
  }

  #count(kind: BufferKind, bytes: number): void {
    this.#usedBytes += bytes;
    if (kind !== 'header') this.#bodyBytes += bytes;
    if (kind === 'bulk') this.#bulkBytes += bytes;
  }
}

export function kindOf(buffer: Buffer): BufferKind {
  if (buffer.length === SIZES.bulk) return 'bulk';
  return buffer.length === SIZES.body ? 'body' : 'header';
}
