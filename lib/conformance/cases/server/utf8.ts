import { hex, join, random, text, type Bytes } from '../../model/bytes.js';
import { ACCEPTED, REFUSED, type ServerCase } from '../../model/case.js';
import { body, ended, finish, header, hushed, reply } from '../../model/steps.js';
import { FULL, WHOLE } from './rows.js';

/** 64 bytes. */
const file = { size: hex('00 00 00 00 00 00 00 40'), body: random(64) };
/** The character comes after the size, the 12 bytes of the token and a dash. */
const FIRST = 8 + 12 + 1;

/** The first piece ends inside the last character of the name. */
function splitCharacter(what: string, title: string, character: string, after: number): ServerCase {
  return {
    id: `server/utf8/split-${what}`,
    title,
    clause: '3.8',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    exchange: {
      file: { ...file, name: join(text('{t}-'), hex(character)) },
      steps: [hushed({ at: [FIRST + after] }), reply, body(), finish, ended],
      expect: [ACCEPTED],
    },
  };
}

/** The bytes stand inside the name, so that no more of it could make them valid. */
type Invalid = readonly [what: string, title: string, bytes: string];

const INVALID: readonly Invalid[] = [
  ['lone-continuation', 'a name with a continuation byte alone (80)', '80'],
  ['missing-in-two', 'a letter where the second byte of two should be (C3 41)', 'c3 41'],
  ['missing-in-three', 'a letter where the third byte of three should be (E2 82 41)', 'e2 82 41'],
  ['missing-in-four', 'a letter where the fourth byte of four should be (F0 9F 98 41)', 'f0 9f 98 41'],
  ['latin-1', 'a name in Latin-1 (caf E9)', '63 61 66 e9 2d'],
  ['overlong-nul', 'an overlong NUL (C0 80)', 'c0 80'],
  ['overlong-slash', 'an overlong slash (C0 AF)', 'c0 af'],
  ['overlong-three', 'an overlong slash of three bytes (E0 80 AF)', 'e0 80 af'],
  ['overlong-four', 'an overlong slash of four bytes (F0 80 80 AF)', 'f0 80 80 af'],
  ['surrogate', 'half a surrogate pair (ED A0 80)', 'ed a0 80'],
  ['surrogate-pair', 'a surrogate pair in six bytes, as CESU-8 writes it', 'ed a0 bd ed b8 80'],
  ['above-10ffff', 'the first code point that does not exist (F4 90 80 80)', 'f4 90 80 80'],
  ['five-bytes', 'a sequence of five bytes (F8 88 80 80 80)', 'f8 88 80 80 80'],
  ['fe', 'a byte that never occurs in UTF-8 (FE)', 'fe'],
  ['utf-16', 'a name in UTF-16 with its byte order mark', 'ff fe 61 00'],
];

function invalid([what, title, bytes]: Invalid): ServerCase {
  const name = (middle: Bytes): Bytes => join(text('{t}bad-'), middle, text('.bin'));
  return {
    id: `server/utf8/${what}`,
    title,
    clause: '3.12',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    exchange: { file: { ...file, name: name(hex(bytes)) }, steps: [header(), ended], expect: [REFUSED] },
    // é
    twin: { file: { name: name(hex('c3 a9')) }, steps: WHOLE },
  };
}

export const UTF8_CASES: readonly ServerCase[] = [
  splitCharacter('two-bytes', 'cut inside a character of two bytes (C3 | A9)', 'c3 a9', 1),
  splitCharacter('three-bytes-after-1', 'cut inside a character of three bytes (E2 | 82 AC)', 'e2 82 ac', 1),
  splitCharacter('three-bytes-after-2', 'cut inside a character of three bytes (E2 82 | AC)', 'e2 82 ac', 2),
  splitCharacter('four-bytes-after-1', 'cut inside a character of four bytes (F0 | 9F 98 80)', 'f0 9f 98 80', 1),
  splitCharacter('four-bytes-after-2', 'cut inside a character of four bytes (F0 9F | 98 80)', 'f0 9f 98 80', 2),
  splitCharacter('four-bytes-after-3', 'cut inside a character of four bytes (F0 9F 98 | 80)', 'f0 9f 98 80', 3),
  {
    id: 'server/utf8/split-first-character',
    title: 'the name begins with three bytes of a character, and its last byte comes later',
    clause: '3.8',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    exchange: {
      // 11 bytes have come by then: a size and something that only looks like a name.
      file: { ...file, name: join(hex('f0 9f 98 80'), text('{t}')) },
      steps: [hushed({ at: [8 + 3] }), reply, body(), finish, ended],
      expect: [ACCEPTED],
    },
  },
  ...INVALID.map(invalid),
];
