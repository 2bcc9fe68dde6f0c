import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { MaybePromise } from '../maybe-promise.js';
import type { Transport } from '../session/transport.js';
import { handleOf, peerIsGone } from './peer-name.js';

/** What both sessions want to hear of a connection. */
export interface ConnectionListener {
  /** Bytes came; their memory is free again when the result has settled. */
  receive(chunk: Uint8Array): MaybePromise<void>;
  /** The peer closed its sending side (FIN). */
  end(): void;
  /** The connection is gone, also after an orderly end. */
  lost(cause?: unknown): void;
}

/** Tells a session how its connection ends. A reader tells it of the bytes: {@link readPlainly} or `readDirectly`. */
export function listenToEnd(socket: Duplex, session: Omit<ConnectionListener, 'receive'>): void {
  let error: Error | undefined;
  socket.on('end', () => {
    if (wasReset(socket)) session.lost();
    else session.end();
  });
  socket.on('error', (cause: Error) => (error = cause));
  // After an orderly end this is no news to the session.
  socket.on('close', () => session.lost(error));
}

/**
 * A reset that arrives together with bytes is told as an orderly end: libuv sees the hang-up after a short read and does
 * not ask for its cause (`uv__stream_io`, src/unix/stream.c). A reply and a reset would then make a receipt for an empty
 * file. But a connection that was reset has no peer any more (getpeername(2), ENOTCONN). After our own FIN an orderly end
 * leaves none either; nothing is read together with a reset then, and it comes as an error.
 */
function wasReset(socket: Duplex): boolean {
  if (!(socket instanceof Socket) || 'encrypted' in socket || socket.writableFinished || socket.destroyed) return false;
  return peerIsGone(socket) === true;
}

/** Reads by way of stream events: a buffer from Node for each chunk, and so nothing to give back. */
export function readPlainly(socket: Duplex, session: ConnectionListener): void {
  socket.on('data', (chunk: Buffer) => void session.receive(chunk));
}

/** A session's transport on a socket, or on any other duplex stream (TLS, a pipe, a test). */
export class SocketTransport implements Transport {
  readonly #socket: Duplex;
  readonly #connection: Duplex;

  /**
   * @param connection the TCP socket under `socket`, where there is one: what a reset resets. Without it a TLS stream
   *   breaks off, which Node's TLS at the other end does not tell from an orderly end: a receiver that fails after the
   *   last byte would seem to confirm it (8.2).
   */
  constructor(socket: Duplex, connection: Duplex = socket) {
    this.#socket = socket;
    this.#connection = connection;
  }

  write(bytes: Uint8Array): MaybePromise<void> {
    // The callback comes with an error when the connection is lost, and that is as good a moment to free the memory.
    return new Promise((free) => this.#socket.write(bytes, () => free()));
  }

  /** Less what waits in libuv; its name is not documented, but `setTimeout` of a socket rests on it. */
  taken(): number | undefined {
    const connection = this.#connection;
    const handle = handleOf(connection);
    const waiting: unknown = handle && Reflect.get(handle, 'writeQueueSize');
    return connection instanceof Socket && typeof waiting === 'number' ? connection.bytesWritten - waiting : undefined;
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // To end it once more would make an error first: with its stack trace it was an eighth of what a small file cost.
    if (socket.writableFinished) socket.destroy();
    else socket.end(() => socket.destroy());
  }

  reset(): void {
    const [socket, connection] = [this.#socket, this.#connection];
    // SO_LINGER of zero, then close (uv_tcp_close_reset). Other streams have no RST: they break off.
    if (isTcp(connection)) connection.resetAndDestroy();
    socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

/** What is connected by TCP itself: `resetAndDestroy` throws for pipes and for TLS. */
function isTcp(stream: Duplex): stream is Socket {
  return (
    stream instanceof Socket && !('encrypted' in stream) && !stream.destroyed && stream.remoteAddress !== undefined
  );
}
