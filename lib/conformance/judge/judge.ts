/**
 * Turns what was observed into axes, and axes into a verdict. No IO: everything that a verdict rests on is an argument.
 * Clients are judged in judge-client.ts.
 */
import { plural } from '../../plural.js';
import { bufferOf, escaped, lengthOf, sha256Of, type Variables } from '../model/bytes.js';
import type { Ending, ServerExchange, ServerOutcome, Some } from '../model/case.js';
import type { Level } from '../model/clause.js';
import { showEntry, type DiskEntry, type Snapshot } from '../target/disk-entry.js';
import type { Axis, AxisName, Verdict } from '../report/report.js';
import { GO_AHEAD, type Observed } from '../exchange/script.js';
import type { Times } from '../exchange/times.js';

export const ENDINGS: Readonly<Record<Ending, string>> = { fin: 'FIN', rst: 'RST', open: 'still open' };

export function axis(name: AxisName, ok: boolean | null, expected: string, actual: string): Axis {
  return { axis: name, ok, expected, actual };
}

export function holds(axes: readonly Axis[]): boolean {
  return axes.every(({ ok }) => ok !== false);
}

/** What is wrong, in words; empty when nothing is. */
export function brokenOf(axes: readonly Axis[]): string {
  return axes
    .filter(({ ok }) => ok === false)
    .map(({ axis: name, expected, actual }) => `${name}: expected ${expected}, got ${actual}`)
    .join('; ');
}

function failing(axes: readonly Axis[]): number {
  return axes.filter(({ ok }) => ok === false).length;
}

/** Of the outcomes that are allowed the one that was missed by the fewest faults; of equals the first. */
export function best<O>([first, ...others]: Some<O>, judged: (outcome: O) => readonly Axis[]): Judged<O> {
  const start = { outcome: first, axes: judged(first) };
  return others.reduce((found, outcome) => {
    const axes = judged(outcome);
    return failing(axes) < failing(found.axes) ? { outcome, axes } : found;
  }, start);
}

interface Judged<O> {
  readonly outcome: O;
  readonly axes: readonly Axis[];
}

export function showReceived(observed: Observed): string {
  if (observed.connectError !== null) return `no connection (${observed.connectError})`;
  if (observed.receivedLength === 0) return 'no byte';
  const rest = observed.receivedLength > 24 ? ` … (${plural(observed.receivedLength, 'byte')})` : '';
  return `"${escaped(observed.received.subarray(0, 24))}"${rest}`;
}

/** How the connection ended, and where nothing came of a wait, how long that was: who is slow may need more. */
export function showEnding({ ending, waitedMs }: Observed): string {
  return waitedMs === null ? ENDINGS[ending] : `${ENDINGS[ending]} after ${waitedMs} ms (--patience)`;
}

// ---- servers

/** One connection of a server case with its outcome still to be found. */
export interface ServerRun {
  readonly exchange: ServerExchange;
  readonly variables: Variables;
  readonly observed: Observed;
}

export interface JudgedRun extends Judged<ServerOutcome> {
  readonly run: ServerRun;
}

function judgeWire(observed: Observed, outcome: ServerOutcome): Axis {
  const expected = { 'go ahead': '"go ahead" and nothing else', none: 'no byte', any: 'anything' }[outcome.reply];
  const exact = observed.receivedLength === GO_AHEAD.length && observed.received.equals(GO_AHEAD);
  const right = { 'go ahead': exact, none: observed.receivedLength === 0, any: true }[outcome.reply];
  const connected = observed.connectError === null;
  const when = observed.brokeSilence ? ', too early' : '';
  return axis('wire', connected && right && !observed.brokeSilence, expected, showReceived(observed) + when);
}

function judgeClose(observed: Observed, outcome: ServerOutcome): Axis {
  const expected = outcome.closed.map((ending) => ENDINGS[ending]).join(' or ');
  if (observed.endedByUs) return axis('close', null, expected, 'we ended the connection ourselves');
  const short = observed.endedEarly || (observed.stoppedAt !== null && observed.stoppedAt !== 'ended');
  const cut = short && outcome.reply === 'go ahead' && outcome.disk === 'whole';
  const actual = showEnding(observed) + (cut ? ', too early: the last byte was not yet sent' : '');
  return axis(
    'close',
    observed.connectError === null && outcome.closed.includes(observed.ending) && !cut,
    expected,
    actual,
  );
}

function judgeTime(observed: Observed, outcome: ServerOutcome, times: Times): Axis[] {
  if (outcome.within === undefined) return [];
  const { to, ms } = outcome.within;
  const actual = to === 'reply' ? observed.replyMs : observed.closeMs;
  const limit = ms + 2 * Math.min(times.roundTrip, times.turnaround);
  const shown = actual === null ? `no ${to}` : `${Math.round(actual)} ms`;
  return [axis('time', actual !== null && actual <= limit, `${to} within ${Math.round(limit)} ms`, shown)];
}

function judgeEarly({ seenEarly }: Observed): Axis[] {
  const expected = 'under the final name what stood there before, until the upload is whole';
  return seenEarly === null ? [] : [axis('disk', false, expected, seenEarly)];
}

/** For each connection the outcome that fits best, by what was seen on the connection. */
export function judgeRuns(runs: readonly ServerRun[], times: Times): readonly JudgedRun[] {
  return runs.map((run) => ({
    run,
    ...best(run.exchange.expect, (outcome) => [
      judgeWire(run.observed, outcome),
      judgeClose(run.observed, outcome),
      ...judgeTime(run.observed, outcome, times),
      ...judgeEarly(run.observed),
    ]),
  }));
}

/** What the disk is compared with. */
export interface DiskView {
  /** Of this case, and not there before it. */
  readonly inside: Snapshot;
  readonly outside: Snapshot;
  readonly suffix: string;
  readonly naming: 'kept' | 'opaque' | 'unknown';
}

function showEntries(entries: Snapshot): string {
  return entries.length === 0
    ? 'nothing'
    : entries.slice(0, 4).map(showEntry).join(', ') + (entries.length > 4 ? ' …' : '');
}

/** Each sentence once, and a few of them: a case may have 512 connections. */
function listed(sentences: readonly string[]): string {
  const different = [...new Set(sentences)];
  const more = different.length > 4 ? `; and ${different.length - 4} more` : '';
  return different.slice(0, 4).join('; ') + more;
}

/** Every expected file must be there, and nothing that is not accounted for. */
export function judgeDisk(judged: readonly JudgedRun[], view: DiskView): Axis {
  const wanted = judged.filter(({ outcome }) => outcome.disk !== 'any');
  const expected = listed(wanted.map(({ outcome, run }) => showExpected(outcome, run, view)));
  const left = [...view.inside];
  const problems: string[] = [];
  let ones = 0;
  for (const { outcome, run } of judged) {
    if (outcome.disk === 'nothing') continue;
    const found = left.findIndex((entry) => matches(entry, outcome, run, view));
    if (found >= 0) {
      left.splice(found, 1);
      if (outcome.disk === 'one') ones += 1;
    } else if (outcome.disk === 'whole') problems.push('not there as it was sent');
  }
  if (ones !== 1 && judged.some(({ outcome }) => outcome.disk === 'one')) problems.push(`${ones} are there, not one`);
  const anything = judged.some(({ outcome }) => outcome.disk === 'any');
  const directories = left.filter(({ kind }) => kind === 'directory').map(({ path }) => `${path}/`);
  const residue = left.filter(({ path }) => !directories.some((directory) => path.startsWith(directory)));
  const which = residue.length === view.inside.length ? '' : `: ${showEntries(residue)}`;
  if (residue.length > 0 && !anything) problems.push(`not accounted for${which}`);
  if (view.outside.length > 0) problems.push(`outside the directory: ${showEntries(view.outside)}`);
  const there = showEntries([...view.inside, ...view.outside]);
  return axis('disk', problems.length === 0, expected, problems.length === 0 ? there : `${there}: ${listed(problems)}`);
}

function showExpected(outcome: ServerOutcome, run: ServerRun, view: DiskView): string {
  if (outcome.disk === 'nothing') return 'nothing';
  const name = view.naming === 'kept' ? (expectedPath(outcome, run, view) ?? 'a file') : 'a file';
  const file = `${name} of ${plural(lengthOf(run.exchange.file.body, run.variables), 'byte')}, as sent`;
  if (outcome.disk === 'one') return `one of: ${file}`;
  return outcome.disk === 'either' ? `${file}, or nothing` : file;
}

function expectedPath(outcome: ServerOutcome, run: ServerRun, view: DiskView): string | null {
  if (outcome.as === 'any') return null;
  return escaped(bufferOf(outcome.as ?? run.exchange.file.name, run.variables)) + view.suffix;
}

/** A disk is looked at several times, and a body may be large. */
const expectedHashes = new WeakMap<ServerRun, string>();

function expectedSha256(run: ServerRun): string {
  const known = expectedHashes.get(run) ?? sha256Of(run.exchange.file.body, run.variables);
  expectedHashes.set(run, known);
  return known;
}

function matches(entry: DiskEntry, outcome: ServerOutcome, run: ServerRun, view: DiskView): boolean {
  if (entry.kind !== 'file' || BigInt(entry.size) !== lengthOf(run.exchange.file.body, run.variables)) return false;
  const path = expectedPath(outcome, run, view);
  if (view.naming === 'kept' && path !== null && entry.path !== path) return false;
  return entry.sha256 === expectedSha256(run);
}

// ---- verdicts

/**
 * What a verdict needs beside the case's own axes. `proof` says whether this target was seen to do a whole transfer for this case: the
 * twin, or the case itself when it asks for one. Without it nothing is ever a pass.
 */
export interface Standing {
  readonly level: Level;
  readonly axes: readonly Axis[];
  readonly proof: Axis;
  /** The control transfer at the start of the run; null when it went well. */
  readonly gate: string | null;
}

export function verdictOf({ level, axes, proof, gate }: Standing): {
  readonly verdict: Verdict;
  readonly reason: string;
} {
  if (!holds(axes)) return { verdict: level === 'must' ? 'fail' : 'warn', reason: brokenOf(axes) };
  if (gate !== null)
    return { verdict: 'inconclusive', reason: 'a plain transfer does not work here, so this proves nothing' };
  if (proof.ok === true) return { verdict: 'pass', reason: '' };
  return proof.ok === null
    ? { verdict: 'untestable', reason: proof.actual }
    : {
        verdict: 'inconclusive',
        reason: `the target does not accept the exchange without the fault either: ${proof.actual}`,
      };
}
