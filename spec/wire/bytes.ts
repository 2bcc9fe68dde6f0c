/** Headers and names as bytes, written by hand; nothing here was produced by the code under test. */

export function hex(...fields: readonly string[]): Buffer {
  const digits = fields.join('').replaceAll(' ', '');
  const bytes = Buffer.from(digits, 'hex');
  // Buffer.from stops silently at the first digit that is none.
  if (bytes.length * 2 !== digits.length) throw new Error(`not hexadecimal: ${fields.join(' ')}`);
  return bytes;
}

export interface HeaderCase {
  readonly title: string;
  readonly bytes: Buffer;
  readonly size: bigint;
  readonly name: string;
}

export const HEADERS: readonly HeaderCase[] = [
  {
    title: 'size 0',
    bytes: hex(
      '00 00 00 00 00 00 00 00', // size: 0
      '61', // name: "a"
    ),
    size: 0n,
    name: 'a',
  },
  {
    title: 'size 1',
    bytes: hex(
      '00 00 00 00 00 00 00 01', // size: 1
      '61 2e 74 78 74', // name: "a.txt"
    ),
    size: 1n,
    name: 'a.txt',
  },
  {
    title: 'the most significant byte first',
    bytes: hex(
      '01 02 03 04 05 06 07 08', // size: 0x0102030405060708
      '61', // name: "a"
    ),
    size: 72_623_859_790_382_856n,
    name: 'a',
  },
  {
    title: 'size 2^31',
    bytes: hex(
      '00 00 00 00 80 00 00 00', // size: 2^31
      '61', // name: "a"
    ),
    size: 2_147_483_648n,
    name: 'a',
  },
  {
    title: 'size 2^32',
    bytes: hex(
      '00 00 00 01 00 00 00 00', // size: 2^32
      '61', // name: "a"
    ),
    size: 4_294_967_296n,
    name: 'a',
  },
  {
    title: 'size 2^53 - 1',
    bytes: hex(
      '00 1f ff ff ff ff ff ff', // size: 2^53 - 1
      '61', // name: "a"
    ),
    size: 9_007_199_254_740_991n,
    name: 'a',
  },
  {
    title: 'size 2^53',
    bytes: hex(
      '00 20 00 00 00 00 00 00', // size: 2^53
      '61', // name: "a"
    ),
    size: 9_007_199_254_740_992n,
    name: 'a',
  },
  {
    title: 'size 2^53 + 1',
    bytes: hex(
      '00 20 00 00 00 00 00 01', // size: 2^53 + 1
      '61', // name: "a"
    ),
    size: 9_007_199_254_740_993n,
    name: 'a',
  },
  {
    title: 'size 2^63',
    bytes: hex(
      '80 00 00 00 00 00 00 00', // size: 2^63
      '61', // name: "a"
    ),
    size: 9_223_372_036_854_775_808n,
    name: 'a',
  },
  {
    title: 'size 2^64 - 1',
    bytes: hex(
      'ff ff ff ff ff ff ff ff', // size: 2^64 - 1
      '61', // name: "a"
    ),
    size: 18_446_744_073_709_551_615n,
    name: 'a',
  },
  {
    title: 'an HTTP request, which is a header like any other',
    bytes: hex(
      '47 45 54 20 2f 20 48 54', // size: "GET / HT"
      '54 50 2f 31 2e 31 0d 0a 0d 0a', // name: "TP/1.1", CR LF CR LF
    ),
    size: 5_135_603_447_292_250_196n,
    name: 'TP/1.1\r\n\r\n',
  },
  {
    title: 'a name of characters of two, three and four bytes',
    bytes: hex(
      '00 00 00 00 00 00 00 05', // size: 5
      'c3 a9', // U+00E9
      'e2 82 ac', // U+20AC
      'f0 9f 98 80', // U+1F600
    ),
    size: 5n,
    name: '\u00e9\u20ac\u{1f600}',
  },
  {
    title: 'the first and last characters of each length',
    bytes: hex(
      '00 00 00 00 00 00 00 05', // size: 5
      '00 7f', // U+0000, U+007F
      'c2 80 df bf', // U+0080, U+07FF
      'e0 a0 80 ef bf bf', // U+0800, U+FFFF
      'ed 9f bf ee 80 80', // U+D7FF, U+E000: around the surrogates
      'f0 90 80 80 f4 8f bf bf', // U+10000, U+10FFFF
    ),
    size: 5n,
    name: '\0\x7f\u0080\u07ff\u0800\uffff\ud7ff\ue000\u{10000}\u{10ffff}',
  },
  {
    title: 'a leading byte order mark, which is part of the name (4.7)',
    bytes: hex(
      '00 00 00 00 00 00 00 05', // size: 5
      'ef bb bf', // U+FEFF
      '61', // "a"
    ),
    size: 5n,
    name: '\ufeffa',
  },
  {
    title: 'two byte order marks and nothing else',
    bytes: hex(
      '00 00 00 00 00 00 00 05', // size: 5
      'ef bb bf', // U+FEFF
      'ef bb bf', // U+FEFF
    ),
    size: 5n,
    name: '\ufeff\ufeff',
  },
  {
    title: 'a decomposed character, which is not composed (4.7)',
    bytes: hex(
      '00 00 00 00 00 00 00 05', // size: 5
      '65 cc 81', // "e", U+0301
    ),
    size: 5n,
    name: 'e\u0301',
  },
  {
    title: 'the longest name: 1,016 bytes',
    bytes: Buffer.concat([
      hex('00 00 00 00 00 00 00 05'), // size: 5
      Buffer.alloc(1016, 0x61), // name: "a", 1,016 times
    ]),
    size: 5n,
    name: 'a'.repeat(1016),
  },
  {
    title: 'the longest name, of characters of four bytes',
    bytes: Buffer.concat([
      hex('00 00 00 00 00 00 00 05'), // size: 5
      Buffer.alloc(1016, hex('f0 9f 98 80')), // name: U+1F600, 254 times
    ]),
    size: 5n,
    name: '\u{1f600}'.repeat(254),
  },
];

/**
 * Byte sequences that are not UTF-8, after Markus Kuhn's "UTF-8 decoder capability and stress test" (sections 2 to 5)
 * and section 6 of the Autobahn test suite. `cut` marks those that are the beginning of something valid.
 */
export const INVALID_UTF8: readonly { readonly title: string; readonly bytes: Buffer; readonly cut?: true }[] = [
  { title: 'a lone continuation byte, the first', bytes: hex('80') },
  { title: 'a lone continuation byte, the last', bytes: hex('bf') },
  { title: 'two continuation bytes', bytes: hex('80 bf') },
  { title: 'seven continuation bytes', bytes: hex('80 bf 80 bf 80 bf 80') },
  { title: 'a continuation byte after a whole character', bytes: hex('c3 a9 a9') },
  { title: 'a continuation byte between letters', bytes: hex('61 80 62') },
  { title: 'a lead of two, then a space', bytes: hex('c3 20') },
  { title: 'a lead of three, then a space', bytes: hex('e2 20') },
  { title: 'a lead of four, then a space', bytes: hex('f0 20') },
  { title: 'a lead of five, then a space', bytes: hex('f8 20') },
  { title: 'a lead of six, then a space', bytes: hex('fc 20') },
  { title: 'a character of two cut after one, then a letter', bytes: hex('c3 61') },
  { title: 'a character of three cut after two, then a letter', bytes: hex('e2 82 61') },
  { title: 'a character of four cut after three, then a letter', bytes: hex('f0 9f 98 61') },
  { title: 'two cut characters in a row', bytes: hex('e2 82 f0 9f 98 61') },
  { title: 'a tail cut after one of two', bytes: hex('61 c3'), cut: true },
  { title: 'a tail cut after one of three', bytes: hex('61 e2'), cut: true },
  { title: 'a tail cut after two of three', bytes: hex('61 e2 82'), cut: true },
  { title: 'a tail cut after one of four', bytes: hex('61 f0'), cut: true },
  { title: 'a tail cut after two of four', bytes: hex('61 f0 9f'), cut: true },
  { title: 'a tail cut after three of four', bytes: hex('61 f0 9f 98'), cut: true },
  { title: 'the impossible byte FE', bytes: hex('fe') },
  { title: 'the impossible byte FF', bytes: hex('ff') },
  { title: 'FE FE FF FF', bytes: hex('fe fe ff ff') },
  { title: 'an overlong slash in two bytes', bytes: hex('c0 af') },
  { title: 'an overlong slash in three', bytes: hex('e0 80 af') },
  { title: 'an overlong slash in four', bytes: hex('f0 80 80 af') },
  { title: 'an overlong slash in five', bytes: hex('f8 80 80 80 af') },
  { title: 'an overlong slash in six', bytes: hex('fc 80 80 80 80 af') },
  { title: 'the greatest overlong in two', bytes: hex('c1 bf') },
  { title: 'the greatest overlong in three', bytes: hex('e0 9f bf') },
  { title: 'the greatest overlong in four', bytes: hex('f0 8f bf bf') },
  { title: 'an overlong NUL in two', bytes: hex('c0 80') },
  { title: 'an overlong NUL in three', bytes: hex('e0 80 80') },
  { title: 'an overlong NUL in four', bytes: hex('f0 80 80 80') },
  { title: 'the first high surrogate, U+D800', bytes: hex('ed a0 80') },
  { title: 'the last high surrogate, U+DBFF', bytes: hex('ed af bf') },
  { title: 'the first low surrogate, U+DC00', bytes: hex('ed b0 80') },
  { title: 'the last low surrogate, U+DFFF', bytes: hex('ed bf bf') },
  { title: 'a pair of surrogates, as in CESU-8', bytes: hex('ed a0 80 ed b0 80') },
  { title: 'U+110000', bytes: hex('f4 90 80 80') },
  { title: 'U+13FFFF', bytes: hex('f4 bf bf bf') },
  { title: 'U+140000', bytes: hex('f5 80 80 80') },
  { title: 'U+1FFFFF', bytes: hex('f7 bf bf bf') },
  { title: 'five bytes, U+200000', bytes: hex('f8 88 80 80 80') },
  { title: 'six bytes, U+7FFFFFFF', bytes: hex('fd bf bf bf bf bf') },
  { title: 'Latin-1', bytes: hex('e9 74 e9 73') },
];
