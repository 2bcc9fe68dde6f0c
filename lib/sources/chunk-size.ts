import { GoAheadError } from '../errors.js';

// Large enough that the calls vanish in the copying; smaller and larger ones were tried, from 64 KiB to 4 MiB.
export const DEFAULT_CHUNK_SIZE = 2 * 2 ** 20;

/** read(2) takes less than 2 GiB at once. */
export const MAX_CHUNK_SIZE = 2 ** 30;

/** @throws GoAheadError `OPTION_INVALID` */
export function requireChunkSize(chunkSize: number): void {
  if (Number.isInteger(chunkSize) && chunkSize > 0 && chunkSize <= MAX_CHUNK_SIZE) return;
  const expected = `a whole number of bytes from 1 to ${MAX_CHUNK_SIZE}`;
  throw new GoAheadError('OPTION_INVALID', `the chunk size must be ${expected}, not ${chunkSize}`, {
    expected,
    actual: String(chunkSize),
  });
}
