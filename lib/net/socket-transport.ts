import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { MaybePromise } from '../storage/maybe-promise.js';
import type { Transport } from '../session/transport.js';

/** What both sessions want to hear of a connection. */
export interface ConnectionListener {
  receive(chunk: Uint8Array): MaybePromise<void>;
  end(): void;
  lost(cause?: unknown): void;
}

/** Tells a session how its connection ends. A reader tells it of the bytes: {@link readPlainly} or `readDirectly`. */
export function listenToEnd(socket: Duplex, session: ConnectionListener): void {
  let error: Error | undefined;
  socket.on('end', () => {
    if (wasReset(socket)) session.lost(error);
    else session.end();
  });
  socket.on('error', (cause: Error) => (error = cause));
  // After an orderly end this is no news to the session.
  socket.on('close', () => session.lost(error));
}

/**
 * Where bytes and a reset come in the same moment, libuv hands on the bytes and then an end instead of the error
 * (`uv__stream_io`, "short-circuit iff POLLHUP"). After a real end the peer of a socket whose own side is open still has
 * a name (getpeername(2)); after a reset it has none. Node keeps a name once asked for, so this must be the first time.
 */
function wasReset(socket: Duplex): boolean {
  return socket instanceof Socket && !socket.writableEnded && !socket.destroyed && socket.remoteAddress === undefined;
}

/** Reads by way of stream events: a buffer from Node for each chunk, and so nothing to give back. */
export function readPlainly(socket: Duplex, session: ConnectionListener): void {
  socket.on('data', (chunk: Buffer) => void session.receive(chunk));
}

/** A session's transport on a socket, or on any other duplex stream (TLS, a pipe, a test). */
export class SocketTransport implements Transport {
  readonly #socket: Duplex;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  write(bytes: Uint8Array): MaybePromise<void> {
    // The callback comes with an error when the connection is lost, and that is as good a moment to free the memory.
    return new Promise((free) => this.#socket.write(bytes, () => free()));
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    const socket = this.#socket;
    if (!socket.destroyed) socket.end(() => socket.destroy());
  }

  reset(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // SO_LINGER of zero, then close (uv_tcp_close_reset). Other streams have no RST: they break off.
    if (socket instanceof Socket && socket.remoteAddress !== undefined) socket.resetAndDestroy();
    else socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
