import {
  DIRECT,
  POOL,
  type DirectFileCalls,
  type FileCalls,
  type PoolFileCalls,
} from '../../lib/sources/file-calls.js';

export interface RecordedCalls {
  readonly direct: DirectFileCalls;
  readonly pool: PoolFileCalls;
  /** Such as `pool open`, in order. */
  readonly made: string[];
}

/** The real calls, and a list of them. Every volume is of this type. */
export function recordedCalls(type: bigint): RecordedCalls {
  const made: string[] = [];
  const note = <T>(form: string, call: string, result: T): T => {
    made.push(`${form} ${call}`);
    return result;
  };
  return {
    made,
    direct: {
      lstat: (path) => note('direct', 'lstat', DIRECT.lstat(path)),
      stat: (path) => note('direct', 'stat', DIRECT.stat(path)),
      open: (path, flags) => note('direct', 'open', DIRECT.open(path, flags)),
      fstat: (fd) => note('direct', 'fstat', DIRECT.fstat(fd)),
      read: (fd, buffer, position) => note('direct', 'read', DIRECT.read(fd, buffer, position)),
      close(fd) {
        DIRECT.close(fd);
        note('direct', 'close', undefined);
      },
    },
    pool: {
      lstat: (path) => note('pool', 'lstat', POOL.lstat(path)),
      stat: (path) => note('pool', 'stat', POOL.stat(path)),
      open: (path, flags) => note('pool', 'open', POOL.open(path, flags)),
      fstat: (fd) => note('pool', 'fstat', POOL.fstat(fd)),
      read: (fd, buffer, position) => note('pool', 'read', POOL.read(fd, buffer, position)),
      close: (fd) => note('pool', 'close', POOL.close(fd)),
      volumeType: async () => note('pool', 'volumeType', type),
    },
  };
}

/** As `recordedCalls` writes them down. */
export const all = (form: 'direct' | 'pool', ...calls: readonly (keyof FileCalls | 'volumeType')[]): string[] =>
  calls.map((call) => `${form} ${call}`);

/** To open a file, and from then on; the read that a session leaves out finds the end. */
export const OPEN = ['stat', 'open', 'fstat'] as const;
export const OPEN_DIRECT = ['lstat', 'open', 'fstat'] as const;
export const SEND = ['read', 'fstat', 'stat', 'close'] as const;

/** A clock on which no call is slow, whatever the machine does. */
export const frozen = (): number => 0;

/** `f_type` in statfs(2). */
export const EXT4 = 0xef53n;
export const NFS = 0x6969n;
