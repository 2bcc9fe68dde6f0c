import { hex, repeat, text, type Bytes } from '../../model/bytes.js';
import { FAILED, SENT, type ClientCase } from '../../model/case.js';
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
import { BOTH, CUT_OFF, FULL, GO, LARGE, NOTHING_SENT, row, SMALL, WHOLE } from './common.js';

const REST = [take(), finish, ended];

/** Another reply than `go ahead`: the client sends nothing, and fails. */
function wrong(what: string, title: string, bytes: Bytes, profiles: ClientCase['profiles'] = BOTH): ClientCase {
  return row({
    id: `client/reply/${what}`,
    title: `the reply is ${title}`,
    clause: '5.5',
    profiles,
    exchange: { file: SMALL, steps: [request, send(bytes), finish, ended], expect: [NOTHING_SENT] },
    twin: { steps: WHOLE },
  });
}

/** The connection ends without a whole reply. */
function cut(what: string, title: string, clause: '5.6' | '7.10', steps: ClientCase['exchange']['steps']): ClientCase {
  return row({
    id: `client/reply/${what}`,
    title,
    clause,
    profiles: BOTH,
    exchange: { file: SMALL, steps, expect: [NOTHING_SENT] },
    twin: { steps: WHOLE },
  });
}

export const REPLY_CASES: readonly ClientCase[] = [
  row({
    id: 'client/reply/split',
    title: 'the reply in two pieces, `go` and ` ahead`',
    clause: '5.4',
    quick: true,
    exchange: { file: SMALL, steps: [request, send(GO, { at: [2] }), ...REST], expect: [SENT] },
  }),
  row({
    id: 'client/reply/last-byte-late',
    title: 'the reply in two pieces, of seven bytes and of one',
    clause: '5.4',
    exchange: { file: SMALL, steps: [request, send(GO, { at: [7] }), ...REST], expect: [SENT] },
  }),
  row({
    id: 'client/reply/bytes',
    title: 'the reply in eight pieces of one byte',
    clause: '5.4',
    exchange: { file: SMALL, steps: [request, send(GO, { every: 1 }), ...REST], expect: [SENT] },
  }),
  { ...wrong('capital', '`Go ahead`', hex('47 6f 20 61 68 65 61 64')), quick: true },
  wrong('capitals', '`GO AHEAD`', text('GO AHEAD')),
  wrong('other', '`go home!`: eight bytes, the first four right', text('go home!')),
  wrong('last-byte', '`go aheaD`: seven bytes right', text('go aheaD')),
  wrong('first-byte', '`no ahead`: the last seven bytes right', text('no ahead')),
  wrong('no-blank', '`goahead`', text('goahead')),
  wrong('two-blanks', '`go  ahead`', text('go  ahead')),
  wrong('dash', '`go-ahead`', text('go-ahead')),
  wrong('leading-blank', '` go ahead`', text(' go ahead')),
  wrong('prefix', '`> go ahead`', text('> go ahead')),
  wrong('sentence', '`do not go ahead`, which contains the reply', text('do not go ahead')),
  wrong('byte-order-mark', 'a byte order mark and `go ahead`', hex('ef bb bf 67 6f 20 61 68 65 61 64')),
  wrong('zeros', 'eight NUL', hex('00 00 00 00 00 00 00 00')),
  wrong('http', '`HTTP/1.1 400 Bad Request`', text('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')),
  wrong('line-feed', '`go ahead` and a line feed', text('go ahead\n'), FULL),
  wrong('nul', '`go ahead` and a NUL', hex('67 6f 20 61 68 65 61 64 00'), FULL),
  wrong('more', '`go ahead!`', text('go ahead!'), FULL),
  wrong('twice', '`go ahead` twice, in one piece', text('go aheadgo ahead'), FULL),
  wrong('flood', '1 MiB of `go ahead`', repeat('67 6f 20 61 68 65 61 64', 1_048_576), FULL),
  row({
    id: 'client/reply/byte-in-mid-body',
    title: 'a byte after the reply in mid-body: nothing more is sent',
    clause: '5.5',
    exchange: {
      file: LARGE,
      steps: [request, send(GO), take(65_536), stopReading, send(text('!')), pause(), resumeReading, ended],
      expect: [CUT_OFF],
    },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/reply/byte-after-body',
    title: 'a byte after the reply when the body has come, then FIN: no success',
    clause: '5.5',
    exchange: {
      file: SMALL,
      steps: [request, send(GO), take(), send(text('!')), finish, ended],
      expect: [FAILED],
    },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/reply/empty-file-byte',
    title: 'an empty file, and `go ahead!`: no success',
    clause: '5.5',
    exchange: {
      file: { kind: 'file', size: hex('00 00 00 00 00 00 00 00'), name: text('{t}empty.bin'), body: hex('') },
      steps: [request, send(text('go ahead!')), finish, ended],
      expect: [FAILED],
    },
    twin: { steps: [request, send(GO), finish, ended] },
  }),
  { ...cut('fin', 'FIN instead of the reply', '5.6', [request, finish, ended]), quick: true },
  cut('fin-after-part', 'FIN after `go a`', '5.6', [request, send(text('go a')), finish, ended]),
  cut('fin-after-seven', 'FIN after seven bytes of the reply', '5.6', [request, send(text('go ahea')), finish, ended]),
  cut('reset', 'RST instead of the reply', '7.10', [request, reset]),
  cut('reset-after-part', 'RST after `go a`', '7.10', [request, send(text('go a')), reset]),
  row({
    id: 'client/reply/empty-file-fin',
    title: 'an empty file, and FIN instead of the reply: no success',
    clause: '5.6',
    profiles: BOTH,
    exchange: {
      file: { kind: 'file', size: hex('00 00 00 00 00 00 00 00'), name: text('{t}empty.bin'), body: hex('') },
      steps: [request, finish, ended],
      expect: [FAILED],
    },
    twin: { steps: [request, send(GO), finish, ended] },
  }),
  row({
    id: 'client/reply/closed-at-once',
    title: 'the connection is closed before the header is read',
    clause: '5.6',
    profiles: BOTH,
    exchange: { file: SMALL, steps: [close], expect: [{ ...FAILED, header: 'any', body: 'any' }] },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/reply/reset-at-once',
    title: 'the connection is reset before the header is read',
    clause: '7.10',
    profiles: BOTH,
    exchange: { file: SMALL, steps: [reset], expect: [{ ...FAILED, header: 'any', body: 'any' }] },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/reply/split-wrong',
    title: '`go ahe`, then `XX` in a piece of its own',
    clause: '5.5',
    exchange: {
      file: SMALL,
      steps: [request, send(text('go aheXX'), { at: [6] }), finish, ended],
      expect: [NOTHING_SENT],
    },
    twin: { steps: WHOLE },
  }),
];
