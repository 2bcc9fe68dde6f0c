import { constants } from 'node:fs';
import { sep } from 'node:path';
import { systemCode } from '../cause.js';
import { GoAheadError } from '../errors.js';
import { printable } from '../printable.js';
import type { DirectorySync } from './directory-sync.js';
import type { Disk } from './disk.js';
import type { FileName } from './file-name.js';
import type { Entry } from './file-system.js';
import type { MaybePromise } from '../maybe-promise.js';
import { LastNumbers, numberedName } from './numbered-name.js';
import { storageFailed } from './storage-failed.js';
import type { Task } from './task.js';
import { run, wait } from './task.js';

/** What to do when a name is taken (section 10): a numbered name, the place of the old file, or a refusal. */
export type ConflictPolicy = 'rename' | 'replace' | 'refuse';

/** What link(2) answers where the filesystem has no hard links, or this file can have no more. */
const NO_HARD_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/** Other programs and servers may take the numbers that we find free; at some point we give up. */
const MOST_ATTEMPTS = 1_000;
const LARGEST_NUMBER = 2 ** 40;

/** What any filesystem can hold (POSIX.1, 3.282): where a name that is taken has a way out too, there is nothing to ask. */
const HARMLESS = /^[\w.-]{1,100}$/;

export function nameTaken(path: string, entry: Entry | undefined): GoAheadError {
  const actual = `a ${entry?.kind ?? 'file'}`;
  return new GoAheadError(
    'NAME_TAKEN',
    `Cannot store ${printable(path)}: ${actual} stands there; the sender must choose another name, or the receiver another conflict policy`,
    { expected: 'nothing under the name', actual },
  );
}

function same(one: Entry | undefined, other: Entry | undefined): boolean {
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}

interface Claim {
  readonly name: string;
  /** The file that stands under the name, when it no longer has its temporary name. */
  readonly renamed: Entry | undefined;
}

/**
 * Puts whole files under their final names: in one step, never over an existing file unless the policy is `replace`,
 * without following a symbolic link and without opening what stands there (4.9, 4.10, 7.8, 10.1, 10.4).
 *
 * When a step fails after the final name exists, such as the sync of the directory, it is taken back, since the sender will
 * be told that nothing was stored: the name is removed, or the old file that was replaced is put back, if the name still
 * stands for our file. (Another program that replaces it between that check and the removal loses its file; only
 * a failing disk opens this window, of microseconds.) Should taking it back fail too, a whole file stands there for which
 * the sender got a reset.
 */
export class FinalNames {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #policy: ConflictPolicy;
  readonly #suffix: string;
  readonly #directorySync: DirectorySync | undefined;
  readonly #nextTemporary: () => string;
  readonly #lastNumbers = new LastNumbers();
  /** The last in the queue of each name that is being replaced; never rejects. */
  readonly #replacing = new Map<string, Promise<void>>();

  /**
   * @param directorySync undefined when nothing is to be synced
   * @param nextTemporary a fresh name for a temporary file
   */
  constructor(
    disk: Disk,
    directory: string,
    policy: ConflictPolicy,
    suffix: string,
    directorySync: DirectorySync | undefined,
    nextTemporary: () => string,
  ) {
    this.#disk = disk;
    this.#directory = directory;
    this.#policy = policy;
    this.#suffix = suffix;
    this.#directorySync = directorySync;
    this.#nextTemporary = nextTemporary;
  }

  path(name: string): string {
    return this.#directory + sep + name;
  }

  /** Refuses early what could not be committed. */
  *check(name: FileName): Task<void> {
    const first = numberedName(name, 0, this.#suffix);
    if (this.#policy === 'rename' && HARMLESS.test(first)) return;
    const path = this.path(first);
    const entry = yield* wait(this.#disk.lstat(path));
    if (entry !== undefined) this.#refuse(path, entry);
  }

  #refuse(path: string, entry: Entry): void {
    switch (this.#policy) {
      case 'rename':
        return;
      case 'refuse':
        throw nameTaken(path, entry);
      case 'replace':
        if (entry.kind === 'directory' || entry.kind === 'special file') throw nameTaken(path, entry);
    }
  }

  /** Gives the file its final name in the place of its temporary one. Returns the final name. */
  *publish(temporary: string, name: FileName): Task<string> {
    switch (this.#policy) {
      case 'rename':
        return yield* this.#settle(temporary, yield* this.#claimNumbered(temporary, name));
      case 'refuse': {
        const claim = yield* this.#claim(temporary, numberedName(name, 0, this.#suffix));
        if (claim === undefined) throw nameTaken(this.path(name + this.#suffix), undefined);
        return yield* this.#settle(temporary, claim);
      }
      case 'replace':
        return yield* this.#replaceInTurn(temporary, numberedName(name, 0, this.#suffix));
    }
  }

  /** Undefined when the name is taken. */
  *#claim(temporary: string, name: string): Task<Claim | undefined> {
    const path = this.path(name);
    try {
      yield* wait(this.#disk.link(temporary, path));
      return { name, renamed: undefined };
    } catch (cause) {
      const code = systemCode(cause);
      if (code === 'EEXIST') return undefined;
      if (!NO_HARD_LINKS.has(code)) throw storageFailed('link', path, cause);
    }
    return yield* this.#claimWithPlaceholder(temporary, name);
  }

  /**
   * Without hard links an empty file has to hold the name for a moment, against 7.8, since Node has no
   * rename that does not clobber. A crash in this moment leaves the empty file behind.
   */
  *#claimWithPlaceholder(temporary: string, name: string): Task<Claim | undefined> {
    const path = this.path(name);
    let fd: number;
    try {
      fd = yield* wait(this.#disk.open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o666));
    } catch (cause) {
      if (systemCode(cause) === 'EEXIST') return undefined;
      throw storageFailed('open', path, cause);
    }
    try {
      yield* wait(this.#disk.close(fd));
      const renamed = yield* wait(this.#disk.lstat(temporary));
      yield* wait(this.#disk.rename(temporary, path));
      return { name, renamed };
    } catch (cause) {
      yield* this.#tryTo(function* (disk) {
        const entry = yield* wait(disk.lstat(path));
        if (entry?.kind === 'file' && entry.size === 0n) yield* wait(disk.unlink(path));
      });
      throw storageFailed('rename the temporary file to', path, cause);
    }
  }

  /** The name, else a numbered one: the next after the last that we gave, else one found by doubling and halving. */
  *#claimNumbered(temporary: string, name: FileName): Task<Claim> {
    const plain = yield* this.#claim(temporary, numberedName(name, 0, this.#suffix));
    if (plain !== undefined) return plain;
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const last = this.#lastNumbers.of(name);
      const number = attempt === 0 ? last + 1 : yield* this.#findFree(name, last);
      if (number > LARGEST_NUMBER) break;
      // Raised before the attempt, so that uploads that end at the same time try different numbers.
      this.#lastNumbers.raise(name, number);
      const claim = yield* this.#claim(temporary, numberedName(name, number, this.#suffix));
      if (claim !== undefined) return claim;
    }
    throw nameTaken(this.path(name), undefined);
  }

  *#findFree(name: FileName, taken: number): Task<number> {
    let lower = taken;
    let upper = taken + 1;
    while (upper <= LARGEST_NUMBER && (yield* this.#isTaken(name, upper))) {
      lower = upper;
      upper = taken + (upper - taken) * 2;
    }
    while (upper - lower > 1) {
      const middle = lower + Math.floor((upper - lower) / 2);
      if (yield* this.#isTaken(name, middle)) lower = middle;
      else upper = middle;
    }
    return upper;
  }

  *#isTaken(name: FileName, number: number): Task<boolean> {
    const path = this.path(numberedName(name, number, this.#suffix));
    try {
      return (yield* wait(this.#disk.lstat(path))) !== undefined;
    } catch (cause) {
      throw storageFailed('look at', path, cause);
    }
  }

  *#syncDirectory(): Task<void> {
    if (this.#directorySync === undefined) return;
    try {
      yield* wait(this.#directorySync.sync());
    } catch (cause) {
      throw storageFailed('sync the directory', this.#directory, cause);
    }
  }

  *#removeTemporary(path: string): Task<void> {
    try {
      yield* wait(this.#disk.unlink(path));
    } catch (cause) {
      throw storageFailed('remove the temporary name', path, cause);
    }
  }

  /** What follows when the final name has been made beside the temporary one, or in its place. */
  *#settle(temporary: string, { name, renamed }: Claim): Task<string> {
    try {
      yield* this.#syncDirectory();
      if (renamed === undefined) yield* this.#removeTemporary(temporary);
      return name;
    } catch (reason) {
      const path = this.path(name);
      yield* this.#tryTo(function* (disk) {
        const ours = renamed ?? (yield* wait(disk.lstat(temporary)));
        if (same(ours, yield* wait(disk.lstat(path)))) yield* wait(disk.unlink(path));
      });
      throw reason;
    }
  }

  /**
   * One after the other for one name: while an upload may still have to put the old file back, another one must not have
   * taken its place, or been told that it is stored.
   */
  *#replaceInTurn(temporary: string, name: string): Task<string> {
    const before = this.#replacing.get(name);
    const replace = (): MaybePromise<string> => run(this.#replace(temporary, name));
    const work = before === undefined ? replace() : before.then(replace);
    if (!(work instanceof Promise)) return work;
    const over = (): void => {
      if (this.#replacing.get(name) === last) this.#replacing.delete(name);
    };
    // Each waits for the one before it only: a crowd that waits for one and the same would wake all at once, each time.
    const last = work.then(over, over);
    this.#replacing.set(name, last);
    return yield* wait(work);
  }

  *#replace(temporary: string, name: string): Task<string> {
    const path = this.path(name);
    let ours: Entry | undefined;
    let backup: string | undefined;
    try {
      const old = yield* wait(this.#disk.lstat(path));
      if (old !== undefined) this.#refuse(path, old);
      if (this.#directorySync !== undefined) {
        ours = yield* wait(this.#disk.lstat(temporary));
        if (old !== undefined) backup = yield* this.#linkBackup(path);
      }
      yield* wait(this.#disk.rename(temporary, path));
    } catch (cause) {
      if (backup !== undefined) yield* this.#discard(backup);
      throw storageFailed('rename the temporary file to', path, cause);
    }
    try {
      yield* this.#syncDirectory();
      if (backup !== undefined) yield* this.#removeTemporary(backup);
      return name;
    } catch (reason) {
      yield* this.#tryTo(function* (disk) {
        if (!same(ours, yield* wait(disk.lstat(path)))) return;
        yield* wait(backup === undefined ? disk.unlink(path) : disk.rename(backup, path));
      });
      throw reason;
    }
  }

  /** Keeps the old file reachable until the new one is durable (8.4). Undefined where there are no hard links. */
  *#linkBackup(path: string): Task<string | undefined> {
    const backup = this.path(this.#nextTemporary());
    try {
      yield* wait(this.#disk.link(path, backup));
      return backup;
    } catch (cause) {
      if (NO_HARD_LINKS.has(systemCode(cause))) return undefined;
      throw storageFailed('link', backup, cause);
    }
  }

  *#discard(path: string): Task<void> {
    yield* this.#tryTo(function* (disk) {
      yield* wait(disk.unlink(path));
    });
  }

  /** Part of taking back: what fails here is left for a sweep, and the first failure is the one to report. */
  *#tryTo(work: (disk: Disk) => Task<void>): Task<void> {
    try {
      yield* work(this.#disk);
    } catch {
      return;
    }
  }
}
