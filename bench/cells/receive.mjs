import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFile } from '../files.mjs';

/** One large file from the C sender, each receiver in turn. @param {import('../context.mjs').Context} context */
export async function receive(context) {
  const bytes = context.sizes.large;
  const source = makeFile(join(context.directory, 'large.bin'), bytes);
  const ids = ['c', 'ours', 'ours-command', 'classic', 'classic-large', 'plain', 'http', 'tus', 'ftp'];
  const contestants = context.receivers(ids, { files: [source], bytes });
  const title = 'One large file from the C sender to each receiver';
  const results = await context.run([{ id: 'receive', title, bytes, baseline: 'c', contestants }], 7, 1);
  rmSync(source);
  return results;
}
