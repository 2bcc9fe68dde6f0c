import { constants } from 'node:fs';
import { sep } from 'node:path';
import { performance } from 'node:perf_hooks';
import { systemCode } from '../cause.js';
import { GoAheadError } from '../errors.js';
import { oneOf, optionInvalid } from '../option.js';
import { printable } from '../printable.js';
import type { Header } from '../wire/header.js';
import { coreWait } from '../disk/core-wait.js';
import { DirectorySync } from './directory-sync.js';
import { DirectoryUpload } from './directory-upload.js';
import { SYNCHRONOUS, type Synchronous } from '../disk/call-policy.js';
import { Disk } from './disk.js';
import type { FileName, NameRules } from './file-name.js';
import { parseFileName, unsafeName } from './file-name.js';
import type { FileSystem } from './file-system.js';
import { NODE_FILE_SYSTEM } from './file-system.js';
import type { ConflictPolicy } from './final-name.js';
import { FinalNames } from './final-name.js';
import type { SpaceAccount } from './free-space.js';
import { freeSpaceOf } from './free-space.js';
import type { MaybePromise } from '../maybe-promise.js';
import type { Processes } from './run-identity.js';
import { processesOf } from './run-identity.js';
import type { Storage, Upload } from './storage.js';
import { storageFailed } from './storage-failed.js';
import { sweep } from './sweep.js';
import type { Task } from './task.js';
import { run, wait } from './task.js';
import { TemporaryNames } from './temporary-name.js';

/** How names are read and conflicts settled, for any storage. */
export interface NamingOptions {
  /** Added to every name; `.temp` is what the classic receiver does. Default: nothing. */
  readonly suffix?: string | undefined;
  /** When a name is taken: a numbered name (the default), the place of the old file, or a refusal. */
  readonly onConflict?: ConflictPolicy | undefined;
  /** Refuse names that Windows reserves. Default: only on Windows. */
  readonly portableNames?: boolean | undefined;
}

/** How files are stored in a directory. */
export interface DirectoryStorageOptions extends NamingOptions {
  /** Make each file and its directory entry durable before it counts as stored (7.7). Default: true. */
  readonly sync?: boolean | undefined;
  /**
   * `adaptive` (the default) makes system calls on the event loop's thread while the directory is on a local filesystem
   * that answers at once; `never` makes all of them in the thread pool.
   */
  readonly synchronous?: Synchronous | undefined;
  /** Where space is promised, when other processes store on the same volume. Default: an account of this process. @internal */
  readonly space?: SpaceAccount | undefined;
  /** @internal */
  readonly fileSystem?: FileSystem | undefined;
  /** @internal */
  readonly processes?: Processes | undefined;
  /** Monotonic, in milliseconds. @internal */
  readonly now?: (() => number) | undefined;
  /** Milliseconds since 1970. @internal */
  readonly wallClock?: (() => number) | undefined;
}

/** Anything that the names from the wire could not have either, and what would leave the directory. */
const SUFFIX_FORBIDDEN = /[/\\\p{Cc}\p{Cs}]/u;
const LONGEST_SUFFIX = 64;

/** @throws GoAheadError OPTION_INVALID */
export function namingRules(options: NamingOptions): NameRules & { readonly onConflict: ConflictPolicy } {
  const { suffix = '', onConflict = 'rename', portableNames = process.platform === 'win32' } = options;
  if (SUFFIX_FORBIDDEN.test(suffix) || Buffer.byteLength(suffix) > LONGEST_SUFFIX) {
    throw optionInvalid('suffix', `at most ${LONGEST_SUFFIX} bytes, no \`/\`, \`\\\` or control character`, suffix);
  }
  return { suffix, portableNames, onConflict: oneOf('onConflict', ['rename', 'replace', 'refuse'], onConflict) };
}

function directoryInvalid(path: string, actual: string, cause?: unknown): GoAheadError {
  const expected = 'an existing directory that this user may list and write to';
  const remedy = systemCode(cause) === 'ENOENT' ? `; create it first: \`mkdir ${printable(path)}\`` : '';
  return new GoAheadError(
    'DIRECTORY_INVALID',
    `Cannot store in ${printable(path)}: expected ${expected}, but ${actual}${remedy}`,
    { expected, actual, cause },
  );
}

const WHY_INVALID = new Map([
  ['ENOENT', 'it does not exist'],
  ['ENOTDIR', 'it is not a directory'],
  ['EACCES', 'permission is denied'],
  ['EPERM', 'permission is denied'],
  ['EROFS', 'its filesystem is read-only'],
]);

function whyInvalid(cause: unknown): string {
  return WHY_INVALID.get(systemCode(cause)) ?? printable(String(cause));
}

/** What link(2) and open(2) answer to a name that the filesystem cannot hold, though we would. */
const NAME_REFUSED: ReadonlySet<string> = new Set(['ENAMETOOLONG', 'EILSEQ', 'EINVAL']);

/**
 * Stores each upload as a file in one directory.
 *
 * While an upload runs it is a temporary file in that directory, with a name that cannot be guessed; `commit` puts it under
 * its final name in one step, and on any failure it is removed. Nothing else is ever made in the directory. What a killed
 * run left is removed by the next `open`.
 */
export class DirectoryStorage implements Storage {
  /** Absolute, without symbolic links. */
  readonly directory: string;
  readonly #rules: NameRules;
  readonly #disk: Disk;
  readonly #sync: boolean;
  readonly #temporaryNames: TemporaryNames;
  readonly #finalNames: FinalNames;
  readonly #space: SpaceAccount;

  private constructor(
    directory: string,
    rules: NameRules,
    disk: Disk,
    sync: boolean,
    temporaryNames: TemporaryNames,
    finalNames: FinalNames,
    space: SpaceAccount,
  ) {
    this.directory = directory;
    this.#rules = rules;
    this.#disk = disk;
    this.#sync = sync;
    this.#temporaryNames = temporaryNames;
    this.#finalNames = finalNames;
    this.#space = space;
  }

  /**
   * Checks the directory and sweeps it: temporary files of runs of this user on this machine that have ended are removed.
   *
   * @throws GoAheadError DIRECTORY_INVALID when the directory is missing, is none, or cannot be listed and written to;
   *   OPTION_INVALID
   */
  static async open(directory: string, options: DirectoryStorageOptions = {}): Promise<DirectoryStorage> {
    const { onConflict, ...rules } = namingRules(options);
    const { sync = true, synchronous = 'adaptive', fileSystem = NODE_FILE_SYSTEM } = options;
    const { processes = processesOf(), now, wallClock = Date.now } = options;
    oneOf('synchronous', SYNCHRONOUS, synchronous);
    const { pool } = fileSystem;
    try {
      const path = await pool.realpath(directory);
      const entry = await pool.lstat(path);
      if (entry?.kind !== 'directory') throw directoryInvalid(directory, `it is a ${entry?.kind ?? 'missing one'}`);
      await pool.checkAccess(path);
      const { type } = await pool.statfs(path);
      // An injected clock has nothing to do with how long this thread waited.
      const disk =
        now === undefined
          ? new Disk(fileSystem, type, synchronous, () => performance.now(), setImmediate, coreWait)
          : new Disk(fileSystem, type, synchronous, now);
      await sweep(fileSystem, path, entry, processes);
      const names = new TemporaryNames(processes.self, entry, wallClock);
      const directorySync = sync ? new DirectorySync(fileSystem, path) : undefined;
      const finalNames = new FinalNames(disk, path, onConflict, rules.suffix, directorySync, () => names.next());
      const { space = freeSpaceOf(fileSystem, entry.dev) } = options;
      return new DirectoryStorage(path, rules, disk, sync, names, finalNames, space);
    } catch (reason) {
      throw reason instanceof GoAheadError ? reason : directoryInvalid(directory, whyInvalid(reason), reason);
    }
  }

  /**
   * @throws GoAheadError NAME_UNSAFE; NAME_TAKEN where the policy is `refuse`, or `replace` and something other than a file
   *   or a symbolic link stands there; NO_SPACE; STORAGE_FAILED
   */
  create(header: Header): MaybePromise<Upload> {
    return run(this.#create(header, parseFileName(header.name, this.#rules)));
  }

  *#create(header: Header, name: FileName): Task<Upload> {
    const { size } = header;
    try {
      yield* this.#finalNames.check(name);
    } catch (cause) {
      if (NAME_REFUSED.has(systemCode(cause))) throw unsafeName(header.name, undefined, cause);
      throw storageFailed('look at', this.#finalNames.path(name), cause);
    }
    const space = yield* this.#space.promise(this.#disk, this.directory, size);
    const path = this.directory + sep + this.#temporaryNames.next();
    try {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      const fd = yield* wait(this.#disk.open(path, flags, 0o666));
      const [disk, finalNames, sync] = [this.#disk, this.#finalNames, this.#sync];
      return new DirectoryUpload({ disk, finalNames, sync, name, size, path, fd, space });
    } catch (cause) {
      space.release();
      throw storageFailed('open', path, cause);
    }
  }
}
