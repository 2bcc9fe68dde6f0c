import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { GoAheadError } from '../errors.js';
import { DEFAULT_CHUNK_SIZE, requireChunkSize } from './chunk-size.js';
import type { Source } from './source.js';

/** A stream whose size is known beforehand, such as standard input. It can be sent once. */
export class StreamSource implements Source {
  readonly size: bigint;
  readonly #stream: AsyncIterable<Uint8Array>;
  readonly #chunks: AsyncIterator<Uint8Array, unknown>;
  readonly #chunkSize: number;
  /** Of a chunk that was larger. */
  #rest: Uint8Array = new Uint8Array();

  /**
   * @param size in bytes; a stream that turns out longer or shorter fails (6.2)
   * @param chunkSize larger chunks of the stream are cut to it
   * @throws GoAheadError `OPTION_INVALID`
   */
  constructor(stream: AsyncIterable<Uint8Array>, size: bigint, chunkSize = DEFAULT_CHUNK_SIZE) {
    requireChunkSize(chunkSize);
    this.size = size;
    this.#chunkSize = chunkSize;
    this.#stream = stream;
    // The iterator tells of a failure when it is asked, and it is asked after the reply. Until then nobody would listen, and
    // Node ends a process for that.
    if (stream instanceof EventEmitter) stream.on('error', () => undefined);
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async read(): Promise<Uint8Array | undefined> {
    const whole = this.#rest.length > 0 ? this.#rest : await this.#next();
    if (whole === undefined) return undefined;
    this.#rest = whole.subarray(this.#chunkSize);
    return whole.subarray(0, this.#chunkSize);
  }

  async #next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const next: IteratorResult<Uint8Array, unknown> = await this.#chunks.next();
      if (next.done === true) return undefined;
      const chunk: unknown = next.value;
      // A stream with an encoding yields text, whose length is not that of its bytes.
      if (!(chunk instanceof Uint8Array)) throw notBytes(chunk);
      if (chunk.length > 0) return chunk;
    }
  }

  release(): void {
    // The stream made the chunk, and nobody else wants it.
  }

  async verify(): Promise<void> {
    const more = await this.read();
    if (more === undefined) return;
    const least = this.size + BigInt(more.length);
    throw new GoAheadError(
      'SOURCE_CHANGED',
      `the stream goes on after the ${this.size} bytes that were announced, to ${least} at least; send it again with its exact size`,
      { expected: `${this.size} bytes`, actual: `at least ${least} bytes` },
    );
  }

  close(): void {
    // An iterator that was never asked leaves its stream open.
    if (this.#stream instanceof Readable) this.#stream.destroy();
    // Not awaited: a generator answers only after a read that is under way, and that may wait for a person to type.
    void this.#chunks.return?.().catch(() => undefined);
  }
}

function notBytes(chunk: unknown): GoAheadError {
  return new GoAheadError('SOURCE_INVALID', 'the stream yields something other than bytes; does it have an encoding?', {
    expected: 'Uint8Array or Buffer',
    actual: typeof chunk,
  });
}
