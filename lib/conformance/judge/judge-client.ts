/** Turns what was observed of a client into axes. No IO: everything that a verdict rests on is an argument. */
import { plural } from '../../plural.js';
import { chunksOf, escaped, lengthOf, type Bytes, type Variables } from '../model/bytes.js';
import type { ClientCase, ClientExchange, ClientOutcome, Some } from '../model/case.js';
import type { Exit } from '../target/child.js';
import { axis, best, ENDINGS, showEnding, showReceived } from './judge.js';
import type { Axis } from '../report/report.js';
import type { Observed } from '../exchange/script.js';

export interface ClientRun {
  readonly exchange: ClientExchange;
  readonly variables: Variables;
  /** Null when the client did not connect. */
  readonly observed: Observed | null;
  /** How many connections it made after the first. */
  readonly further: number;
  /** What the script counted: null where the kernel could not be asked. */
  readonly segments: readonly (number | null)[];
  readonly exit: Exit;
  /** The headers that are exact, the one with the last component first. */
  readonly headers: Some<Buffer>;
}

export function judgeClient(run: ClientRun): readonly Axis[] {
  return best(run.exchange.expect, (outcome) => judgeOutcome(run, outcome)).axes;
}

function judgeOutcome(run: ClientRun, outcome: ClientOutcome): readonly Axis[] {
  const said = run.exit.stderr.trim() !== '' || run.exit.stdout.trim() !== '';
  return [
    ...judgeWire(run, outcome),
    judgeClose(run, outcome),
    judgeExit(run, outcome),
    ...(outcome.message === undefined ? [] : [axis('message', said, 'a message', said ? 'a message' : 'nothing')]),
  ];
}

function judgeWire(run: ClientRun, outcome: ClientOutcome): Axis[] {
  const { observed } = run;
  if (observed === null) return [axis('wire', !outcome.connects, 'a connection', 'the client did not connect')];
  if (!outcome.connects) return [axis('wire', false, 'no connection', `connected, sent ${showReceived(observed)}`)];
  return [
    judgeHeader(run, observed, outcome),
    ...(outcome.body === 'any' ? [] : [judgeBody(run, observed, outcome.body)]),
    ...(outcome.connections === 'one'
      ? [axis('wire', run.further === 0, 'one connection', plural(1 + run.further, 'connection'))]
      : []),
  ];
}

function judgeHeader(run: ClientRun, observed: Observed, outcome: ClientOutcome): Axis {
  const first = observed.received.subarray(0, observed.receivedBeforeSending);
  const [wanted] = run.headers;
  const sent = run.headers.find((header) => header.equals(first));
  const shown = `"${escaped(wanted)}"`;
  const actual = `"${escaped(first.subarray(0, 300))}"`;
  switch (outcome.header) {
    case 'exact':
      return axis('wire', sent !== undefined, `the header ${shown}, then silence`, actual);
    case 'last component':
      return axis('wire', sent !== undefined && sent === wanted, `the header ${shown}`, actual);
    case 'one piece':
      return judgePieces(run, observed, first.length);
    case 'none':
      return axis('wire', observed.receivedLength === 0, 'no byte', showReceived(observed));
    case 'any':
      return axis('wire', true, 'anything', showReceived(observed));
  }
}

/** Bytes of the body a segment below which the path is taken to cut everything, whoever wrote it. */
const CRUMBS = 64;

/**
 * One read may return several segments, so it proves nothing; but no segment of a header was ever split on a path
 * without a proxy. Only the kernel's own count tells that it came in one.
 */
function judgePieces({ segments }: ClientRun, observed: Observed, length: number): Axis {
  const expected = 'the header in one segment';
  const [header, all] = segments;
  const reads = observed.pieces.findIndex((_, i) => sum(observed.pieces.slice(0, i + 1)) >= length) + 1;
  if (header === null || header === undefined) {
    const pieces = observed.pieces.slice(0, 5).join(', ');
    if (reads !== 1) return axis('wire', false, expected, `pieces of ${pieces} bytes`);
    const missing = 'one read; to count segments needs Linux with perl or python3';
    return axis('wire', null, expected, missing);
  }
  const body = (all ?? header) - header;
  if (header > 1 && body > 0 && (observed.receivedLength - length) / body < CRUMBS) {
    return axis('wire', null, expected, 'a direct path: this one cuts everything, the body too, into small pieces');
  }
  return axis('wire', header === 1 && length > 0, expected, `${plural(header, 'segment')}, ${plural(length, 'byte')}`);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Whether `start` is how `bytes` begin; never makes a buffer of bytes that would not fit in memory. */
function beginsWith(bytes: Bytes, start: Buffer, variables: Variables): boolean {
  const length = lengthOf(bytes, variables);
  const end = length < BigInt(start.length) ? length : BigInt(start.length);
  let at = 0;
  for (const chunk of chunksOf(bytes, variables, 0n, end)) {
    if (!start.subarray(at, at + chunk.length).equals(chunk)) return false;
    at += chunk.length;
  }
  return at === start.length;
}

function judgeBody(
  { exchange, variables }: ClientRun,
  observed: Observed,
  body: Exclude<ClientOutcome['body'], 'any'>,
): Axis {
  const file = lengthOf(exchange.file.body, variables);
  const length = BigInt(observed.receivedLength - observed.receivedBeforeSending);
  const same = beginsWith(exchange.file.body, observed.received.subarray(observed.receivedBeforeSending), variables);
  const right = { whole: length === file, part: length < file, prefix: length <= file, none: length === 0n }[body];
  const expected = {
    whole: `the whole body of ${plural(file, 'byte')}`,
    part: `less than the body of ${plural(file, 'byte')}`,
    prefix: `at most the body of ${plural(file, 'byte')}`,
    none: 'nothing of the body',
  }[body];
  const early = observed.brokeSilence ? ', too early' : '';
  const actual = `${plural(length, 'byte')}${same || length > file ? '' : ' that are not those of the file'}${early}`;
  return axis('wire', right && same && !observed.brokeSilence, expected, actual);
}

function judgeClose({ observed }: ClientRun, outcome: ClientOutcome): Axis {
  const expected = outcome.closed.map((ending) => ENDINGS[ending]).join(' or ');
  if (observed === null) return axis('close', null, expected, 'no connection');
  if (observed.endedByUs) return axis('close', null, expected, 'we ended the connection ourselves');
  return axis('close', outcome.closed.includes(observed.ending), expected, showEnding(observed));
}

function judgeExit({ exit, observed, exchange }: ClientRun, outcome: ClientOutcome): Axis {
  const sent = exchange.steps.find((step) => step.do === 'signal client')?.signal;
  const early = observed?.stoppedAt === 'still running';
  // It ended all the same, but only when the suite had closed the connection.
  const late = observed?.stoppedAt === 'exited';
  const how =
    exit.failedToStart !== undefined
      ? 'could not be started'
      : exit.killed
        ? 'did not end; killed'
        : exit.signal !== null
          ? `ended by ${exit.signal}`
          : `status ${exit.code ?? '?'}`;
  // What becomes of a program that writes to a connection that was reset, and knows nothing of signals: a shell shows 141.
  const failed = (exit.code !== null && exit.code !== 0) || exit.signal === 'SIGPIPE';
  const ok = {
    zero: exit.code === 0,
    'not zero': failed,
    'not zero or signal': failed || (sent !== undefined && exit.signal === sent),
  }[outcome.exit];
  const expected = {
    zero: 'status 0',
    'not zero': 'another status than 0',
    'not zero or signal': `another status than 0, or the end by ${sent ?? 'the signal'}`,
  }[outcome.exit];
  const when = early ? ', too early' : late ? ', too late' : '';
  return axis('exit', ok && !exit.killed && !early && !late, expected, how + when);
}

/** Whether a client case holds its own proof: it expects nothing but a whole transfer. */
export function isPositive(testCase: ClientCase): boolean {
  return testCase.exchange.expect.every(({ exit, body, connects }) => exit === 'zero' && body === 'whole' && connects);
}
