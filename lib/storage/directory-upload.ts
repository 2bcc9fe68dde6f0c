import { GoAheadError } from '../errors.js';
import type { Disk } from './disk.js';
import type { FileName } from './file-name.js';
import type { FinalNames } from './final-name.js';
import type { SpacePromise } from './free-space.js';
import type { MaybePromise } from '../maybe-promise.js';
import type { Stored, Upload } from './storage.js';
import { storageFailed } from './storage-failed.js';
import type { Task } from './task.js';
import { run, wait } from './task.js';

/** What a `DirectoryUpload` begins with. */
export interface DirectoryUploadParts {
  readonly disk: Disk;
  readonly finalNames: FinalNames;
  readonly sync: boolean;
  readonly name: FileName;
  /** In bytes. */
  readonly size: bigint;
  /** Of the temporary file. */
  readonly path: string;
  readonly fd: number;
  readonly space: SpacePromise;
}

/** A temporary file on its way to its final name. */
export class DirectoryUpload implements Upload {
  readonly #parts: DirectoryUploadParts;
  #over = false;
  /** Where the next chunk goes. A number, since the position of `fs.write` is one; `create` refuses larger sizes. */
  #end = 0;
  #failure: GoAheadError | undefined;
  #writesInPool = 0;
  #whenQuiet: (() => void) | undefined;

  constructor(parts: DirectoryUploadParts) {
    this.#parts = parts;
  }

  get retainsChunk(): boolean {
    return !this.#parts.disk.direct;
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    if (this.#over) throw misuse('write');
    if (this.#failure !== undefined) throw this.#failure;
    const position = this.#end;
    this.#end += chunk.byteLength;
    if (this.#parts.disk.direct) this.#writeDirectly(chunk, position);
    else return this.#writeInPool(chunk, position);
  }

  commit(): MaybePromise<Stored> {
    if (this.#over) throw misuse('commit');
    this.#over = true;
    return run(this.#commit());
  }

  abort(): MaybePromise<void> {
    if (this.#over) return;
    this.#over = true;
    return run(this.#abort());
  }

  /** To its end, though the disk may turn out slow in the midst of it: the chunk is not retained. */
  #writeDirectly(chunk: Uint8Array, start: number): void {
    const { disk, fd } = this.#parts;
    const { byteLength } = chunk;
    try {
      for (let offset = 0; offset < byteLength;) {
        const left = byteLength - offset;
        offset += this.#wrote(disk.writeDirectly(fd, chunk, offset, left, start + offset), left);
      }
    } catch (cause) {
      throw this.#writeFailed(cause);
    }
  }

  /** Each chunk has its position from the start, so chunks that overlap in time, directly or in the pool, keep their order. */
  async #writeInPool(chunk: Uint8Array, start: number): Promise<void> {
    const { disk, fd } = this.#parts;
    const { byteLength } = chunk;
    this.#writesInPool += 1;
    try {
      for (let offset = 0; offset < byteLength;) {
        const left = byteLength - offset;
        offset += this.#wrote(await disk.writeInPool(fd, chunk, offset, left, start + offset), left);
      }
    } catch (cause) {
      throw this.#writeFailed(cause);
    } finally {
      this.#writesInPool -= 1;
      if (this.#writesInPool === 0) this.#whenQuiet?.();
    }
  }

  #wrote(written: number, left: number): number {
    if (written === 0) throw new Error(`0 of ${left} bytes were written`);
    this.#parts.space.wrote(written);
    return written;
  }

  #writeFailed(cause: unknown): GoAheadError {
    return (this.#failure ??= storageFailed('write', this.#parts.path, cause));
  }

  /** A descriptor must not be closed under a write: its number may belong to another file by the time of the write. */
  *#quiet(): Task<void> {
    if (this.#writesInPool === 0) return;
    yield* wait(new Promise<void>((resolve) => (this.#whenQuiet = resolve)));
  }

  *#commit(): Task<Stored> {
    const { disk, finalNames, name, path, size, space } = this.#parts;
    try {
      yield* this.#quiet();
      yield* this.#finishFile();
      const finalName = yield* finalNames.publish(path, name);
      space.release();
      return { name: finalName, path: finalNames.path(finalName), size };
    } catch (reason) {
      yield* remove(disk, path);
      space.release();
      throw reason;
    }
  }

  /** Syncs and closes; whatever happens, the file is closed afterwards. */
  *#finishFile(): Task<void> {
    const { disk, fd, path, size, sync } = this.#parts;
    try {
      if (this.#failure !== undefined) throw this.#failure;
      if (BigInt(this.#end) !== size) throw misuse(`commit ${this.#end} bytes as ${size} of`);
      if (sync) yield* wait(disk.fsync(fd));
    } catch (cause) {
      yield* close(disk, fd);
      throw storageFailed('sync', path, cause);
    }
    try {
      yield* wait(disk.close(fd));
    } catch (cause) {
      throw storageFailed('close', path, cause);
    }
  }

  *#abort(): Task<void> {
    const { disk, fd, path, space } = this.#parts;
    yield* this.#quiet();
    yield* close(disk, fd);
    yield* remove(disk, path);
    space.release();
  }
}

function misuse(call: string): GoAheadError {
  return new GoAheadError('INTERNAL', `Cannot ${call} an upload in this state: a bug in the caller of the storage`);
}

/** On the way out of a failure, which is the one to be reported. */
function* close(disk: Disk, fd: number): Task<void> {
  try {
    yield* wait(disk.close(fd));
  } catch {
    return;
  }
}

/** What cannot be removed is left for a sweep. */
function* remove(disk: Disk, path: string): Task<void> {
  try {
    yield* wait(disk.unlink(path));
  } catch {
    return;
  }
}
