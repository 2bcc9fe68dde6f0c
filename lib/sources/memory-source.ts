import { DEFAULT_CHUNK_SIZE, requireChunkSize } from './chunk-size.js';
import type { Source } from './source.js';

/** Bytes that are in memory already. They must not change until the transfer is over. */
export class MemorySource implements Source {
  readonly size: bigint;
  readonly #bytes: Uint8Array;
  readonly #chunkSize: number;
  #position = 0;

  /** @throws GoAheadError `OPTION_INVALID` */
  constructor(bytes: Uint8Array, chunkSize = DEFAULT_CHUNK_SIZE) {
    requireChunkSize(chunkSize);
    this.size = BigInt(bytes.length);
    this.#bytes = bytes;
    this.#chunkSize = chunkSize;
  }

  read(): Uint8Array | undefined {
    if (this.#position >= this.#bytes.length) return undefined;
    const chunk = this.#bytes.subarray(this.#position, this.#position + this.#chunkSize);
    this.#position += chunk.length;
    return chunk;
  }

  release(): void {
    // Nothing was lent: the chunks are views of the caller's memory.
  }

  verify(): void {
    // Its length cannot change.
  }

  close(): void {
    // Holds nothing.
  }
}
