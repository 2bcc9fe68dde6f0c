import { performance } from 'node:perf_hooks';
import type { Clock } from '../session/clock.js';

/**
 * The process's monotonic clock and timers.
 *
 * Node runs timers before it looks at its sockets. After a moment in which the process was busy, a quiet or a grace would
 * end although bytes are waiting in the kernel; so what expires lets the sockets speak first (`setImmediate` follows them).
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(ms, expired) {
    let last: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      last = setImmediate(expired);
    }, ms);
    return {
      refresh: () => {
        if (last === undefined) timer.refresh();
      },
      cancel: () => {
        clearTimeout(timer);
        clearImmediate(last);
      },
    };
  },
};
