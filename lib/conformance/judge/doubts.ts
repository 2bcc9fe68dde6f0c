/** Failures of cases that ran beside others: who fails only then may have suffered from them, or from a busy machine. */
import type { Result } from '../report/report.js';

/** How long, in ms, failures are confirmed: a target with hundreds of them needs no further proof. */
const BUDGET = 20_000;

export interface Settled {
  readonly result: Result;
  /** What the reader must know: that the second run was better. */
  readonly notes: readonly string[];
}

export class Doubts<T extends { readonly id: string }> {
  readonly #first = new Map<T, Result>();
  #until: number | null = null;
  readonly #wanted: boolean;
  readonly #now: () => number;

  /** `wanted`: nothing is doubtful where it is false. */
  constructor(wanted: boolean, now = (): number => performance.now()) {
    this.#wanted = wanted;
    this.#now = now;
  }

  /** Whether the case is to run again by itself before its verdict is told. */
  raise(one: T, result: Result): boolean {
    if (!this.#wanted || !['fail', 'warn', 'inconclusive'].includes(result.verdict)) return false;
    this.#first.set(one, result);
    return true;
  }

  /** Runs a case by itself. Its first verdict stands where there is no time left for a second one. */
  async settle(one: T, run: (first: Result | null) => Promise<Result>): Promise<Settled> {
    this.#until ??= this.#now() + BUDGET;
    const first = this.#first.get(one);
    if (first === undefined) return { result: await run(null), notes: [] };
    if (this.#now() > this.#until) return { result: first, notes: [] };
    const result = await run(first);
    const note = `${one.id} passed by itself, after this beside other cases: ${first.verdict}, ${first.reason}`;
    return { result, notes: result.verdict === 'pass' ? [note] : [] };
  }
}
