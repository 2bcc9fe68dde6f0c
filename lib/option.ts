import { GoAheadError } from './errors.js';
import { printable } from './printable.js';

/** @param value what was given, as text */
export function optionInvalid(option: string, expected: string, value: string): GoAheadError {
  const actual = `"${printable(value)}"`;
  return new GoAheadError('OPTION_INVALID', `The option ${option} must be ${expected}, not ${actual}`, {
    expected,
    actual,
  });
}

/** Callers without types may pass anything. @throws GoAheadError `OPTION_INVALID` */
export function oneOf<T extends string>(option: string, allowed: readonly T[], value: T): T {
  if (!allowed.includes(value)) throw optionInvalid(option, allowed.join(', '), value);
  return value;
}
