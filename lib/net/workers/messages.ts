import { messageOf, systemCode } from '../../cause.js';
import { GoAheadError, type ErrorCode } from '../../errors.js';
import type { Stored } from '../../storage/storage.js';
import type { IncomingUpload } from '../server-events.js';
import type { ServerOptions } from '../server-options.js';

/*
 * What the primary and its workers say to each other, over the channel of node:cluster in structured clones (which carry a
 * bigint). Messages keep their order in each direction, and the accounts of the leases rest on that.
 */

/** What the primary hands out, and what no two workers may use twice. In bytes, or in connections. */
export type Resource = 'space' | 'connections';

/** What a worker has of a resource. */
export interface Holding {
  /** Used or idle. */
  readonly held: bigint;
  /** All that was ever granted to it, as far as it has heard: what the primary granted beyond that is to come. */
  readonly granted: bigint;
}

/** The options of a server that mean the same in every process. */
export type WorkerOptions = Omit<ServerOptions, 'storage' | 'signal' | 'clock' | 'workers'> & {
  readonly directory: string;
};

export type ToWorker =
  /** In answer to `ready`. */
  | {
      readonly type: 'start';
      readonly options: WorkerOptions;
      readonly host: string;
      readonly port: number;
      /** Whether anybody listens to progress. */
      readonly progress: boolean;
    }
  /** When that changes. */
  | { readonly type: 'progress'; readonly wanted: boolean }
  | { readonly type: 'granted'; readonly resource: Resource; readonly amount: bigint }
  | { readonly type: 'denied'; readonly resource: Resource; readonly error: PlainError | undefined }
  /** Give back what is idle, and answer with `held`: another worker needs it. */
  | { readonly type: 'recall'; readonly resource: Resource }
  /** `drain` in milliseconds, as for `close`. */
  | { readonly type: 'close'; readonly drain: number };

export type ToPrimary =
  /** It hears messages now; those before would be lost. */
  | { readonly type: 'ready' }
  | { readonly type: 'listening' }
  | { readonly type: 'start failed'; readonly error: PlainError }
  | FromServing;

/** What is not about the start of the worker. */
export type FromServing =
  | {
      readonly type: 'report';
      readonly events: readonly WorkerEvent[];
      readonly connections: number;
      readonly bufferedBytes: number;
    }
  /** Asks for more. One at a time for each resource. */
  | ({ readonly type: 'lease'; readonly resource: Resource; readonly need: bigint } & Holding)
  /** It has less than the primary knows; in answer to `recall`, or of its own accord. */
  | ({ readonly type: 'held'; readonly resource: Resource; readonly recalled: boolean } & Holding);

/** An event of the worker's own server; `upload.id` counts within the worker. */
export type WorkerEvent =
  | { readonly kind: 'begun' | 'progress'; readonly upload: IncomingUpload }
  | { readonly kind: 'stored'; readonly upload: IncomingUpload; readonly stored: Stored }
  | { readonly kind: 'failed'; readonly upload: IncomingUpload; readonly error: PlainError }
  | { readonly kind: 'error'; readonly error: PlainError };

/** An error as data: a structured clone keeps neither the class nor the code. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly clause: string | undefined;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
  readonly stack: string | undefined;
  /** `code` as in {@link systemCode}. */
  readonly cause: { readonly message: string; readonly code: string } | undefined;
}

export function toPlainError(error: GoAheadError): PlainError {
  const { code, message, clause, expected, actual, stack, cause } = error;
  const plainCause = cause === undefined ? undefined : { message: messageOf(cause), code: systemCode(cause) };
  return { code, message, clause, expected, actual, stack, cause: plainCause };
}

export function fromPlainError({ code, message, cause, stack, ...rest }: PlainError): GoAheadError {
  const details: { clause?: string; expected?: string; actual?: string; cause?: unknown } = {};
  if (rest.clause !== undefined) details.clause = rest.clause;
  if (rest.expected !== undefined) details.expected = rest.expected;
  if (rest.actual !== undefined) details.actual = rest.actual;
  if (cause !== undefined) {
    const { message: said, code: system } = cause;
    details.cause = Object.assign(new Error(said), system === '' ? {} : { code: system });
  }
  const error = new GoAheadError(code, message, details);
  // Where it happened, in the worker.
  if (stack !== undefined) error.stack = stack;
  return error;
}
