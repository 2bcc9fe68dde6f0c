/**
 * What must not reach a terminal, a log or a report as it is: control characters (C0, DEL, C1, so every escape
 * sequence), format characters (bidi controls, zero-width characters, the byte order mark, tags), the line and
 * paragraph separators, and whatever else Unicode wants not shown at all (fillers, variation selectors, joiners).
 */
const UNSEEN = '\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}';
/** Lone surrogates too; and the backslash, so that an escape cannot be mistaken for literal text. */
const UNPRINTABLE = new RegExp(`[\\\\\\p{Cs}${UNSEEN}]`, 'gu');
const UNPRINTABLE_IN_JSON = new RegExp(`[${UNSEEN}]`, 'gu');

const SHORT = new Map([
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/** A character beyond U+FFFF as its two surrogates, as JSON has it. */
function escaped(character: string): string {
  return character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Text that came from a peer or from a disk, made safe to print on one line: escapes as in JSON for what could move the
 * cursor, reorder or hide text. All other Unicode stays as it is. Different texts stay different.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => SHORT.get(character) ?? escaped(character));
}

/** JSON with the same escaped beyond what JSON asks for; it reads back as the same value. */
export function printableJson(json: string): string {
  return json.replace(UNPRINTABLE_IN_JSON, escaped);
}
