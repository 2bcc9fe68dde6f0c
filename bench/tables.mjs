/** The table of each series. */
import { figure, percent, spreadText, table } from './format.mjs';
import { median, ratio } from './statistics.mjs';

const KIBIBYTE = 2 ** 10;
const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

/**
 * @typedef {import('./series.mjs').SeriesResult} Series
 * @typedef {import('./series.mjs').ContestantResult} Entry
 * @typedef {ReturnType<typeof import('./tools.mjs').describeMachine> & { cell: string, date: string, directory: string, disk?: string, quick: boolean, series: Series[] }} CellResult
 * @typedef {{ head: string, text: (entry: Entry, series: Series) => string }} Column
 */

/** @param {Entry} entry */
export const seconds = (entry) => entry.runs.map((run) => run.seconds);
/** @param {Entry} entry @param {'receiver' | 'sender'} side @param {'cpu' | 'idle' | 'peak'} what */
export const used = (entry, side, what) => entry.runs.map((run) => run[side]?.[what] ?? NaN);
/** @param {Entry} entry @param {'receiver' | 'sender'} side peak memory over idle */
export const grown = (entry, side) => entry.runs.map((run) => (run[side]?.peak ?? NaN) - (run[side]?.idle ?? NaN));
/** @param {Series} series */
export const baseline = (series) => series.contestants.find(({ id }) => id === series.baseline);

/** @param {string} unit @param {(series: Series) => number} amount how many of the unit are done in one run @returns {Column} */
const rate = (unit, amount) => ({
  head: unit,
  text: (entry, series) => figure(amount(series) / median(seconds(entry))),
});

/** @type {Column} */
const against = {
  head: 'speed against the baseline',
  text: (entry, series) => {
    const base = baseline(series);
    if (base === undefined || base.runs.length === 0) return '–';
    return entry === base ? '1' : spreadText(ratio(seconds(base), seconds(entry)));
  },
};

/** @param {'receiver' | 'sender'} side @returns {Column} */
const cpu = (side) => ({
  head: `${side}, CPU s/GiB`,
  text: (entry, series) => figure((median(used(entry, side, 'cpu')) * GIBIBYTE) / (series.bytes ?? NaN)),
});

/** @param {'receiver' | 'sender'} side @returns {Column} */
const cpuPerFile = (side) => ({
  head: `${side}, CPU ms/file`,
  text: (entry, series) => figure((median(used(entry, side, 'cpu')) * 1000) / (series.files ?? NaN)),
});

/** @param {'receiver' | 'sender'} side @returns {Column} */
const peak = (side) => ({
  head: `${side}, peak MiB over idle`,
  text: (entry) => figure(median(grown(entry, side)) / MEBIBYTE),
});

const throughput = rate('MiB/s', ({ bytes = NaN }) => bytes / MEBIBYTE);
/** @type {Column} */
const failed = {
  head: 'failed',
  text: (entry) => figure(Math.max(...entry.runs.map((run) => run.failed ?? 0))),
};
/** @type {Column} */
const fairness = {
  head: 'slowest over median',
  text: (entry) => figure(median(entry.runs.map((run) => run.fairness ?? 1))),
};
/** @type {Column} */
const nanoseconds = { head: 'ns', text: (entry) => figure(median(seconds(entry)) * 1e9) };
/** @type {Column} */
const milliseconds = { head: 'ms', text: (entry) => figure(median(seconds(entry)) * 1000) };
/** @type {Column} */
const perConnection = {
  head: 'KiB a connection',
  text: (entry, { files = NaN }) => figure(median(entry.runs.map((run) => run.held ?? NaN)) / files / KIBIBYTE),
};

const TRANSFER = [throughput, against, cpu('receiver'), cpu('sender'), peak('receiver'), peak('sender')];
const SMALL = [
  rate('files/s', ({ files = NaN }) => files),
  against,
  cpuPerFile('receiver'),
  cpuPerFile('sender'),
  peak('receiver'),
];

/** @param {Series} series @returns {readonly Column[]} */
function columns({ id }) {
  if (id.startsWith('framer-body')) return [nanoseconds, throughput, against];
  if (id.startsWith('framer')) return [nanoseconds, rate('headers/s', () => 1), against];
  if (id.startsWith('small')) return SMALL;
  if (id === 'clients-idle') return [perConnection];
  if (id.startsWith('clients')) return [throughput, against, fairness, failed, cpu('receiver'), peak('receiver')];
  if (id.startsWith('start')) return [milliseconds, against];
  return TRANSFER;
}

/** @param {Series} series */
function seriesTable(series) {
  const chosen = columns(series);
  const present = series.contestants.filter(({ runs }) => runs.length > 0);
  const rows = present.map((entry) => [entry.label, ...chosen.map(({ text }) => text(entry, series))]);
  const absent = series.contestants
    .filter(({ missing, error }) => missing !== undefined || error !== undefined)
    .map(({ label, missing, error }) => `Without ${label}: ${missing ?? error}.`);
  return [
    `### ${series.title}`,
    table(['', ...chosen.map(({ head }) => head)], rows),
    ...(series.noise === null || series.id === 'clients-idle' ? [] : [noiseLine(series)]),
    ...absent,
  ].join('\n\n');
}

/** @param {Series} series */
function noiseLine({ rounds, noise, contestants, baseline: id }) {
  const label = contestants.find((entry) => entry.id === id)?.label ?? id;
  const count = rounds === 1 ? '1 round' : `${rounds} rounds`;
  return `${count}; the baseline is ${label}. Smaller than ${percent(noise ?? 0)} is noise.`;
}

/** @param {CellResult} result */
export function cellTables({ cell, series }) {
  return [`## ${cell}`, ...series.map(seriesTable)].join('\n\n');
}
