// The long forms of the fault specs, all or those named: `npm run soak`, `npm run soak crash load`. Prints its figures as a table
// for docs/reliability.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const all = ['crash', 'storage', 'disk', 'names', 'peers', 'limits', 'load', 'network'];
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`soak: no such part: ${unknown.join(', ')}; there are ${all.join(', ')}`);
  process.exit(2);
}
const files = (chosen.length > 0 ? chosen : all).map((name) => `spec/fault/${name}.spec.ts`);
if (chosen.length === 0) {
  files.push('spec/wire/framer.spec.ts');
  for (const name of ['receive-session', 'send-session', 'pair']) files.push(`spec/session/${name}.spec.ts`);
}

const folder = mkdtempSync(join(tmpdir(), 'go-ahead-soak-'));
const report = join(folder, 'figures');
writeFileSync(report, '');
const env = { ...process.env, GO_AHEAD_SOAK: report, FRAMER_STREAMS: '1000000', SESSION_RUNS: '20000' };
const flags = ['--jobs=1', '--timeout=7200', '--disable-coverage', '--allow-empty-coverage'];
const start = performance.now();
const { status } = spawnSync('npx', ['tap', ...flags, ...files], { cwd: root, env, stdio: 'inherit' });
const minutes = (performance.now() - start) / 60_000;
const figures = readFileSync(report, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));
rmSync(folder, { recursive: true });

console.log(
  `\n${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), Linux ${release()}, Node ${process.version}`,
);
console.log(`${minutes.toFixed(1)} minutes, ${status === 0 ? 'all passed' : 'FAILED'}\n`);
console.log('| what | result |\n| --- | --- |');
for (const { what, value } of figures) console.log(`| ${what} | ${value} |`);
process.exit(status ?? 1);
