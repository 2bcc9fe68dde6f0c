import type { Clock } from '../session/clock.js';

/** The process's monotonic clock and timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(ms, expired) {
    const timer = setTimeout(expired, ms);
    return {
      refresh: () => void timer.refresh(),
      cancel: () => clearTimeout(timer),
    };
  },
};
