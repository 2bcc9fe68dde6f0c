import { hex, join, random, repeat, text, type Bytes } from '../../model/bytes.js';
import { ACCEPTED, type Cut, type ServerCase, type Step } from '../../model/case.js';
import { body, ended, finish, header, pause, reply, resumeReading, silence, stopReading } from '../../model/steps.js';
import { BOTH, FULL, WHOLE } from './rows.js';

/** Bytes that a receiver changes when it takes them for text, for a protocol or for a picture of its own. */
type Content = readonly [what: string, title: string, size: string, body: Bytes];

const CONTENTS: readonly Content[] = [
  ['crlf', 'lines that end in CR LF', '00 00 00 00 00 00 00 0e', text('one\r\ntwo\r\nsix\r')],
  ['lf', 'lines that end in LF', '00 00 00 00 00 00 00 0c', text('one\ntwo\nsix\n')],
  ['final-spaces', 'blanks and newlines at both ends', '00 00 00 00 00 00 00 09', text(' \n text\n ')],
  ['nul', 'nothing but NUL', '00 00 00 00 00 00 01 00', repeat('00', 256)],
  [
    'nul-at-the-end',
    'text with NUL after it, as a C string would not have',
    '00 00 00 00 00 00 00 10',
    join(text('text'), repeat('00', 12)),
  ],
  [
    'control-z',
    '0x1A, the end of a text file on CP/M and DOS',
    '00 00 00 00 00 00 00 0b',
    join(text('bef'), hex('1a 04 03'), text('after')),
  ],
  ['telnet', '0xFF, which telnet doubles', '00 00 00 00 00 00 00 20', repeat('ff f4', 32)],
  ['invalid-utf8', 'bytes that are no UTF-8', '00 00 00 00 00 00 00 08', hex('c3 28 e2 82 ed a0 80 fe')],
  ['byte-order-mark', 'a UTF-8 byte order mark first', '00 00 00 00 00 00 00 07', join(hex('ef bb bf'), text('text'))],
  ['go-ahead', 'a file that says go ahead', '00 00 00 00 00 00 00 08', hex('67 6f 20 61 68 65 61 64')],
  [
    'header',
    'a file that looks like a header',
    '00 00 00 00 00 00 00 11',
    join(hex('00 00 00 00 00 00 00 05'), text('other.txt')),
  ],
  [
    'end-marks',
    'a file of end marks: EOF, QUIT, a dot on a line',
    '00 00 00 00 00 00 00 10',
    text('EOF\r\nQUIT\r\n.\r\n\r\n'),
  ],
  ['escapes', 'backslashes, percent signs and quotes', '00 00 00 00 00 00 00 0d', text('\\n%00%s"\'\\x0a')],
];

function content([what, title, size, bytes]: Content): ServerCase {
  return {
    id: `server/body/${what}`,
    title,
    clause: '6.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    ...(what === 'crlf' && { quick: true }),
    exchange: {
      file: { size: hex(size), name: text(`{t}${what}.txt`), body: bytes },
      steps: WHOLE,
      expect: [ACCEPTED],
    },
  };
}

/** However the network splits them: 4,096 bytes in all. */
function pieces(what: string, title: string, ...steps: readonly Step[]): ServerCase {
  return {
    id: `server/body/${what}`,
    title,
    clause: '6.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: {
      file: { size: hex('00 00 00 00 00 00 10 00'), name: text(`{t}${what}.bin`), body: random(4096) },
      steps: [header(), reply, ...steps, finish, ended],
      expect: [ACCEPTED],
    },
  };
}

const at = (...offsets: readonly number[]): Cut => ({ at: offsets });

/** 00 01 02 ... fe ff */
const EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(' ');

export const BODY_CASES: readonly ServerCase[] = [
  ...CONTENTS.map(content),
  {
    id: 'server/body/every-byte',
    title: 'each of the 256 bytes, in order',
    clause: '6.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    quick: true,
    exchange: {
      file: { size: hex('00 00 00 00 00 00 01 00'), name: text('{t}every-byte.bin'), body: hex(EVERY_BYTE) },
      steps: WHOLE,
      expect: [ACCEPTED],
    },
  },
  pieces(
    'single-bytes',
    'the first 64 bytes in segments of one',
    body({ to: 64, cut: { every: 1 } }),
    body({ from: 64 }),
  ),
  pieces('first-byte-alone', 'the first byte, then the rest', body({ cut: at(1) })),
  pieces('last-byte-alone', 'all but the last byte, then that one', body({ cut: at(4095) })),
  pieces('at-buffer-bounds', 'pieces that end where the customary buffer does', body({ cut: at(1024, 2048, 3072) })),
  pieces(
    'beside-buffer-bounds',
    'pieces that end one byte before and after it',
    body({ cut: at(1023, 1025, 2047, 2049) }),
  ),
  pieces(
    'growing',
    'pieces of 1, 2, 4, 8 ... bytes',
    body({ cut: at(1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047) }),
  ),
  pieces(
    'pause',
    'a long pause in mid-body, in which nothing may come',
    body({ to: 2048 }),
    silence,
    body({ from: 2048 }),
  ),
  pieces('pause-first', 'a long pause between the reply and the first byte', silence, body()),
  pieces('pause-before-last-byte', 'a long pause before the last byte', body({ to: -1 }), silence, body({ from: -1 })),
  {
    id: 'server/body/burst',
    title: '4 MiB as fast as they go',
    clause: '6.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: {
      file: { size: hex('00 00 00 00 00 40 00 00'), name: text('{t}burst.bin'), body: random(4_194_304) },
      steps: WHOLE,
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/body/small-segments',
    title: '64 KiB in segments of 536 bytes, the smallest that IPv4 hosts expect',
    clause: '6.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: {
      file: { size: hex('00 00 00 00 00 01 00 00'), name: text('{t}segments.bin'), body: random(65_536) },
      steps: [header(), reply, body({ cut: { every: 536 } }), finish, ended],
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/body/zero-window',
    title: 'the sender reads nothing while it sends 8 MiB: stored all the same',
    clause: '6.3',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    exchange: {
      file: { size: hex('00 00 00 00 00 80 00 00'), name: text('{t}window.bin'), body: random(8_388_608) },
      steps: [header(), reply, stopReading, body(), finish, pause(), resumeReading, ended],
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/body/after-a-longer-one',
    title: 'a short file after a long one: no byte of the long one comes again',
    clause: '6.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: [
      {
        label: 'long',
        file: { size: hex('00 00 00 00 00 00 0b b8'), name: text('{t}long.bin'), body: repeat('4c', 3000) },
        steps: WHOLE,
        expect: [ACCEPTED],
      },
      {
        label: 'short',
        file: { size: hex('00 00 00 00 00 00 00 0a'), name: text('{t}short.bin'), body: repeat('53', 10) },
        steps: [{ do: 'await', name: 'long' }, ...WHOLE],
        expect: [ACCEPTED],
      },
    ],
  },
];
