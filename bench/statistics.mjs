/**
 * @param {readonly number[]} values
 * @param {number} p 0 to 1
 */
export function quantile(values, p) {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * p;
  const low = Math.floor(position);
  const high = Math.ceil(position);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low);
}

/** @param {readonly number[]} values */
export const median = (values) => quantile(values, 0.5);

/**
 * @typedef {object} Spread
 * @property {number} median
 * @property {number} low the first quartile
 * @property {number} high the third quartile
 */

/**
 * @param {readonly number[]} values
 * @returns {Spread}
 */
export function spread(values) {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/**
 * The ratio of two contenders, round by round: what the machine did to one round it did to both of its runs.
 * @param {readonly number[]} values
 * @param {readonly number[]} base the same rounds
 */
export function ratio(values, base) {
  const rounds = Math.min(values.length, base.length);
  return spread(Array.from({ length: rounds }, (_, round) => values[round] / base[round]));
}

/**
 * How far a contender comes out from its own twin: the quartile that is farthest from 1, as a fraction. A difference
 * smaller than this is noise.
 * @param {readonly number[]} values
 * @param {readonly number[]} twin the same contender, run a second time in each round
 */
export function noise(values, twin) {
  const { low, high } = ratio(twin, values);
  return Math.max(Math.abs(low - 1), Math.abs(high - 1));
}
