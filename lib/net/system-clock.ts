import { performance } from 'node:perf_hooks';
import type { Clock, Timer } from '../session/clock.js';

/**
 * The process's monotonic clock and timers.
 *
 * Node runs timers before it looks at its sockets. After a moment in which the process was busy, a quiet or a grace would
 * end although bytes are waiting in the kernel; so what expires lets the sockets speak first (`setImmediate` follows them).
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule: (ms, expired) => new SystemTimer(ms, expired),
};

class SystemTimer implements Timer {
  readonly #expired: () => void;
  readonly #timer: NodeJS.Timeout;
  #last: NodeJS.Immediate | undefined;

  constructor(ms: number, expired: () => void) {
    this.#expired = expired;
    this.#timer = setTimeout(SystemTimer.#letSocketsSpeak, ms, this);
  }

  static #letSocketsSpeak(timer: SystemTimer): void {
    timer.#last = setImmediate(timer.#expired);
  }

  refresh(): void {
    if (this.#last === undefined) this.#timer.refresh();
  }

  cancel(): void {
    clearTimeout(this.#timer);
    if (this.#last !== undefined) clearImmediate(this.#last);
  }
}
