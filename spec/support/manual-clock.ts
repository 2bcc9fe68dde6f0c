import type { Clock, Timer } from '../../lib/session/clock.js';

interface Pending {
  due: number;
  readonly ms: number;
  readonly expired: () => void;
}

/**
 * Time that passes only when told. It keeps to the letter of the contract: a timer that has passed or was cancelled
 * never comes back, whatever is called on it.
 */
export class ManualClock implements Clock {
  #now = 0;
  // In the order in which they were set, which decides between timers that are due together.
  readonly #pending = new Set<Pending>();
  /** Every delay that was ever asked for, in order. */
  readonly asked: number[] = [];

  now(): number {
    return this.#now;
  }

  /** How many timers of this delay are still to expire; of any, without one. */
  armed(ms?: number): number {
    return [...this.#pending].filter((pending) => ms === undefined || pending.ms === ms).length;
  }

  /** Milliseconds until the next timer expires. */
  get next(): number | undefined {
    const due = this.#first()?.due;
    return due === undefined ? undefined : due - this.#now;
  }

  schedule(ms: number, expired: () => void): Timer {
    const pending: Pending = { due: this.#now + ms, ms, expired };
    this.asked.push(ms);
    this.#pending.add(pending);
    return {
      refresh: () => {
        if (!this.#pending.delete(pending)) return;
        pending.due = this.#now + pending.ms;
        this.#pending.add(pending);
      },
      cancel: () => void this.#pending.delete(pending),
    };
  }

  /** Lets time pass; timers expire on the way, each at its own moment. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let first = this.#first(); first !== undefined && first.due <= until; first = this.#first()) {
      this.#now = Math.max(this.#now, first.due);
      this.#pending.delete(first);
      first.expired();
    }
    this.#now = until;
  }

  /** The process is busy for so long: time passes, and no timer expires before {@link advance}. */
  stall(ms: number): void {
    this.#now += ms;
  }

  #first(): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) if (first === undefined || pending.due < first.due) first = pending;
    return first;
  }
}

/** After every promise that can settle without further events has settled. */
export function quiescence(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
