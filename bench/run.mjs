/** Runs the benchmarks: `npm run bench -- --help`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { both } from './cells/both.mjs';
import { clients } from './cells/clients.mjs';
import { framer } from './cells/framer.mjs';
import { memory } from './cells/memory.mjs';
import { receive } from './cells/receive.mjs';
import { send } from './cells/send.mjs';
import { small } from './cells/small.mjs';
import { start } from './cells/start.mjs';
import { Context } from './context.mjs';
import { installDependencies } from './dependencies.mjs';
import { readOptions, USAGE } from './options.mjs';
import { killAll } from './peer-process.mjs';
import { cellTables } from './tables.mjs';
import { describeMachine } from './tools.mjs';

/** @type {Record<string, (context: Context) => Promise<import('./series.mjs').SeriesResult[]>>} */
const CELLS = { framer, receive, send, both, small, clients, memory, start };

const options = understood();
if (options.help) {
  process.stdout.write(USAGE);
  process.exit();
}
if (process.platform !== 'linux') {
  process.stderr.write('The benchmarks read /proc, and run on Linux only.\n');
  process.exit(1);
}

installDependencies();
// Where a machine sets it, Node 20 reads the certificates that it names at each start, and takes twice as long for it.
delete process.env.NODE_EXTRA_CA_CERTS;

const context = new Context(options);
process.once('exit', () => {
  killAll();
  context.dispose();
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** Ends with 2, and a line that says why, where the command line is wrong. */
function understood() {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return process.exit(2);
  }
}

const about = { ...describeMachine(), directory: options.directory, disk: options.disk, quick: options.quick };
for (const name of options.cells) {
  const began = new Date();
  const series = await CELLS[name](context);
  const result = { cell: name, date: began.toISOString(), ...about, series };
  process.stdout.write(`${cellTables(result)}\n`);
  if (options.out === undefined) continue;
  mkdirSync(options.out, { recursive: true });
  writeFileSync(join(options.out, `${name}.json`), JSON.stringify(result, undefined, 1) + '\n');
}
