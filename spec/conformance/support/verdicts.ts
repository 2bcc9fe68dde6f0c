import type { Report } from '../../../lib/conformance/index.js';

type Results = Pick<Report, 'results'>;

/** What a right peer has to answer for: all but passes, and what for an expected reason was not asked or not seen. */
export function notPassed({ results }: Results, expected = /(?!)/): string[] {
  return results
    .filter(({ verdict, reason }) => {
      const idle = verdict === 'not applicable' || verdict === 'untestable';
      return verdict !== 'pass' && !(idle && expected.test(reason));
    })
    .map(({ id, verdict, reason }) => `${verdict} ${id}: ${reason}`);
}

/** What no implementation of nothing may have: a pass, or a fault of the suite. */
export function wrongOf({ results }: Results): string[] {
  return results
    .filter(({ verdict }) => verdict === 'pass' || verdict === 'suite fault')
    .map(({ id, verdict, reason }) => `${verdict} ${id}: ${reason}`);
}
