import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { chartStamp } from '../bench/chart-specification.mjs';
import { readResults, report } from '../bench/report.mjs';

const file = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const cells = readResults(new URL('../bench/results/', import.meta.url));

t.test(
  'docs/performance.md and its charts are what the results say (`npm run bench:report` writes them)',
  async (t) => {
    t.equal(file('docs/performance.md'), report(cells));
    for (const result of cells) {
      t.ok(file(`docs/performance-${result.cell}.svg`).endsWith(`\n${chartStamp(result)}\n`), result.cell);
    }
    t.match(file('README.md'), '](docs/performance.md)');
  },
);

t.test('what is published is whole, and of a commit', async (t) => {
  t.ok(cells.length > 0);
  for (const { cell, commit, quick, series } of cells) {
    t.notOk(quick, cell);
    t.match(commit, /^[0-9a-f]{40}$/, `${cell} was measured with what is committed`);
    for (const { id, contestants } of series) {
      for (const contestant of contestants) t.ok(contestant.runs.length > 0, `${id}: ${contestant.id}`);
    }
  }
});

t.test('another figure is another page and another chart', async (t) => {
  const [first] = cells;
  if (first === undefined) throw new Error('There are no results');
  const changed = { ...first, series: first.series.slice(1) };
  t.not(report([changed]), report([first]));
  t.not(chartStamp(changed), chartStamp(first));
});

t.test('a wrong command line of the benchmarks ends with 2 and says why', async (t) => {
  const run = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));
  for (const [args, why] of [
    ['--cells framer,none', /^bench: there is no cell 'none'; there are framer, /],
    ['--rounds 0', /^bench: --rounds takes a whole number\n/],
    ['--dir /none/such', /^bench: --dir: \/none\/such is not a directory\n/],
    ['--only none', /^bench: --only: there is no 'none'; there are ours, /],
    ['--none', /^bench: Unknown option '--none'/],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [run, ...args.split(' ')], { encoding: 'utf8' });
    t.equal(status, 2, args);
    t.match(stderr, why, args);
    t.match(stderr, 'usage: npm run bench', args);
  }
});
