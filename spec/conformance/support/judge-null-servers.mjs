// The suite against all null servers at once, with and without the directory that is its argument. Prints a JSON array of
// { name, where, asked, report }.
import { SERVER_CASES, conformServer } from '../../../dist/conformance/index.js';
import { NULL_SERVERS, listen } from './null-servers.mjs';

const [dir] = process.argv.slice(2);
// With a directory only what needs one: it can only add reasons to fail to a case that the wire alone decides.
const needDirectory = SERVER_CASES.filter(({ needs }) => needs === 'dir');

const judged = Object.entries(NULL_SERVERS).map(async ([name, behaviour]) => {
  const server = await listen(behaviour);
  const runs = [];
  for (const [where, cases, options] of [
    ['wire only', SERVER_CASES, {}],
    ['with a directory', needDirectory, { dir }],
  ]) {
    const report = await conformServer({ port: server.port, patience: 80, width: 40, cases, ...options });
    runs.push({ name, where, asked: cases.length, report });
  }
  server.close();
  return runs;
});
process.stdout.write(JSON.stringify((await Promise.all(judged)).flat()));
