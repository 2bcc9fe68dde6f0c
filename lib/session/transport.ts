import type { MaybePromise } from '../maybe-promise.js';

/**
 * What a session asks of a connection. Nothing here fails: that a connection was lost is told to the session by its
 * `lost`, and every call on a lost connection does nothing.
 */
export interface Transport {
  /**
   * Sends bytes, in order. Settles when the memory may be used again, which is also when the next write is welcome;
   * never rejects.
   */
  write(bytes: Uint8Array): MaybePromise<void>;
  /**
   * A count that changes whenever the network takes bytes, also in the midst of a write; undefined where that is not known.
   * Without it a write that goes on for longer than `sendTimeout` is taken for one that does not move.
   */
  taken?(): number | undefined;
  /** Half-closes: FIN after all that was written, and goes on receiving (clause 7.1). */
  end(): void;
  /** Sends FIN after all that was written, and gives the connection up. */
  close(): void;
  /** Drops the connection so that the other end sees a failure: RST on TCP (clauses 8.2 and 8.5). */
  reset(): void;
  /** Asks for no more bytes until `resume`; one more chunk may still come. */
  pause(): void;
  resume(): void;
}
