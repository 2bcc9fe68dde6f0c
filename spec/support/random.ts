/** A seeded generator of numbers in [0, 1): mulberry32, small and good enough to cut streams. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0 to `below` - 1. */
export function pick(random: () => number, below: number): number {
  return Math.floor(random() * below);
}

/** The seed of a run: a new one each time, unless `SEED` in the environment repeats an old one. */
export function runSeed(): number {
  return Number(process.env['SEED'] ?? Date.now() % 2 ** 32);
}
