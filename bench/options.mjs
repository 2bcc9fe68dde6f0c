/** The command line of the benchmarks. */
import { statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contenders } from './contenders.mjs';

export const CELLS = ['framer', 'receive', 'send', 'both', 'small', 'clients', 'memory', 'start'];

const TMPFS_MAGIC = 0x01021994; // statfs(2)
const KIBIBYTE = 2 ** 10;
const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

export const USAGE = `usage: npm run bench -- [options]

  --quick        small sizes and few rounds: about a minute, for a look; not saved
  --cells a,b    only these: ${CELLS.join(', ')}
  --only a,b     only these contenders and the baseline, as contenders.mjs calls them; not saved
  --dir DIR      where files land (default /dev/shm, which is tmpfs)
  --disk DIR     a folder on a real disk, for the cost of sync (default: the temporary folder, or here)
  --rounds N     instead of the number that each cell has
  --out DIR      where the results go (default bench/results)
`;

/**
 * @typedef {object} Sizes
 * @property {number} large bytes of the one large file
 * @property {number} smallFiles
 * @property {number} pairFiles of the small ones, where each client sends to its own server; some take 40 ms for each
 * @property {number} diskFiles
 * @property {number} smallFile bytes
 * @property {readonly number[]} clients
 * @property {number} sparse bytes
 */

/** @type {Record<'full' | 'quick', Sizes>} */
const SIZES = {
  full: {
    large: GIBIBYTE,
    smallFiles: 5000,
    pairFiles: 500,
    diskFiles: 1000,
    smallFile: 4 * KIBIBYTE,
    clients: [1, 8, 64, 512, 4096],
    sparse: 10 * GIBIBYTE,
  },
  quick: {
    large: 64 * MEBIBYTE,
    smallFiles: 200,
    pairFiles: 50,
    diskFiles: 50,
    smallFile: 4 * KIBIBYTE,
    clients: [8, 256],
    sparse: 512 * MEBIBYTE,
  },
};

/** @param {string[]} argv */
export function readOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      quick: { type: 'boolean', default: false },
      cells: { type: 'string', default: CELLS.join(',') },
      only: { type: 'string' },
      dir: { type: 'string', default: '/dev/shm' },
      disk: { type: 'string' },
      rounds: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const cells = values.cells.split(',');
  const unknown = cells.find((cell) => !CELLS.includes(cell));
  if (unknown !== undefined) throw new Error(`there is no cell '${unknown}'; there are ${CELLS.join(', ')}`);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error('--rounds takes a whole number');
  const only = values.only?.split(',');
  const known = Object.values(contenders({ compiled: '' })).flatMap((each) => Object.keys(each));
  const stranger = only?.find((id) => !known.includes(id));
  if (stranger !== undefined)
    throw new Error(`--only: there is no '${stranger}'; there are ${[...new Set(known)].join(', ')}`);
  for (const option of /** @type {const} */ (['dir', 'disk'])) {
    const directory = values[option];
    if (directory !== undefined && !statSync(directory, { throwIfNoEntry: false })?.isDirectory())
      throw new Error(`--${option}: ${directory} is not a directory`);
  }
  return {
    help: values.help,
    quick: values.quick,
    cells,
    directory: values.dir,
    disk: values.disk ?? realDisk(),
    rounds,
    only,
    out:
      values.out ??
      (values.quick || only !== undefined ? undefined : fileURLToPath(new URL('results', import.meta.url))),
    sizes: SIZES[values.quick ? 'quick' : 'full'],
  };
}

/** @typedef {ReturnType<typeof readOptions>} Options */

/** @param {string} directory */
export const isTmpfs = (directory) => statfsSync(directory).type === TMPFS_MAGIC;

function realDisk() {
  return [tmpdir(), fileURLToPath(new URL('.', import.meta.url))].find((directory) => !isTmpfs(directory));
}
