import type { Signal } from './environment.js';

/** What a command exits with; the help texts say the same. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
} as const;

/** As a shell reports a process that the signal ended: 128 and its number (signal(7)). */
export const EXIT_BY_SIGNAL: Readonly<Record<Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };
