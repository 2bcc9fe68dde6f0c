import { GoAheadError } from '../errors.js';

// Large enough that the calls vanish in the copying; smaller and larger ones were tried, from 64 KiB to 4 MiB.
export const DEFAULT_CHUNK_SIZE = 2 * 2 ** 20;

/** @throws GoAheadError `OPTION_INVALID` */
export function requireChunkSize(chunkSize: number): void {
  if (Number.isSafeInteger(chunkSize) && chunkSize > 0) return;
  throw new GoAheadError('OPTION_INVALID', `the chunk size must be a whole number of bytes above 0, not ${chunkSize}`, {
    expected: 'a whole number above 0',
    actual: String(chunkSize),
  });
}
