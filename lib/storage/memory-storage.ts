import { GoAheadError } from '../errors.js';
import type { Header } from '../wire/header.js';
import type { NamingOptions } from './directory-storage.js';
import { namingRules } from './directory-storage.js';
import { parseFileName } from './file-name.js';
import { nameTaken } from './final-name.js';
import { noSpace } from './free-space.js';
import { LastNumbers, numberedName } from './numbered-name.js';
import type { Storage, Stored, Upload } from './storage.js';

/** How names are chosen, and how much fits. */
export interface MemoryStorageOptions extends NamingOptions {
  /** For all files and running uploads together, in bytes. Default: 256 MiB. */
  readonly capacity?: number | undefined;
}

const DEFAULT_CAPACITY = 256 * 2 ** 20;

/**
 * Stores each upload as bytes in memory, for tests and for programs that embed a receiver. It names files as
 * `DirectoryStorage` does, answers every call at once, and copies each chunk, since chunks are views of read buffers.
 */
export class MemoryStorage implements Storage {
  readonly #files = new Map<string, Uint8Array>();
  readonly #rules: ReturnType<typeof namingRules>;
  readonly #lastNumbers = new LastNumbers();
  readonly #capacity: bigint;
  /** Of files and of running uploads, in bytes. */
  #used = 0n;

  /** @throws GoAheadError `OPTION_INVALID` */
  constructor(options: MemoryStorageOptions = {}) {
    const { capacity = DEFAULT_CAPACITY } = options;
    this.#rules = namingRules(options);
    if (!Number.isSafeInteger(capacity) || capacity < 0) {
      const expected = 'a whole number of bytes, 0 or more';
      throw new GoAheadError('OPTION_INVALID', `The option capacity must be ${expected}, not ${capacity}`, {
        expected,
      });
    }
    this.#capacity = BigInt(capacity);
  }

  /** What is stored, by its final name. */
  get files(): ReadonlyMap<string, Uint8Array> {
    return this.#files;
  }

  /** Removes a file. Returns false when there is none of this name. */
  delete(name: string): boolean {
    this.#used -= BigInt(this.#files.get(name)?.byteLength ?? 0);
    return this.#files.delete(name);
  }

  /** @throws GoAheadError `NAME_UNSAFE`; `NAME_TAKEN` where the policy is `refuse`; `NO_SPACE` */
  create({ size, name }: Header): Upload {
    const fileName = parseFileName(name, this.#rules);
    const plain = numberedName(fileName, 0, this.#rules.suffix);
    if (this.#rules.onConflict === 'refuse') this.#expectFree(plain);
    const room = this.#capacity - this.#used;
    if (size > room) throw noSpace('memory', size, room);
    this.#used += size;
    // One piece of memory and not one for each chunk: a chunk of one byte would cost hundreds.
    let bytes = new Uint8Array(0);
    let received = 0;
    let over = false;
    const expectRunning = (call: string): void => {
      if (over) throw misuse(call);
    };
    return {
      retainsChunk: false,
      write: (chunk) => {
        expectRunning('write to');
        const length = received + chunk.byteLength;
        if (length > bytes.byteLength) bytes = grown(bytes, length, Number(size));
        bytes.set(chunk, received);
        received = length;
      },
      commit: (): Stored => {
        expectRunning('commit');
        over = true;
        try {
          if (BigInt(received) !== size) throw misuse(`commit ${received} bytes as ${size} of`);
          const finalName = this.#finalName(plain, (number) => numberedName(fileName, number, this.#rules.suffix));
          this.#used += size;
          this.delete(finalName);
          this.#files.set(finalName, Buffer.from(bytes.buffer, 0, received));
          return { name: finalName, path: undefined, size };
        } finally {
          this.#used -= size;
        }
      },
      abort: () => {
        if (!over) this.#used -= size;
        over = true;
      },
    };
  }

  #expectFree(name: string): void {
    if (this.#files.has(name)) throw nameTaken(name, undefined);
  }

  #finalName(plain: string, numbered: (number: number) => string): string {
    switch (this.#rules.onConflict) {
      case 'replace':
        return plain;
      case 'refuse':
        this.#expectFree(plain);
        return plain;
      case 'rename': {
        if (!this.#files.has(plain)) return plain;
        let number = this.#lastNumbers.of(plain) + 1;
        while (this.#files.has(numbered(number))) number += 1;
        this.#lastNumbers.raise(plain, number);
        return numbered(number);
      }
    }
  }
}

function misuse(call: string): GoAheadError {
  return new GoAheadError('INTERNAL', `Cannot ${call} an upload in this state: a bug in the caller of the storage`);
}

const LEAST = 64 * 1024;

/** The same bytes in at least twice the memory, but in no more than the `whole` of a file that keeps its length. */
function grown(bytes: Uint8Array, length: number, whole: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(length, Math.min(whole, Math.max(LEAST, 2 * bytes.byteLength))));
  larger.set(bytes);
  return larger;
}
