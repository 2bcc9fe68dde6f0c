/** What a sending session fails with, in words. */
import { GoAheadError } from '../errors.js';
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
  return new GoAheadError('REPLY_TIMEOUT', `the receiver did not reply within ${ms} ms`, {
    expected: `"go ahead" within ${ms} ms`,
    actual: `${matched} bytes of it`,
  });
}

export function replyWrong(received: Buffer): GoAheadError {
  return new GoAheadError('REPLY_WRONG', 'the receiver sent something other than "go ahead"', {
    expected: JSON.stringify(Buffer.from(REPLY).toString()),
    actual: JSON.stringify(received.toString('latin1')),
  });
}

export function refused(matched: number): GoAheadError {
  return new GoAheadError('REFUSED', 'the receiver closed the connection without a reply: it refuses the file', {
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
  const more = read > size;
  return new GoAheadError('SOURCE_CHANGED', `the source has ${more ? 'more' : 'fewer'} bytes than announced`, {
    expected: `${size} bytes`,
    actual: more ? `at least ${read} bytes` : `${read} bytes`,
  });
}
