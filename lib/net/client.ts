import { connect, type Socket } from 'node:net';
import { basename } from 'node:path';
import { messageOf, systemCode } from '../cause.js';
import { GoAheadError, toGoAheadError, type ErrorCode } from '../errors.js';
import { printable } from '../printable.js';
import type { Clock } from '../session/clock.js';
import { requireNumber, requireTime, sendSessionOptions, type SendSessionOptions } from '../session/options.js';
import { SendSession } from '../session/send-session.js';
import { FileSource } from '../sources/file-source.js';
import { MemorySource } from '../sources/memory-source.js';
import type { Source } from '../sources/source.js';
import { StreamSource } from '../sources/stream-source.js';
import { encodeHeader } from '../wire/header.js';
import { DEFAULT_PORT, formatAddress } from './address.js';
import type { ClientTlsOptions, SecureStream } from './secure-stream.js';
import { listenToEnd, readPlainly, SocketTransport } from './socket-transport.js';
import { systemClock } from './system-clock.js';

/** A path, bytes, or a stream of bytes whose size is known. */
export type Sendable = string | Uint8Array | AsyncIterable<Uint8Array>;

/** All times in milliseconds. */
export interface SendOptions extends SendSessionOptions {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** 1 to 65,535. Default 12000. */
  readonly port?: number | undefined;
  /** The name to announce. Default the last component of the path (4.13); bytes and streams need one. */
  readonly name?: string | undefined;
  /**
   * Of a stream, in bytes. It must end after so many: its last chunk is sent when it has ended, so that what is too long fails.
   * Ignored for paths and bytes, which know theirs.
   */
  readonly size?: bigint | undefined;
  /** Ends the transfer with `ABORTED` and a reset, so that the receiver discards what it has (8.5). */
  readonly signal?: AbortSignal | undefined;
  /** Speaks TLS; `true` trusts the authorities that Node knows. Default plain TCP. */
  readonly tls?: ClientTlsOptions | boolean | undefined;
  /** For the connection, TLS included. Default 10,000. */
  readonly connectTimeout?: number | undefined;
  /**
   * How often a transfer that failed is tried again, where it is certain that nothing was stored and another try may
   * help. A stream is never tried again: it can be read once. Default 0.
   */
  readonly retries?: number | undefined;
  /** Before the first further try; doubled for each one after it, up to 30 s, and spread by chance. Default 500. */
  readonly retryDelay?: number | undefined;
  /** The largest chunk to read and send at once, in bytes, up to 1 GiB. Default 2 MiB, also with a `pause`. */
  readonly chunkSize?: number | undefined;
  /** Called when the receiver is ready, and after each chunk. */
  readonly onProgress?: ((sent: bigint, size: bigint) => void) | undefined;
  /** Called before a transfer is tried again. */
  readonly onRetry?: ((error: GoAheadError, attempt: number) => void) | undefined;
  /** For every deadline and pause; `systemClock` but in tests. */
  readonly clock?: Clock | undefined;
}

/** The receiver confirmed the file: how far that goes is in section 7 of `docs/protocol.md`. */
export interface Receipt {
  /** As announced. */
  readonly name: string;
  /** In bytes, all of them sent. */
  readonly size: bigint;
  /** In milliseconds, from the first connection attempt to the receipt. */
  readonly ms: number;
  /** 1 when the first try succeeded. */
  readonly attempts: number;
}

// What may be different next time. A refusal is the receiver's word, and a wrong reply another protocol.
const WORTH_A_RETRY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CONNECT_FAILED',
  'CONNECT_TIMEOUT',
  'CONNECTION_RESET',
  'CLOSED_EARLY',
  'REPLY_TIMEOUT',
  'SEND_TIMEOUT',
]);

const MAX_RETRY_DELAY = 30_000;

/**
 * Sends one file and waits for the receipt.
 *
 * @throws GoAheadError whatever goes wrong; its `mayBeStored` says whether the receiver may have the file all the same
 */
export async function send(file: Sendable, options: SendOptions = {}): Promise<Receipt> {
  return sendBy((path, chunkSize) => FileSource.open(path, chunkSize), file, options);
}

/** How a path becomes a source. */
type OpenFile = (path: string, chunkSize: number | undefined) => Promise<Source>;

/** `send` as a part of a larger job, which opens its files in its own way. */
export async function sendBy(openFile: OpenFile, file: Sendable, options: SendOptions): Promise<Receipt> {
  const { clock = systemClock, retries = 0, retryDelay = 500, signal } = options;
  requireSendable(file);
  requireNumber('retries', retries, 0, Number.MAX_SAFE_INTEGER);
  requireTime('retryDelay', retryDelay);
  const name = options.name ?? defaultName(file);
  const start = clock.now();
  const attempt = (): Promise<bigint | GoAheadError> =>
    sendOnce(() => openSource(openFile, file, options), name, options, clock).catch((reason: unknown) =>
      toGoAheadError(reason, 'INTERNAL', 'the client failed'),
    );
  let attempts = 1;
  let outcome = await attempt();
  for (; outcome instanceof GoAheadError; attempts++) {
    const again = attempts <= retries && WORTH_A_RETRY.has(outcome.code) && !outcome.mayBeStored && isRepeatable(file);
    if (!again) throw outcome;
    retrying(options, outcome, attempts);
    const longest = Math.min(retryDelay * 2 ** (attempts - 1), MAX_RETRY_DELAY);
    await wait(longest * (0.5 + Math.random() / 2), clock, signal);
    outcome = await attempt();
  }
  return { name, size: outcome, ms: clock.now() - start, attempts };
}

async function sendOnce(
  open: () => Promise<Source>,
  name: string,
  options: SendOptions,
  clock: Clock,
): Promise<bigint> {
  const { signal } = options;
  if (signal?.aborted === true) throw abortError(signal);
  requirePort(options.port);
  requireTime('connectTimeout', options.connectTimeout ?? 0);
  sendSessionOptions(options);
  const secure = await securing(options);
  const source = await open();
  try {
    // All that can be wrong on this side is wrong before anything is connected (4.14, 8.7).
    encodeHeader({ size: source.size, name });
  } catch (reason) {
    await source.close();
    throw reason;
  }
  await transfer({ source, name, secure, clock }, options);
  return source.size;
}

/** What a transfer needs besides its options, all of it checked. */
interface Outgoing {
  readonly source: Source;
  readonly name: string;
  readonly secure: Securing | undefined;
  readonly clock: Clock;
}

function transfer({ source, name, secure, clock }: Outgoing, options: SendOptions): Promise<void> {
  const { host = '127.0.0.1', port = DEFAULT_PORT, signal, connectTimeout = 10_000 } = options;
  return new Promise((confirmed, failed) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const stream = secure?.(socket, host, start, abort);
    const transport = new SocketTransport(stream?.socket ?? socket, socket);
    const session = new SendSession(name, { transport, source, clock }, options);
    const onAbort = (): void => session.abort(abortError(signal));
    const onRefused = (cause: Error): void => session.abort(connectFailed(host, port, cause));
    const timer = clock.schedule(connectTimeout, () => session.abort(connectTimedOut(host, port, connectTimeout)));
    function abort(error: GoAheadError): void {
      session.abort(error);
    }
    function start(): void {
      timer.cancel();
      if (stream === undefined) {
        listenToEnd(socket, session);
        readPlainly(socket, session);
      } else stream.attach(session);
      session.start();
    }
    const finish = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    session.on('confirmed', () => {
      finish();
      confirmed();
    });
    session.on('failed', (error) => {
      finish();
      failed(error);
    });
    const { onProgress } = options;
    if (onProgress !== undefined) tellProgress(session, source.size, onProgress);
    signal?.addEventListener('abort', onAbort, { once: true });
    // While the source was opened.
    if (signal?.aborted === true) onAbort();
    socket.once('error', onRefused);
    socket.once('connect', () => {
      socket.off('error', onRefused);
      if (stream === undefined) start();
    });
  });
}

function tellProgress(session: SendSession, size: bigint, onProgress: (sent: bigint, size: bigint) => void): void {
  const tell = (sent: bigint): void => {
    try {
      onProgress(sent, size);
    } catch (cause) {
      const error = listenerFailed('onProgress', cause);
      // Not from within its own event: the session has still to take the step that it tells of.
      queueMicrotask(() => session.abort(error));
    }
  };
  session.on('begun', () => tell(0n));
  session.on('progress', tell);
}

/** Lays TLS over a socket that is being connected to `host`. `ready` or `failed` is called once. */
type Securing = (
  socket: Socket,
  host: string,
  ready: () => void,
  failed: (error: GoAheadError) => void,
) => SecureStream;

async function securing({ tls = false }: SendOptions): Promise<Securing | undefined> {
  if (tls === false) return undefined;
  // Loaded for those who ask for it: it takes a tenth of the start of a process.
  const { clientContext, secureClientStream } = await import('./secure-stream.js');
  const { servername, ...files } = tls === true ? {} : tls;
  const context = clientContext(files);
  return (socket, host, ready, failed) => secureClientStream(socket, servername ?? host, context, ready, failed);
}

async function openSource(openFile: OpenFile, file: Sendable, { size, chunkSize }: SendOptions): Promise<Source> {
  if (typeof file === 'string') return openFile(file, chunkSize);
  if (file instanceof Uint8Array) return new MemorySource(file, chunkSize);
  if (size === undefined) {
    throw new GoAheadError('OPTION_INVALID', 'a stream needs a size: it is announced before the first byte', {
      expected: 'the option `size`, in bytes',
      actual: 'none',
    });
  }
  return new StreamSource(file, size, chunkSize);
}

/** Callers without types may pass anything. */
function requireSendable(file: unknown): void {
  if (typeof file === 'string' || file instanceof Uint8Array) return;
  if (typeof file === 'object' && file !== null && Symbol.asyncIterator in file) return;
  const expected = 'a path as a string, bytes as a Uint8Array, or a stream or another async iterable of bytes';
  const actual = Object.prototype.toString.call(file).slice('[object '.length, -1);
  throw new GoAheadError('OPTION_INVALID', `what is sent must be ${expected}, not ${printable(actual)}`, {
    expected,
    actual,
  });
}

function defaultName(file: Sendable): string {
  if (typeof file === 'string') return basename(file);
  throw new GoAheadError('OPTION_INVALID', 'bytes and streams need a name', {
    expected: 'the option `name`',
    actual: 'none',
  });
}

function isRepeatable(file: Sendable): boolean {
  return typeof file === 'string' || file instanceof Uint8Array;
}

function requirePort(port = DEFAULT_PORT): void {
  if (Number.isInteger(port) && port > 0 && port < 65_536) return;
  throw new GoAheadError('OPTION_INVALID', `${port} is not a port`, {
    expected: 'a whole number from 1 to 65,535',
    actual: String(port),
  });
}

function retrying({ onRetry }: SendOptions, error: GoAheadError, attempt: number): void {
  try {
    onRetry?.(error, attempt);
  } catch (cause) {
    throw listenerFailed('onRetry', cause);
  }
}

function listenerFailed(name: string, cause: unknown): GoAheadError {
  return toGoAheadError(cause, 'INTERNAL', `the callback ${name} failed`);
}

function wait(ms: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((waited, aborted) => {
    const onAbort = (): void => {
      timer.cancel();
      aborted(abortError(signal));
    };
    const timer = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      waited();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  });
}

function abortError(signal: AbortSignal | undefined): GoAheadError {
  return new GoAheadError('ABORTED', 'the transfer was aborted', { cause: signal?.reason });
}

function connectTimedOut(host: string, port: number, ms: number): GoAheadError {
  return new GoAheadError('CONNECT_TIMEOUT', `no connection to ${formatAddress(host, port)} within ${ms} ms`, {
    expected: `a connection within ${ms} ms`,
    actual: 'no answer',
  });
}

const WHY_NOT_CONNECTED: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there; is the server running?'],
  ['ECONNRESET', 'it was reset at once; the server may serve as many as it can'],
  ['ENOTFOUND', 'the host is not known'],
  ['EAI_AGAIN', 'the host is not known'],
]);

function connectFailed(host: string, port: number, cause: Error): GoAheadError {
  const code = systemCode(cause);
  const reason = WHY_NOT_CONNECTED.get(code) ?? messageOf(cause);
  return new GoAheadError('CONNECT_FAILED', `cannot connect to ${formatAddress(host, port)}: ${reason}`, {
    expected: 'a connection',
    actual: code,
    cause,
  });
}
