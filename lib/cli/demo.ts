import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { GoAheadError } from '../errors.js';
import { plural } from '../plural.js';
import type { Receipt } from '../net/client.js';
import { sendAll } from '../net/send-all.js';
import { formatAddress } from '../net/address.js';
import { Server } from '../net/server.js';
import { printable } from '../printable.js';
import { DirectoryStorage } from '../storage/directory-storage.js';
import type { Environment, Signal } from './environment.js';
import { EXIT, EXIT_BY_SIGNAL } from './exit-code.js';
import { PAUSED_CHUNK_SIZE } from './options.js';
import { Printer, printableMessage } from './printer.js';
import { onSignals } from './signals.js';
import { table } from './table.js';
import { formatRate, formatSize, formatTime } from './units.js';

export interface DemoFlags {
  readonly clients: number;
  /** Of the one large file, in bytes. */
  readonly large: bigint;
  readonly keep?: boolean;
}

export interface DemoHooks {
  /** Called when all is sent and before anything is compared. */
  readonly beforeCompare?: (directory: string) => Promise<void>;
}

/** One file of one client. */
interface Job {
  readonly client: number;
  /** Announced to the server. */
  readonly name: string;
  readonly path: string;
  /** Milliseconds between chunks. */
  readonly pause: number;
}

type Outcome =
  { readonly kind: 'confirmed'; readonly receipt: Receipt } | { readonly kind: 'failed'; readonly error: GoAheadError };

interface Row {
  readonly job: Job;
  readonly outcome: Outcome;
  /** The path under which a file with the bytes of the source stands, when there is one. */
  readonly match: string | undefined;
}

/** A server, many clients and real files in one process, and a comparison of what arrived with what was sent. */
export async function demo(options: DemoFlags, environment: Environment, hooks: DemoHooks = {}): Promise<number> {
  const out = new Printer(environment.stdout, environment.variables);
  const err = new Printer(environment.stderr, environment.variables);
  const abort = new AbortController();
  let signalled: Signal | undefined;
  const offSignals = onSignals(environment.signals, (signal) => {
    signalled = signal;
    abort.abort();
  });
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), 'go-ahead-demo-'));
    const matched = await run(options, folder, abort.signal, out, hooks);
    if (options.keep === true) out.line(`kept: ${folder}`);
    if (signalled !== undefined) return EXIT_BY_SIGNAL[signalled];
    return matched ? EXIT.ok : EXIT.failed;
  } finally {
    offSignals();
    if (folder !== undefined && options.keep !== true) await rm(folder, { recursive: true, force: true });
    if (signalled !== undefined) err.line('go-ahead: the demo was interrupted');
  }
}

async function run(
  { clients, large }: DemoFlags,
  folder: string,
  signal: AbortSignal,
  out: Printer,
  { beforeCompare }: DemoHooks,
): Promise<boolean> {
  const sources = join(folder, 'sent');
  const directory = join(folder, 'stored');
  await Promise.all([mkdir(sources), mkdir(directory)]);
  const jobs = await prepareJobs(clients, large, sources);

  const storage = await DirectoryStorage.open(directory);
  await using server = new Server({ storage });
  const storedUnder = new Map<string, string[]>();
  let atOnce = 0;
  server.on('begun', () => (atOnce = Math.max(atOnce, server.connections)));
  server.on('stored', ({ name = '' }, { path = '' }) => {
    storedUnder.set(name, [...(storedUnder.get(name) ?? []), path]);
  });
  const { address: host, port } = await server.listen({ port: 0 });
  out.line(`listening on ${formatAddress(host, port)}, storing in ${directory}`);
  out.line(`${plural(clients, 'client')} send ${plural(jobs.length, 'file')} at once, some of them with pauses`);

  const start = performance.now();
  const outcomes = await sendFromAll(clients, jobs, { host, port, signal });
  const ms = performance.now() - start;
  await server.close();
  await beforeCompare?.(directory);

  const rows = await compare(outcomes, storedUnder);
  const stray = (await readdir(directory)).length - jobs.length;
  printTable(rows, out);
  return printSummary(rows, { clients, ms, atOnce, stray }, out);
}

/** What each client sends: files of this package, a report of its own under a name that all share, and the odd cases. */
async function prepareJobs(clients: number, large: bigint, sources: string): Promise<Job[]> {
  const make = async (file: string, content: Uint8Array): Promise<string> => {
    const path = join(sources, file);
    await writeFile(path, content);
    return path;
  };
  const own = await packageFiles();
  const odd: Omit<Job, 'client'>[] = [
    { name: 'large.bin', path: await makeLarge(join(sources, 'large.bin'), large), pause: 0 },
    { name: 'empty', path: await make('empty', new Uint8Array()), pause: 0 },
    { name: 'one-byte', path: await make('one-byte', randomBytes(1)), pause: 0 },
    { name: 'räksmörgås 日本語 🎉.txt', path: await make('unicode', randomBytes(1023)), pause: 0 },
    { name: '../../etc/passwd', path: await make('hostile', randomBytes(1025)), pause: 0 },
  ];
  const jobs: Job[] = [];
  for (let client = 1; client <= clients; client++) {
    for (let i = client - 1; i < odd.length; i += clients) {
      const job = odd[i];
      if (job !== undefined) jobs.push({ client, ...job });
    }
    for (let i = 0; i < Math.min(3, own.length); i++) {
      const { [((client - 1) * 3 + i) % own.length]: path = '' } = own;
      jobs.push({ client, name: basename(path), path, pause: 0 });
    }
    // The same name from each of them, with bytes of their own; every other one takes its time.
    const report = await make(`report-${client}`, randomBytes(200_000 + client));
    jobs.push({ client, name: 'report.pdf', path: report, pause: client % 2 === 0 ? 40 : 0 });
  }
  return jobs;
}

async function makeLarge(path: string, size: bigint): Promise<string> {
  const piece = randomBytes(2 ** 20);
  await pipeline(function* () {
    for (let left = size; left > 0n; left -= BigInt(piece.length)) {
      // Each piece starts with its own distance from the end: one that goes astray shows.
      piece.writeBigUInt64BE(left);
      yield Buffer.from(piece.subarray(0, Number(left < BigInt(piece.length) ? left : BigInt(piece.length))));
    }
  }, createWriteStream(path));
  return path;
}

/** The compiled files beside this one: they are there wherever the package is installed. */
async function packageFiles(): Promise<string[]> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function sendFromAll(
  clients: number,
  jobs: readonly Job[],
  target: { readonly host: string; readonly port: number; readonly signal: AbortSignal },
): Promise<(readonly [Job, Outcome])[]> {
  const ofOne = async (client: number): Promise<(readonly [Job, Outcome])[]> => {
    const outcomes: (readonly [Job, Outcome])[] = [];
    for (const job of jobs.filter((job) => job.client === client)) {
      const options = job.pause > 0 ? { ...target, pause: job.pause, chunkSize: PAUSED_CHUNK_SIZE } : target;
      const [outcome] = await sendAll([{ file: job.path, name: job.name }], options);
      if (outcome !== undefined) outcomes.push([job, outcome]);
    }
    return outcomes;
  };
  return (await Promise.all(Array.from({ length: clients }, (_, i) => ofOne(i + 1)))).flat();
}

/** By content, as several files came under one name: each source is to find a stored file of its own. */
async function compare(
  outcomes: readonly (readonly [Job, Outcome])[],
  storedUnder: ReadonlyMap<string, readonly string[]>,
): Promise<Row[]> {
  const unclaimed = new Map<string, { readonly path: string; readonly hash: string | undefined }[]>();
  for (const [name, paths] of storedUnder) {
    unclaimed.set(name, await Promise.all(paths.map(async (path) => ({ path, hash: await sha256(path) }))));
  }
  const rows: Row[] = [];
  for (const [job, outcome] of outcomes) {
    const candidates = unclaimed.get(job.name) ?? [];
    const hash = await sha256(job.path);
    const found = candidates.findIndex((candidate) => candidate.hash !== undefined && candidate.hash === hash);
    const [match] = found < 0 ? [] : candidates.splice(found, 1);
    rows.push({ job, outcome, match: match?.path });
  }
  return rows;
}

async function sha256(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  } catch {
    return undefined;
  }
  return hash.digest('hex');
}

function printTable(rows: readonly Row[], out: Printer): void {
  const columns = [
    { title: 'client', right: true },
    { title: 'bytes', right: true },
    { title: 'ms', right: true },
    { title: 'MB/s', right: true },
    { title: 'SHA-256' },
    { title: 'file' },
  ];
  const cells = rows.map(({ job, outcome, match }) => {
    const figures = outcome.kind === 'confirmed' ? receiptFigures(outcome.receipt) : ['', '', ''];
    const stored = match === undefined ? '' : basename(match);
    const file =
      stored === job.name || stored === '' ? printable(job.name) : `${printable(job.name)} -> ${printable(stored)}`;
    const paused = job.pause > 0 ? `  (${job.pause} ms between chunks)` : '';
    return [String(job.client), ...figures, verdict(outcome, match), file + paused];
  });
  const [title = '', ...lines] = table(columns, cells);
  out.line('');
  out.line(out.paint('bold', title));
  rows.forEach((row, i) => {
    const { [i]: line = '' } = lines;
    out.line(isGood(row) ? line : out.paint('red', line));
  });
  out.line('');
}

function receiptFigures({ size, ms }: Receipt): string[] {
  return [String(size), ms.toFixed(1), (Number(size) / 1000 / Math.max(ms, 0.001)).toFixed(1)];
}

function verdict(outcome: Outcome, match: string | undefined): string {
  if (outcome.kind === 'failed') return 'not sent';
  return match === undefined ? 'DIFFERENT' : 'same';
}

function isGood({ outcome, match }: Row): boolean {
  return outcome.kind === 'confirmed' && match !== undefined;
}

interface Totals {
  readonly clients: number;
  readonly ms: number;
  readonly atOnce: number;
  /** Files in the directory beyond those that were sent; negative when some are missing. */
  readonly stray: number;
}

function printSummary(rows: readonly Row[], { clients, ms, atOnce, stray }: Totals, out: Printer): boolean {
  for (const { job, outcome } of rows) {
    if (outcome.kind === 'confirmed') continue;
    const { code, message } = outcome.error;
    out.line(out.paint('red', `client ${job.client}, ${printable(job.name)}: ${printableMessage(message)} (${code})`));
  }
  const good = rows.flatMap(({ outcome, match }) =>
    outcome.kind === 'confirmed' && match !== undefined ? [outcome] : [],
  );
  const bytes = good.reduce((sum, { receipt }) => sum + receipt.size, 0n);
  const figures = `${formatSize(bytes)} from ${plural(clients, 'client')}, up to ${atOnce} at once, in ${formatTime(ms)} (${formatRate(bytes, ms)})`;
  if (good.length === rows.length && stray === 0) {
    out.line(out.paint('green', `all ${plural(rows.length, 'file')} arrived and match by SHA-256: ${figures}`));
    return true;
  }
  const strays = stray > 0 ? `; ${plural(stray, 'file')} too many in the directory` : '';
  const bad = `only ${good.length} of ${plural(rows.length, 'file')} arrived and match by SHA-256${strays}`;
  out.line(out.paint('red', `${bad}: ${figures}`));
  return false;
}
