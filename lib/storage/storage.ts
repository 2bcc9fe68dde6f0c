import type { Header } from '../wire/header.js';
import type { MaybePromise } from '../maybe-promise.js';

/** What a committed upload left behind. */
export interface Stored {
  /** The final name: the last component, with the suffix and the number that it may have got. */
  readonly name: string;
  /** Where the file stands, for storages that have paths; else undefined. */
  readonly path: string | undefined;
  /** In bytes. */
  readonly size: bigint;
}

/**
 * One upload on its way: `write` any number of times, then exactly one of `commit` and `abort`.
 *
 * Every call may work at once and return, or return a promise. A failure is thrown or rejected accordingly, as a
 * `GoAheadError`.
 */
export interface Upload {
  /**
   * Whether the next `write` uses the memory of its chunk after it has returned. Where this is false, that memory is
   * written over as soon as `write` has returned, whatever it returned. Not said: true.
   */
  readonly retainsChunk?: boolean | undefined;
  /**
   * Appends a chunk. The chunk is a view of a read buffer: it belongs to the storage until the call settles, and is
   * written over afterwards (see `retainsChunk`). A further `write` may come before an earlier one has settled; the bytes are stored in the
   * order of the calls.
   */
  write(chunk: Uint8Array): MaybePromise<void>;
  /**
   * Puts the file under its final name in one step (clauses 7.5, 7.7, 7.8 and 10). Called after every write has
   * settled. When it fails nothing stands under the final name that was not there before, and the upload is gone.
   */
  commit(): MaybePromise<Stored>;
  /** Removes what was written, and nothing else (8.3). Never fails: what cannot be removed is left for a sweep. */
  abort(): MaybePromise<void>;
}

/** Where bytes land. A session knows nothing else of disks. */
export interface Storage {
  /**
   * Begins an upload, or refuses it by an error (clauses 4, 9.2 and 10.1).
   *
   * @param header the size in bytes and the name as they came on the wire; the name is hostile
   */
  create(header: Header): MaybePromise<Upload>;
}
