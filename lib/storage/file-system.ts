import * as fs from 'node:fs';
import { promised } from '../disk/promised.js';

/** What stands in a directory under a name; a symbolic link is not followed. */
export interface Entry {
  readonly kind: 'file' | 'directory' | 'symbolic link' | 'special file';
  readonly dev: bigint;
  readonly ino: bigint;
  readonly uid: number;
  /** In bytes. */
  readonly size: bigint;
  /** Milliseconds since 1970; 0 where the filesystem does not keep it. */
  readonly birthtimeMs: number;
}

/** statfs(2), as far as it is used. */
export interface Volume {
  readonly type: bigint;
  readonly bsize: bigint;
  readonly bavail: bigint;
  readonly blocks: bigint;
}

/** The calls on the path of an upload. Errors are those of `node:fs`, with a `code`. */
export interface Calls {
  readonly open: (path: string, flags: number, mode: number) => number;
  readonly write: (fd: number, chunk: Uint8Array, offset: number, length: number, position: number) => number;
  readonly close: (fd: number) => void;
  readonly link: (existing: string, created: string) => void;
  readonly rename: (from: string, to: string) => void;
  readonly unlink: (path: string) => void;
  /** Undefined when there is nothing. */
  readonly lstat: (path: string) => Entry | undefined;
  readonly statfs: (path: string) => Volume;
}

/** The same calls through the thread pool, and those that are never made otherwise. */
export type PoolCalls = {
  [Name in keyof Calls]: (...args: Parameters<Calls[Name]>) => Promise<ReturnType<Calls[Name]>>;
} & {
  readonly fsync: (fd: number) => Promise<void>;
  /** Makes the entries of a directory durable. */
  readonly syncDirectory: (path: string) => Promise<void>;
  readonly realpath: (path: string) => Promise<string>;
  /** Fails unless this process may list the directory and make files in it. */
  readonly checkAccess: (path: string) => Promise<void>;
  readonly readdir: (path: string) => Promise<readonly string[]>;
};

/** The filesystem in two forms. Injected, so that specs can have one that is slow or broken. */
export interface FileSystem {
  readonly direct: Calls;
  readonly pool: PoolCalls;
}

function entryOf(stats: fs.BigIntStats): Entry {
  const { dev, ino, size } = stats;
  const kind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symbolic link'
        : 'special file';
  return { kind, dev, ino, size, uid: Number(stats.uid), birthtimeMs: Number(stats.birthtimeMs) };
}

const direct: Calls = {
  open: (path, flags, mode) => fs.openSync(path, flags, mode),
  write: (fd, chunk, offset, length, position) => fs.writeSync(fd, chunk, offset, length, position),
  close: (fd) => fs.closeSync(fd),
  link: (existing, created) => fs.linkSync(existing, created),
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
  lstat(path) {
    const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? undefined : entryOf(stats);
  },
  statfs: (path) => fs.statfsSync(path, { bigint: true }),
};

/** @param platform a directory cannot be synced on `win32` */
export function nodeFileSystem(platform: string = process.platform): FileSystem {
  const pool: PoolCalls = {
    open: (path, flags, mode) => promised((done) => fs.open(path, flags, mode, done)),
    write: (fd, chunk, offset, length, position) =>
      promised((done) => fs.write(fd, chunk, offset, length, position, done)),
    close: (fd) => promised((done) => fs.close(fd, (error) => done(error ?? null))),
    link: (existing, created) => promised((done) => fs.link(existing, created, (error) => done(error))),
    rename: (from, to) => promised((done) => fs.rename(from, to, (error) => done(error))),
    unlink: (path) => promised((done) => fs.unlink(path, (error) => done(error))),
    lstat: (path) =>
      promised((done) =>
        fs.lstat(path, { bigint: true }, (error, stats) => {
          if (error?.code === 'ENOENT') done(null, undefined);
          else if (error !== null) done(error, undefined);
          else done(null, entryOf(stats));
        }),
      ),
    statfs: (path) => promised((done) => fs.statfs(path, { bigint: true }, done)),
    fsync: (fd) => promised((done) => fs.fsync(fd, (error) => done(error))),
    async syncDirectory(path) {
      if (platform === 'win32') return;
      const fd = await pool.open(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY, 0);
      try {
        await pool.fsync(fd);
      } finally {
        await pool.close(fd);
      }
    },
    realpath: (path) => promised((done) => fs.realpath.native(path, done)),
    checkAccess: (path) =>
      promised((done) =>
        fs.access(path, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK, (error) => done(error)),
      ),
    readdir: (path) => promised((done) => fs.readdir(path, done)),
  };
  return { direct, pool };
}

/** One for the process: free space is promised once for all storages that use it. */
export const NODE_FILE_SYSTEM = nodeFileSystem();
