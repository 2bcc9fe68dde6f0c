import { GoAheadError } from '../errors.js';
import { printable } from '../printable.js';
import type { Disk } from './disk.js';
import type { FileSystem } from './file-system.js';
import { storageFailed } from './storage-failed.js';
import type { Task } from './task.js';
import { wait } from './task.js';

/** `fs.write` takes a position as a number; nothing larger can be written at exact positions. */
const LONGEST_FILE = BigInt(Number.MAX_SAFE_INTEGER);

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

/**
 * The free space of one volume, less what running uploads have been promised (9.2). Nothing is set aside on the disk
 * itself: other programs may still take the space, and then a write fails.
 */
export class FreeSpace implements SpaceAccount {
  #promised = 0n;
  #written = 0n;

  /** In bytes. */
  get promised(): bigint {
    return this.#promised;
  }

  *promise(disk: Disk, directory: string, size: bigint): Task<SpacePromise> {
    const writtenBefore = this.#written;
    let volume;
    try {
      volume = yield* wait(disk.statfs(directory));
    } catch (cause) {
      throw storageFailed('ask for the free space of', directory, cause);
    }
    // Bytes that were written while the answer was on its way may still count as free in it. No volume at all has 0 blocks:
    // such a filesystem does not tell.
    const overlap = this.#written - writtenBefore;
    const free = volume.blocks === 0n ? LONGEST_FILE : volume.bavail * volume.bsize - overlap - this.#promised;
    const room = free < 0n ? 0n : free > LONGEST_FILE ? LONGEST_FILE : free;
    if (size > room) throw noSpace(directory, size, room);
    return this.#set(size);
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
