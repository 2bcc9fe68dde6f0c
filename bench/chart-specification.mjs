/** What the charts of docs/performance.md show, as Vega-Lite has it. */
import { createHash } from 'node:crypto';
import { median, ratio, spread } from './statistics.mjs';
import { baseline, grown, seconds } from './tables.mjs';

/** @typedef {import('./tables.mjs').CellResult} CellResult @typedef {import('./tables.mjs').Series} Series */

const MEBIBYTE = 2 ** 20;
const OURS = { condition: { test: "indexof(datum.id, 'ours') === 0", value: '#c8553d' }, value: '#8d99ae' };

/** @param {Series} series */
const present = (series) => series.contestants.filter(({ runs }) => runs.length > 0);

/**
 * Bars with the quartiles of each value.
 * @param {readonly Series[]} panels
 * @param {string} title of the axis
 * @param {(seconds: number, series: Series) => number} value
 */
function bars(panels, title, value) {
  const values = panels.flatMap((series) =>
    present(series).map((entry) => {
      const { median, low, high } = spread(seconds(entry).map((each) => value(each, series)));
      return { panel: series.title, id: entry.id, label: entry.label, median, low, high };
    }),
  );
  const y = { field: 'label', type: 'nominal', title: null, sort: null, axis: { labelLimit: 400 } };
  return {
    data: { values },
    facet: {
      row: {
        field: 'panel',
        title: null,
        sort: null,
        header: { labelAngle: 0, labelOrient: 'top', labelAnchor: 'start', labelFontWeight: 'bold' },
      },
    },
    resolve: { scale: { y: 'independent' } },
    spec: {
      width: 520,
      height: { step: 22 },
      encoding: { y },
      layer: [
        { mark: 'bar', encoding: { x: { field: 'median', type: 'quantitative', title }, color: OURS } },
        { mark: 'rule', encoding: { x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } } },
      ],
    },
  };
}

/** Throughput over the number of clients. @param {readonly Series[]} series */
function lines(series) {
  const values = series.flatMap((each) =>
    present(each).map((entry) => ({
      clients: each.files,
      label: entry.label,
      throughput: (each.bytes ?? NaN) / MEBIBYTE / median(seconds(entry)),
    })),
  );
  return {
    data: { values },
    width: 520,
    height: 260,
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'clients',
        type: 'quantitative',
        scale: { type: 'log', base: 2 },
        title: 'clients at once',
        axis: { values: series.map(({ files }) => files) },
      },
      y: { field: 'throughput', type: 'quantitative', title: 'MiB/s' },
      color: {
        field: 'label',
        type: 'nominal',
        title: null,
        sort: null,
        // Beside the chart it was cut off: without a browser the width of a text is an estimate.
        legend: { orient: 'bottom', columns: 3, labelLimit: 400 },
      },
    },
  };
}

/** Peak memory of both sides. @param {Series} series */
function memory(series) {
  const values = present(series).flatMap((entry) =>
    /** @type {const} */ (['receiver', 'sender']).map((side) => ({
      label: entry.label,
      side,
      peak: median(grown(entry, side)) / MEBIBYTE,
    })),
  );
  return {
    data: { values },
    width: 520,
    height: { step: 14 },
    mark: 'bar',
    encoding: {
      y: { field: 'label', type: 'nominal', title: null, sort: null, axis: { labelLimit: 400 } },
      yOffset: { field: 'side' },
      x: { field: 'peak', type: 'quantitative', title: 'peak memory over idle, MiB' },
      color: { field: 'side', type: 'nominal', title: null },
    },
  };
}

/** Speed of the decoder against the one written by hand. @param {readonly Series[]} all */
function framer(all) {
  const values = all.flatMap((series) => {
    const base = baseline(series);
    const ours = present(series).find(({ id }) => id === 'ours');
    return base && ours ? [{ title: series.title, ratio: ratio(seconds(base), seconds(ours)).median }] : [];
  });
  return {
    data: { values },
    width: 400,
    height: { step: 22 },
    mark: { type: 'bar', color: '#c8553d' },
    encoding: {
      y: { field: 'title', type: 'nominal', title: null, sort: null, axis: { labelLimit: 480 } },
      x: { field: 'ratio', type: 'quantitative', title: 'speed of the framer, the one written by hand being 1' },
    },
  };
}

/** @param {CellResult} result @returns {object | undefined} */
export function specification({ cell, series }) {
  const drawn = series.filter((each) => present(each).length > 0);
  if (drawn.length === 0) return undefined;
  switch (cell) {
    case 'framer':
      return framer(drawn);
    case 'small':
      return bars(drawn, 'files/s', (time, { files = NaN }) => files / time);
    case 'clients':
      return lines(drawn.filter(({ id }) => id !== 'clients-idle'));
    case 'memory':
      return memory(drawn[0]);
    case 'start':
      return bars(drawn, 'ms', (time) => time * 1000);
    default:
      return bars(drawn, 'MiB/s', (time, { bytes = NaN }) => bytes / MEBIBYTE / time);
  }
}

/** What a chart was drawn from: a spec compares it where Vega is not installed. @param {CellResult} result */
export function chartStamp(result) {
  const text = JSON.stringify(specification(result)) ?? '';
  return `<!-- ${createHash('sha256').update(text).digest('hex')} -->`;
}
