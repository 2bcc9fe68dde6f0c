/** This library's server, without the command line around it. usage: DIR [--sync] [--workers N] */
import { parseArgs } from 'node:util';
import { createServer } from '../../dist/index.js';
import { print } from './driver.mjs';

const { values, positionals } = parseArgs({
  options: { sync: { type: 'boolean', default: false }, workers: { type: 'string' } },
  allowPositionals: true,
});
const workers = values.workers === undefined ? {} : { workers: Number(values.workers) };

const server = createServer({ directory: positionals[0] ?? '.', sync: values.sync, ...workers });
const { port } = await server.listen({ port: 0 });
print({ event: 'listening', port });
