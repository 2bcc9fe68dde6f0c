/** What a receiving session fails with, in words. */
import { GoAheadError, toGoAheadError } from '../errors.js';

/** How far it was. */
export interface Progress {
  /** Of the body. */
  readonly received: bigint;
  /** As announced; undefined while the header is not over. */
  readonly size: bigint | undefined;
}

function progressText({ received, size }: Progress): string {
  return size === undefined ? 'in the header' : `after ${received} of ${size} bytes`;
}

export function headerTimeout(ms: number, pieces: number): GoAheadError {
  return new GoAheadError('HEADER_TIMEOUT', `the header was not complete after ${ms} ms`, {
    expected: `a header within ${ms} ms`,
    actual: `${pieces} pieces of it`,
  });
}

export function tooManyPieces(limit: number): GoAheadError {
  return new GoAheadError(
    'HEADER_TOO_MANY_PIECES',
    `the header came in more than ${limit} pieces: it is to be sent in one`,
    { expected: 'one write', actual: `${limit + 1} pieces` },
  );
}

export function sizeOverLimit(size: bigint, maxSize: bigint): GoAheadError {
  return new GoAheadError('SIZE_OVER_LIMIT', `${size} bytes were announced, the limit is ${maxSize}`, {
    expected: `at most ${maxSize} bytes`,
    actual: `${size} bytes`,
  });
}

export function earlyData(length: number): GoAheadError {
  return new GoAheadError('EARLY_DATA', `${length} bytes came after the header and before the reply`, {
    expected: 'silence until the reply',
    actual: `${length} bytes`,
  });
}

export function bodyTimeout(ms: number, progress: Progress): GoAheadError {
  return new GoAheadError('BODY_TIMEOUT', `no byte came for ${ms} ms, ${progressText(progress)}`, {
    expected: `a byte within ${ms} ms`,
    actual: 'silence',
  });
}

export function bodyTooSlow(came: number, least: number, ms: number, progress: Progress): GoAheadError {
  return new GoAheadError('BODY_TOO_SLOW', `${came} bytes came in ${ms} ms, ${progressText(progress)}`, {
    expected: `at least ${least} bytes in ${ms} ms`,
    actual: `${came} bytes`,
  });
}

export function connectionLost(cause: unknown, progress: Progress): GoAheadError {
  return new GoAheadError('CONNECTION_RESET', `the connection was lost ${progressText(progress)}`, {
    expected: 'the end of the stream',
    actual: 'a reset',
    cause,
  });
}

export function storageFailed(reason: unknown): GoAheadError {
  return toGoAheadError(reason, 'STORAGE_FAILED', 'the storage failed');
}
