// npm run conform:zoo [-- --role server --peer GLOB --mode chop --quick]: every right peer, directly and behind each network.
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { conformClient, conformServer } from '../../../dist/conformance/index.js';
import { buildFolder, falseFailures, GOOD_CLIENTS, GOOD_SERVERS, goodOptions, missing, modeFor } from './good.mjs';

const { values } = parseArgs({
  options: {
    role: { type: 'string', multiple: true, default: ['server', 'client'] },
    peer: { type: 'string', default: '*' },
    mode: { type: 'string', multiple: true, default: ['none', 'chop', 'coalesce', 'delay'] },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
  },
});
const wanted = new RegExp(`^${values.peer.replaceAll('*', '.*')}$`);
let failures = 0;
for (const role of values.role) {
  const conform = role === 'server' ? conformServer : conformClient;
  for (const [name, peer] of Object.entries(role === 'server' ? GOOD_SERVERS : GOOD_CLIENTS)) {
    if (!wanted.test(name)) continue;
    const reason = missing(peer);
    if (reason !== null) {
      console.log(`${role} ${name}: skipped, ${reason}`);
      continue;
    }
    for (const mode of values.mode) {
      const network = modeFor(peer, mode);
      const options = goodOptions(role, peer, mode === 'none' ? null : network);
      const report = await conform({ ...options, quick: values.quick, only: values.only });
      const { pass, 'not applicable': other, untestable } = report.summary;
      const problems = falseFailures(report);
      failures += problems.length;
      console.log(
        `${role} ${name}, ${peer.profile}, network ${network}: ${pass} pass, ${other} n/a, ${untestable} untestable, ` +
          `${problems.length} FALSE, ${report.ms} ms, round trip ${report.times.roundTrip.toFixed(1)} ms`,
      );
      for (const problem of problems) console.log(`  ${problem.slice(0, 400)}`);
    }
  }
}
const folder = buildFolder();
if (folder !== null) rmSync(folder, { recursive: true });
process.exitCode = failures === 0 ? 0 : 1;
