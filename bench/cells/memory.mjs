import { rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { makeSparseFile } from '../files.mjs';

/** The memory of both sides for a file larger than any buffer. @param {import('../context.mjs').Context} context */
export async function memory(context) {
  const bytes = context.sizes.sparse;
  const { bavail, bsize } = statfsSync(context.directory);
  if (bavail * bsize < bytes * 1.2) {
    context.log(`memory: less than ${(bytes * 1.2).toLocaleString('en')} bytes free in ${context.options.directory}`);
    return [];
  }
  const source = makeSparseFile(join(context.directory, 'sparse.bin'), bytes);
  const contestants = context.pairs(['c', 'ours', 'plain'], { files: [source], timeout: 600_000 });
  const title = 'Memory for one very large sparse file';
  const results = await context.run([{ id: 'memory', title, bytes, baseline: 'ours', contestants }], 1, 1);
  rmSync(source);
  return results;
}
