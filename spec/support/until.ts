import { setTimeout as delay } from 'node:timers/promises';

/** After so many turns of the event loop it is another process that is waited for, and it needs the core. */
const BUSY_TURNS = 200;
/** In ms. */
const REST = 2;

/** Waits until it is so. What never becomes so ends in tap's timeout, with this name on the stack. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await condition()); turns++) {
    if (turns < BUSY_TURNS) await new Promise((resolve) => setImmediate(resolve));
    else await delay(REST);
  }
}
