/** Reports that no run gives at once: every verdict, and texts that attack every format. */
import { CASES } from '../../../lib/conformance/cases/index.js';
import { clauseLevel } from '../../../lib/conformance/model/clause.js';
import { CLAUSES } from '../../../lib/conformance/model/clauses.js';
import {
  exitCodeOf,
  summarize,
  VERDICTS,
  type Report,
  type Reporter,
  type Result,
  type RunStart,
  type Verdict,
} from '../../../lib/conformance/report/report.js';
import { UNKNOWN } from '../../../lib/conformance/model/capabilities.js';
import { UNMEASURED } from '../../../lib/conformance/exchange/times.js';

/** Markup, markup of other formats, directives, terminal escapes, bidi, separators, noncharacters, half a surrogate pair. */
export const HOSTILE = [
  '</code><script>alert(1)</script><img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  ']]> &amp; &lt; <!-- -->',
  '\n1..0 # SKIP all\nok 1 - forged\nBail out!\n',
  ' # TODO not yet \\# SKIP',
  '\n  ...\nok 2 - forged',
  '\u001b[2J\u001b]0;owned\u0007\u009b31m\u0000\u007f',
  '\u202egnp.exe \u2066\u2069 \u200b\ufeff \u2028\u2029',
  '\ud800 \udfff \ufffe \uffff \u{1ffff} \ufdd0',
  '| a | b |\n| --- | --- |\n```\n~~~\n![x](http://192.0.2.1/x) <http://192.0.2.1> @everyone [x]: y',
  "'; DROP TABLE --' %s %n ${7*7} {{7*7}} `id` $(id)",
  'pass\r\nfail\tok',
] as const;

function nth(n: number): string {
  return HOSTILE[n % HOSTILE.length] ?? '';
}

export function sampleResult(verdict: Verdict, n: number, hostile: boolean): Result {
  const one = CASES[n % CASES.length];
  if (one === undefined) throw new Error('no case');
  const evil = (text: string, k: number): string => (hostile ? `${text} ${nth(n + k)}` : text);
  const reason = verdict === 'pass' ? '' : evil('disk: expected nothing, got x', 0);
  const passed = verdict === 'pass';
  return {
    id: one.id,
    title: evil('one byte after the last one', 1),
    verdict,
    level: clauseLevel(one.clause),
    clause: one.clause,
    sentence: CLAUSES[one.clause],
    needs: 'dir',
    reason,
    axes: [
      { axis: 'wire', ok: true, expected: evil('"go ahead"', 2), actual: '"go ahead"' },
      { axis: 'disk', ok: passed, expected: 'nothing', actual: evil('x (file, 5 bytes)', 3) },
      { axis: 'alive', ok: null, expected: 'yes', actual: evil('not seen', 4) },
    ],
    evidence: {
      connections: [
        {
          label: evil('connection', 5),
          log: [
            { at: 0.12, event: 'connected' },
            { at: 0.5, event: 'sent', length: 5, hex: '68 65 6c 6c 6f', text: 'hello' },
            { at: 1.5, event: 'received', length: 1, hex: '1b', text: '\\x1b' },
            { at: 2, event: 'time-out', note: evil('the reply did not come', 6) },
            { at: 3, event: 'received RST', note: 'ECONNRESET' },
          ],
        },
      ],
      disk: {
        before: [{ path: evil('old', 7), kind: 'file', size: 3, sha256: 'a'.repeat(64) }],
        after: [
          { path: evil('new', 8), kind: 'file', size: 5, sha256: 'b'.repeat(64) },
          { path: 'link', kind: 'symlink', size: 1, target: evil('elsewhere', 9) },
        ],
      },
      process: evil('exited with status 70; stderr ends:', 10),
    },
    replay: evil(`go-ahead conform server --only ${one.id}`, 11),
    ms: 12,
  };
}

export interface Sample {
  readonly start: RunStart;
  readonly results: readonly Result[];
  readonly report: Report;
}

export function sample(
  results: readonly Result[],
  options: {
    readonly hostile?: boolean;
    readonly reachable?: boolean;
    readonly cases?: number;
    readonly baseline?: string[];
    readonly cause?: string;
  } = {},
): Sample {
  const {
    hostile = false,
    reachable = true,
    cases = results.length,
    baseline = [],
    cause = hostile ? nth(0) : null,
  } = options;
  const start: RunStart = {
    schema: 'go-ahead/conformance-report',
    version: 1,
    role: 'server',
    profile: 'full',
    target: hostile ? HOSTILE.join(' ') : 'python3 server.py {port} {dir}',
    observation: 'exec',
    seed: 1,
    startedAt: '2026-05-04T03:02:01.000Z',
    environment: { node: 'v20.19.0', platform: 'linux', arch: 'x64', release: '6.1' },
    declared: {},
    cases,
  };
  const state = { baseline, complete: results.length === cases };
  const report: Report = {
    ...start,
    ...state,
    ms: 1234,
    times: UNMEASURED,
    capabilities: UNKNOWN,
    suffix: hostile ? nth(0) : '.temp',
    cause,
    notes: hostile ? HOSTILE : ['The target went down in server/end/overrun'],
    results: [...results].sort((a, b) => (a.id < b.id ? -1 : 1)),
    summary: summarize(results),
    exitCode: exitCodeOf(reachable, results, state),
  };
  return { start, results, report };
}

/** Each verdict once, and one failure that is known. */
export function everyVerdict(hostile: boolean): Sample {
  const results = VERDICTS.map((verdict, n) => sampleResult(verdict, n, hostile));
  const known = {
    ...sampleResult('fail', results.length, hostile),
    known: { reason: 'issue 7', expires: '2099-12-31' },
  };
  return sample([...results, known], { hostile });
}

export function play(reporter: Reporter, { start, results, report }: Sample): void {
  reporter.begin?.(start);
  if (report.cause !== null) reporter.cause?.(report.cause);
  for (const result of results) reporter.result?.(result);
  reporter.end(report);
}
