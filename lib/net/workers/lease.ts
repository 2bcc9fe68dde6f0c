import type { MaybePromise } from '../../maybe-promise.js';
import type { GoAheadError } from '../../errors.js';
import type { Holding } from './messages.js';

/** How a lease speaks to the one who grants. */
export interface Lender {
  /** Asks for at least `need`; the answer is `granted` or `denied`. */
  ask(need: bigint, holding: Holding): void;
  /** The lease has given back all above what it holds. */
  returned(holding: Holding, recalled: boolean): void;
}

/** A refusal; the error says why, where there is more to say than that. */
export interface Denial {
  readonly error: GoAheadError | undefined;
}

interface Waiting {
  readonly amount: bigint;
  readonly settle: (denial: Denial | undefined) => void;
}

/**
 * A worker's part of what all workers share. What it has idle it hands out at once; only when that is not enough does
 * it ask the primary, and what is granted beyond the need stays here for the next ones.
 */
export class Lease {
  readonly #lender: Lender;
  readonly #mostIdle: bigint;
  readonly #waiting: Waiting[] = [];
  #idle = 0n;
  #used = 0n;
  #granted = 0n;
  #asked = false;
  #ended: Denial | undefined;

  /** @param mostIdle what is idle above this is given back unasked */
  constructor(lender: Lender, mostIdle: bigint) {
    this.#lender = lender;
    this.#mostIdle = mostIdle;
  }

  /** Undefined when the amount is granted. */
  take(amount: bigint): MaybePromise<Denial | undefined> {
    if (amount <= this.#idle) {
      this.#use(amount);
      return undefined;
    }
    if (this.#ended !== undefined) return this.#ended;
    return new Promise((settle) => {
      this.#waiting.push({ amount, settle });
      this.#ask();
    });
  }

  /** What was taken is needed no more. */
  give(amount: bigint): void {
    this.#used -= amount;
    this.#idle += amount;
    if (this.#idle <= this.#mostIdle) return;
    this.#idle = this.#mostIdle;
    this.#lender.returned(this.#holding(), false);
  }

  /** What was taken is gone for good: bytes that are on the disk now. */
  spend(amount: bigint): void {
    this.#used -= amount;
  }

  granted(amount: bigint): void {
    this.#asked = false;
    this.#granted += amount;
    this.#idle += amount;
    while (this.#waiting[0] !== undefined && this.#waiting[0].amount <= this.#idle) {
      const { amount: needed, settle } = this.#waiting[0];
      this.#waiting.shift();
      this.#use(needed);
      settle(undefined);
    }
    this.#ask();
  }

  /** There is not as much as the first one needs, and so nothing for those that need as much. */
  denied(denial: Denial): void {
    this.#asked = false;
    const [first] = this.#waiting;
    if (first === undefined) return;
    const refused = this.#waiting.filter(({ amount }) => amount >= first.amount);
    const others = this.#waiting.filter(({ amount }) => amount < first.amount);
    this.#waiting.splice(0, Infinity, ...others);
    for (const { settle } of refused) settle(denial);
    this.#ask();
  }

  recall(): void {
    this.#idle = 0n;
    this.#lender.returned(this.#holding(), true);
  }

  /** Nobody answers any more. */
  end(denial: Denial): void {
    this.#ended = denial;
    for (const { settle } of this.#waiting.splice(0)) settle(denial);
  }

  #use(amount: bigint): void {
    this.#idle -= amount;
    this.#used += amount;
  }

  #ask(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#asked) return;
    this.#asked = true;
    this.#lender.ask(first.amount, this.#holding());
  }

  #holding(): Holding {
    return { held: this.#used + this.#idle, granted: this.#granted };
  }
}
