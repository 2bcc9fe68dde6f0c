/** Draws the charts of docs/performance.md with Vega, without a browser. */
import * as vega from 'vega';
import { compile } from 'vega-lite';
import { chartStamp, specification } from './chart-specification.mjs';

/** @param {import('./tables.mjs').CellResult} result @returns {Promise<string | undefined>} SVG */
export async function chart(result) {
  const specified = specification(result);
  if (specified === undefined) return undefined;
  const config = { background: 'white', font: 'sans-serif', view: { stroke: null } };
  const { spec } = compile(/** @type {any} */ ({ ...specified, config, padding: 10 }), {
    logger: vega.logger(vega.Error),
  });
  return `${await new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG()}\n${chartStamp(result)}\n`;
}
