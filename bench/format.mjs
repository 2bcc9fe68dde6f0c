/** Numbers as they stand in tables. Without locale or time zone: the report must come out alike everywhere. */

/** Three significant digits, without an exponent. @param {number} value */
export function figure(value) {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  const decimals = Math.min(6, Math.max(0, 2 - magnitude));
  const [whole, fraction] = value.toFixed(decimals).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** @param {import('./statistics.mjs').Spread} spread */
export const spreadText = ({ median, low, high }) => `${figure(median)} (${figure(low)} to ${figure(high)})`;

/** @param {number} fraction */
export const percent = (fraction) => `${figure(fraction * 100)} %`;

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
export function table(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}
