import { messageOf } from './cause.js';

/**
 * The one error class of this library, and the table of its codes. `docs/errors.md` is generated from the table.
 *
 * Whatever a peer does ends in a `GoAheadError`; any other exception that escapes is a bug of ours.
 */

interface CodeEntry {
  /** Whose fault it is: `local` is this process (its user, disk or limits), `peer` is the other end or the network. */
  readonly side: 'local' | 'peer';
  /** The clause of `docs/protocol.md` that was broken or applied, when there is one. */
  readonly clause: string | null;
  readonly meaning: string;
  /** What is on the receiver's disk afterwards. */
  readonly disk: string;
  /** What the other end sees. */
  readonly wire: string;
}

const NOTHING = 'nothing of this transfer';
const REFUSAL = 'a close without a reply';
const RESET = 'a reset';
const RESET_OR_REFUSAL = 'a reset; before the reply, a close without one';
const UNLESS_COMPLETE = `${NOTHING}; unknown where \`mayBeStored\` is true`;
const NO_CONNECTION = 'no connection, or one that is reset before the header';
const SENDER_RESET = 'a reset; a conforming receiver discards what it has';

/** Every code with what it means; stable, and documented in `docs/errors.md`. */
export const ERROR_CODES = {
  HEADER_INCOMPLETE: {
    side: 'peer',
    clause: '3.13',
    meaning: 'The stream ended before the header was complete.',
    disk: NOTHING,
    wire: REFUSAL,
  },
  HEADER_TOO_LONG: {
    side: 'peer',
    clause: '3.11',
    meaning: 'More than 1,024 bytes came before the reply: the sender does not wait, or it speaks another protocol.',
    disk: NOTHING,
    wire: REFUSAL,
  },
  HEADER_TOO_MANY_PIECES: {
    side: 'peer',
    clause: '3.4',
    meaning: 'The header came in more than 512 pieces; a sender sends it in one.',
    disk: NOTHING,
    wire: REFUSAL,
  },
  HEADER_TIMEOUT: {
    side: 'peer',
    clause: '11.1',
    meaning: 'The header was not complete when its total deadline passed.',
    disk: NOTHING,
    wire: REFUSAL,
  },
  EARLY_DATA: {
    side: 'peer',
    clause: '3.6',
    meaning: 'Bytes came after a complete header and before the reply.',
    disk: NOTHING,
    wire: REFUSAL,
  },
  NAME_NOT_UTF8: {
    side: 'peer',
    clause: '3.12',
    meaning: 'The name is not valid UTF-8.',
    disk: NOTHING,
    wire: REFUSAL,
  },
  NAME_UNSAFE: {
    side: 'peer',
    clause: '4',
    meaning:
      'The name cannot be stored safely: its last component is empty, `.`, `..`, too long, or has forbidden characters.',
    disk: NOTHING,
    wire: REFUSAL,
  },
  NAME_TAKEN: {
    side: 'peer',
    clause: '10.1',
    meaning: 'Something stands under the name, and the conflict policy does not allow to store beside or over it.',
    disk: 'what stood under the name, unchanged',
    wire: `${REFUSAL}, or a reset when the name was taken during the transfer`,
  },
  SIZE_OVER_LIMIT: {
    side: 'peer',
    clause: '9.2',
    meaning: 'The announced size is above the limit of this receiver.',
    disk: NOTHING,
    wire: REFUSAL,
  },
  NO_SPACE: {
    side: 'local',
    clause: '9.2',
    meaning: 'The announced size is above the free space that is not promised to other uploads.',
    disk: NOTHING,
    wire: REFUSAL,
  },
  TOO_MANY_CONNECTIONS: {
    side: 'local',
    clause: '2.4',
    meaning: 'As many connections as this receiver allows, in all or from one address, were being served already.',
    disk: NOTHING,
    wire: `${REFUSAL}; a reset where more than 100 such connections are being closed, and those are not told of`,
  },
  BODY_UNDERRUN: {
    side: 'peer',
    clause: '6.4',
    meaning: 'The stream ended before the last byte.',
    disk: NOTHING,
    wire: RESET_OR_REFUSAL,
  },
  BODY_OVERRUN: {
    side: 'peer',
    clause: '6.5',
    meaning: 'A byte followed the last one: the name was cut by the network, or the sender does not keep to its size.',
    disk: NOTHING,
    wire: RESET,
  },
  BODY_TIMEOUT: {
    side: 'peer',
    clause: '11.2',
    meaning: 'No byte of the body came for the idle deadline.',
    disk: NOTHING,
    wire: RESET,
  },
  BODY_TOO_SLOW: {
    side: 'peer',
    clause: '11.2',
    meaning: 'The body came more slowly than the minimum rate of this receiver.',
    disk: NOTHING,
    wire: RESET,
  },
  STORAGE_FAILED: {
    side: 'local',
    clause: '8.2',
    meaning: 'The storage failed; `cause` says how.',
    disk: 'nothing under the final name; a temporary file that cannot be removed is swept at the next start',
    wire: `${REFUSAL} before the reply, a reset after it`,
  },
  REFUSED: {
    side: 'peer',
    clause: '8.1',
    meaning: 'The receiver closed the connection without a reply.',
    disk: NOTHING,
    wire: 'its own close',
  },
  REPLY_WRONG: {
    side: 'peer',
    clause: '5.5',
    meaning: 'The receiver sent something other than `go ahead`, or more than that.',
    disk: UNLESS_COMPLETE,
    wire: SENDER_RESET,
  },
  REPLY_TIMEOUT: {
    side: 'peer',
    clause: '5.8',
    meaning: 'The receiver did not reply in time.',
    disk: UNLESS_COMPLETE,
    wire: SENDER_RESET,
  },
  CLOSED_EARLY: {
    side: 'peer',
    clause: '7.11',
    meaning: 'The receiver closed the connection before the last byte was sent.',
    disk: UNLESS_COMPLETE,
    wire: SENDER_RESET,
  },
  SEND_TIMEOUT: {
    side: 'peer',
    clause: '11.3',
    meaning: 'The receiver took no byte for the idle deadline.',
    disk: UNLESS_COMPLETE,
    wire: SENDER_RESET,
  },
  CONFIRM_TIMEOUT: {
    side: 'peer',
    clause: '11.4',
    meaning: 'The connection did not end in time after the last byte.',
    disk: 'unknown: the file may have been stored',
    wire: RESET,
  },
  CONNECTION_RESET: {
    side: 'peer',
    clause: '7.10',
    meaning: 'The connection was reset, or lost in another way.',
    disk: UNLESS_COMPLETE,
    wire: 'its own reset',
  },
  CONNECT_FAILED: {
    side: 'peer',
    clause: null,
    meaning: 'No connection could be made; `cause` says why.',
    disk: NOTHING,
    wire: NO_CONNECTION,
  },
  CONNECT_TIMEOUT: {
    side: 'peer',
    clause: null,
    meaning: 'No connection was made in time.',
    disk: NOTHING,
    wire: NO_CONNECTION,
  },
  TLS_FAILED: {
    side: 'peer',
    clause: null,
    meaning: 'The TLS handshake failed, or the certificate of the other end is not trusted; `cause` says why.',
    disk: NOTHING,
    wire: 'a TLS alert, or a close during the handshake',
  },
  SOURCE_INVALID: {
    side: 'local',
    clause: '8.7',
    meaning:
      'What is to be sent is missing, unreadable, not a regular file, or a file that does not tell its true size.',
    disk: NOTHING,
    wire: NO_CONNECTION,
  },
  SOURCE_CHANGED: {
    side: 'local',
    clause: '6.2',
    meaning:
      'The file grew, shrank, changed or vanished while it was sent, or a stream had another length than announced.',
    disk: UNLESS_COMPLETE,
    wire: SENDER_RESET,
  },
  NAME_INVALID: {
    side: 'local',
    clause: '4.14',
    meaning: 'The name to be sent is empty, longer than 1,016 bytes, or not well-formed Unicode.',
    disk: NOTHING,
    wire: NO_CONNECTION,
  },
  SIZE_INVALID: {
    side: 'local',
    clause: '9.1',
    meaning: 'The size to be sent is not a whole number from 0 to 2^64 - 1.',
    disk: NOTHING,
    wire: NO_CONNECTION,
  },
  OPTION_INVALID: {
    side: 'local',
    clause: null,
    meaning: 'An option has a value out of its range, or two options contradict each other.',
    disk: NOTHING,
    wire: 'nothing',
  },
  LISTEN_FAILED: {
    side: 'local',
    clause: null,
    meaning: 'The server cannot listen on its address; `cause` says why.',
    disk: NOTHING,
    wire: 'nothing',
  },
  KILL_UNGUARDED: {
    side: 'local',
    clause: '7.5',
    meaning:
      'The server could not have its connections reset should its process be killed, and goes on without; `cause` says why. While such a server is being killed, a sender may take the close of its connection for a receipt.',
    disk: 'what it would be without this error',
    wire: 'nothing',
  },
  DIRECTORY_INVALID: {
    side: 'local',
    clause: null,
    meaning: 'The directory to store in is missing, not a directory, or not writable.',
    disk: NOTHING,
    wire: 'nothing',
  },
  WORKER_LOST: {
    side: 'local',
    clause: null,
    meaning: 'The worker process that served the connection ended unexpectedly, or workers cannot be kept running.',
    disk: 'nothing of this transfer, or the whole file where it was stored just before; what is left is swept',
    wire: `${RESET}; where KILL_UNGUARDED applies, whatever the kernel makes of it`,
  },
  ABORTED: {
    side: 'local',
    clause: null,
    meaning: 'The user ended the transfer: a signal, `close()` with its deadline passed, or an `AbortSignal`.',
    disk: UNLESS_COMPLETE,
    wire: RESET_OR_REFUSAL,
  },
  INTERNAL: {
    side: 'local',
    clause: null,
    meaning: 'A bug in this library, or an exception thrown by a listener; `cause` has it.',
    disk: NOTHING,
    wire: RESET,
  },
} as const satisfies Record<string, CodeEntry>;

/** Stable: a code keeps its meaning in every release of the same major version. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What a `GoAheadError` can say besides its code and message. */
export interface ErrorDetails {
  /** A more exact clause than the one in the table. */
  readonly clause?: string;
  /** What should have come, or what was allowed. */
  readonly expected?: string;
  /** What came in its place. */
  readonly actual?: string;
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * What every failure of this library is. `message` is one sentence for people and may change; programs look at `code`.
 * `cause` is the error underneath, where there is one. Texts that a peer chose are in it as they came: print them with
 * `printable`.
 */
export class GoAheadError extends Error {
  override readonly name = 'GoAheadError';
  /** What happened, as in `docs/errors.md`; never renamed. */
  readonly code: ErrorCode;
  /** Whose fault it is: `local` is this process, `peer` is the other end or the network between. */
  readonly side: 'local' | 'peer';
  /** The clause of `docs/protocol.md`, such as `6.4`; undefined where no clause applies. */
  readonly clause: string | undefined;
  /** What should have come, or what was allowed; undefined where there is nothing to compare. */
  readonly expected: string | undefined;
  /** What came in its place. */
  readonly actual: string | undefined;
  /** Of a failed `send`: whether the receiver may have stored the file all the same. Set by the session. */
  mayBeStored = false;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    const entry: CodeEntry = ERROR_CODES[code];
    this.code = code;
    this.side = entry.side;
    this.clause = details.clause ?? entry.clause ?? undefined;
    this.expected = details.expected;
    this.actual = details.actual;
  }
}

/** The reason itself where it is one of ours, else one of ours around it. */
export function toGoAheadError(reason: unknown, code: ErrorCode, message: string): GoAheadError {
  if (reason instanceof GoAheadError) return reason;
  return new GoAheadError(code, `${message}: ${messageOf(reason)}`, { cause: reason });
}
