import type { MaybePromise } from '../maybe-promise.js';

/** The right to serve a connection: as many slots as connections may be served at once. */
export interface ConnectionSlots {
  /** Whether there was a free one. A connection waits unread where the answer comes from another process. */
  take(): MaybePromise<boolean>;
  /** The connection that had it is over. */
  give(): void;
}

/** The slots of a server that shares them with nobody. */
export class CountedSlots implements ConnectionSlots {
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  take(): boolean {
    if (this.#free <= 0) return false;
    this.#free -= 1;
    return true;
  }

  give(): void {
    this.#free += 1;
  }
}
