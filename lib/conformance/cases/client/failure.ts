import { text } from '../../model/bytes.js';
import { FAILED, SENT, type ClientCase, type Step } from '../../model/case.js';
import {
  ended,
  finish,
  pause,
  request,
  reset,
  resumeReading,
  send,
  signalClient,
  stopReading,
  take,
} from '../../model/steps.js';
import { CUT_OFF, GO, LARGE, NOT_EVEN_CONNECTED, NOTHING_SENT, row, SMALL, WHOLE } from './common.js';

/** How a failure after the header ends the connection. */
const RESET = ['rst'] as const;

/** A failure that the user must learn of. */
function told(what: string, title: string, steps: readonly Step[], clause: ClientCase['clause'] = '8.6'): ClientCase {
  return row({
    id: `client/failure/${what}`,
    title,
    clause,
    exchange: { file: SMALL, steps, expect: [{ ...FAILED, message: 'some' }] },
    twin: { steps: WHOLE },
  });
}

/** The user ends the client: what it has sent must not pass for the whole. A client may also bring it to its end. */
function ends(signal: 'SIGINT' | 'SIGTERM', title: string): ClientCase {
  return row({
    id: `client/failure/${signal.toLowerCase()}`,
    title,
    clause: '8.6',
    exchange: {
      file: LARGE,
      steps: [
        request,
        send(GO),
        take(65_536),
        stopReading,
        signalClient(signal),
        pause(),
        resumeReading,
        take(),
        finish,
        ended,
      ],
      expect: [{ ...CUT_OFF, exit: 'not zero or signal' }, SENT],
    },
    twin: { steps: WHOLE },
  });
}

export const FAILURE_CASES: readonly ClientCase[] = [
  { ...told('refused', 'a refusal is told, with a message', [request, finish, ended]), quick: true },
  told('wrong-reply', 'a wrong reply is told, with a message', [request, send(text('go away!')), finish, ended]),
  told('reset', 'a reset is told, with a message', [request, reset]),
  told('reset-at-end', 'a reset instead of the receipt is told, with a message', [request, send(GO), take(), reset]),
  row({
    id: 'client/failure/nobody-listens',
    title: 'nobody listens on the port: told, with a message',
    clause: '8.6',
    quick: true,
    exchange: { file: SMALL, steps: [], expect: [{ ...NOT_EVEN_CONNECTED, message: 'some' }], refused: true },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/failure/missing-file',
    title: 'a missing file is told, with a message',
    clause: '8.6',
    exchange: {
      file: { ...SMALL, kind: 'missing' },
      steps: WHOLE,
      expect: [{ ...NOT_EVEN_CONNECTED, message: 'some' }],
    },
    twin: { file: { kind: 'file' } },
  }),
  row({
    id: 'client/failure/nobody-reads-the-message',
    title: 'a refusal, and nobody reads what the client prints: another status than 0',
    clause: '8.6',
    exchange: { file: SMALL, steps: [request, finish, ended], expect: [NOTHING_SENT], output: 'closed' },
    twin: { steps: WHOLE },
  }),
  ends('SIGINT', 'SIGINT (Ctrl-C) in mid-body: not to be taken for the whole'),
  ends('SIGTERM', 'SIGTERM in mid-body: not to be taken for the whole'),
  row({
    id: 'client/failure/sigint-before-reply',
    title: 'SIGINT (Ctrl-C) before the reply: nothing is sent, another status than 0',
    clause: '8.6',
    exchange: {
      file: SMALL,
      steps: [request, signalClient('SIGINT'), ended],
      expect: [{ ...NOTHING_SENT, exit: 'not zero or signal' }],
    },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/failure/wrong-reply-resets',
    title: 'after a wrong reply the client resets the connection',
    clause: '8.5',
    exchange: {
      file: SMALL,
      steps: [request, send(text('go away!')), ended],
      expect: [{ ...NOTHING_SENT, closed: RESET }],
    },
    twin: { steps: WHOLE },
  }),
  row({
    id: 'client/failure/sigint-resets',
    title: 'on SIGINT (Ctrl-C) in mid-body the client resets the connection',
    clause: '8.5',
    exchange: {
      file: LARGE,
      steps: [request, send(GO), take(65_536), stopReading, signalClient('SIGINT'), pause(), resumeReading, ended],
      expect: [{ ...CUT_OFF, closed: RESET, exit: 'not zero or signal' }, SENT],
    },
    twin: { steps: WHOLE },
  }),
];
