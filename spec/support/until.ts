import { setTimeout as delay } from 'node:timers/promises';

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Lets the event loop turn until it is so; looks at each turn, so that it sees what is so for one only. What never becomes
 * so ends in tap's timeout, with this name on the stack.
 */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** In ms. */
const REST = 2;

/** The same for what another process brings about, and what then stays so: it rests between looks, as that one needs the core. */
export async function untilElsewhere(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(REST);
}
