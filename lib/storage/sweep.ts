import { sep } from 'node:path';
import type { Entry, FileSystem } from './file-system.js';
import type { Processes } from './run-identity.js';
import type { DirectoryIdentity, TemporaryName } from './temporary-name.js';
import { ownFields, parseTemporaryName } from './temporary-name.js';

/** Clocks of filesystems are coarse, and those of file servers differ from ours. In milliseconds. */
const CLOCK_TOLERANCE_MS = 10_000;

/** Whether the run that made a file has ended for certain. Runs of other machines and containers cannot be asked. */
function isOver(name: TemporaryName, directory: DirectoryIdentity, processes: Processes): boolean {
  const { self } = processes;
  const own = ownFields(self, directory);
  if (name.host !== own.host || name.inode !== own.inode) return false;
  // Device numbers may change with a restart of the machine, so they are only compared within one.
  if (name.boot !== own.boot) return self.boot !== '';
  if (name.device !== own.device || name.pidNamespace !== own.pidNamespace) return false;
  return !processes.isAlive(name.pid, name.startTime);
}

/** Whether an entry can be what its name says: a regular file of our user, not made after the moment in the name. */
function fits(entry: Entry, name: TemporaryName, user: number | undefined): boolean {
  if (entry.kind !== 'file' || (user !== undefined && entry.uid !== user)) return false;
  return entry.birthtimeMs <= name.createdAt + CLOCK_TOLERANCE_MS;
}

/**
 * Removes the temporary files that dead runs of this user left in the directory, and nothing else (8.3). A file that
 * cannot be removed stays for the next sweep.
 *
 * @returns the names of what was removed
 */
export async function sweep(
  { pool }: FileSystem,
  path: string,
  directory: DirectoryIdentity,
  processes: Processes,
): Promise<readonly string[]> {
  const swept: string[] = [];
  for (const entryName of await pool.readdir(path)) {
    const name = parseTemporaryName(entryName);
    if (name === undefined || !isOver(name, directory, processes)) continue;
    const entryPath = path + sep + entryName;
    try {
      const entry = await pool.lstat(entryPath);
      if (entry === undefined || !fits(entry, name, processes.user)) continue;
      await pool.unlink(entryPath);
      swept.push(entryName);
    } catch {
      // Left for the next sweep.
    }
  }
  return swept;
}
