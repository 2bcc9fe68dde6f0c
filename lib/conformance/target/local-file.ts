/** The file that a client is given, and what stands in its place. */
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '../../cause.js';
import { bufferOf, chunksOf, lengthOf, type Variables } from '../model/bytes.js';
import type { FileChange, LocalFile } from '../model/case.js';

/** Where the files of a run stand. */
export interface FileGround {
  /** A folder of the suite's own; every file gets a folder of its own in it. */
  readonly folder: string;
  /** The client runs in this folder of its user's and is given names only, so the files stand directly in it. */
  readonly shared: string | null;
}

export interface PlacedFile {
  readonly path: Buffer;
  readonly name: Buffer;
  /** Words before the command, so that the client is allowed no more than other users are. */
  readonly before: readonly string[];
  readonly change: (how: FileChange) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Why a file cannot be made here. */
export interface Impossible {
  readonly impossible: string;
}

/** Longer than any name that fits a header (3.1), and far from PATH_MAX. */
const DEEP = Array.from({ length: 6 }, (_, i) => `${i}`.padEnd(200, 'deep'));

/** In memory on Linux; its files may be larger than those of most disks. */
const MEMORY = '/dev/shm';

export async function placeFile(
  ground: FileGround,
  file: LocalFile,
  variables: Variables,
): Promise<PlacedFile | Impossible> {
  const place = (folder: string) => (): Promise<PlacedFile | Impossible> =>
    tryPlace({ ...ground, folder }, file, variables);
  const further = file.kind === 'sparse' && ground.shared === null ? [place(MEMORY)] : [];
  return firstPossible(place(ground.folder), ...further);
}

/** The first that can be made; where none can, why the first one cannot. */
export async function firstPossible<T extends object>(
  first: () => Promise<T | Impossible>,
  ...others: readonly (() => Promise<T | Impossible>)[]
): Promise<T | Impossible> {
  const found = await first();
  if (!('impossible' in found)) return found;
  for (const other of others) {
    const another = await other();
    if (!('impossible' in another)) return another;
  }
  return found;
}

async function tryPlace(ground: FileGround, file: LocalFile, variables: Variables): Promise<PlacedFile | Impossible> {
  const name = bufferOf(file.name, variables);
  if (file.deep === true && ground.shared !== null) {
    return { impossible: 'needs {file} in the command: the case is about the path' };
  }
  const { own, folder } =
    ground.shared === null ? await ownFolder(ground.folder, file) : { own: null, folder: ground.shared };
  const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
  const beside = (what: string): Buffer => Buffer.concat([path, Buffer.from(`.${what}`)]);
  // A name of 255 bytes leaves no room beside it; the folder is ours then.
  const aside = own === null ? beside('other') : Buffer.from(join(own, 'other'));
  const remove = async (): Promise<void> => {
    if (own !== null) await fs.rm(own, { recursive: true, force: true });
    else for (const each of [path, aside]) await removeOne(each);
  };
  try {
    if (own !== null) await fs.mkdir(folder, { recursive: true });
    const before = await make(path, aside, file, variables);
    if (typeof before === 'string') {
      await remove();
      return { impossible: before };
    }
    const change = (how: FileChange): Promise<void> => changeFile(path, aside, how, variables);
    return { path, name, before, change, remove };
  } catch (fault) {
    const code = systemCode(fault);
    // What stands there is not ours, so it is not removed.
    if (code !== 'EEXIST') await remove();
    const impossible = whyImpossible(code, name.toString(), lengthOf(file.body, variables));
    if (impossible === null) throw fault;
    return { impossible };
  }
}

/** What is missing where a call fails with this code; null where it must not fail so. */
export function whyImpossible(code: string, name: string, size: bigint): string | null {
  switch (code) {
    case 'EEXIST':
      return `needs another --cwd: ${JSON.stringify(name)} stands there`;
    case 'EFBIG':
    case 'EINVAL':
      return `needs a file system for files of ${size} bytes (${code})`;
    case 'EILSEQ':
      return 'needs a file system for names that are not UTF-8';
    default:
      return null;
  }
}

async function ownFolder(
  within: string,
  { deep }: LocalFile,
): Promise<{ readonly own: string; readonly folder: string }> {
  const own = await fs.mkdtemp(join(within, 'go-ahead-case-'));
  return { own, folder: join(own, ...(deep === true ? DEEP : ['of its own'])) };
}

async function removeOne(path: Buffer): Promise<void> {
  // `recursive` takes no Buffer for a directory, so what it is decides.
  const stats = await fs.lstat(path).catch(() => null);
  if (stats !== null) await (stats.isDirectory() ? fs.rmdir(path) : fs.unlink(path));
}

/** The words that must stand before the command, or why it cannot be made. */
async function make(
  path: Buffer,
  aside: Buffer,
  file: LocalFile,
  variables: Variables,
): Promise<readonly string[] | string> {
  switch (file.kind) {
    case 'file':
      await write(path, file, variables);
      return [];
    case 'sparse':
      return sparse(path, lengthOf(file.body, variables));
    case 'link':
      await write(aside, file, variables);
      await fs.symlink(aside, path);
      return [];
    case 'missing':
      return [];
    case 'dangling link':
      await fs.symlink(aside, path);
      return [];
    case 'link loop':
      await fs.symlink(path, path);
      return [];
    case 'directory':
      await fs.mkdir(path);
      return [];
    case 'fifo':
      try {
        execFileSync('mkfifo', [path.toString()], { stdio: 'ignore' });
        return [];
      } catch {
        return 'needs mkfifo';
      }
    case 'device':
      await fs.symlink('/dev/null', path);
      return [];
    case 'unreadable':
      await write(path, file, variables);
      await fs.chmod(path, 0);
      return withoutPrivilege(path);
  }
}

async function sparse(path: Buffer, size: bigint): Promise<readonly string[] | string> {
  const handle = await fs.open(path, 'wx');
  try {
    if (size <= BigInt(Number.MAX_SAFE_INTEGER)) await handle.truncate(Number(size));
  } finally {
    await handle.close();
  }
  if (size <= BigInt(Number.MAX_SAFE_INTEGER)) return [];
  // Node hands on no larger number.
  try {
    execFileSync('truncate', ['-s', String(size), path.toString()], { stdio: 'ignore' });
    return [];
  } catch {
    return `needs a file system for files of ${size} bytes, and truncate(1)`;
  }
}

async function write(path: Buffer, file: LocalFile, variables: Variables): Promise<void> {
  const handle = await fs.open(path, 'wx');
  try {
    for (const chunk of chunksOf(file.body, variables)) await handle.write(chunk);
  } finally {
    await handle.close();
  }
}

const DROP = '-dac_override,-dac_read_search';
/** Root may read everything, unless it gives that up (capabilities(7)). */
const WITHOUT = ['setpriv', `--bounding-set=${DROP}`, `--inh-caps=${DROP}`, '--'];

function withoutPrivilege(path: Buffer): readonly string[] | string {
  for (const before of [[], WITHOUT]) {
    const { status } = spawnSync('env', [...before, 'test', '-r', path.toString()], { stdio: 'ignore' });
    if (status === 1) return before;
  }
  return 'needs another user than root, or setpriv: root may read everything';
}

async function changeFile(path: Buffer, aside: Buffer, how: FileChange, variables: Variables): Promise<void> {
  switch (how.kind) {
    case 'append':
      return fs.appendFile(path, bufferOf(how.bytes, variables));
    case 'truncate':
      return fs.truncate(path, how.to);
    case 'rewrite': {
      const handle = await fs.open(path, 'r+');
      try {
        const bytes = bufferOf(how.bytes, variables);
        await handle.write(bytes, 0, bytes.length, how.at);
      } finally {
        await handle.close();
      }
      return;
    }
    case 'remove':
      return fs.rm(path);
    case 'replace':
      await fs.writeFile(aside, bufferOf(how.bytes, variables));
      return fs.rename(aside, path);
  }
}

/** The folder of a run. */
export function runFolder(): Promise<string> {
  return fs.mkdtemp(join(tmpdir(), 'go-ahead-conformance-'));
}

export function removeFolder(folder: string): Promise<void> {
  return fs.rm(folder, { recursive: true, force: true });
}
