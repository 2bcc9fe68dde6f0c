import type { Transport } from './transport.js';

// A chunk of one byte keeps a whole read buffer, so bytes alone do not bound the memory (6.6).
const MAX_CHUNKS = 8;

/** Chunks that came and that the storage has still to write. While there are too many the connection is not read. */
export class Backlog {
  readonly #transport: Transport;
  readonly #maxBytes: number;
  readonly #resuming: () => void;
  #chunks = 0;
  #bytes = 0;
  #paused = false;

  /** `resuming` is told just before the connection is read again. */
  constructor(transport: Transport, maxBytes: number, resuming: () => void) {
    this.#transport = transport;
    this.#maxBytes = maxBytes;
    this.#resuming = resuming;
  }

  get empty(): boolean {
    return this.#chunks === 0;
  }

  add(length: number): void {
    this.#chunks += 1;
    this.#bytes += length;
    if (this.#paused || this.#share() < 1) return;
    this.#paused = true;
    this.#transport.pause();
  }

  /** The storage is done with a chunk of this length. */
  remove(length: number): void {
    this.#chunks -= 1;
    this.#bytes -= length;
  }

  /** Reads on when half of the room is free again. */
  resumeWhenLow(): void {
    if (this.#share() <= 0.5) this.resume();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#resuming();
    this.#transport.resume();
  }

  /** What waits of what may: 1 and more is too much. */
  #share(): number {
    return Math.max(this.#bytes / this.#maxBytes, this.#chunks / MAX_CHUNKS);
  }
}
