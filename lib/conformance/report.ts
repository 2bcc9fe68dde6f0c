/** The one model of results: every reporter reads it, and nothing else. It survives `JSON.stringify`. */
import type { Capabilities, Declared } from './capabilities.js';
import type { Observation, Profile, Role } from './case.js';
import type { ClauseId, Level } from './clause.js';
import type { Snapshot } from './directory.js';
import type { Times } from './times.js';
import type { WireEntry } from './wire.js';

export const VERDICTS = [
  'pass',
  'fail',
  'warn',
  'untestable',
  'not applicable',
  'inconclusive',
  'suite fault',
] as const;
export type Verdict = (typeof VERDICTS)[number];

export type AxisName = 'wire' | 'close' | 'disk' | 'time' | 'exit' | 'message' | 'alive' | 'resources' | 'twin';

/** One thing that was looked at. `ok` is null when it could not be. */
export interface Axis {
  readonly axis: AxisName;
  readonly ok: boolean | null;
  readonly expected: string;
  readonly actual: string;
}

export interface Evidence {
  /** One for each connection; the twin's labels begin with `twin`. */
  readonly connections: readonly { readonly label: string; readonly log: readonly WireEntry[] }[];
  /** The entries of this case; null when the directory cannot be seen. */
  readonly disk: { readonly before: Snapshot; readonly after: Snapshot } | null;
  /** What the client's process did, or how the server's ended. */
  readonly process?: string;
}

export interface Result {
  readonly id: string;
  readonly title: string;
  readonly verdict: Verdict;
  readonly level: Level;
  readonly clause: ClauseId;
  readonly sentence: string;
  readonly needs: Observation;
  /** One sentence: why this verdict. Empty for a pass. */
  readonly reason: string;
  readonly axes: readonly Axis[];
  readonly evidence: Evidence;
  /** One line that runs this case again. */
  readonly replay: string;
  readonly ms: number;
}

export interface Report {
  readonly schema: 'go-ahead/conformance-report';
  readonly version: 1;
  readonly role: Role;
  readonly profile: Profile;
  /** For people: an address or a command. */
  readonly target: string;
  readonly observation: Observation;
  readonly seed: number;
  readonly startedAt: string;
  readonly ms: number;
  readonly environment: {
    readonly node: string;
    readonly platform: string;
    readonly arch: string;
    readonly release: string;
  };
  readonly times: Times;
  readonly capabilities: Capabilities;
  readonly declared: Declared;
  readonly suffix: string;
  /** What the reader must know of the run as a whole: restarts, a control transfer that failed. */
  readonly notes: readonly string[];
  readonly results: readonly Result[];
  readonly summary: Readonly<Record<Verdict, number>>;
  readonly exitCode: ExitCode;
}

/** 0 all required passed; 1 a MUST; 2 usage (never in a report); 3 only a SHOULD; 4 not reachable; 5 our fault; 6 nothing ran. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6;

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
 * passed, so it counts as a failure of its level. A run without one pass or failure has shown nothing.
 */
export function exitCodeOf(reachable: boolean, results: readonly Pick<Result, 'verdict' | 'level'>[]): ExitCode {
  if (!reachable) return 4;
  if (results.some(({ verdict }) => verdict === 'suite fault')) return 5;
  const open = results.filter(({ verdict }) => verdict === 'fail' || verdict === 'warn' || verdict === 'inconclusive');
  if (open.some(({ verdict, level }) => verdict === 'fail' || (verdict === 'inconclusive' && level === 'must')))
    return 1;
  if (open.length > 0) return 3;
  return results.some(({ verdict }) => verdict === 'pass') ? 0 : 6;
}

/** Reporters get the results as they come, in the order of the run, and the report at the end. */
export interface Reporter {
  begin?(run: {
    readonly role: Role;
    readonly profile: Profile;
    readonly target: string;
    readonly cases: number;
    readonly seed: number;
  }): void;
  result?(result: Result): void;
  end(report: Report): void;
}
