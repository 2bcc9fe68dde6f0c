import { messageOf, systemCode } from '../cause.js';
import { GoAheadError } from '../errors.js';
import { printable } from '../printable.js';

const ADVICE = new Map([
  ['ENOSPC', 'free some space'],
  ['EDQUOT', 'free some space, or have the quota raised'],
  ['EFBIG', 'raise the limit of file sizes (`ulimit -f`)'],
  ['EMFILE', 'raise the limit of open files (`ulimit -n`), or serve fewer connections at once'],
  ['ENFILE', 'raise the limit of open files of the system'],
  ['EACCES', 'check the permissions of the directory'],
  ['EPERM', 'check the permissions of the directory'],
  ['EROFS', 'the filesystem is mounted read-only'],
  ['ENOENT', 'the directory or the temporary file was removed by somebody else'],
  ['EIO', 'check the disk'],
]);

/** @param doing such as `write` or `sync the directory`, as it fits after "cannot" */
export function storageFailed(doing: string, path: string, cause: unknown): GoAheadError {
  if (cause instanceof GoAheadError) return cause;
  const advice = ADVICE.get(systemCode(cause));
  const what = printable(messageOf(cause));
  return new GoAheadError(
    'STORAGE_FAILED',
    `Cannot ${doing} ${printable(path)}: ${what}${advice === undefined ? '' : `; ${advice}`}`,
    { cause },
  );
}
