/** The files that are sent, where they land, and the check that they arrived. */
import { createHash, randomFillSync } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const BLOCK = 16 * 2 ** 20;

/** @param {string} path @param {number} size in bytes, of random content */
export function makeFile(path, size) {
  const file = openSync(path, 'w');
  const block = Buffer.allocUnsafe(Math.min(BLOCK, size));
  for (let left = size; left > 0; left -= BLOCK) {
    writeSync(file, randomFillSync(block), 0, Math.min(left, BLOCK));
  }
  closeSync(file);
  return path;
}

/** @param {string} path @param {number} size in bytes, none of them allocated */
export function makeSparseFile(path, size) {
  writeFileSync(path, '');
  truncateSync(path, size);
  return path;
}

/** @param {string} directory @param {number} count @param {number} size in bytes */
export function makeFiles(directory, count, size) {
  mkdirSync(directory, { recursive: true });
  return Array.from({ length: count }, (_, index) => makeFile(join(directory, `${index}.bin`), size));
}

/**
 * Touches as much memory as the next transfer will fill, and gives it back. On tmpfs the first use of a page costs a
 * virtual machine several times what a later one does, and that would be charged to whoever comes first.
 * @param {string} directory @param {number} size in bytes
 */
export function warmPages(directory, size) {
  const path = join(directory, '.warm');
  const block = Buffer.alloc(BLOCK);
  const file = openSync(path, 'w');
  for (let left = size; left > 0; left -= BLOCK) writeSync(file, block, 0, Math.min(left, BLOCK));
  closeSync(file);
  rmSync(path);
}

/** @param {string} path */
export async function hashFile(path) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * Compares what landed with what was sent, as multisets of hashes, since each receiver has names of its own. The JSON
 * files that tus keeps beside its uploads do not count.
 * @param {string} directory
 * @param {readonly string[]} sent
 * @param {number} copies of each file
 * @param {number} failed so many may be missing
 */
export async function verify(directory, sent, copies, failed) {
  const landed = (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name));
  const confirmed = sent.length * copies - failed;
  if (landed.length < confirmed) throw new Error(`${landed.length} files landed, and ${confirmed} were confirmed`);
  /** @type {Map<string, number>} */
  const expected = new Map();
  for (const path of sent) {
    const hash = await hashFile(path);
    expected.set(hash, (expected.get(hash) ?? 0) + copies);
  }
  for (const path of landed) {
    const hash = await hashFile(path);
    const left = expected.get(hash) ?? 0;
    if (left === 0) throw new Error(`${path} (${(await stat(path)).size} bytes) is not what was sent`);
    expected.set(hash, left - 1);
  }
}
