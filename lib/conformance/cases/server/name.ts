import { hex, join, random, text, type Bytes } from '../../model/bytes.js';
import { ACCEPTED, REFUSED, type ServerCase } from '../../model/case.js';
import type { ClauseId } from '../../model/clause.js';
import { ended, header } from '../../model/steps.js';
import { BOTH, FULL, WHOLE } from './rows.js';

/** 64 bytes. */
const file = { size: hex('00 00 00 00 00 00 00 40'), body: random(64) };
const PLAIN = text('{t}plain.bin');

type Row = readonly [what: string, title: string, name: Bytes];

/** Refused for its path, or stored under the last component; that is `{t}` and the name of the case here. */
function path([what, title, name]: Row, clause: ClauseId = '4.2'): ServerCase {
  const last = text(`{t}${what}`);
  return {
    id: `server/name/${what}`,
    title,
    clause,
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    escapes: true,
    exchange: { file: { ...file, name }, steps: WHOLE, expect: [REFUSED, { ...ACCEPTED, as: last }] },
    twin: { file: { name: last }, as: last },
  };
}

/** No name at all may be made of it. The twin is a plain name. */
function refused([what, title, name]: Row, clause: ClauseId): ServerCase {
  return {
    id: `server/name/${what}`,
    title,
    clause,
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    escapes: true,
    // Without a token nothing that is left behind could be told from another case's.
    ...(name.some((part) => part.kind === 'text' && part.text.includes('{t}')) ? {} : { alone: true }),
    exchange: { file: { ...file, name }, steps: [header(), ended], expect: [REFUSED] },
    twin: { file: { name: PLAIN }, steps: WHOLE },
  };
}

/** Letters like any other: stored exactly so. */
function literal([what, title, name]: Row, clause: ClauseId = '4.7'): ServerCase {
  return {
    id: `server/name/${what}`,
    title,
    clause,
    role: 'server',
    profiles: FULL,
    // Whether it is taken shows on the connection, whether it is taken literally only on disk.
    needs: clause === '4.8' ? 'wire' : 'dir',
    exchange: { file: { ...file, name }, steps: WHOLE, expect: [ACCEPTED] },
  };
}

/** Stored exactly so, or refused since a platform reserves it. */
function reserved([what, title, name]: Row): ServerCase {
  return {
    id: `server/name/${what}`,
    title,
    clause: '4.12',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    escapes: true,
    exchange: { file: { ...file, name }, steps: WHOLE, expect: [ACCEPTED, REFUSED] },
    twin: { file: { name: PLAIN } },
  };
}

const PATHS: readonly Row[] = [
  ['below', 'a path: dir/x', text('some-dir/{t}below')],
  ['below-deep', 'a long path: a/b/c/d/x', text('a/b/c/d/{t}below-deep')],
  ['here', 'the name ./x', text('./{t}here')],
  ['double-slash', 'two slashes in a row: a//x', text('a//{t}double-slash')],
  ['backslash', 'a backslash: a\\x, on every system', text('a\\{t}backslash')],
  ['drive', 'a drive of Windows: C:\\x', text('C:\\{t}drive')],
  ['unc', 'a share of Windows: \\\\server\\share\\x', text('\\\\server\\share\\{t}unc')],
  ['device-path', 'a device path of Windows: \\\\?\\C:\\x', text('\\\\?\\C:\\{t}device-path')],
  ['mixed-slashes', 'both slashes: a\\b/x', text('a\\b/{t}mixed-slashes')],
  ['mixed-slashes-2', 'both slashes, the backslash last: a/b\\x', text('a/b\\{t}mixed-slashes-2')],
];

/** 4.1: whatever becomes of the name, nothing happens outside the directory. */
const ESCAPES: readonly Row[] = [
  ['parent-deep', 'the name a/../../x', text('a/../../{t}parent-deep')],
  ['parent-after-dot', 'the name ./../x', text('./../{t}parent-after-dot')],
  ['parent-doubled', 'the name ....//x, which is ../x for those who remove ../ once', text('....//{t}parent-doubled')],
  ['parent-far', 'the name with twelve ../ before it', text('../../../../../../../../../../../../{t}parent-far')],
  ['parent-backslash', 'the name ..\\x', text('..\\{t}parent-backslash')],
  ['parent-mixed', 'the name a\\../../x', text('a\\../../{t}parent-mixed')],
  ['absolute', 'an absolute name: /x', text('/{t}absolute')],
  ['absolute-temporary', 'an absolute name in the temporary directory', text('{tmp}/{t}absolute-temporary')],
  ['absolute-double', 'an absolute name with two slashes', text('/{tmp}/{t}absolute-double')],
  ['absolute-beside', 'an absolute name in a directory beside', text('{beside}/{t}absolute-beside')],
  ['home', 'the name ~/x', text('~/{t}home')],
  ['home-of-root', 'the name ~root/x', text('~root/{t}home-of-root')],
  ['file-url', 'the name file:///tmp/x', text('file://{tmp}/{t}file-url')],
];

const NO_NAME: readonly Row[] = [
  ['dot', 'the name .', text('.')],
  ['dot-dot', 'the name ..', text('..')],
  ['slash', 'the name /', text('/')],
  ['ends-in-slash', 'a name that ends in a slash', text('{t}dir/')],
  ['ends-in-backslash', 'a name that ends in a backslash', text('{t}dir\\')],
  ['ends-in-dot', 'a path that ends in .', text('{t}dir/.')],
  ['ends-in-dot-dot', 'a path that ends in ..', text('{t}dir/..')],
];

const NULS: readonly Row[] = [
  ['nul-inside', 'a NUL inside the name: ok.txt NUL .sh', join(text('{t}ok.txt'), hex('00'), text('.sh'))],
  ['nul-at-the-end', 'a NUL after the name, as C ends a string', join(text('{t}ok.txt'), hex('00'))],
  ['nul-padding', 'a name padded with NUL to 255 bytes', join(text('{t}ok.txt'), hex('00'.repeat(236)))],
];

const CONTROLS: readonly Row[] = [
  ['newline', 'a newline in the name', join(text('{t}a'), hex('0a'), text('b'))],
  ['newline-at-the-end', 'a newline after the name', join(text('{t}a'), hex('0a'))],
  ['tab', 'a tab in the name', join(text('{t}a'), hex('09'), text('b'))],
  ['escape', 'an escape sequence of a terminal in the name', join(text('{t}'), hex('1b 5b 33 31 6d'), text('red'))],
  ['delete', 'U+007F in the name', join(text('{t}a'), hex('7f'))],
  ['c1', 'U+009B in the name: a control character in two bytes', join(text('{t}a'), hex('c2 9b'), text('31m'))],
  ['start-of-heading', 'U+0001 in the name, the first that is not NUL', join(text('{t}a'), hex('01'))],
  ['unit-separator', 'U+001F in the name, the last before the space', join(text('{t}a'), hex('1f'))],
];

const LITERALS: readonly Row[] = [
  ['percent', 'percent signs are not decoded: %2e%2e%2fx', text('%2e%2e%2f{t}')],
  ['percent-nul', 'percent signs are not decoded: %00', text('{t}%00.bin')],
  ['plus', 'a plus sign is no space', text('{t}a+b.bin')],
  ['entity', 'an entity of HTML is not decoded: &amp;', text('{t}a&amp;b.bin')],
  ['variable', 'a variable of the shell is not expanded: $HOME', text('{t}$HOME')],
  ['substitution', 'a substitution of the shell is not run: $(id) and `id`', text('{t}$(id)`id`;id')],
  ['tilde', 'a tilde alone is not expanded', text('~{t}')],
  ['format', 'a format of printf is not filled in: %s%n', text('{t}%s%n%x.bin')],
  ['composed', 'e with an acute accent in one code point', join(text('{t}'), hex('c3 a9'))],
  ['decomposed', 'e and an acute accent in two code points', join(text('{t}'), hex('65 cc 81'))],
  ['hangul', 'Korean letters that a normalization composes', join(text('{t}'), hex('e1 84 92 e1 85 a1 e1 86 ab'))],
  ['ligature', 'a ligature that a normalization takes apart', join(text('{t}'), hex('ef ac 81'))],
  ['byte-order-mark', 'a byte order mark first is part of the name', join(hex('ef bb bf'), text('{t}bom.txt'))],
  ['replacement', 'U+FFFD is a character like any other', join(text('{t}'), hex('ef bf bd'))],
  ['upper-case', 'capital letters stay so', text('{t}README.TXT')],
  ['double-suffix', 'a name that ends as a suffix does: x.temp', text('{t}x.temp')],
];

const PLAIN_NAMES: readonly Row[] = [
  ['hidden', 'a name that begins with a dot', text('.{t}hidden')],
  ['dash', 'a name that looks like an option: -rf', text('-rf{t}')],
  ['dots-inside', 'two dots inside a name: a..b', text('{t}a..b')],
  ['dots-first', 'three dots first: ...x', text('...{t}')],
  ['leading-space', 'a space first', text(' {t}leading')],
  ['brackets', 'a name that looks numbered already: x (1).bin', text('{t}x (1).bin')],
  ['two-bytes', 'Greek letters, of two bytes each', join(text('{t}'), hex('ce b1 ce b2 ce b3'))],
  ['three-bytes', 'Chinese characters, of three bytes each', join(text('{t}'), hex('e6 96 87 e4 bb b6'))],
  ['four-bytes', 'an emoji, of four bytes', join(text('{t}'), hex('f0 9f 98 80'))],
  [
    'joined-emoji',
    'emoji with joiners and a variation selector',
    join(text('{t}'), hex('f0 9f 91 a9 e2 80 8d e2 9d a4 ef b8 8f')),
  ],
  [
    'right-to-left',
    'a right-to-left override, as in photo RLO gpj.exe',
    join(text('{t}photo'), hex('e2 80 ae'), text('gpj.exe')),
  ],
  ['zero-width', 'a zero-width space', join(text('{t}a'), hex('e2 80 8b'), text('b'))],
  ['noncharacter', 'U+FFFF, no character but valid', join(text('{t}'), hex('ef bf bf'))],
  ['last-code-point', 'U+10FFFF, the last code point', join(text('{t}'), hex('f4 8f bf bf'))],
  [
    'first-after-controls',
    'U+00A0, the first after the control characters',
    join(text('{t}a'), hex('c2 a0'), text('b')),
  ],
  ['quotes', 'quotes, a semicolon and an ampersand', text(`{t}'a';&b`)],
];

const RESERVED: readonly Row[] = [
  ['device', 'a device of Windows with an extension: CON.x', text('CON.{t}')],
  [
    'device-superscript',
    'a device of Windows: COM with a superscript 1',
    join(text('COM'), hex('c2 b9'), text('.{t}')),
  ],
  ['stream', 'a stream of NTFS: x:evil', text('{t}x:evil')],
  ['drive-relative', 'relative to a drive: C:x', text('C:{t}')],
  ['trailing-dot', 'a trailing dot, which Windows drops', text('{t}dot.')],
  ['trailing-space', 'a trailing space, which Windows drops', text('{t}space ')],
  ['wildcards', 'wildcards are not expanded: * and ?', text('{t}*?.bin')],
  ['angle-brackets', 'angle brackets, a bar and a quote', text('{t}<a>|"b"')],
];

export const NAME_CASES: readonly ServerCase[] = [
  {
    id: 'server/name/plain',
    title: 'a name of letters, with an extension',
    clause: '3.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: { file: { ...file, name: text('{t}notes.txt') }, steps: WHOLE, expect: [ACCEPTED] },
  },
  {
    id: 'server/name/no-extension',
    title: 'a name without an extension',
    clause: '3.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: { file: { ...file, name: text('{t}') }, steps: WHOLE, expect: [ACCEPTED] },
  },
  {
    id: 'server/name/spaces',
    title: 'a name with spaces inside, two of them in a row',
    clause: '3.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: { file: { ...file, name: text('{t}my  holiday photo.jpg') }, steps: WHOLE, expect: [ACCEPTED] },
  },
  {
    id: 'server/name/accents',
    title: 'a name with an accent: UTF-8, not Latin-1',
    clause: '3.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    quick: true,
    exchange: {
      file: { ...file, name: join(text('{t}r'), hex('c3 a9'), text('sum'), hex('c3 a9'), text('.txt')) },
      steps: WHOLE,
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/name/parent',
    title: 'the name ../x: refused, or stored under x',
    clause: '4.1',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    quick: true,
    exchange: {
      file: { ...file, name: text('../{t}parent.bin') },
      steps: WHOLE,
      expect: [REFUSED, { ...ACCEPTED, as: text('{t}parent.bin') }],
    },
    twin: { file: { name: text('{t}parent-twin.bin') } },
  },
  {
    id: 'server/name/invalid-utf8',
    title: 'a name that is not UTF-8 (C3 28)',
    clause: '3.12',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    quick: true,
    exchange: {
      file: { ...file, name: join(text('{t}bad-'), hex('c3 28')) },
      steps: [header(), ended],
      expect: [REFUSED],
    },
    // é
    twin: { file: { name: join(text('{t}good-'), hex('c3 a9')) }, steps: WHOLE },
  },
  {
    id: 'server/name/canary',
    title: 'the name of a file beside the directory: ../outside.txt',
    clause: '4.1',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    // Everybody who looks beside the directory at that time would see the harm.
    alone: true,
    plant: [{ kind: 'file', at: '../outside.txt', bytes: text('outside: nobody may touch this\n') }],
    exchange: {
      file: { ...file, name: text('../outside.txt') },
      steps: WHOLE,
      expect: [REFUSED, { ...ACCEPTED, as: text('outside.txt') }],
    },
    twin: { file: { name: PLAIN } },
  },
  {
    id: 'server/name/into-directory',
    title: 'a path into a directory that is there: not stored in it',
    clause: '4.2',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    plant: [{ kind: 'directory', at: '{t}sub' }],
    exchange: {
      file: { ...file, name: text('{t}sub/{t}into') },
      steps: WHOLE,
      expect: [REFUSED, { ...ACCEPTED, as: text('{t}into') }],
    },
    twin: { file: { name: text('{t}into') } },
  },
  {
    id: 'server/name/through-link',
    title: 'a path through a symbolic link to a directory beside',
    clause: '4.1',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    plant: [{ kind: 'symlink', at: '{t}way', to: '../sibling' }],
    exchange: {
      file: { ...file, name: text('{t}way/{t}through') },
      steps: WHOLE,
      expect: [REFUSED, { ...ACCEPTED, as: text('{t}through') }],
    },
    twin: { file: { name: text('{t}through') } },
  },
  ...PATHS.map((row) => path(row)),
  ...ESCAPES.map((row) => path(row, '4.1')),
  ...NO_NAME.map((row) => refused(row, '4.3')),
  ...NULS.map((row) => refused(row, '4.4')),
  ...CONTROLS.map((row) => refused(row, '4.5')),
  ...LITERALS.map((row) => literal(row)),
  ...PLAIN_NAMES.map((row) => literal(row, '4.8')),
  ...RESERVED.map(reserved),
  {
    id: 'server/name/only-spaces',
    title: 'three spaces',
    clause: '4.12',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    alone: true,
    exchange: { file: { ...file, name: text('   ') }, steps: WHOLE, expect: [REFUSED, ACCEPTED] },
    twin: { file: { name: PLAIN } },
  },
];
