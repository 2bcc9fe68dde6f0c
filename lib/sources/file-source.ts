import { constants, type BigIntStats } from 'node:fs';
import { systemCode } from '../cause.js';
import { GoAheadError } from '../errors.js';
import { chain, isLater, type MaybePromise } from '../maybe-promise.js';
import { DEFAULT_CHUNK_SIZE, requireChunkSize } from './chunk-size.js';
import { POOL, type FileCalls } from './file-calls.js';
import type { Source } from './source.js';

/** A regular file, read as it is sent. That it stays as it is meanwhile is checked before its last bytes are sent. */
export class FileSource implements Source {
  readonly size: bigint;
  readonly #calls: FileCalls;
  readonly #path: string;
  readonly #fd: number;
  readonly #opened: BigIntStats;
  readonly #chunkSize: number;
  readonly #free: Buffer[] = [];
  #position = 0;
  /** The last call for the descriptor, which may still be under way. */
  #call: unknown;
  #closed = false;

  private constructor(calls: FileCalls, path: string, fd: number, opened: BigIntStats, chunkSize: number) {
    this.size = opened.size;
    this.#calls = calls;
    this.#path = path;
    this.#fd = fd;
    this.#opened = opened;
    this.#chunkSize = Number(opened.size < BigInt(chunkSize) ? opened.size : BigInt(chunkSize));
  }

  /**
   * @param chunkSize the most bytes that are read at once; twice as many are held in memory
   * @throws GoAheadError `SOURCE_INVALID` when it is missing, unreadable, not a regular file or without a true size (8.7);
   *   `OPTION_INVALID`
   */
  static async open(path: string, chunkSize?: number): Promise<FileSource> {
    return FileSource.openBy(POOL, path, chunkSize);
  }

  /** @param seen what stands under the path, where that is known already @internal */
  static async openBy(
    calls: FileCalls,
    path: string,
    chunkSize = DEFAULT_CHUNK_SIZE,
    seen?: BigIntStats,
  ): Promise<FileSource> {
    requireChunkSize(chunkSize);
    let fd: number;
    try {
      requireFile(path, seen ?? (await calls.stat(path)));
      // Should it have become a FIFO since: opening does not wait for a writer (open(2)).
      fd = await calls.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (cause) {
      throw unreadable(path, cause);
    }
    try {
      const opened = await calls.fstat(fd);
      requireFile(path, opened);
      if (opened.size === 0n && (await hasBytes(calls, fd))) throw sizeless(path);
      return new FileSource(calls, path, fd, opened, chunkSize);
    } catch (cause) {
      await calls.close(fd);
      throw unreadable(path, cause);
    }
  }

  async read(): Promise<Uint8Array | undefined> {
    // Its descriptor may be another file's by now.
    if (this.#closed) return undefined;
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#chunkSize);
    const bytesRead = await this.#called(this.#calls.read(this.#fd, buffer, this.#position));
    this.#position += bytesRead;
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
  }

  release(chunk: Uint8Array): void {
    this.#free.push(Buffer.from(chunk.buffer));
  }

  async verify(): Promise<void> {
    const now = await this.#called(this.#calls.fstat(this.#fd));
    const { size, mtimeNs } = this.#opened;
    if (now.size !== size) throw this.#changed(`${size} bytes`, `${now.size} bytes`);
    if (now.mtimeNs !== mtimeNs) throw this.#changed('an unchanged file', 'one that was written to');
    if (size === 0n && (await this.#called(hasBytes(this.#calls, this.#fd))))
      throw this.#changed('0 bytes', 'at least 1 byte');
    let there: BigIntStats;
    try {
      there = await this.#calls.stat(this.#path);
    } catch (cause) {
      throw this.#changed('the file under its path', 'nothing there any more', cause);
    }
    if (there.ino !== now.ino || there.dev !== now.dev)
      throw this.#changed('the file that was opened', 'another in its place');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A descriptor that is closed under a call could be another file's by then.
    if (isLater(this.#call)) await this.#call.catch(() => undefined);
    await this.#calls.close(this.#fd);
  }

  #called<T>(result: MaybePromise<T>): MaybePromise<T> {
    this.#call = result;
    return result;
  }

  #changed(expected: string, actual: string, cause?: unknown): GoAheadError {
    return new GoAheadError(
      'SOURCE_CHANGED',
      `${this.#path} changed while it was sent; send it again when it is at rest`,
      {
        expected,
        actual,
        cause,
      },
    );
  }
}

/** Files that the kernel makes up, such as those in /proc, have bytes and a size of zero. */
function hasBytes(calls: FileCalls, fd: number): MaybePromise<boolean> {
  return chain(calls.read(fd, Buffer.alloc(1), 0), (bytesRead) => bytesRead > 0);
}

function sizeless(path: string): GoAheadError {
  return new GoAheadError(
    'SOURCE_INVALID',
    `${path} has bytes but says that it has none; use: cat FILE | go-ahead send - --size N --as NAME`,
    { expected: 'a file that tells its size', actual: 'a size of 0 and at least 1 byte' },
  );
}

function requireFile(path: string, stats: BigIntStats): void {
  if (stats.isFile()) return;
  const kind = stats.isDirectory() ? 'a directory' : stats.isFIFO() ? 'a FIFO' : 'not a regular file';
  throw new GoAheadError('SOURCE_INVALID', `${path} is ${kind}; only regular files can be sent`, {
    expected: 'a regular file',
    actual: kind,
  });
}

function unreadable(path: string, cause: unknown): GoAheadError {
  if (cause instanceof GoAheadError) return cause;
  const code = systemCode(cause);
  const reason =
    code === 'ENOENT'
      ? 'there is no such file'
      : code === 'EACCES'
        ? 'you may not read it'
        : `it cannot be opened (${code})`;
  return new GoAheadError('SOURCE_INVALID', `${path}: ${reason}`, { expected: 'a readable file', cause });
}
