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
  #over = false;

  constructor(ms: number, expired: () => void) {
    this.#expired = expired;
    this.#timer = setTimeout(SystemTimer.#letSocketsSpeak, ms, this);
  }

  static #letSocketsSpeak(timer: SystemTimer): void {
    timer.#last = setImmediate(SystemTimer.#expire, timer);
  }

  static #expire(timer: SystemTimer): void {
    timer.#over = true;
    timer.#expired();
  }

  refresh(): void {
    if (this.#over) return;
    // What the sockets had to say may be what was waited for.
    clearImmediate(this.#last);
    // Node starts one that has passed again, too.
    this.#timer.refresh();
  }

  cancel(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#last);
  }
}
