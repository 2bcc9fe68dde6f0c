import { hex, random, text } from '../../bytes.js';
import { FAILED, SENT, type ClientCase } from '../../case.js';
import { ended, finish, request, reset, send, take } from '../../steps.js';

/** `go ahead` */
const GO = hex('67 6f 20 61 68 65 61 64');
const WHOLE = [request, send(GO), take(), finish, ended];
/** 3,000 bytes. */
const file = {
  kind: 'file',
  size: hex('00 00 00 00 00 00 0b b8'),
  name: text('{t}finish.bin'),
  body: random(3000),
} as const;

export const FINISH_CASES: readonly ClientCase[] = [
  {
    id: 'client/finish/whole',
    title: 'a plain transfer: header, body and end, bit by bit',
    clause: '6.1',
    role: 'client',
    profiles: ['classic', 'full'],
    needs: 'exec',
    quick: true,
    exchange: { file, steps: WHOLE, expect: [SENT] },
  },
  {
    id: 'client/finish/reset-after-last-byte',
    title: 'RST after the last byte: no success is reported',
    clause: '7.10',
    role: 'client',
    profiles: ['full'],
    needs: 'exec',
    quick: true,
    exchange: {
      file,
      steps: [request, send(GO), take(), reset],
      expect: [{ ...FAILED, body: 'whole', stderr: 'some' }],
    },
    twin: { steps: WHOLE },
  },
];
