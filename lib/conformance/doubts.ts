/** Failures of cases that ran beside others: who fails only then may have suffered from them, or from a busy machine. */
import type { Result } from './report.js';

/** How long, in ms, failures are confirmed: a target with hundreds of them needs no further proof. */
const BUDGET = 20_000;

export class Doubts<T extends { readonly id: string }> {
  readonly #first = new Map<T, Result>();
  #until: number | null = null;
  readonly #wanted: boolean;

  /** `wanted`: nothing is doubtful where it is false. */
  constructor(wanted: boolean) {
    this.#wanted = wanted;
  }

  /** Whether the case is to run again by itself before its verdict is told. */
  raise(one: T, result: Result): boolean {
    if (!this.#wanted || !['fail', 'warn', 'inconclusive'].includes(result.verdict)) return false;
    this.#first.set(one, result);
    return true;
  }

  /** The verdict that stands without a second run, as there is no time left for one; null where it is to be run. */
  final(one: T): Result | null {
    this.#until ??= performance.now() + BUDGET;
    return performance.now() > this.#until ? (this.#first.get(one) ?? null) : null;
  }

  /** What the reader must know when the second run was better; null when it was not. */
  note(one: T, second: Result): string | null {
    const first = this.#first.get(one);
    if (first === undefined || second.verdict !== 'pass') return null;
    return `${one.id} passed by itself, after this beside other cases: ${first.verdict}, ${first.reason}`;
  }
}
