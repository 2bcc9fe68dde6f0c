import { GoAheadError } from '../errors.js';
import { printable } from '../printable.js';
import { looksTemporary } from './temporary-name.js';

declare const safe: unique symbol;

/** A name that can be joined to a directory: one component, well-formed, of a length that fits. */
export type FileName = string & { readonly [safe]: true };

export interface NameRules {
  /** Added to the name on disk (4.11); counted in its length. */
  readonly suffix: string;
  /** Refuse what Windows reserves (4.12), on every system. */
  readonly portableNames: boolean;
}

/** NAME_MAX of nearly every filesystem, in bytes. */
export const LONGEST_NAME = 255;

interface Fault {
  readonly clause: string;
  readonly expected: string;
}

const fault = (clause: string, expected: string): Fault => ({ clause, expected });

// https://learn.microsoft.com/windows/win32/fileio/naming-a-file. Whatever follows the first dot is ignored there, and so
// are spaces before it. CONIN$, CONOUT$ and CLOCK$ are missing on that page (CVE-2023-45284).
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$) *(?:\.|$)/i;

function portabilityFault(name: string): Fault | undefined {
  if (name.includes(':')) return fault('4.12', 'no `:`, which names a drive or a stream on Windows');
  if (/[<>"|?*]/.test(name)) return fault('4.12', 'none of `<>"|?*`, which Windows forbids');
  if (/[. ]$/.test(name)) return fault('4.12', 'no dot or space at the end, which Windows drops');
  if (DEVICE.test(name)) return fault('4.12', 'not the name of a Windows device');
  return undefined;
}

function faultOf(name: string, rules: NameRules): Fault | undefined {
  if (name === '') return fault('4.3', 'a name that does not end in `/` or `\\`');
  if (name === '.' || name === '..') return fault('4.3', 'a name other than `.` and `..`');
  if (name.includes('\0')) return fault('4.4', 'no NUL');
  if (/\p{Cc}/u.test(name)) return fault('4.5', 'no control characters');
  // The UTF-8 of a lone surrogate would be that of U+FFFD: two names would become one.
  if (/\p{Cs}/u.test(name)) return fault('3.12', 'well-formed Unicode');
  if (/^ +$/.test(name)) return fault('4.6', 'a name that is not only spaces');
  if (Buffer.byteLength(name + rules.suffix) > LONGEST_NAME) {
    const room = LONGEST_NAME - Buffer.byteLength(rules.suffix);
    return fault('4.6', `at most ${room} bytes`);
  }
  if (looksTemporary(name + rules.suffix)) return fault('4.6', 'a name unlike those of our temporary files');
  return rules.portableNames ? portabilityFault(name) : undefined;
}

function isSafe(_name: string, found: Fault | undefined): _name is FileName {
  return found === undefined;
}

/**
 * The last component of a name from the wire (4.2), without the suffix. Nothing is decoded, expanded, normalized or
 * replaced (4.7): `~`, `%2e%2e%2f`, a leading dash, dot or byte order mark and bidi controls are letters like any other,
 * and whoever prints the name uses `printable`.
 *
 * @throws GoAheadError NAME_UNSAFE, with the clause and what was expected (4.3 to 4.6, 4.12)
 */
export function parseFileName(wireName: string, rules: NameRules): FileName {
  const name = wireName.slice(Math.max(wireName.lastIndexOf('/'), wireName.lastIndexOf('\\')) + 1);
  const found = faultOf(name, rules);
  if (isSafe(name, found)) return name;
  throw unsafeName(wireName, found);
}

/** The error for a name that cannot be stored, whether we or the filesystem say so. */
export function unsafeName(wireName: string, found: Fault | undefined, cause?: unknown): GoAheadError {
  const actual = `"${printable(wireName)}" (${Buffer.byteLength(wireName)} bytes)`;
  const expected = found?.expected ?? 'a name that the filesystem accepts';
  const clause = found?.clause ?? '4.6';
  return new GoAheadError(
    'NAME_UNSAFE',
    `The sender's name cannot be stored: expected ${expected}, got ${actual}; the sender must choose another name`,
    cause === undefined ? { clause, expected, actual } : { clause, expected, actual, cause },
  );
}
