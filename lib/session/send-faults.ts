/** What a sending session fails with, in words. */
import { GoAheadError } from '../errors.js';
import { printableJson } from '../printable.js';
import { REPLY } from '../wire/reply.js';
import type { SendState } from './states.js';

/** How far it was. */
export interface Progress {
  readonly state: SendState;
  /** Of the body. */
  readonly sent: bigint;
  readonly size: bigint;
}

function progressText({ state, sent, size }: Progress): string {
  switch (state) {
    case 'ready':
    case 'awaiting reply':
      return 'before the reply';
    case 'awaiting close':
      return `after all ${sent} bytes were sent and before the receiver confirmed them`;
    case 'body':
    case 'confirmed':
    case 'failing':
    case 'failed':
      return `after ${sent} of ${size} bytes`;
  }
}

export function replyTimeout(ms: number, matched: number): GoAheadError {
  return new GoAheadError(
    'REPLY_TIMEOUT',
    `the receiver did not reply within ${ms} ms; replyTimeout (--reply-timeout) gives it longer`,
    { expected: `"go ahead" within ${ms} ms`, actual: `${matched} bytes of it` },
  );
}

/** Enough to know another protocol by: `HTTP/1.1 400 Bad`. */
const LONGEST_QUOTE = 16;

/** @param matched bytes of the reply, and `chunk` came after them */
export function replyWrong(matched: number, chunk: Uint8Array): GoAheadError {
  const came = Buffer.concat([REPLY.subarray(0, matched), chunk.subarray(0, LONGEST_QUOTE)]);
  const actual = printableJson(JSON.stringify(came.toString('latin1', 0, LONGEST_QUOTE)));
  const whole = came.subarray(0, REPLY.length).equals(REPLY);
  return new GoAheadError(
    'REPLY_WRONG',
    whole
      ? `the receiver sent more than "go ahead": ${actual}`
      : `the receiver sent something other than "go ahead": ${actual}; is this the right port?`,
    { expected: JSON.stringify(Buffer.from(REPLY).toString()), actual },
  );
}

export function refused(matched: number): GoAheadError {
  const what =
    matched > 0
      ? `after ${matched} of the ${REPLY.length} bytes of "go ahead"; its log knows why`
      : 'without a reply: it refuses the file, and its log knows why';
  return new GoAheadError('REFUSED', `the receiver closed the connection ${what}`, {
    ...(matched > 0 ? { clause: '5.6' } : {}),
    expected: 'the 8 bytes "go ahead"',
    actual: `${matched} bytes of it, then the end of the stream`,
  });
}

export function closedEarly(progress: Progress): GoAheadError {
  return new GoAheadError('CLOSED_EARLY', `the receiver closed the connection ${progressText(progress)}`, {
    expected: `an open connection until byte ${progress.size}`,
    actual: `the end of the stream after ${progress.sent} bytes`,
  });
}

export function connectionLost(cause: unknown, progress: Progress): GoAheadError {
  return new GoAheadError('CONNECTION_RESET', `the connection was lost ${progressText(progress)}`, {
    expected: 'the end of the stream after the last byte',
    actual: 'a reset',
    cause,
  });
}

export function sendTimeout(ms: number, progress: Progress): GoAheadError {
  return new GoAheadError('SEND_TIMEOUT', `the receiver took no byte for ${ms} ms, ${progressText(progress)}`, {
    expected: `a byte taken within ${ms} ms`,
    actual: 'none',
  });
}

export function confirmTimeout(ms: number): GoAheadError {
  return new GoAheadError(
    'CONFIRM_TIMEOUT',
    `the receiver did not close within ${ms} ms of the last byte: the file may or may not be stored`,
    { expected: `the end of the stream within ${ms} ms`, actual: 'an open connection' },
  );
}

/** `read` bytes could be read of a source that announced `size`. */
export function lengthChanged(read: bigint, size: bigint): GoAheadError {
  const [what, actual] = read > size ? ['more', `at least ${read} bytes`] : ['fewer', `${read} bytes`];
  return new GoAheadError(
    'SOURCE_CHANGED',
    `the source has ${what} bytes than announced: ${actual} instead of ${size}; send it again with its exact size`,
    { expected: `${size} bytes`, actual },
  );
}
