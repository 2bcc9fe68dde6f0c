import { MAX_SIZE } from '../wire/header.js';

/** All times in milliseconds, all sizes in bytes. */
export interface ReceiveOptions {
  /** The quiet after which a header that came in pieces is taken as whole (3.10). Default 50: a few round trips of a LAN. */
  readonly settle?: number;
  /** Waits for the quiet for every header, also one that came in one piece. Default false: it costs `settle` a transfer. */
  readonly settleAlways?: boolean;
  /** How long a sender that keeps its side open is watched after its last byte (7.3). Default 250. */
  readonly grace?: number;
  /** For the whole header, from the connection on (11.1). Default 10,000: a header is one packet. */
  readonly headerDeadline?: number;
  /** For the next byte of the body (11.2). Default 60,000: longer than TCP takes to ride out an outage of 30 s. */
  readonly bodyDeadline?: number;
  /** The largest file (9.3). Default 2^64 - 1, so that only the storage's space limits it. */
  readonly maxSize?: bigint;
  /** Bytes that may wait for the storage before the connection is paused (6.6). Default 4 MiB: four read buffers. */
  readonly maxPendingBytes?: number;
}

export const RECEIVE_DEFAULTS: Required<ReceiveOptions> = {
  settle: 50,
  settleAlways: false,
  grace: 250,
  headerDeadline: 10_000,
  bodyDeadline: 60_000,
  maxSize: MAX_SIZE,
  maxPendingBytes: 4 * 2 ** 20,
};

/** All times in milliseconds. */
export interface SendSessionOptions {
  /** For the whole reply (5.8). Default 30,000: the receiver may have to wait for its disk. */
  readonly replyTimeout?: number;
  /** For the receiver to take some bytes (11.3). Default 60,000, as the receiver's own. */
  readonly sendTimeout?: number;
  /** For the receiver to close after the last byte (11.4). Default 120,000: it may sync gigabytes to a slow disk. */
  readonly confirmTimeout?: number;
  /** An artificial pause before each chunk, to see several clients at work at once. Default 0. */
  readonly pause?: number;
}

export const SEND_DEFAULTS: Required<SendSessionOptions> = {
  replyTimeout: 30_000,
  sendTimeout: 60_000,
  confirmTimeout: 120_000,
  pause: 0,
};
