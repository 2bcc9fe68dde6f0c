import type { BigIntStats } from 'node:fs';
import { dirname } from 'node:path';
import { CallPolicy, SYNCHRONOUS, type Synchronous } from '../disk/call-policy.js';
import { coreWait } from '../disk/core-wait.js';
import { oneOf } from '../option.js';
import { AdaptiveCalls, DIRECT, POOL, type DirectFileCalls, type PoolFileCalls } from './file-calls.js';
import { FileSource } from './file-source.js';

/**
 * Larger files are read through the pool: what these calls cost is little beside the file, and while the network takes a
 * chunk the next one is read.
 */
export const LARGEST_DIRECT_FILE = 64n * 1024n;

/** Of one volume. */
interface Volume {
  /** `st_dev`. */
  readonly device: bigint;
  readonly calls: AdaptiveCalls;
}

/**
 * Opens the files of one job. Small ones are called for on this thread while their volume is local and answers at once:
 * seven round trips to the thread pool take longer than the rest of a small file.
 */
export class FileOpener {
  readonly #synchronous: Synchronous;
  readonly #direct: DirectFileCalls;
  readonly #pool: PoolFileCalls;
  readonly #now: () => number;
  /** By their paths; never more than there are files. */
  readonly #directories = new Map<string, Promise<Volume | undefined>>();
  /** By device numbers. */
  readonly #volumes = new Map<bigint, Promise<Volume>>();

  /** @param now monotonic, in milliseconds */
  constructor(synchronous: Synchronous, direct = DIRECT, pool = POOL, now = () => performance.now()) {
    this.#synchronous = synchronous;
    this.#direct = direct;
    this.#pool = pool;
    this.#now = now;
  }

  /** As {@link FileSource.open}; besides `OPTION_INVALID` for a `synchronous` that is none. */
  async open(path: string, chunkSize: number | undefined): Promise<FileSource> {
    const volume =
      oneOf('synchronous', SYNCHRONOUS, this.#synchronous) === 'adaptive'
        ? await this.#volumeOf(dirname(path))
        : undefined;
    if (volume === undefined) return FileSource.openBy(this.#pool, path, chunkSize);
    const seen = await this.#lookNear(path, volume);
    return seen === undefined
      ? FileSource.openBy(this.#pool, path, chunkSize)
      : FileSource.openBy(volume.calls, path, chunkSize, seen);
  }

  /** What stands under the path, where it is a small file of the volume itself. */
  async #lookNear(path: string, volume: Volume): Promise<BigIntStats | undefined> {
    let stats: BigIntStats;
    try {
      stats = await volume.calls.lstat(path);
    } catch {
      // What is wrong is told by the one that opens it.
      return undefined;
    }
    // Links, and what is mounted over a file, may lead to a volume that does not answer: not on this thread.
    const near = stats.isFile() && stats.dev === volume.device && stats.size <= LARGEST_DIRECT_FILE;
    return near ? stats : undefined;
  }

  #volumeOf(directory: string): Promise<Volume | undefined> {
    const known = this.#directories.get(directory);
    if (known !== undefined) return known;
    // Without it the file is opened in the other way, which tells what is wrong.
    const volume = this.#look(directory).catch(() => undefined);
    this.#directories.set(directory, volume);
    return volume;
  }

  async #look(directory: string): Promise<Volume> {
    const { dev } = await this.#pool.stat(directory);
    const volume = this.#volumes.get(dev) ?? this.#enter(dev, directory);
    this.#volumes.set(dev, volume);
    return volume;
  }

  async #enter(device: bigint, directory: string): Promise<Volume> {
    const type = await this.#pool.volumeType(directory);
    const policy = new CallPolicy(type, this.#synchronous, this.#now, setImmediate, coreWait);
    return { device, calls: new AdaptiveCalls(policy, this.#direct, this.#pool) };
  }
}
