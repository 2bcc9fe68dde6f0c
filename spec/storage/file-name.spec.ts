import t from 'tap';
import { GoAheadError } from '../../lib/errors.js';
import { printable } from '../../lib/printable.js';
import type { FileName } from '../../lib/storage/file-name.js';
import { parseFileName } from '../../lib/storage/file-name.js';
import { LastNumbers, numberedName } from '../../lib/storage/numbered-name.js';
import { TemporaryNames } from '../../lib/storage/temporary-name.js';

const anywhere = { suffix: '', portableNames: false };
const portable = { suffix: '', portableNames: true };

function parsed(name: string, rules = anywhere): FileName | GoAheadError {
  try {
    return parseFileName(name, rules);
  } catch (reason) {
    if (reason instanceof GoAheadError) return reason;
    throw reason;
  }
}

const temporary = new TemporaryNames(
  { host: 'h', boot: 'b', pidNamespace: 'p', pid: 1, startTime: 1 },
  { dev: 1n, ino: 2n },
  () => 1_700_000_000_000,
).next();

/** [wire name, what is stored, or the clause by which it is refused] */
const NAMES: readonly (readonly [string, { stored: string } | { clause: string }])[] = [
  ['report.pdf', { stored: 'report.pdf' }],
  // N1: parents
  ['../x', { stored: 'x' }],
  ['a/../../x', { stored: 'x' }],
  ['./../x', { stored: 'x' }],
  ['....//x', { stored: 'x' }],
  ['..', { clause: '4.3' }],
  ['.', { clause: '4.3' }],
  ['a/..', { clause: '4.3' }],
  ['a/.', { clause: '4.3' }],
  ['../', { clause: '4.3' }],
  ['/', { clause: '4.3' }],
  ['...', { stored: '...' }],
  ['..x', { stored: '..x' }],
  // N2: absolute and home
  ['/etc/passwd', { stored: 'passwd' }],
  ['//x', { stored: 'x' }],
  ['~/x', { stored: 'x' }],
  ['~root/x', { stored: 'x' }],
  ['~', { stored: '~' }],
  // N3: backslashes, on every system
  ['..\\x', { stored: 'x' }],
  ['a\\b', { stored: 'b' }],
  ['a\\../b', { stored: 'b' }],
  ['a/..\\b', { stored: 'b' }],
  ['a\\..', { clause: '4.3' }],
  ['a\\', { clause: '4.3' }],
  // N4: drives and shares
  ['C:\\x', { stored: 'x' }],
  ['\\\\?\\C:\\x', { stored: 'x' }],
  ['\\\\.\\PhysicalDrive0', { stored: 'PhysicalDrive0' }],
  ['\\\\srv\\share\\x', { stored: 'x' }],
  // N7: NUL
  ['ok.txt\0.sh', { clause: '4.4' }],
  ['ok.txt\0', { clause: '4.4' }],
  ['\0', { clause: '4.4' }],
  ['a\0/b', { stored: 'b' }],
  // N8: every control character
  ...Array.from({ length: 0x20 - 1 }, (_, code) => [`a${String.fromCharCode(code + 1)}b`, { clause: '4.5' }] as const),
  ...Array.from({ length: 0x21 }, (_, code) => [`a${String.fromCharCode(code + 0x7f)}b`, { clause: '4.5' }] as const),
  ['\u001b[2J', { clause: '4.5' }],
  // ... and what is no control character is a letter like any other
  ['\u202ecod.exe', { stored: '\u202ecod.exe' }],
  ['a\u200bb', { stored: 'a\u200bb' }],
  ['\ue000', { stored: '\ue000' }],
  ['a\u00a0b', { stored: 'a\u00a0b' }],
  // N9: nothing, or only spaces
  ['', { clause: '4.3' }],
  [' ', { clause: '4.6' }],
  ['    ', { clause: '4.6' }],
  [' x ', { stored: ' x ' }],
  // N10: length in bytes
  ['x'.repeat(255), { stored: 'x'.repeat(255) }],
  ['x'.repeat(256), { clause: '4.6' }],
  ['é'.repeat(127), { stored: 'é'.repeat(127) }],
  ['é'.repeat(128), { clause: '4.6' }],
  ['😀'.repeat(255), { clause: '4.6' }],
  [`${'d'.repeat(300)}/x`, { stored: 'x' }],
  // N11: the framer refuses invalid UTF-8; a string can still have half a pair
  ['a\ud800', { clause: '3.12' }],
  ['\udc00a', { clause: '3.12' }],
  // N12: byte order mark
  ['\ufeffx', { stored: '\ufeffx' }],
  ['\ufeff', { stored: '\ufeff' }],
  // N13: never normalized
  ['\u00e9', { stored: '\u00e9' }],
  ['e\u0301', { stored: 'e\u0301' }],
  ['ﬁ', { stored: 'ﬁ' }],
  // N15: hidden and special
  ['.bashrc', { stored: '.bashrc' }],
  ['-rf', { stored: '-rf' }],
  ['desktop.ini', { stored: 'desktop.ini' }],
  ['x.part', { stored: 'x.part' }],
  ['.go-ahead-notes.part', { stored: '.go-ahead-notes.part' }],
  [temporary, { clause: '4.6' }],
  [`dir/${temporary}`, { clause: '4.6' }],
  // N16: nothing is decoded
  ['%2e%2e%2f', { stored: '%2e%2e%2f' }],
  ['..%c0%af', { stored: '..%c0%af' }],
  ['&#46;&#46;', { stored: '&#46;&#46;' }],
];

const RESERVED_ON_WINDOWS = [
  ...['C:x', 'f.txt:evil', 'f::$DATA', ':', 'x.', 'x ', 'x. .', '...', 'a<b', 'a>b', 'a"b', 'a|b', 'a?b', 'a*b'],
  ...['CON', 'con', 'PRN', 'AUX', 'NUL', 'COM0', 'COM1', 'COM9', 'LPT1', 'LPT9', 'COM¹', 'COM²', 'COM³', 'LPT¹'],
  ...['CONIN$', 'CONOUT$', 'CLOCK$', 'conin$', 'CON.txt', 'nul.tar.gz', 'COM1 .txt', 'COM¹.log', 'dir/AUX.h'],
];

const PORTABLE = ['report.pdf', 'CONSOLE', 'COM10', 'COM', 'xCON', 'a.CON', '.con', 'PROGRA~1', 'NUL1', '~'];

t.test('names from the wire', async (t) => {
  for (const [wireName, expected] of NAMES) {
    const result = parsed(wireName);
    const label = printable(wireName).slice(0, 60);
    if ('stored' in expected) {
      t.equal(result, expected.stored, `"${label}" is stored`);
      continue;
    }
    if (!(result instanceof GoAheadError)) {
      t.fail(`"${label}" should be refused`);
      continue;
    }
    t.match(result, { code: 'NAME_UNSAFE', side: 'peer', clause: expected.clause }, `"${label}" is refused`);
    t.match(result.actual, /^".*" \(\d+ bytes\)$/);
    t.notMatch(result.message, /[\p{Cc}\p{Cs}]/u, 'and never shown raw');
  }
});

t.test('names that Windows reserves are stored, unless they are to be portable', async (t) => {
  for (const name of RESERVED_ON_WINDOWS) {
    t.type(parsed(name), 'string', name);
    t.match(parsed(name, portable), { code: 'NAME_UNSAFE', clause: '4.12' }, `portable: ${name}`);
  }
  for (const name of PORTABLE) t.equal(parsed(name, portable), name, `portable: ${name}`);
  t.equal(parsed('C:\\dir\\x', portable), 'x', 'a drive before the last component is dropped with it');
});

t.test('the suffix counts', async (t) => {
  const rules = { suffix: '.temp', portableNames: false };
  t.equal(parsed('x'.repeat(250), rules), 'x'.repeat(250));
  t.match(parsed('x'.repeat(251), rules), { code: 'NAME_UNSAFE', clause: '4.6', expected: 'at most 250 bytes' });
  const cut = { suffix: temporary.slice(-3), portableNames: false };
  t.match(parsed(temporary.slice(0, -3), cut), { code: 'NAME_UNSAFE' }, 'also in the form of a temporary name');
});

t.test('printable', async (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['report (1).pdf', 'report (1).pdf'],
    ['Grüße, 世界, שלום, 😀', 'Grüße, 世界, שלום, 😀'],
    ['e\u0301', 'e\u0301'],
    ['\0\x01\x1b[31m\x7f', '\\u0000\\u0001\\u001b[31m\\u007f'],
    ['\b\f\n\r\t\v', '\\b\\f\\n\\r\\t\\u000b'],
    ['\x80\x85\x9b\x9f', '\\u0080\\u0085\\u009b\\u009f'],
    ['\u061c\u200e\u200f', '\\u061c\\u200e\\u200f'],
    ['\u202a\u202b\u202c\u202d\u202e', '\\u202a\\u202b\\u202c\\u202d\\u202e'],
    ['\u2066\u2067\u2068\u2069', '\\u2066\\u2067\\u2068\\u2069'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\u200b\u200c\u200d\u2060\ufeff\u00ad', '\\u200b\\u200c\\u200d\\u2060\\ufeff\\u00ad'],
    ['\ud800x\udc00', '\\ud800x\\udc00'],
    ['\u{e0041}', '\\udb40\\udc41'],
    // What Unicode wants not shown, though it is a letter or a mark: fillers, joiners, variation selectors.
    ['\u034f\u115f\u1160\u17b4\u180b\u3164\uffa0', '\\u034f\\u115f\\u1160\\u17b4\\u180b\\u3164\\uffa0'],
    ['\ufe00\ufe0f\u{e0100}', '\\ufe00\\ufe0f\\udb40\\udd00'],
    ['C:\\x', 'C:\\\\x'],
    ['\\u001b', '\\\\u001b'],
  ];
  for (const [text, expected] of table) t.equal(printable(text), expected);
});

t.test('numbered names', async (t) => {
  const table: readonly (readonly [name: string, number: number, suffix: string, expected: string])[] = [
    ['report.pdf', 0, '', 'report.pdf'],
    ['report.pdf', 0, '.temp', 'report.pdf.temp'],
    ['report.pdf', 1, '', 'report (1).pdf'],
    ['report.pdf', 12, '.temp', 'report (12).pdf.temp'],
    ['a.tar.gz', 1, '', 'a (1).tar.gz'],
    ['A.TAR.XZ', 1, '', 'A (1).TAR.XZ'],
    ['.tar.gz', 1, '', '.tar (1).gz'],
    ['a.b.c', 1, '', 'a.b (1).c'],
    ['README', 1, '', 'README (1)'],
    ['.bashrc', 1, '', '.bashrc (1)'],
    ['..x', 1, '', '..x (1)'],
    ['..x.y', 1, '', '..x (1).y'],
    ['...', 1, '', '... (1)'],
    ['x.', 1, '', 'x. (1)'],
    ['Mr. Smith', 1, '', 'Mr. Smith (1)'],
    ['a (1).txt', 1, '', 'a (1) (1).txt'],
    ['x'.repeat(255), 1, '', `${'x'.repeat(251)} (1)`],
    [`${'x'.repeat(251)}.txt`, 10, '', `${'x'.repeat(246)} (10).txt`],
    [`${'x'.repeat(246)}.txt`, 1, '.temp', `${'x'.repeat(242)} (1).txt.temp`],
    // Trimming never cuts a character: two, three and four bytes each.
    [`${'é'.repeat(125)}.txt`, 1, '', `${'é'.repeat(123)} (1).txt`],
    ['世'.repeat(85), 1, '', `${'世'.repeat(83)} (1)`],
    ['😀'.repeat(63), 1, '', `${'😀'.repeat(62)} (1)`],
    // What is too long for an extension is trimmed like a stem.
    [`a.${'b'.repeat(253)}`, 1, '', `a.${'b'.repeat(249)} (1)`],
  ];
  for (const [name, number, suffix, expected] of table) {
    const result = numberedName(parseFileName(name, { suffix, portableNames: false }), number, suffix);
    t.equal(result, expected, printable(expected).slice(0, 60));
    t.ok(Buffer.byteLength(result) <= 255, 'fits');
  }
});

t.test('last numbers are remembered for the latest names only', async (t) => {
  const numbers = new LastNumbers();
  t.equal(numbers.of('a'), 0);
  numbers.raise('a', 7);
  numbers.raise('a', 3);
  t.equal(numbers.of('a'), 7);
  for (let other = 0; other < 999; other++) numbers.raise(`b${other}`, 1);
  t.equal(numbers.of('a'), 7);
  numbers.raise('one more', 1);
  t.equal(numbers.of('a'), 0);
  t.equal(numbers.of('b0'), 1);
});
