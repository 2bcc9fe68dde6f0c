import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFile } from '../files.mjs';

/** One large file from each sender in turn to the C receiver. @param {import('../context.mjs').Context} context */
export async function send(context) {
  const bytes = context.sizes.large;
  const source = makeFile(join(context.directory, 'large.bin'), bytes);
  const contestants = context.senders(['c', 'c-copy', 'ours', 'ours-command', 'classic', 'classic-large', 'plain'], {
    files: [source],
    bytes,
  });
  const title = 'One large file from each sender to the C receiver';
  const results = await context.run([{ id: 'send', title, bytes, baseline: 'c', contestants }], 5, 1);
  rmSync(source);
  return results;
}
