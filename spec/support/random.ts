import { randomFrom } from '../../lib/conformance/model/select.js';

/** A seeded generator of numbers in [0, 1). */
export const seededRandom = randomFrom;

/** A whole number from 0 to `below` - 1. */
export function pick(random: () => number, below: number): number {
  return Math.floor(random() * below);
}

/** The seed of a run: a new one each time, unless `SEED` in the environment repeats an old one. */
export function runSeed(): number {
  return Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
}
