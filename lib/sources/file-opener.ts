import { dirname } from 'node:path';
import { CallPolicy, type Synchronous } from '../disk/call-policy.js';
import { coreWait } from '../disk/core-wait.js';
import { AdaptiveCalls, DIRECT, POOL, type FileCalls, type PoolFileCalls } from './file-calls.js';
import { FileSource } from './file-source.js';

/**
 * Opens the files of one job. What is in a directory that nothing has been sent from is called for through the thread pool,
 * and tells the volume of the others: seven round trips to the pool take longer than the rest of a small file.
 */
export class FileOpener {
  readonly #synchronous: Synchronous;
  readonly #direct: FileCalls;
  readonly #pool: PoolFileCalls;
  /** By device number; there are not many. */
  readonly #volumes = new Map<bigint, FileCalls>();
  readonly #now: () => number;
  #directory: string | undefined;
  #calls: FileCalls;

  /** @param now monotonic, in milliseconds */
  constructor(synchronous: Synchronous, direct = DIRECT, pool = POOL, now = () => performance.now()) {
    this.#synchronous = synchronous;
    this.#direct = direct;
    this.#pool = pool;
    this.#calls = pool;
    this.#now = now;
  }

  /** As {@link FileSource.open}. */
  async open(path: string, chunkSize: number | undefined): Promise<FileSource> {
    const directory = dirname(path);
    if (directory === this.#directory) return FileSource.openBy(this.#calls, path, chunkSize);
    const source = await FileSource.openBy(this.#pool, path, chunkSize);
    if (this.#synchronous === 'adaptive') await this.#enter(directory, source.device);
    return source;
  }

  async #enter(directory: string, device: bigint): Promise<void> {
    let calls = this.#volumes.get(device);
    if (calls === undefined) {
      calls = await this.#callsFor(directory);
      this.#volumes.set(device, calls);
    }
    this.#directory = directory;
    this.#calls = calls;
  }

  async #callsFor(directory: string): Promise<FileCalls> {
    // Where the kind of the volume is not told it is none that is known.
    const type = await this.#pool.volumeType(directory).catch(() => 0n);
    const policy = new CallPolicy(type, this.#synchronous, this.#now, setImmediate, coreWait);
    return new AdaptiveCalls(policy, this.#direct, this.#pool);
  }
}
