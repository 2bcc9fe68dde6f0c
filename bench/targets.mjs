/** What the library set out to reach, and where it stands. */
import { median, ratio } from './statistics.mjs';
import { grown, seconds, used } from './tables.mjs';

/**
 * @typedef {import('./tables.mjs').CellResult} CellResult
 * @typedef {object} Target
 * @property {string} text
 * @property {string} cell
 * @property {'at least' | 'at most'} bound
 * @property {number} goal
 * @property {string} unit
 * @property {string} [noiseOf] the series whose noise says how near is undecided
 * @property {(results: Results) => number | undefined} value
 */

/** The committed results by series and contestant. */
export class Results {
  /** @type {Map<string, import('./tables.mjs').Series>} */
  #series;

  /** @param {readonly CellResult[]} cells */
  constructor(cells) {
    this.#series = new Map(cells.flatMap(({ series }) => series.map((entry) => [entry.id, entry])));
  }

  /** @param {string} series @param {string} id */
  entry(series, id) {
    const entry = this.#series.get(series)?.contestants.find((contestant) => contestant.id === id);
    return entry === undefined || entry.runs.length === 0 ? undefined : entry;
  }

  /** @param {string | undefined} series */
  noise(series) {
    return (series === undefined ? undefined : this.#series.get(series)?.noise) ?? 0;
  }

  /** How many clients the cell `clients` had at most. */
  most() {
    return Math.max(0, ...[...this.#series.keys()].map((id) => Number(/^clients-(\d+)$/.exec(id)?.[1] ?? 0)));
  }
}

/** How many times as fast ours is as another contestant. @param {string} series @param {string} other */
const speed = (series, other) => (/** @type {Results} */ results) => {
  const [a, b] = [results.entry(series, 'ours'), results.entry(series, other)];
  return a && b && ratio(seconds(b), seconds(a)).median;
};

/** @param {string} text @param {string} series @param {string} other @param {number} goal @returns {Target} */
const times = (text, series, other, goal) => ({
  text,
  cell: series.split('-')[0],
  bound: 'at least',
  goal,
  unit: 'times',
  noiseOf: series,
  value: speed(series, other),
});

/** @type {readonly Target[]} */
export const TARGETS = [
  times('Decode a header, against one written by hand', 'framer-decode', 'hand', 0.4),
  {
    text: 'Decode a header',
    cell: 'framer',
    bound: 'at most',
    goal: 1,
    unit: 'µs',
    value: (results) => {
      const entry = results.entry('framer-decode', 'ours');
      return entry && median(seconds(entry)) * 1e6;
    },
  },
  {
    text: 'The framer’s part of the cost of receiving, in chunks of 64 KiB',
    cell: 'framer',
    bound: 'at most',
    goal: 1,
    unit: '% of the CPU time',
    value: (results) => {
      const push = results.entry('framer-body-65536', 'ours');
      const whole = results.entry('receive', 'ours');
      if (!push || !whole) return undefined;
      const perGibibyte = (median(seconds(push)) * 2 ** 30) / 65_536;
      return (perGibibyte / median(used(whole, 'receiver', 'cpu'))) * 100;
    },
  },
  times('Receive a large file, against C', 'receive', 'c', 0.9),
  {
    text: 'CPU time for receiving a large file, against C',
    cell: 'receive',
    bound: 'at most',
    goal: 1.3,
    unit: 'times',
    noiseOf: 'receive',
    value: (results) => {
      const [ours, c] = [results.entry('receive', 'ours'), results.entry('receive', 'c')];
      return ours && c && ratio(used(ours, 'receiver', 'cpu'), used(c, 'receiver', 'cpu')).median;
    },
  },
  times('Receive, against classic Python with 1 KiB', 'receive', 'classic', 6),
  times('Receive, against plain Node', 'receive', 'plain', 2.5),
  times('Receive, against tus', 'receive', 'tus', 1),
  times('Receive, against FTP', 'receive', 'ftp', 1),
  times('Receive, against HTTP', 'receive', 'http', 1),
  times('Send a large file, against C with sendfile', 'send', 'c', 0.8),
  times('Send, against plain Node', 'send', 'plain', 1.5),
  times('Small files one after another, against classic Python', 'small-receive-one', 'classic', 2),
  times('Small files one after another, against C', 'small-receive-one', 'c', 0.5),
  times('Small files 64 at a time, against classic Python', 'small-receive-64', 'classic', 2),
  times('Small files 64 at a time, against C', 'small-receive-64', 'c', 0.5),
  {
    text: 'Most clients at once: transfers that failed',
    cell: 'clients',
    bound: 'at most',
    goal: 0,
    unit: '',
    value: (results) => {
      const entry = results.entry(`clients-${results.most()}`, 'ours');
      return entry && Math.max(...entry.runs.map(({ failed = 0 }) => failed));
    },
  },
  {
    text: 'Most clients at once: the slowest over the median',
    cell: 'clients',
    bound: 'at most',
    goal: 3,
    unit: 'times',
    value: (results) => {
      const entry = results.entry(`clients-${results.most()}`, 'ours');
      return entry && median(entry.runs.map(({ fairness = 1 }) => fairness));
    },
  },
  {
    text: 'Memory for an idle connection',
    cell: 'clients',
    bound: 'at most',
    goal: 64,
    unit: 'KiB',
    value: (results) => {
      const entry = results.entry('clients-idle', 'ours');
      return entry && median(entry.runs.map(({ held = NaN }) => held)) / results.most() / 2 ** 10;
    },
  },
  {
    text: 'Throughput with the most clients, against 8',
    cell: 'clients',
    bound: 'at least',
    goal: 0.8,
    unit: 'times',
    noiseOf: 'clients-8',
    value: (results) => {
      const [few, many] = [results.entry('clients-8', 'ours'), results.entry(`clients-${results.most()}`, 'ours')];
      return few && many && ratio(seconds(few), seconds(many)).median;
    },
  },
  .../** @type {const} */ (['receiver', 'sender']).map((side) => ({
    text: `Memory over idle of the ${side}, very large file`,
    cell: 'memory',
    bound: /** @type {const} */ ('at most'),
    goal: 64,
    unit: 'MiB',
    value: (/** @type {Results} */ results) => {
      const entry = results.entry('memory', 'ours');
      return entry && median(grown(entry, side)) / 2 ** 20;
    },
  })),
  {
    text: '`go-ahead --version`, against `node -e 0`',
    cell: 'start',
    bound: 'at most',
    goal: 1.5,
    unit: 'times as long',
    noiseOf: 'start-version',
    value: (results) => {
      const [ours, node] = [results.entry('start-version', 'ours'), results.entry('start-version', 'node')];
      return ours && node && ratio(seconds(ours), seconds(node)).median;
    },
  },
];

/** @param {Target} target @param {Results} results */
export function verdict({ bound, goal, noiseOf, value }, results) {
  const measured = value(results);
  if (measured === undefined) return { measured, words: 'not measured' };
  const reached = bound === 'at least' ? measured >= goal : measured <= goal;
  const near = Math.abs(measured / goal - 1) < results.noise(noiseOf) ? ', within the noise' : '';
  return { measured, words: (reached ? 'reached' : '**not reached**') + near };
}
