/**
 * What must not reach a terminal, a log or a report as it is: control characters (C0, DEL, C1, so every escape
 * sequence), format characters (bidi controls, zero-width characters, the byte order mark, tags), the line and
 * paragraph separators, and lone surrogates. The backslash too, so that an escape cannot be mistaken for literal text.
 */
const UNPRINTABLE = /[\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT = new Map([
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function escaped(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
}

/**
 * Text that came from a peer or from a disk, made safe to print on one line: escapes as in JSON for what could move the
 * cursor, reorder or hide text. All other Unicode stays as it is. Different texts stay different.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => SHORT.get(character) ?? escaped(character));
}
