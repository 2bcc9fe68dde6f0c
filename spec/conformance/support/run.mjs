// For development, after `npx tsc`: node spec/conformance/support/run.mjs server|client [the options of the command]
import { parseArgs } from 'node:util';
import { conformClient, conformServer, PrettyReporter } from '../../../dist/conformance/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...Object.fromEntries(
      ['host', 'port', 'dir', 'cwd', 'exec', 'suffix', 'profile', 'seed', 'width', 'patience'].map((name) => [
        name,
        { type: 'string' },
      ]),
    ),
    only: { type: 'string', multiple: true },
    skip: { type: 'string', multiple: true },
    declare: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean' },
    verbose: { type: 'boolean', short: 'v' },
    json: { type: 'boolean' },
  },
});
const { verbose, json, declare, ...options } = values;
for (const name of ['port', 'seed', 'width', 'patience']) if (options[name]) options[name] = Number(options[name]);
const declared = Object.fromEntries(
  declare.map((pair) => pair.split('=')).map(([name, value]) => [name, /^\d+$/.test(value) ? Number(value) : value]),
);
const reporters = json ? [] : [new PrettyReporter((text) => process.stdout.write(text), { verbose })];
const conform = positionals[0] === 'client' ? conformClient : conformServer;
const report = await conform({ ...options, declared, reporters });
if (json) console.log(JSON.stringify(report, null, 2));
console.log(
  'exit code',
  report.exitCode,
  JSON.stringify(report.times),
  JSON.stringify(report.capabilities),
  report.suffix,
);
process.exitCode = report.exitCode;
