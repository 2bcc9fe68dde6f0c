import { hex, text } from '../../model/bytes.js';
import { FAILED, SENT, type ClientCase } from '../../model/case.js';
import { ended, finish, request, reset, send, stillRunning, take } from '../../model/steps.js';
import { BOTH, GO, row, SMALL, WHOLE } from './common.js';

const EMPTY = {
  kind: 'file',
  size: hex('00 00 00 00 00 00 00 00'),
  name: text('{t}empty.bin'),
  body: hex(''),
} as const;

export const END_CASES: readonly ClientCase[] = [
  row({
    id: 'client/end/whole',
    title: 'a plain transfer: header, body and end, bit by bit',
    clause: '6.1',
    profiles: BOTH,
    quick: true,
    exchange: { file: SMALL, steps: WHOLE, expect: [SENT] },
  }),
  row({
    id: 'client/end/fin-first',
    title: 'the client closes its side after the last byte, before the receiver does',
    clause: '7.1',
    exchange: { file: SMALL, steps: [request, send(GO), take(), ended, finish], expect: [SENT] },
  }),
  row({
    id: 'client/end/fin-first-empty',
    title: 'an empty file: the client closes its side directly after the reply',
    clause: '7.1',
    exchange: { file: EMPTY, steps: [request, send(GO), ended, finish], expect: [SENT] },
  }),
  row({
    id: 'client/end/receipt-awaited',
    title: 'the receiver has all bytes and does not close: the client still waits',
    clause: '7.9',
    quick: true,
    exchange: { file: SMALL, steps: [request, send(GO), take(), stillRunning, finish, ended], expect: [SENT] },
  }),
  row({
    id: 'client/end/receipt-awaited-empty',
    title: 'an empty file, and the receiver does not close: the client still waits',
    clause: '7.9',
    exchange: { file: EMPTY, steps: [request, send(GO), stillRunning, finish, ended], expect: [SENT] },
  }),
  row({
    id: 'client/end/reset',
    title: 'RST after the last byte: no success',
    clause: '7.10',
    quick: true,
    exchange: { file: SMALL, steps: [request, send(GO), take(), reset], expect: [{ ...FAILED, body: 'whole' }] },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/end/reset-after-fin',
    title: "RST after the client's own FIN: no success",
    clause: '7.10',
    exchange: {
      file: SMALL,
      steps: [request, send(GO), take(), ended, reset],
      expect: [{ ...FAILED, body: 'whole' }],
    },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/end/reset-empty',
    title: 'an empty file, and RST after the reply: no success',
    clause: '7.10',
    exchange: { file: EMPTY, steps: [request, send(GO), stillRunning, reset], expect: [FAILED] },
    twin: { steps: [request, send(GO), finish, ended] },
  }),
  row({
    id: 'client/end/reset-with-reply-empty',
    title: 'an empty file, and RST in the same moment as the reply: no success',
    clause: '7.10',
    exchange: { file: EMPTY, steps: [request, send(GO), reset], expect: [FAILED] },
    twin: { steps: [request, send(GO), finish, ended] },
  }),
];
