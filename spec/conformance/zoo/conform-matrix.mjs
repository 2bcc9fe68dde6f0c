// npm run conform:matrix [-- --peer server --defect GLOB --only GLOB --jobs N --all --missing --seconds N --score]
// Runs the suite against every defect of the zoo and writes kill-matrix.tsv. With --peer, --defect or --only the other
// entries stay as they are; --only runs these cases and those that are new. --all runs the unrelated cases too, and not a
// sample of them. --missing runs the defects that have no entry yet, and --seconds begins with no further one after that
// time. --score prints what the file says.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CASES } from '../../../dist/conformance/cases/index.js';
import { conformClient, conformServer } from '../../../dist/conformance/index.js';
import {
  casesFor,
  faultsOf,
  formatMatrix,
  killsOf,
  optionsFor,
  parseMatrix,
  PEERS,
  related,
  scoreOf,
} from './matrix.mjs';

const { values } = parseArgs({
  options: {
    peer: { type: 'string', multiple: true, default: Object.keys(PEERS) },
    defect: { type: 'string', multiple: true, default: ['*'] },
    only: { type: 'string', multiple: true, default: [] },
    jobs: { type: 'string', default: '4' },
    all: { type: 'boolean', default: false },
    missing: { type: 'boolean', default: false },
    seconds: { type: 'string', default: 'Infinity' },
    score: { type: 'boolean', default: false },
  },
});
const file = new URL('kill-matrix.tsv', import.meta.url);
const earlier = existsSync(file) ? parseMatrix(readFileSync(file, 'utf8')) : { cases: [], rows: [] };
const cases = CASES.map(({ id }) => id).sort();
const glob = (pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`);

if (values.score) report(earlier);
else await generate();

async function generate() {
  const rows = new Map(
    earlier.rows
      .filter(({ peer, defect }) => PEERS[peer]?.defects[defect] !== undefined)
      .map((row) => [`${row.peer} ${row.defect}`, { ...row, kills: row.kills.filter((id) => cases.includes(id)) }]),
  );
  const fresh = cases.filter((id) => !earlier.cases.includes(id));
  const queue = values.peer.flatMap((peer) =>
    Object.keys(PEERS[peer].defects)
      .filter((defect) => values.defect.some((pattern) => glob(pattern).test(defect)))
      .filter((defect) => !values.missing || !rows.has(`${peer} ${defect}`))
      .map((defect) => ({ peer, defect })),
  );
  const total = queue.length;
  const started = performance.now();
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (performance.now() - started > 1000 * Number(values.seconds)) return;
      const key = `${next.peer} ${next.defect}`;
      const only = rows.has(key) && values.only.length > 0 ? [...values.only, ...fresh] : ['*'];
      const { role } = PEERS[next.peer];
      const conform = role === 'server' ? conformServer : conformClient;
      const wanted = casesFor(next.peer, next.defect, CASES, values.all)
        .filter(({ id }) => only.some((one) => glob(one).test(id)))
        .map((one) => withoutTwin(one));
      if (wanted.length === 0) continue;
      const run = await conform({ ...optionsFor(next.peer, next.defect), cases: wanted });
      const ran = new Set(run.results.map(({ id }) => id));
      const { plain, kills: failed } = killsOf(run);
      const kills = plain ? await confirmed(conform, next, wanted, failed) : failed;
      const kept = !only.includes('*') ? rows.get(key).kills.filter((id) => !ran.has(id)) : [];
      rows.set(key, { ...next, plain, kills: [...kept, ...kills].sort() });
      const faults = run.results.filter(({ verdict }) => verdict === 'suite fault');
      const shown = plain ? kills.slice(0, 6).join(' ') + (kills.length > 6 ? ' …' : '') : 'no plain transfer';
      console.log(`${total - queue.length}/${total} ${key}: ${kills.length} of ${ran.size}, ${run.ms} ms. ${shown}`);
      for (const { id, reason } of faults) console.log(`  SUITE FAULT in ${id}: ${reason}`);
      write([...rows.values()]);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, lane));
  console.log(`${Math.round((performance.now() - started) / 1000)} s`);
  report({ cases, rows: [...rows.values()] });
}

/** A client's twin is a process of its own, which says nothing of the defect. A server's shows whether it is alive. */
function withoutTwin(one) {
  if (one.role === 'server') return one;
  const { twin: _, ...rest } = one;
  return rest;
}

/** On a loaded machine a case may fail for want of time: what is not related counts when it fails again. */
async function confirmed(conform, { peer, defect }, wanted, failed) {
  const doubtful = wanted.filter((one) => failed.includes(one.id) && !related(PEERS[peer].defects[defect], one));
  if (doubtful.length === 0) return failed;
  const again = killsOf(await conform({ ...optionsFor(peer, defect), cases: doubtful, width: 2, confirm: true })).kills;
  const sure = new Set(again);
  return failed.filter((id) => sure.has(id) || !doubtful.some((one) => one.id === id));
}

function write(rows) {
  const order = Object.entries(PEERS).flatMap(([peer, { defects }]) =>
    Object.keys(defects).map((defect) => `${peer} ${defect}`),
  );
  const at = ({ peer, defect }) => order.indexOf(`${peer} ${defect}`);
  writeFileSync(file, formatMatrix({ cases, rows: [...rows].sort((a, b) => at(a) - at(b)) }));
}

function report(matrix) {
  const faults = faultsOf(matrix, CASES);
  for (const fault of faults) console.log(`- ${fault}`);
  console.log(JSON.stringify(scoreOf(matrix), null, 2));
  process.exitCode = faults.length === 0 ? 0 : 1;
}
