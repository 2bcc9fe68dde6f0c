import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFiles } from '../files.mjs';

/**
 * Many small files, one after another and 64 at a time; to a receiver that was just started, as in every cell, and to one that
 * has had as many before, as a server has that runs for longer than two seconds.
 * @param {import('../context.mjs').Context} context
 */
export async function small(context) {
  const { smallFiles, smallFile, pairFiles, diskFiles } = context.sizes;
  const folder = join(context.directory, 'small');
  const all = makeFiles(folder, 2 * smallFiles, smallFile);
  const files = all.slice(0, smallFiles);
  const before = all.slice(smallFiles);
  const amount = { files: smallFiles, bytes: smallFiles * smallFile };
  const orders = [
    { suffix: 'one', concurrency: 1, order: 'one after another' },
    { suffix: '64', concurrency: 64, order: '64 at a time' },
  ];

  const onTmpfs = orders.flatMap(({ suffix, concurrency, order }) => [
    {
      id: `small-receive-${suffix}`,
      title: `Small files from the C sender to each receiver, ${order}`,
      ...amount,
      baseline: 'c',
      contestants: context.receivers(['c', 'ours', 'ours-command', 'classic', 'plain'], {
        files,
        bytes: amount.bytes,
        concurrency,
      }),
    },
    {
      id: `small-warm-${suffix}`,
      title: `The same to receivers that have had ${smallFiles.toLocaleString('en')} files before, ${order}`,
      ...amount,
      baseline: 'c',
      contestants: context.receivers(['c', 'ours', 'ours-command', 'classic', 'plain'], {
        files,
        before,
        bytes: amount.bytes,
        concurrency,
      }),
    },
    {
      id: `small-both-${suffix}`,
      title: `Small files from each client to its own server, ${order}`,
      files: pairFiles,
      bytes: pairFiles * smallFile,
      baseline: 'c',
      contestants: context.pairs(
        Object.keys(context.all.pairs).filter((id) => id !== 'classic-large'),
        { files: files.slice(0, pairFiles), bytes: pairFiles * smallFile, concurrency },
      ),
    },
  ]);
  const results = await context.run(onTmpfs, 5, 1);

  if (context.options.disk === undefined)
    context.log('small on a disk: no folder on a real disk; give one with --disk');
  else {
    const directory = context.scratch(context.options.disk);
    const some = files.slice(0, diskFiles);
    const onDisk = orders.map(({ suffix, concurrency, order }) => ({
      id: `small-disk-${suffix}`,
      title: `Small files from the C sender on a disk, with and without sync, ${order}`,
      files: diskFiles,
      bytes: diskFiles * smallFile,
      baseline: 'ours',
      contestants: context.receivers(['ours', 'ours-synced', 'c'], { files: some, concurrency, directory }),
    }));
    results.push(...(await context.run(onDisk, 5, 1)));
  }
  rmSync(folder, { recursive: true });
  return results;
}
