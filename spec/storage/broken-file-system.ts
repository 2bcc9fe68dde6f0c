import type { Calls, FileSystem, PoolCalls } from '../../lib/storage/file-system.js';
import { NODE_FILE_SYSTEM } from '../../lib/storage/file-system.js';

export type CallName = keyof PoolCalls;

/** One system call that a storage made. */
export interface Call {
  readonly name: CallName;
  readonly form: 'direct' | 'pool';
  readonly args: readonly unknown[];
}

export function systemError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: injected, ${call}`), { code, syscall: call });
}

/**
 * The real filesystem with something in front of every call, which may note it, wait, or throw. A `close` that fails has
 * closed all the same, as on Linux.
 */
export function withHook(before: (call: Call) => void, { direct, pool }: FileSystem = NODE_FILE_SYSTEM): FileSystem {
  const directly = <Args extends readonly unknown[], Result>(
    name: CallName,
    real: (...args: Args) => Result,
  ): ((...args: Args) => Result) => {
    return (...args) => {
      try {
        before({ name, form: 'direct', args });
      } catch (reason) {
        if (name === 'close') real(...args);
        throw reason;
      }
      return real(...args);
    };
  };
  const pooled = <Args extends readonly unknown[], Result>(
    name: CallName,
    real: (...args: Args) => Promise<Result>,
  ): ((...args: Args) => Promise<Result>) => {
    return async (...args) => {
      try {
        before({ name, form: 'pool', args });
      } catch (reason) {
        if (name === 'close') await real(...args);
        throw reason;
      }
      return real(...args);
    };
  };
  const hookedDirect: Calls = {
    open: directly('open', direct.open),
    write: directly('write', direct.write),
    close: directly('close', direct.close),
    link: directly('link', direct.link),
    rename: directly('rename', direct.rename),
    unlink: directly('unlink', direct.unlink),
    lstat: directly('lstat', direct.lstat),
    statfs: directly('statfs', direct.statfs),
  };
  const hookedPool: PoolCalls = {
    open: pooled('open', pool.open),
    write: pooled('write', pool.write),
    close: pooled('close', pool.close),
    link: pooled('link', pool.link),
    rename: pooled('rename', pool.rename),
    unlink: pooled('unlink', pool.unlink),
    lstat: pooled('lstat', pool.lstat),
    statfs: pooled('statfs', pool.statfs),
    fsync: pooled('fsync', pool.fsync),
    syncDirectory: pooled('syncDirectory', pool.syncDirectory),
    realpath: pooled('realpath', pool.realpath),
    checkAccess: pooled('checkAccess', pool.checkAccess),
    readdir: pooled('readdir', pool.readdir),
  };
  return { direct: hookedDirect, pool: hookedPool };
}

/** A local filesystem for the policy, whatever the specs run on. */
export function local(fileSystem: FileSystem): FileSystem {
  const type = 0xef53n;
  return {
    direct: { ...fileSystem.direct, statfs: (path) => ({ ...fileSystem.direct.statfs(path), type }) },
    pool: { ...fileSystem.pool, statfs: async (path) => ({ ...(await fileSystem.pool.statfs(path)), type }) },
  };
}

/** Says that all is on the medium, at once: for specs that are about something else and make many files. */
export function withoutSync(fileSystem: FileSystem): FileSystem {
  const pool = { ...fileSystem.pool, fsync: async () => undefined, syncDirectory: async () => undefined };
  return { ...fileSystem, pool };
}
