import { GoAheadError } from '../errors.js';

/** What a sender announces. */
export interface Header {
  /** In bytes, 0 to 2^64 - 1 (clause 9.1). */
  readonly size: bigint;
  /** As on the wire: any UTF-8, hostile (clause 4). */
  readonly name: string;
}

/** The size alone, in bytes (clause 3.1). */
export const SIZE_LENGTH = 8;
/** In bytes; a classic receiver reads the header with one `recv(1024)` (clauses 3.4 and 3.11). */
export const MAX_HEADER_LENGTH = 1024;
/** In bytes of UTF-8: what the size leaves of the header (3.1). */
export const MAX_NAME_LENGTH = MAX_HEADER_LENGTH - SIZE_LENGTH;
/** 18,446,744,073,709,551,615: the largest size that can be announced, in bytes (9.1). */
export const MAX_SIZE = 2n ** 64n - 1n;

/**
 * The header as bytes, to be sent in one write (clause 3.4). The inverse of `decodeHeader`.
 *
 * @throws GoAheadError `SIZE_INVALID` or `NAME_INVALID`
 */
export function encodeHeader({ size, name }: Header): Buffer {
  if (typeof size !== 'bigint' || size < 0n || size > MAX_SIZE) {
    throw new GoAheadError('SIZE_INVALID', `a file of ${String(size)} bytes cannot be announced`, {
      expected: 'a bigint from 0 to 2^64 - 1',
      actual: `${typeof size} ${String(size)}`,
    });
  }
  if (!name.isWellFormed()) {
    throw new GoAheadError('NAME_INVALID', 'the name has a lone surrogate, so it has no UTF-8 form', {
      expected: 'well-formed Unicode',
      actual: JSON.stringify(name),
    });
  }
  const length = Buffer.byteLength(name);
  if (length === 0 || length > MAX_NAME_LENGTH) {
    throw new GoAheadError(
      'NAME_INVALID',
      `the name has ${length} bytes, the header has room for 1 to ${MAX_NAME_LENGTH}`,
      {
        expected: `1 to ${MAX_NAME_LENGTH} bytes of UTF-8`,
        actual: `${length} bytes`,
      },
    );
  }
  const bytes = Buffer.allocUnsafe(SIZE_LENGTH + length);
  bytes.writeBigUInt64BE(size);
  bytes.write(name, SIZE_LENGTH);
  return bytes;
}
