import { GoAheadError } from '../errors.js';
import { MAX_SIZE } from '../wire/header.js';

/** All times in milliseconds, up to 2^31 - 1; all sizes in bytes. */
export interface ReceiveOptions {
  /** The quiet after which a header that came in pieces is taken as whole (3.10). Default 50: a few round trips of a LAN. */
  readonly settle?: number | undefined;
  /** Waits for the quiet for every header, also one that came in one piece. Default false: it costs `settle` a transfer. */
  readonly settleAlways?: boolean | undefined;
  /** How long a sender that keeps its side open is watched after its last byte (7.3). Default 250. */
  readonly grace?: number | undefined;
  /** For the whole header, from the connection on (11.1). Default 10,000: a header is one packet. */
  readonly headerDeadline?: number | undefined;
  /** For the next byte of the body (11.2). Default 60,000: longer than TCP takes to ride out an outage of 30 s. */
  readonly bodyDeadline?: number | undefined;
  /**
   * The slowest body, in bytes a second, averaged over `rateWindow` milliseconds; slower ones are reset. Default 0: off, since
   * what is too slow depends on the network. It ends what the idle deadline does not see: a byte now and then.
   */
  readonly minRate?: number | undefined;
  /** Default 10,000: long enough for TCP to ride out a lost packet or two. */
  readonly rateWindow?: number | undefined;
  /** The largest file (9.3). Default 2^64 - 1, so that only the storage's space limits it. */
  readonly maxSize?: bigint | undefined;
  /** Bytes that may wait for the storage before the connection is paused (6.6). Default 4 MiB: four read buffers. */
  readonly maxPendingBytes?: number | undefined;
}

/** All times in milliseconds, up to 2^31 - 1. */
export interface SendSessionOptions {
  /** For the whole reply (5.8). Default 30,000: the receiver may have to wait for its disk. */
  readonly replyTimeout?: number | undefined;
  /**
   * For the receiver to take some bytes (11.3); noticed after twice that time at most. Default 60,000, as the receiver's own.
   * On a transport that has no `taken`, for it to take a whole chunk.
   */
  readonly sendTimeout?: number | undefined;
  /** For the receiver to close after the last byte (11.4). Default 120,000: it may sync gigabytes to a slow disk. */
  readonly confirmTimeout?: number | undefined;
  /** An artificial pause before each chunk, to see several clients at work at once. Default 0. */
  readonly pause?: number | undefined;
}

/** All options, none undefined. */
export type Complete<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> };

/** What was checked already: a server has one set of options for all its sessions. */
const checked = new WeakSet<ReceiveOptions>();

function isChecked(options: ReceiveOptions): options is Complete<ReceiveOptions> {
  return checked.has(options);
}

/** @throws GoAheadError `OPTION_INVALID` */
export function receiveOptions(options: ReceiveOptions): Complete<ReceiveOptions> {
  if (isChecked(options)) return options;
  const { settle = 50, settleAlways = false, grace = 250, headerDeadline = 10_000, bodyDeadline = 60_000 } = options;
  const { maxSize = MAX_SIZE, maxPendingBytes = 4 * 2 ** 20, minRate = 0, rateWindow = 10_000 } = options;
  requireTime('settle', settle);
  requireTime('grace', grace);
  requireTime('headerDeadline', headerDeadline);
  requireTime('bodyDeadline', bodyDeadline);
  requireNumber('minRate', minRate, 0, Number.MAX_SAFE_INTEGER);
  requireNumber('rateWindow', rateWindow, 1, LONGEST_TIME);
  requireNumber('maxPendingBytes', maxPendingBytes, 1, Number.MAX_SAFE_INTEGER);
  if (typeof maxSize !== 'bigint' || maxSize < 0n) throw optionInvalid('maxSize', 'a bigint of 0 or more', maxSize);
  const times = { settle, settleAlways, grace, headerDeadline, bodyDeadline };
  const complete = Object.freeze({ ...times, minRate, rateWindow, maxSize, maxPendingBytes });
  checked.add(complete);
  return complete;
}

/** @throws GoAheadError `OPTION_INVALID` */
export function sendSessionOptions(options: SendSessionOptions): Complete<SendSessionOptions> {
  const { replyTimeout = 30_000, sendTimeout = 60_000, confirmTimeout = 120_000, pause = 0 } = options;
  requireTime('replyTimeout', replyTimeout);
  requireTime('sendTimeout', sendTimeout);
  requireTime('confirmTimeout', confirmTimeout);
  requireTime('pause', pause);
  return { replyTimeout, sendTimeout, confirmTimeout, pause };
}

// Above this, setTimeout(3) of Node fires at once.
const LONGEST_TIME = 2 ** 31 - 1;

/** @throws GoAheadError `OPTION_INVALID` unless it is a time in milliseconds that a timer can hold */
export function requireTime(option: string, value: number): void {
  requireNumber(option, value, 0, LONGEST_TIME);
}

/** What {@link requireTime} would throw, for who answers with a promise. */
export function timeFault(option: string, value: number): GoAheadError | undefined {
  return numberFault(option, value, 0, LONGEST_TIME);
}

/** @throws GoAheadError `OPTION_INVALID` unless it is a whole number of connections or the like, 1 or more */
export function requireCount(option: string, value: number, most = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw optionInvalid(option, `a whole number from 1 to ${most}`, value);
}

/** @throws GoAheadError `OPTION_INVALID` */
export function requireNumber(option: string, value: number, least: number, most: number): void {
  const fault = numberFault(option, value, least, most);
  if (fault !== undefined) throw fault;
}

function numberFault(option: string, value: number, least: number, most: number): GoAheadError | undefined {
  // NaN is refused too.
  if (value >= least && value <= most) return undefined;
  return optionInvalid(option, `a number from ${least} to ${most}`, value);
}

function optionInvalid(option: string, expected: string, actual: unknown): GoAheadError {
  return new GoAheadError('OPTION_INVALID', `the option \`${option}\` must be ${expected}, not ${String(actual)}`, {
    expected,
    actual: String(actual),
  });
}

export const RECEIVE_DEFAULTS = receiveOptions({});
export const SEND_DEFAULTS = sendSessionOptions({});
