import { hex, random, text } from '../../model/bytes.js';
import { SENT, type ClientCase } from '../../model/case.js';
import { countSegments, ended, finish, request, send, silence, take } from '../../model/steps.js';
import { BOTH, GO, NOT_EVEN_CONNECTED, row, sent, SMALL, WHOLE } from './common.js';

const REST = [take(), finish, ended];

export const HEADER_CASES: readonly ClientCase[] = [
  sent({
    id: 'client/header/byte-order',
    title: 'a size of 258, 00 00 00 00 00 00 01 02: the most significant byte first',
    clause: '3.2',
    profiles: BOTH,
    quick: true,
    file: { kind: 'file', size: hex('00 00 00 00 00 00 01 02'), name: text('{t}order.bin'), body: random(258) },
  }),
  row({
    id: 'client/header/no-terminator',
    title: 'the name ends with its last byte: no NUL, no line feed, no padding follows',
    clause: '3.3',
    profiles: BOTH,
    quick: true,
    exchange: {
      file: { ...SMALL, name: text('{t}end') },
      steps: [request, silence, send(GO), ...REST],
      expect: [SENT],
    },
  }),
  sent({
    id: 'client/header/nine-bytes',
    title: 'a name of one byte: a header of nine bytes',
    clause: '3.1',
    file: { ...SMALL, name: text('a') },
  }),
  row({
    id: 'client/header/one-piece',
    title: 'size and name in one write',
    clause: '3.4',
    profiles: BOTH,
    quick: true,
    exchange: {
      file: { ...SMALL, name: text('{t}one piece.bin') },
      steps: [request, silence, countSegments, send(GO), take(), countSegments, finish, ended],
      expect: [{ ...SENT, header: 'one piece' }],
    },
  }),
  row({
    id: 'client/header/awaited',
    title: 'the reply comes late: the header in silence, then the whole file',
    clause: '3.5',
    profiles: BOTH,
    quick: true,
    exchange: { file: SMALL, steps: [request, silence, send(GO), ...REST], expect: [SENT] },
  }),
  row({
    id: 'client/header/half-a-reply',
    title: 'only `go a` of the reply has come: nothing may be sent yet',
    clause: '3.5',
    exchange: {
      file: SMALL,
      steps: [request, send(hex('67 6f 20 61')), silence, send(hex('68 65 61 64')), ...REST],
      expect: [SENT],
    },
  }),
  row({
    id: 'client/header/one-connection',
    title: 'one file, one connection: no attempt before it, no copy after it',
    clause: '2.1',
    exchange: { file: SMALL, steps: WHOLE, expect: [{ ...SENT, connections: 'one' }] },
  }),
  row({
    id: 'client/header/path-too-long',
    title: 'a path of 1,200 bytes: its last component, or a failure before connecting',
    clause: '4.14',
    exchange: {
      file: { ...SMALL, name: text('{t}deep.bin'), deep: true },
      steps: WHOLE,
      expect: [{ ...SENT, header: 'last component' }, NOT_EVEN_CONNECTED],
    },
    twin: { file: { deep: false } },
  }),
  row({
    id: 'client/header/name-not-utf8',
    title: 'a name that is not UTF-8 (FF): a failure before the connection',
    clause: '4.14',
    exchange: {
      file: { ...SMALL, name: [...text('{t}'), ...hex('ff 2e 62 69 6e')] },
      steps: WHOLE,
      expect: [NOT_EVEN_CONNECTED],
    },
    twin: { file: { name: SMALL.name } },
  }),
];
