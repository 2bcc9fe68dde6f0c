import { hex, join, text, type Bytes } from '../../model/bytes.js';
import { SENT, type ClientCase } from '../../model/case.js';
import { BOTH, row, sent, SMALL, WHOLE } from './common.js';

/** The bytes of the name on disk are the bytes of the name on the wire. */
function name(what: string, title: string, bytes: Bytes, clause: '3.3' | '4.13' = '4.13'): ClientCase {
  return sent({ id: `client/name/${what}`, title, clause, file: { ...SMALL, name: bytes } });
}

export const NAME_CASES: readonly ClientCase[] = [
  row({
    id: 'client/name/last-component',
    title: 'a path: only its last component is the name',
    clause: '4.13',
    quick: true,
    exchange: {
      file: { ...SMALL, name: text('{t}last.bin') },
      steps: WHOLE,
      expect: [{ ...SENT, header: 'last component' }],
    },
  }),
  row({
    id: 'client/name/link',
    title: 'a symbolic link to a file: its own name, and what it leads to',
    clause: '4.13',
    exchange: { file: { ...SMALL, kind: 'link', name: text('{t}link.bin') }, steps: WHOLE, expect: [SENT] },
  }),
  { ...name('spaces', 'blanks in the name', text('{t}my  file .bin')), profiles: BOTH },
  {
    ...name('unicode', 'a name beyond ASCII, in UTF-8', text('{t}Grüße 日本.bin'), '3.3'),
    profiles: BOTH,
    quick: true,
  },
  name('astral', 'U+1F4E6 in four bytes, not in a pair of surrogates', join(text('{t}'), hex('f0 9f 93 a6')), '3.3'),
  name('composed', 'é as one character (NFC) stays that', join(text('{t}'), hex('c3 a9'))),
  name('decomposed', 'é as e and U+0301 (NFD) stays that', join(text('{t}'), hex('65 cc 81'))),
  name('ligature', 'U+FB01 is not taken apart (NFKC)', join(text('{t}'), hex('ef ac 81'))),
  name('byte-order-mark', 'a byte order mark at the start belongs to the name', join(hex('ef bb bf'), text('{t}.txt'))),
  name('255-bytes', 'a name of 255 bytes, in ASCII', join(text('{t}'), hex('61'.repeat(243)))),
  name('255-bytes-unicode', 'a name of 255 bytes, 81 times three', join(text('{t}'), hex('e6 97 a5'.repeat(81)))),
  name('capitals', 'capital and small letters as they are', text('{t}ReadMe.TXT')),
  name('no-extension', 'a name without a dot', text('{t}Makefile')),
  name('hidden', 'a name that begins with a dot', text('.{t}profile')),
  name('trailing-dot', 'a dot at the end belongs to the name', text('{t}name.')),
  name('leading-blank', 'a blank at the start belongs to the name', text(' {t}blank.bin')),
  name('trailing-blank', 'a blank at the end belongs to the name', text('{t}blank ')),
  name('leading-dash', 'a name that looks like an option', text('-{t}.bin')),
  name('percent', '%41 and %2F stay three characters each', text('{t}%41%2Fx')),
  name('plus', 'a plus is not a blank', text('{t}a+b')),
  name('markup', '&amp; and <b> stay as they are', text('{t}&amp;<b>')),
  name('quotes', 'single and double quotes', text(`{t}'a' "b"`)),
  name('shell', 'what a shell would expand', text('{t}$HOME`id`;*')),
  name('brackets', 'what a glob would match', text('{t}[ab]?')),
  name('tilde', 'a tilde at the start is not a home', text('~{t}')),
  name('braces', 'what looks like a placeholder or a format', text('{t}{0}{}%s%d')),
  name('backslash', 'a backslash is a letter here', text('{t}a\\nb')),
  name('line-feed', 'a line feed in the name', text('{t}a\nb.bin')),
  name('escape', 'an escape sequence of a terminal', join(text('{t}'), hex('1b 5b 33 31 6d'))),
  name('zero-width', 'U+200B and U+202E belong to the name', join(text('{t}'), hex('e2 80 8b e2 80 ae'), text('x'))),
  name('go-ahead', 'a name that contains the reply', text('{t}go ahead')),
];
