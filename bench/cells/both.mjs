import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFile } from '../files.mjs';

/** One large file from each client to the server it belongs to. @param {import('../context.mjs').Context} context */
export async function both(context) {
  const bytes = context.sizes.large;
  const source = makeFile(join(context.directory, 'large.bin'), bytes);
  const contestants = context.pairs(Object.keys(context.all.pairs), { files: [source], bytes });
  const title = 'One large file from each client to its own server';
  const results = await context.run([{ id: 'both', title, bytes, baseline: 'c', contestants }], 5, 1);
  rmSync(source);
  return results;
}
