/** Keeps what a run finds, tells the reporters as it comes, and makes the report of it. */
import { arch, platform, release } from 'node:os';
import { plural } from '../../plural.js';
import { type Baseline, mark, problems } from './baseline.js';
import type { Case } from '../model/case.js';
import { CASES } from '../cases/index.js';
import { LastWords } from './last-words.js';
import { exitCodeOf, summarize, type Report, type Reporter, type Result, type RunStart } from './report.js';
import { Trace } from '../trace/trace.js';
import { abridged } from '../exchange/wire.js';

export interface RecorderOptions {
  readonly reporters?: readonly Reporter[];
  /** Failures that are known: they do not count, as long as they are there and their date has not come. */
  readonly baseline?: Baseline;
  /** A folder for the evidence of each case: the exchange as text and as pcapng, and a script that sends the same bytes. */
  readonly trace?: string;
  /** Ends the run: what is judged by then is reported, and the report says that it is not complete. */
  readonly signal?: AbortSignal;
}

type Start = Pick<RunStart, 'role' | 'profile' | 'target' | 'observation' | 'seed' | 'declared'>;

export class Recorder {
  readonly notes: string[] = [];
  readonly #options: RecorderOptions;
  readonly #start: RunStart;
  readonly #ids: readonly string[];
  readonly #trace: Trace | null;
  readonly #results: Result[] = [];
  readonly #begun = performance.now();
  readonly #today: string;
  #reporters: readonly Reporter[];
  #cause: string | null = null;
  readonly #lastWords = new LastWords();
  #broken = false;
  #ended = false;

  constructor(options: RecorderOptions, cases: readonly Pick<Case, 'id'>[], start: Start) {
    const now = new Date();
    this.#options = options;
    this.#today = now.toISOString().slice(0, 10);
    this.#ids = [...CASES, ...cases].map(({ id }) => id);
    this.#start = {
      schema: 'go-ahead/conformance-report',
      version: 1,
      ...start,
      startedAt: now.toISOString(),
      environment: { node: process.version, platform: platform(), arch: arch(), release: release() },
      cases: cases.length,
    };
    this.#trace = options.trace === undefined ? null : new Trace(options.trace, this.#start);
    this.#reporters = options.reporters ?? [];
    this.#tell((reporter) => reporter.begin?.(this.#start));
  }

  /** Whether the user has asked for the end of the run. */
  get aborted(): boolean {
    return this.#options.signal?.aborted ?? false;
  }

  /** Runs `work` until it is done or the user ends it. */
  async run(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#options;
    if (signal === undefined) return work();
    const over = new AbortController();
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { signal: over.signal });
    });
    try {
      await Promise.race([work(), aborted]);
    } finally {
      over.abort();
    }
  }

  /** What explains most of what will fail. */
  explain(cause: string): void {
    this.#cause = cause;
    this.#tell((reporter) => reporter.cause?.(cause));
  }

  publish(result: Result): void {
    // A case that was in flight when the run was ended.
    if (this.#ended) return;
    this.#trace?.result(result);
    const connections = result.evidence.connections.map(({ label, log }) => ({ label, log: abridged(log) }));
    const known = this.#lastWords.once(
      mark({ ...result, evidence: { ...result.evidence, connections } }, this.#options.baseline, this.#today),
    );
    this.#results.push(known);
    this.#tell((reporter) => reporter.result?.(known));
  }

  end(found: Pick<Report, 'times' | 'capabilities' | 'suffix'> & { readonly reachable: boolean }): Report {
    this.#ended = true;
    const { reachable, ...rest } = found;
    const results = [...this.#results].sort((a, b) => (a.id < b.id ? -1 : 1));
    const state = {
      baseline: problems(this.#options.baseline, results, this.#ids, this.#today),
      complete: results.length === this.#start.cases,
    };
    if (!state.complete) this.notes.push(`Ended after ${results.length} of ${plural(this.#start.cases, 'case')}`);
    const report: Report = {
      ...this.#start,
      ...rest,
      ...state,
      ms: Math.round(performance.now() - this.#begun),
      cause: this.#cause,
      notes: this.notes,
      results,
      summary: summarize(results),
      exitCode: exitCodeOf(reachable, results, state),
    };
    // One that fails is known to those after it.
    const told = (): Report => (this.#broken ? { ...report, exitCode: 5 } : report);
    this.#tell((reporter) => reporter.end(told()));
    return told();
  }

  /** A reporter that fails (a full disk) is left out, and the run is not lost for the others; but it cannot end with 0. */
  #tell(what: (reporter: Reporter) => void): void {
    for (const reporter of this.#reporters) {
      try {
        what(reporter);
      } catch (fault) {
        this.#broken = true;
        this.#reporters = this.#reporters.filter((other) => other !== reporter);
        this.notes.push(`A report could not be written: ${String(fault)}`);
      }
    }
  }
}
