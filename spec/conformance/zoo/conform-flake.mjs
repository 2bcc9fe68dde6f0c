// npm run conform:flake [-- --runs 100 --load 4 --role server --peer ours --quick]: shuffled runs under load must give the
// same verdicts. Prints how long a run takes without load first, and the mutation score. The peers are those of good.mjs.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { conformClient, conformServer } from '../../../dist/conformance/index.js';
import { buildFolder, falseFailures, GOOD_CLIENTS, GOOD_SERVERS, goodOptions } from './good.mjs';
import { parseMatrix, scoreOf } from './matrix.mjs';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    load: { type: 'string', default: String(2 * availableParallelism()) },
    role: { type: 'string', multiple: true, default: ['server', 'client'] },
    peer: { type: 'string', default: 'ours' },
    quick: { type: 'boolean', default: false },
  },
});

const RUNS = { server: [conformServer, GOOD_SERVERS], client: [conformClient, GOOD_CLIENTS] };

async function judge(role, options) {
  const [conform, peers] = RUNS[role];
  const peer = peers[values.peer];
  if (peer === undefined) throw new Error(`no ${role} is called "${values.peer}": ${Object.keys(peers).join(', ')}`);
  return conform({ ...goodOptions(role, peer, null), ...options });
}

for (const role of values.role) {
  for (const [what, quick, most] of [
    ['full', false, 15],
    ['--quick', true, 3],
  ]) {
    const { ms, results, seed } = await judge(role, { quick });
    const late = ms > 1000 * most ? ` (more than ${most} s)` : '';
    console.log(`${role} ${what}: ${results.length} cases in ${(ms / 1000).toFixed(1)} s${late}, seed ${seed}`);
  }
}

// Each keeps one processor busy, and dies with this process.
const burners = Array.from({ length: Number(values.load) }, () =>
  spawn(
    process.execPath,
    [
      '-e',
      'process.stdin.resume().on("end", () => process.exit()); (function burn() { for (let i = 0; i < 1e7; i++); setImmediate(burn); })()',
    ],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  ),
);
let flakes = 0;
for (const role of values.role) {
  const seen = new Map();
  for (let run = 1; run <= Number(values.runs); run += 1) {
    const report = await judge(role, { quick: values.quick, seed: run });
    for (const { id, verdict, reason } of report.results) {
      const first = seen.get(id) ?? verdict;
      seen.set(id, first);
      if (verdict === first) continue;
      flakes += 1;
      console.log(`  FLAKE ${id}, seed ${run}: ${verdict} after ${first}. ${reason}`);
    }
    const wrong = falseFailures(report);
    console.log(`${role} ${run}/${values.runs}: ${report.summary.pass} pass, ${wrong.length} not, ${report.ms} ms`);
  }
}
for (const burner of burners) burner.kill();
console.log(`${flakes} verdicts that changed in ${values.runs} runs under the load of ${values.load} busy processes`);

const matrix = new URL('kill-matrix.tsv', import.meta.url);
if (existsSync(matrix)) {
  const { score, killed, defects } = scoreOf(parseMatrix(readFileSync(matrix, 'utf8')));
  console.log(`mutation score ${score} (${killed} of ${defects} defects)`);
}
const folder = buildFolder();
if (folder !== null) rmSync(folder, { recursive: true });
process.exitCode = flakes === 0 ? 0 : 1;
