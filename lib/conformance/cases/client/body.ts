import { hex, join, repeat, text, type Bytes } from '../../model/bytes.js';
import { SENT, type ClientCase } from '../../model/case.js';
import {
  close,
  ended,
  finish,
  pause,
  request,
  reset,
  resumeReading,
  send,
  stopReading,
  take,
} from '../../model/steps.js';
import { BOTH, CUT_OFF, GO, LARGE, row, sent, WHOLE } from './common.js';

/** Bytes that a client which takes them for text, for a command or for an end would change. */
function content(what: string, title: string, size: Bytes, body: Bytes): ClientCase {
  return sent({
    id: `client/body/${what}`,
    title,
    clause: '6.1',
    profiles: BOTH,
    file: { kind: 'file', size, name: text('{t}body.bin'), body },
  });
}

const every = hex(Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0')).join(''));

export const BODY_CASES: readonly ClientCase[] = [
  { ...content('every-byte', 'all 256 bytes', hex('00 00 00 00 00 00 01 00'), every), quick: true },
  content('crlf', 'CR LF, and LF alone', hex('00 00 00 00 00 00 00 07'), hex('61 0d 0a 62 0a 63 0a')),
  content('cr', 'CR alone', hex('00 00 00 00 00 00 00 04'), hex('61 0d 62 0d')),
  content('ctrl-z', 'a 1A in the middle', hex('00 00 00 00 00 00 00 05'), hex('61 62 1a 63 64')),
  content(
    'nul',
    'NUL at the start, in the middle and at the end',
    hex('00 00 00 00 00 00 00 06'),
    hex('00 61 00 00 62 00'),
  ),
  content('zeros', '4,096 NUL', hex('00 00 00 00 00 00 10 00'), repeat('00', 4096)),
  content('not-utf8', 'bytes that are not UTF-8', hex('00 00 00 00 00 00 00 08'), hex('ff fe c3 28 f0 28 8c 80')),
  content('byte-order-mark', 'a byte order mark at the start', hex('00 00 00 00 00 00 00 05'), hex('ef bb bf 68 69')),
  content('blanks', 'blanks and line feeds at both ends', hex('00 00 00 00 00 00 00 08'), text(' \n a  \n\n')),
  content('reply', '`go ahead` in the body', hex('00 00 00 00 00 00 00 10'), text('go aheadgo ahead')),
  content(
    'header',
    'what looks like a header',
    hex('00 00 00 00 00 00 00 0d'),
    join(hex('00 00 00 00 00 00 00 05'), text('a.txt')),
  ),
  content('compressible', '1 MiB of one letter', hex('00 00 00 00 00 10 00 00'), repeat('41', 1_048_576)),
  row({
    id: 'client/body/large',
    title: 'a file of 16 MiB',
    clause: '6.1',
    profiles: BOTH,
    quick: true,
    exchange: { file: LARGE, steps: WHOLE, expect: [SENT] },
  }),
  row({
    id: 'client/body/reader-stops',
    title: 'the receiver stops reading for a while: no byte is lost',
    clause: '6.1',
    profiles: BOTH,
    exchange: {
      file: LARGE,
      // Long enough that it shows on a client that has patience for a moment only: one pause is 60 ms at least.
      steps: [request, stopReading, send(GO), pause(), pause(), pause(), pause(), resumeReading, take(), finish, ended],
      expect: [SENT],
    },
  }),
  row({
    id: 'client/body/reset',
    title: 'RST in mid-body',
    clause: '7.10',
    profiles: BOTH,
    quick: true,
    exchange: {
      file: LARGE,
      steps: [request, send(GO), take(65_536), stopReading, reset],
      expect: [CUT_OFF],
    },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/body/reset-before-first-byte',
    title: 'RST directly after the reply',
    clause: '7.10',
    profiles: BOTH,
    exchange: { file: LARGE, steps: [request, stopReading, send(GO), reset], expect: [CUT_OFF] },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/body/closed',
    title: 'the receiver leaves in mid-body (FIN, and RST for what follows)',
    clause: '7.11',
    profiles: BOTH,
    exchange: { file: LARGE, steps: [request, send(GO), take(65_536), stopReading, close], expect: [CUT_OFF] },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/body/fin',
    title: 'FIN in mid-body from a receiver that reads on: no success',
    clause: '7.11',
    quick: true,
    exchange: {
      file: LARGE,
      steps: [request, send(GO), take(65_536), stopReading, finish, pause(), resumeReading, ended],
      expect: [CUT_OFF],
    },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/body/fin-with-reply',
    title: 'FIN directly after the reply from a receiver that reads on: no success',
    clause: '7.11',
    exchange: {
      file: LARGE,
      steps: [request, stopReading, send(GO), finish, pause(), resumeReading, ended],
      expect: [CUT_OFF],
    },
    twin: { steps: WHOLE },
  }),
];
