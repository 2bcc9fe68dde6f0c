/** The one model of results: every reporter reads it, and nothing else. It survives `JSON.stringify`. */
import { UNKNOWN, type Capabilities, type Declared } from '../model/capabilities.js';
import type { Observation, Profile, Role } from '../model/case.js';
import type { ClauseId, Level } from '../model/clause.js';
import type { Snapshot } from '../target/disk-entry.js';
import { UNMEASURED, type Times } from '../exchange/times.js';
import type { WireEntry } from '../exchange/wire.js';

export const VERDICTS = [
  'pass',
  'fail',
  'warn',
  'untestable',
  'not applicable',
  'inconclusive',
  'suite fault',
] as const;
/** What a case says of the target. Only `pass` is green; see `docs/conformance.md`. */
export type Verdict = (typeof VERDICTS)[number];

export type AxisName = 'wire' | 'close' | 'disk' | 'time' | 'exit' | 'message' | 'alive' | 'resources' | 'twin';

/** One thing that was looked at. `ok` is null when it could not be. */
export interface Axis {
  readonly axis: AxisName;
  readonly ok: boolean | null;
  /** For people, as `actual` is. */
  readonly expected: string;
  readonly actual: string;
}

/** What was seen, so that a reader need not believe the verdict. */
export interface Evidence {
  /** One for each connection; the twin's labels begin with `twin`. */
  readonly connections: readonly { readonly label: string; readonly log: readonly WireEntry[] }[];
  /** The entries of this case; null when the directory cannot be seen. */
  readonly disk: { readonly before: Snapshot; readonly after: Snapshot } | null;
  /** What the client's process did, or how the server's ended. */
  readonly process?: string;
}

/** The verdict on one case. */
export interface Result {
  /** Permanent. */
  readonly id: string;
  readonly title: string;
  readonly verdict: Verdict;
  readonly level: Level;
  readonly clause: ClauseId;
  /** The clause, word for word. */
  readonly sentence: string;
  readonly needs: Observation;
  /** One sentence: why this verdict. Empty for a pass. */
  readonly reason: string;
  readonly axes: readonly Axis[];
  readonly evidence: Evidence;
  /** One line that runs this case again. */
  readonly replay: string;
  readonly ms: number;
  /** The baseline expects this; then it does not count in the exit code. */
  readonly known?: { readonly reason: string; readonly expires: string };
}

/** What is known before the first case. */
export interface RunStart {
  readonly schema: 'go-ahead/conformance-report';
  readonly version: 1;
  readonly role: Role;
  readonly profile: Profile;
  /** For people: an address or a command. */
  readonly target: string;
  readonly observation: Observation;
  readonly seed: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly environment: {
    readonly node: string;
    readonly platform: string;
    readonly arch: string;
    readonly release: string;
  };
  readonly declared: Declared;
  /** How many were selected. */
  readonly cases: number;
}

/** A whole run. As JSON it follows `docs/report.schema.json`. */
export interface Report extends RunStart {
  readonly ms: number;
  /** The waits of the run, in milliseconds, from the round trip that was measured. */
  readonly times: Times;
  readonly capabilities: Capabilities;
  readonly suffix: string;
  /** The one thing that explains most of what failed, such as that a plain transfer does not work; null without one. */
  readonly cause: string | null;
  /** What the reader must know of the run as a whole, such as restarts. */
  readonly notes: readonly string[];
  /** What is wrong with the baseline: entries that are stale or expired. Any of them fails the run. */
  readonly baseline: readonly string[];
  /** False when the run was ended before every case was judged. */
  readonly complete: boolean;
  readonly results: readonly Result[];
  readonly summary: Readonly<Record<Verdict, number>>;
  readonly exitCode: ExitCode;
}

/** 0 all required passed; 1 a MUST; 3 only a SHOULD; 4 not reachable; 5 our fault; 6 nothing ran. 2 is for usage: then there is no report. */
export type ExitCode = 0 | 1 | 3 | 4 | 5 | 6;

export function summarize(results: readonly Pick<Result, 'verdict'>[]): Record<Verdict, number> {
  const summary: Record<Verdict, number> = {
    pass: 0,
    fail: 0,
    warn: 0,
    untestable: 0,
    'not applicable': 0,
    inconclusive: 0,
    'suite fault': 0,
  };
  for (const { verdict } of results) summary[verdict] += 1;
  return summary;
}

/**
 * A fault of ours comes first, because it makes the other verdicts doubtful. A required case that is inconclusive was not
 * passed, so it counts as a failure of its level. What the baseline expects does not count; an entry of it that is stale
 * or expired counts as a failure. A run without one pass or failure has shown nothing, nor has one that was cut off.
 */
export function exitCodeOf(
  reachable: boolean,
  results: readonly Pick<Result, 'verdict' | 'level' | 'known'>[],
  { baseline, complete }: Pick<Report, 'baseline' | 'complete'> = { baseline: [], complete: true },
): ExitCode {
  if (!reachable) return 4;
  if (results.some(({ verdict }) => verdict === 'suite fault')) return 5;
  const open = results.filter((result) => countsAgainst(result));
  if (open.some(({ verdict, level }) => verdict === 'fail' || (verdict === 'inconclusive' && level === 'must')))
    return 1;
  if (baseline.length > 0) return 1;
  if (open.length > 0) return 3;
  return complete && results.some(({ verdict }) => verdict === 'pass') ? 0 : 6;
}

/** Whether a result makes the exit code another than 0. */
export function countsAgainst({ verdict, known }: Pick<Result, 'verdict' | 'known'>): boolean {
  return known === undefined && ['fail', 'warn', 'inconclusive', 'suite fault'].includes(verdict);
}

/** What can be said when only some cases are judged: for reporters that keep a whole document on disk all the time. */
export function unfinished(start: RunStart, results: readonly Result[], ms: number, cause: string | null): Report {
  const rest = { baseline: [], complete: false } as const;
  return {
    ...start,
    ...rest,
    ms,
    times: UNMEASURED,
    capabilities: UNKNOWN,
    suffix: '',
    cause,
    notes: [],
    results,
    summary: summarize(results),
    exitCode: exitCodeOf(true, results, rest),
  };
}

/** Reporters get the results as they come, in the order of the run, and the report at the end. */
export interface Reporter {
  begin?(start: RunStart): void;
  /** Before the results that it explains. */
  cause?(text: string): void;
  result?(result: Result): void;
  end(report: Report): void;
}
