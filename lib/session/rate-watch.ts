import type { Clock, Timer } from './clock.js';

/** How much has to come in how long. */
export interface Rate {
  /** In bytes a second. */
  readonly minRate: number;
  /** In ms. */
  readonly rateWindow: number;
}

/** What is watched. */
export interface Watched {
  received(): bigint;
  /** The sender has to wait for us, and is excused. */
  held(): boolean;
  /** Nothing is watched any more then. */
  tooSlow(came: number, least: number): void;
}

/** A timer that is later than this part of its window was kept waiting, and so was what came. */
const LATE = 0.1;

/** Looks after each window whether enough came in it (11.2), unless the sender was kept waiting. */
export class RateWatch {
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #watched: Watched;
  #timer: Timer | undefined;
  #excused = false;

  constructor(clock: Clock, rate: Rate, watched: Watched) {
    this.#clock = clock;
    this.#rate = rate;
    this.#watched = watched;
    this.#next();
  }

  /** In this window the sender was kept waiting. */
  excuse(): void {
    this.#excused = true;
  }

  cancel(): void {
    this.#timer?.cancel();
  }

  #next(): void {
    const { minRate, rateWindow } = this.#rate;
    const before = this.#watched.received();
    const start = this.#clock.now();
    this.#timer = this.#clock.schedule(rateWindow, () => {
      const came = Number(this.#watched.received() - before);
      const least = Math.ceil((minRate * rateWindow) / 1000);
      const stalled = this.#clock.now() - start > (1 + LATE) * rateWindow;
      const excused = this.#excused || stalled || this.#watched.held();
      this.#excused = false;
      if (came >= least || excused) this.#next();
      else this.#watched.tooSlow(came, least);
    });
  }
}
