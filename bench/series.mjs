/** Contenders against each other, alternating: A B C A B C, so that the machine's drift meets all of them alike. */
import { noise } from './statistics.mjs';

/** @typedef {import('./transfer.mjs').Run} Run */

/**
 * @typedef {object} Contestant
 * @property {string} id
 * @property {string} label
 * @property {string} [missing] why it does not take part
 * @property {(first: boolean) => Promise<Partial<Run> & { seconds: number }>} run `first` asks for the check by hash
 */

/**
 * @typedef {object} SeriesPlan
 * @property {string} id
 * @property {string} title
 * @property {number} [bytes] in one run
 * @property {number} [files] in one run
 * @property {string} baseline the contestant that the others are compared with, and that runs twice in a round
 * @property {readonly Contestant[]} contestants
 */

/**
 * @typedef {object} ContestantResult
 * @property {string} id
 * @property {string} label
 * @property {string} [missing]
 * @property {string} [error] with which it left the series
 * @property {(Partial<Run> & { seconds: number })[]} runs one a round
 */

/**
 * @typedef {object} SeriesResult
 * @property {string} id
 * @property {string} title
 * @property {number} [bytes]
 * @property {number} [files]
 * @property {string} baseline
 * @property {number} rounds
 * @property {number | null} noise of the wall time, as a fraction; null when the baseline did not run
 * @property {ContestantResult[]} contestants
 * @property {ContestantResult['runs']} twin the baseline's second run of each round
 */

/**
 * Runs several series interleaved, so that figures can be compared across them too.
 * @param {readonly SeriesPlan[]} plans
 * @param {number} rounds
 * @param {(line: string) => void} log
 * @returns {Promise<SeriesResult[]>}
 */
export async function runSeries(plans, rounds, log) {
  const results = plans.map((plan) => ({
    ...plan,
    rounds,
    noise: /** @type {number | null} */ (null),
    contestants: plan.contestants.map(({ id, label, missing }) => ({
      id,
      label,
      missing,
      error: /** @type {string | undefined} */ (undefined),
      runs: /** @type {ContestantResult['runs']} */ ([]),
    })),
    twin: /** @type {ContestantResult['runs']} */ ([]),
  }));

  for (let round = 0; round < rounds; round++) {
    for (const [index, plan] of plans.entries()) {
      const result = results[index];
      for (const [place, contestant] of plan.contestants.entries()) {
        const entry = result.contestants[place];
        if (entry.missing !== undefined || entry.error !== undefined) continue;
        try {
          entry.runs.push(await contestant.run(round === 0));
          if (contestant.id === plan.baseline) result.twin.push(await contestant.run(false));
        } catch (error) {
          entry.error = error instanceof Error ? error.message : String(error);
        }
        const seconds = entry.runs.at(-1)?.seconds;
        const outcome = entry.error ?? (seconds === undefined ? '' : `${seconds.toPrecision(3)} s`);
        log(`${plan.id} ${round + 1}/${rounds} ${contestant.label}: ${outcome}`);
      }
    }
  }

  for (const result of results) {
    const base = result.contestants.find(({ id }) => id === result.baseline);
    if (base === undefined || base.runs.length === 0 || result.twin.length === 0) continue;
    result.noise = noise(
      base.runs.map(({ seconds }) => seconds),
      result.twin.map(({ seconds }) => seconds),
    );
  }
  return results;
}
