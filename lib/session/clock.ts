/** A deadline that can be moved and cancelled. Both do nothing after it has passed or was cancelled. */
export interface Timer {
  /** Starts the full time again. */
  refresh(): void;
  cancel(): void;
}

/** Time, injected, so that specs never sleep. Monotonic: a jump of the wall clock moves no deadline. */
export interface Clock {
  /** In milliseconds, from any origin. */
  now(): number;
  /** Calls `expired` once, `ms` milliseconds from now. */
  schedule(ms: number, expired: () => void): Timer;
}
