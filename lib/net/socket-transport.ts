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
  socket.on('end', () => session.end());
  socket.on('error', (cause: Error) => (error = cause));
  // After an orderly end this is no news to the session.
  socket.on('close', () => session.lost(error));
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
