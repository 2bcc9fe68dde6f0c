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

function rejected(reason: unknown): Promise<never> {
  return Promise.reject(reason instanceof Error ? reason : new Error(String(reason)));
}

/**
 * The real filesystem with something in front of every call, which may note it, wait, or throw. A `close` that fails has
 * closed all the same, as on Linux.
 */
export function withHook(before: (call: Call) => void, { direct, pool }: FileSystem = NODE_FILE_SYSTEM): FileSystem {
  const inFront = <Args extends readonly unknown[], Result>(
    form: Call['form'],
    name: CallName,
    real: (...args: Args) => Result,
  ): ((...args: Args) => Result) => {
    return (...args) => {
      try {
        before({ name, form, args });
      } catch (reason) {
        if (name === 'close') void real(...args);
        if (form === 'pool') return rejected(reason) as Result;
        throw reason;
      }
      return real(...args);
    };
  };
  const hookedDirect: Calls = {
    open: inFront('direct', 'open', direct.open),
    write: inFront('direct', 'write', direct.write),
    close: inFront('direct', 'close', direct.close),
    link: inFront('direct', 'link', direct.link),
    rename: inFront('direct', 'rename', direct.rename),
    unlink: inFront('direct', 'unlink', direct.unlink),
    lstat: inFront('direct', 'lstat', direct.lstat),
    statfs: inFront('direct', 'statfs', direct.statfs),
  };
  const hookedPool: PoolCalls = {
    open: inFront('pool', 'open', pool.open),
    write: inFront('pool', 'write', pool.write),
    close: inFront('pool', 'close', pool.close),
    link: inFront('pool', 'link', pool.link),
    rename: inFront('pool', 'rename', pool.rename),
    unlink: inFront('pool', 'unlink', pool.unlink),
    lstat: inFront('pool', 'lstat', pool.lstat),
    statfs: inFront('pool', 'statfs', pool.statfs),
    fsync: inFront('pool', 'fsync', pool.fsync),
    syncDirectory: inFront('pool', 'syncDirectory', pool.syncDirectory),
    realpath: inFront('pool', 'realpath', pool.realpath),
    checkAccess: inFront('pool', 'checkAccess', pool.checkAccess),
    readdir: inFront('pool', 'readdir', pool.readdir),
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
