import { text } from '../../model/bytes.js';
import { FAILED, type ClientCase } from '../../model/case.js';
import { endedAfter, exitedAfter, request, send, stopReading, take } from '../../model/steps.js';
import { CUT_OFF, GO, LARGE, NOTHING_SENT, row, SMALL, WHOLE } from './common.js';

/** Deadlines of a client are of its choice, so its user tells them. */
export const TIME_CASES: readonly ClientCase[] = [
  row({
    id: 'client/time/no-reply',
    title: 'no reply for the declared time',
    clause: '5.8',
    declared: ['replyTimeout'],
    exchange: { file: SMALL, steps: [request, endedAfter('replyTimeout')], expect: [NOTHING_SENT] },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/time/half-a-reply',
    title: '`go a`, and no more for the declared time',
    clause: '5.8',
    declared: ['replyTimeout'],
    exchange: {
      file: SMALL,
      steps: [request, send(text('go a')), endedAfter('replyTimeout')],
      expect: [NOTHING_SENT],
    },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/time/nothing-taken',
    title: 'the receiver takes no byte for the declared time',
    clause: '11.3',
    declared: ['sendTimeout'],
    exchange: {
      file: LARGE,
      steps: [request, send(GO), take(65_536), stopReading, exitedAfter('sendTimeout')],
      expect: [{ ...CUT_OFF, closed: ['fin', 'rst', 'open'] }],
    },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/time/never-closed',
    title: 'the receiver has all bytes and does not close for the declared time',
    clause: '11.4',
    declared: ['confirmTimeout'],
    exchange: {
      file: SMALL,
      steps: [request, send(GO), take(), exitedAfter('confirmTimeout')],
      expect: [{ ...FAILED, body: 'whole' }],
    },
    twin: { steps: WHOLE },
  }),
];
