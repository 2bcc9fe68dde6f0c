/** Failures that the user knows of, so that a run fails on what is new. Each has a reason and a date on which it must be gone. */
import { GoAheadError } from '../../errors.js';
import type { Result } from './report.js';

/** A failure that is accepted until a date. */
export interface KnownFailure {
  /** Of the case. */
  readonly id: string;
  /** Why it is accepted, for who reads this later. */
  readonly reason: string;
  /** The last day on which it is accepted: YYYY-MM-DD, in UTC. */
  readonly expires: string;
  /** A part of the reason of the verdict: another failure of the same case is not accepted. */
  readonly contains?: string;
}

/** What `--baseline` reads, from a JSON file. */
export interface Baseline {
  readonly version: 1;
  /** One entry a case. */
  readonly failures: readonly KnownFailure[];
}

type Fields = Partial<Record<keyof KnownFailure | keyof Baseline, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(what: string, expected: string, actual: unknown): GoAheadError {
  const shown = JSON.stringify(actual) as string | undefined;
  return new GoAheadError('OPTION_INVALID', `The baseline is not valid: ${what}.`, {
    expected,
    actual: (shown ?? 'nothing').slice(0, 200),
  });
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function isDay(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) return false;
  const day = new Date(`${value}T00:00:00Z`);
  // 2026-02-31 would roll over into March.
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}

const FIELDS = ['id', 'reason', 'expires', 'contains'];

function knownFailure(entry: unknown, n: number): KnownFailure {
  const where = `failures[${n}]`;
  if (!isObject(entry)) throw invalid(`${where} is not an object`, '{ "id", "reason", "expires" }', entry);
  const { id, reason, expires, contains } = entry;
  const strange = Object.keys(entry).find((key) => !FIELDS.includes(key));
  if (strange !== undefined) throw invalid(`${where} has "${strange}"`, FIELDS.join(', '), strange);
  if (!isText(id)) throw invalid(`${where} has no "id"`, 'the id of a case', id);
  if (!isText(reason))
    throw invalid(`${where} (${id}) has no "reason"`, 'why it fails, for who reads this later', reason);
  if (!isDay(expires)) throw invalid(`${where} (${id}) has no "expires"`, 'a date, YYYY-MM-DD', expires);
  if (contains === undefined) return { id, reason, expires };
  if (!isText(contains)) throw invalid(`${where} (${id}) has an empty "contains"`, 'a part of the failure', contains);
  return { id, reason, expires, contains };
}

/** Reads a baseline. Throws `OPTION_INVALID`, naming the entry. */
export function parseBaseline(text: string): Baseline {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new GoAheadError('OPTION_INVALID', `The baseline is not JSON: ${String(cause)}`, { cause });
  }
  if (!isObject(value)) throw invalid('it is not an object', '{ "version": 1, "failures": [...] }', value);
  const { version, failures } = value;
  if (version !== 1) throw invalid('"version" is not 1', '1', version);
  if (!Array.isArray(failures)) throw invalid('"failures" is not a list', '[...]', failures);
  const entries = failures.map((entry: unknown, n) => knownFailure(entry, n));
  const twice = entries.find(({ id }, n) => entries.findIndex((other) => other.id === id) !== n);
  if (twice !== undefined) throw invalid('a case stands in it twice', 'one entry a case', twice.id);
  return { version, failures: entries };
}

/** Marks a result that the baseline expects. */
export function mark(result: Result, baseline: Baseline | undefined, today: string): Result {
  if (!['fail', 'warn', 'inconclusive'].includes(result.verdict)) return result;
  const entry = baseline?.failures.find(({ id }) => id === result.id);
  if (entry === undefined || entry.expires < today || !result.reason.includes(entry.contains ?? '')) return result;
  return { ...result, known: { reason: entry.reason, expires: entry.expires } };
}

/**
 * What is wrong with the baseline itself. Only cases that this run judged are looked at, apart from ids that no case has.
 * `ids` are those of all cases of the suite.
 */
export function problems(
  baseline: Baseline | undefined,
  results: readonly Result[],
  ids: readonly string[],
  today: string,
): readonly string[] {
  return (baseline?.failures ?? []).flatMap(({ id, expires, contains }) => {
    if (!ids.includes(id)) return [`stale: there is no case ${id}`];
    const result = results.find((one) => one.id === id);
    if (result === undefined) return [];
    const failed = ['fail', 'warn', 'inconclusive'].includes(result.verdict);
    if (result.verdict === 'pass') return [`stale: ${id} passes now; remove its entry`];
    if (!failed) return [];
    if (expires < today) return [`expired: ${id} was accepted until ${expires} and still fails`];
    const other = contains !== undefined && !result.reason.includes(contains);
    return other ? [`other failure: ${id} fails, but not with "${contains}"`] : [];
  });
}
