/** One thing on disk, and what stands in a directory. The same bytes are hashed once. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { open } from 'node:fs/promises';
import { plural } from '../../plural.js';

/** One thing on disk. `path` is relative to the directory; bytes that are not printable ASCII are escaped. */
export interface DiskEntry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  /** Of a regular file. */
  readonly sha256?: string;
  readonly target?: string;
}

export type Snapshot = readonly DiskEntry[];

export function kindAndSize({ kind, size }: DiskEntry): string {
  return `(${kind}, ${plural(size, 'byte')})`;
}

export function showEntry(entry: DiskEntry): string {
  return `${entry.path} ${kindAndSize(entry)}`;
}

function kindOf(stat: fs.BigIntStats): DiskEntry['kind'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  return stat.isSymbolicLink() ? 'symlink' : 'other';
}

/** Files up to this are read at once; it costs less than a way through the thread pool. */
const SMALL = 65_536;
const PIECE = 1_048_576;
/** In ms: a file that was changed so shortly before the look may change again within one tick of its clock. */
const RACY = 100n;

interface Hashed {
  readonly version: string;
  readonly sha256: string;
}

/** By device and inode. */
const hashed = new Map<string, Hashed>();
/** More than these are not kept: the files of a run are removed as it goes on. */
const KEPT = 500;

// Not waiting for a writer, should a FIFO stand there by now, and not following a link.
const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW;

function readSmall(path: Buffer): string {
  const file = fs.openSync(path, FLAGS);
  try {
    return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  } finally {
    fs.closeSync(file);
  }
}

async function readLarge(path: Buffer): Promise<string> {
  const file = await open(path, FLAGS);
  try {
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafeSlow(PIECE);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, PIECE, null);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

async function sha256(path: Buffer, stat: fs.BigIntStats): Promise<string> {
  const key = `${stat.dev}:${stat.ino}`;
  const version = `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
  const known = hashed.get(key);
  if (known?.version === version) return known.sha256;
  const settled = BigInt(Date.now()) - stat.ctimeMs > RACY;
  const found = stat.size <= SMALL ? readSmall(path) : await readLarge(path);
  if (settled) remember(hashed, key, { version, sha256: found }, KEPT);
  return found;
}

/** Of more than `most` all are forgotten. */
export function remember<V>(known: Map<string, V>, key: string, value: V, most: number): void {
  if (known.size >= most) known.clear();
  known.set(key, value);
}

export function statOf(path: Buffer): fs.BigIntStats | null {
  try {
    return fs.lstatSync(path, { bigint: true });
  } catch {
    return null;
  }
}

/** What stands there; null when nothing does. `shown` is the path for people. */
export async function entryAt(path: Buffer, shown: string, stat = statOf(path)): Promise<DiskEntry | null> {
  if (stat === null) return null;
  try {
    const base = { path: shown, kind: kindOf(stat), size: Number(stat.size) };
    if (stat.isFile()) return { ...base, sha256: await sha256(path, stat) };
    if (stat.isSymbolicLink()) return { ...base, target: fs.readlinkSync(path) };
    return base;
  } catch {
    // It was removed or renamed between the listing and the look: then it is not there.
    return null;
  }
}

export function list(path: Buffer): readonly Buffer[] {
  try {
    return fs.readdirSync(path, { encoding: 'buffer' });
  } catch {
    return [];
  }
}
