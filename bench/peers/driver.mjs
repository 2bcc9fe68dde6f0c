/**
 * The contract between bench/run.mjs and a sender, for senders in Node:
 * `node sender.mjs --to HOST:PORT --concurrency N FILE...` prints `{"event":"ready"}`, waits for a line on standard
 * input, sends, prints `{"event":"done", ...}`, and waits for the end of standard input, so that its counters can be
 * read while it still exists.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

/**
 * @typedef {object} Job
 * @property {string} host
 * @property {number} port
 * @property {number} concurrency
 * @property {readonly string[]} files
 */

/** @param {Record<string, unknown>} event */
export function print(event) {
  process.stdout.write(JSON.stringify(event) + '\n');
}

/**
 * Runs `task` once for each item, at most `concurrency` at a time.
 * @template T
 * @param {readonly T[]} items
 * @param {number} concurrency
 * @param {(item: T) => Promise<unknown>} task
 */
export async function forEach(items, concurrency, task) {
  const iterator = items.values();
  const worker = async () => {
    for (const item of iterator) await task(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}

/** @param {(job: Job) => Promise<void | Record<string, unknown>>} send what it returns is added to the event `done` */
export async function drive(send) {
  const { values, positionals: files } = parseArgs({
    options: { to: { type: 'string', default: '' }, concurrency: { type: 'string', default: '1' } },
    allowPositionals: true,
  });
  const [host = '', port] = values.to.split(':');
  print({ event: 'ready' });
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  await lines.next();
  try {
    const more = await send({ host, port: Number(port), concurrency: Number(values.concurrency), files });
    print({ event: 'done', sent: files.length, failed: 0, ...more });
  } catch (error) {
    print({ event: 'done', sent: 0, failed: files.length, failure: String(error) });
    process.exitCode = 1;
  }
  await lines.next();
  process.exit();
}
