import type { ReceiveSession } from '../session/receive-session.js';
import { kindOf, type BufferKind, type ReadBuffers } from './read-buffers.js';

/** What is fed. */
export type Fed = Pick<ReceiveSession, 'receive' | 'retainsChunk' | 'header' | 'received'>;

/** Feeds a session from pooled buffers; a buffer that the storage still uses is replaced, and returned when it is free. */
export class DirectReader {
  readonly #buffers: ReadBuffers;
  #session: Fed | undefined;
  #buffer: Buffer;
  #closed = false;

  constructor(buffers: ReadBuffers) {
    this.#buffers = buffers;
    this.#buffer = buffers.acquire('header', false);
  }

  /** Before the event loop turns, as the first bytes may come then. */
  feed(session: Fed): void {
    this.#session = session;
  }

  /** Where the next read goes. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  read(length: number): boolean {
    const session = this.#session;
    if (session === undefined) return true;
    const buffers = this.#buffers;
    // Rarely a copy: the disk has become slow since the last read.
    const buffer = session.retainsChunk ? buffers.keep(this.#buffer, length) : this.#buffer;
    const inUse = session.receive(buffer.subarray(0, length));
    const wanted = wantedKind(session, buffer, length);
    const owned = session.retainsChunk;
    if (inUse instanceof Promise && !buffers.isShared(buffer)) {
      void inUse.then(() => buffers.release(buffer));
      this.#buffer = buffers.acquire(wanted, owned);
    } else if (wanted !== kindOf(buffer) || owned === buffers.isShared(buffer)) {
      buffers.release(buffer);
      this.#buffer = buffers.acquire(wanted, owned);
    } else {
      this.#buffer = buffer;
    }
    return true;
  }

  /** The connection is gone, and with it the last chance that anything is read into the buffer. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#buffers.release(this.#buffer);
  }
}

function wantedKind({ header, received }: Fed, buffer: Buffer, length: number): BufferKind {
  const kind = kindOf(buffer);
  const missing = header === undefined ? 0n : header.size - received;
  if (missing <= 1024n) return 'header';
  if (kind === 'header') return 'body';
  // Down again when little comes, or a connection that stalls would keep what others could use.
  if (kind === 'bulk') return length * 16 > buffer.length ? 'bulk' : 'body';
  return length === buffer.length ? 'bulk' : 'body';
}
