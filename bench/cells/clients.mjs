import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFile } from '../files.mjs';

const RECEIVERS = ['c', 'ours', 'ours-workers', 'classic', 'plain'];

/** From one client to thousands at once, the same bytes in all. @param {import('../context.mjs').Context} context */
export async function clients(context) {
  const bytes = context.sizes.large;
  const counts = context.sizes.clients;
  const sources = counts.map((count) => makeFile(join(context.directory, `${count}.bin`), Math.floor(bytes / count)));

  const plans = counts.map((count, index) => ({
    id: `clients-${count}`,
    title: `${count.toLocaleString('en')} ${count === 1 ? 'client' : 'clients'} at once, the same bytes in all`,
    bytes,
    files: count,
    baseline: 'c',
    contestants: context.receivers(RECEIVERS, {
      files: [sources[index]],
      bytes,
      copies: count,
      concurrency: count,
      tolerant: true,
    }),
  }));
  const results = await context.run(plans, 5, 1);

  const most = Math.max(...counts);
  const source = makeFile(join(context.directory, 'idle.bin'), context.sizes.smallFile);
  const idle = {
    id: 'clients-idle',
    title: `${most.toLocaleString('en')} clients that have their reply and send nothing`,
    files: most,
    baseline: 'c',
    contestants: context.receivers(RECEIVERS, {
      files: [source],
      copies: most,
      concurrency: most,
      hold: true,
      timeout: 60_000,
    }),
  };
  results.push(...(await context.run([idle], 3, 1)));
  for (const file of [...sources, source]) rmSync(file);
  return results;
}
