import { GoAheadError } from '../errors.js';
import { printable } from '../printable.js';
import type { Disk } from './disk.js';
import type { FileSystem } from './file-system.js';
import { storageFailed } from './storage-failed.js';
import type { Task } from './task.js';
import { wait } from './task.js';

/** `fs.write` takes a position as a number; nothing larger can be written at exact positions. */
const LONGEST_FILE = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * For small files an answer of statfs(2) is good for a moment, while so much is left that no other program fills it meanwhile: on
 * the path of such a file the call costs more than a write.
 */
const GOOD_FOR_MS = 100;
const SMALL = 2n ** 20n;
const PLENTY = 2n ** 30n;

/** What is set aside for one upload: its size, less what it has written. In bytes. */
export interface SpacePromise {
  /** So many bytes are on the disk now, and statfs(2) counts them. */
  wrote(bytes: number): void;
  /** Gives back what is left; a second call does nothing. */
  release(): void;
}

/** Who promises space, and no byte twice. */
export interface SpaceAccount {
  /** Throws NO_SPACE. `directory` is for the message, too; `size` is in bytes. */
  promise(disk: Disk, directory: string, size: bigint): Task<SpacePromise>;
}

/** What statfs(2) told last. */
interface Answer {
  readonly directory: string;
  /** When it was asked. */
  readonly at: number;
  /** What had been written by then. */
  readonly written: bigint;
  /** In bytes. */
  readonly free: bigint;
}

/**
 * The free space of one volume, less what running uploads have been promised (9.2). Nothing is set aside on the disk
 * itself: other programs may still take the space, and then a write fails.
 */
export class FreeSpace implements SpaceAccount {
  #promised = 0n;
  #written = 0n;
  #last: Answer | undefined;

  /** In bytes. */
  get promised(): bigint {
    return this.#promised;
  }

  *promise(disk: Disk, directory: string, size: bigint): Task<SpacePromise> {
    const room = this.#remembered(disk.now(), directory, size) ?? (yield* this.#ask(disk, directory));
    if (size > room) throw noSpace(directory, size, room);
    return this.#set(size);
  }

  #remembered(now: number, directory: string, size: bigint): bigint | undefined {
    const last = this.#last;
    // By directory: one with a quota has less than its volume.
    if (last?.directory !== directory || now - last.at > GOOD_FOR_MS || size > SMALL) return undefined;
    const room = last.free - (this.#written - last.written) - this.#promised;
    return room >= PLENTY ? room : undefined;
  }

  *#ask(disk: Disk, directory: string): Task<bigint> {
    const [written, at] = [this.#written, disk.now()];
    let volume;
    try {
      volume = yield* wait(disk.statfs(directory));
    } catch (cause) {
      throw storageFailed('ask for the free space of', directory, cause);
    }
    // No volume at all has 0 blocks: such a filesystem does not tell.
    if (volume.blocks === 0n) return LONGEST_FILE;
    const free = volume.bavail * volume.bsize;
    // Bytes that were written while the answer was on its way may still count as free in it.
    this.#last = { directory, at, written, free };
    const room = free - (this.#written - written) - this.#promised;
    return room < 0n ? 0n : room > LONGEST_FILE ? LONGEST_FILE : room;
  }

  #set(size: bigint): SpacePromise {
    let left = size;
    this.#promised += size;
    return {
      wrote: (bytes) => {
        const written = BigInt(bytes);
        this.#written += written;
        const taken = written < left ? written : left;
        left -= taken;
        this.#promised -= taken;
      },
      release: () => {
        this.#promised -= left;
        left = 0n;
      },
    };
  }
}

export function noSpace(where: string, size: bigint, room: bigint): GoAheadError {
  const [expected, actual] = [`at most ${room.toLocaleString('en')} bytes`, `${size.toLocaleString('en')} bytes`];
  return new GoAheadError(
    'NO_SPACE',
    `A file of ${actual} does not fit into ${printable(where)}: ${room.toLocaleString('en')} bytes are free and not promised to other uploads; free some space`,
    { expected, actual },
  );
}

const volumes = new WeakMap<FileSystem, Map<bigint, FreeSpace>>();

/** One for each volume, whatever the number of storages on it. */
export function freeSpaceOf(fileSystem: FileSystem, device: bigint): FreeSpace {
  const devices = volumes.get(fileSystem) ?? new Map<bigint, FreeSpace>();
  volumes.set(fileSystem, devices);
  const found = devices.get(device) ?? new FreeSpace();
  devices.set(device, found);
  return found;
}
