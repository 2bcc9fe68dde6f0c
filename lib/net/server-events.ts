import type { GoAheadError } from '../errors.js';
import type { Stored } from '../storage/storage.js';

/** One connection, as the events tell of it. */
export interface IncomingUpload {
  /** Counts from 1 for each server. */
  readonly id: number;
  /** `address:port` of the sender; an IPv6 address in brackets. */
  readonly peer: string;
  /** As announced, hostile; undefined before the header is over. */
  readonly name: string | undefined;
  /** As announced, in bytes; undefined before the header is over. */
  readonly size: bigint | undefined;
  /** Bytes of the body so far. */
  readonly received: bigint;
  /** Milliseconds since the connection was accepted. */
  readonly ms: number;
}

/** What a server tells of its uploads; each ends with `stored` or `failed`, once. */
export type ServerEvents = {
  /** The reply was sent. */
  begun: (upload: IncomingUpload) => void;
  /**
   * Bytes came: at most once for each read. Costs something only while somebody listens, which is asked when a connection is
   * accepted: a listener that is added later hears nothing of the uploads that run already.
   */
  progress: (upload: IncomingUpload) => void;
  /** The file stands under its final name. */
  stored: (upload: IncomingUpload, stored: Stored) => void;
  /** Refused or failed; nothing is left of it. Also of a connection above a limit, for which the server did nothing else. */
  failed: (upload: IncomingUpload, error: GoAheadError) => void;
  /** A listener of this server threw, or a connection could not be accepted; all others go on. */
  error: (error: GoAheadError) => void;
  /** With workers only: one died again and again, so the server has given up; when this comes it is closed. */
  ended: (error: GoAheadError) => void;
};
