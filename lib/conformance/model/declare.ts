/** What the user says of a target, as `--declare NAME=VALUE` has it. */
import { GoAheadError } from '../../errors.js';
import type { Capabilities, Declared, DeclaredTime } from './capabilities.js';

type Known<K extends keyof Capabilities> = Exclude<Capabilities[K], 'unknown'>;

const VALUES: { readonly [K in keyof Capabilities]: readonly Known<K>[] } = {
  naming: ['kept', 'opaque'],
  paths: ['last component', 'refused', 'other'],
  conflict: ['numbered', 'replaced', 'refused', 'other'],
  concurrent: ['yes', 'no'],
  lasting: ['yes', 'no'],
  closes: ['on its own', 'after the sender'],
};

const TIMES: readonly DeclaredTime[] = [
  'headerTimeout',
  'idleTimeout',
  'replyTimeout',
  'sendTimeout',
  'confirmTimeout',
];

/** For help texts: each name with its values. */
export const DECLARABLE: readonly string[] = [
  ...Object.entries(VALUES).map(([name, values]) => `${name}=${values.join('|')}`),
  ...TIMES.map((name) => `${name}=MS`),
];

function one(pair: string): Declared {
  const [, name = '', value = ''] = /^([^=]*)=([^]*)$/.exec(pair) ?? [];
  const time = TIMES.find((known) => known === name);
  if (time !== undefined) {
    const ms = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
    if (ms > 0) return { [time]: ms };
    throw invalid(pair, `${name} in whole ms, more than 0`);
  }
  for (const [key, values] of Object.entries(VALUES)) {
    if (key !== name) continue;
    const known = values.find((allowed) => allowed === value);
    if (known !== undefined) return { [key]: known };
    throw invalid(pair, `${name} as ${values.map((allowed) => `"${allowed}"`).join(' or ')}`);
  }
  throw invalid(pair, `one of ${DECLARABLE.join(', ')}`);
}

function invalid(pair: string, expected: string): GoAheadError {
  return new GoAheadError('OPTION_INVALID', `--declare ${pair} is not understood; expected ${expected}.`, {
    expected,
    actual: pair,
  });
}

/** Throws `OPTION_INVALID`. Of two for one name the last counts. */
export function parseDeclarations(pairs: readonly string[]): Declared {
  return Object.assign({}, ...pairs.map(one)) as Declared;
}
