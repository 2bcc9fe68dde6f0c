import type { MaybePromise } from '../maybe-promise.js';

/** Where the bytes of a body come from: the sending counterpart of a storage. Failures are `GoAheadError`s. */
export interface Source {
  /** What is announced, in bytes. */
  readonly size: bigint;
  /**
   * The next bytes, never none; undefined at the end. Asked for one chunk at a time; up to two chunks are out at once,
   * and each comes back by `release`.
   */
  read(): MaybePromise<Uint8Array | undefined>;
  /** The chunk is not needed any more: its memory is free again. May come after `close`. */
  release(chunk: Uint8Array): void;
  /**
   * Asked when all bytes have been read and before the last of them are sent: the last chance to say that the
   * source is longer than announced, or changed meanwhile (6.2).
   */
  verify(): MaybePromise<void>;
  /** Called once, at the end, whatever came of the transfer; when that failed, perhaps while a call is under way. */
  close(): MaybePromise<void>;
}
