import { getSystemErrorName } from 'node:util';
import type { Transport } from '../session/transport.js';
import type { MaybePromise } from '../maybe-promise.js';
import type { DeliveredClose } from './delivered-close.js';
import { DirectReader, type Fed } from './direct-reader.js';
import { peerIsGone } from './peer-name.js';
import type { ReadBuffers } from './read-buffers.js';
import type { ConnectionListener } from './socket-transport.js';
import { END_OF_STREAM, type StreamInternals, type TcpHandle } from './stream-internals.js';

type Listener = Fed & Omit<ConnectionListener, 'receive'>;

/**
 * A TCP connection without `net.Socket`: for a small file, making that and its two streams costs more than all the rest. It
 * behaves as a socket does with `SocketTransport`: half-open, and closed when the session says so or the connection is lost.
 */
export class HandleConnection implements Transport {
  readonly #handle: TcpHandle;
  readonly #internals: StreamInternals;
  /** Closes with care; undefined where that is not needed. */
  readonly #deliveredClose: DeliveredClose | undefined;
  readonly #peer: { address?: string; port?: number } = {};
  readonly #closeListeners: (() => void)[] = [];
  #session: Listener | undefined;
  #reader: DirectReader | undefined;
  /** FIN has come. */
  #finReceived = false;
  /** FIN is sent, or will be after what is being written. */
  #finSent = false;
  #destroyed = false;
  #error: Error | undefined;

  constructor(handle: TcpHandle, internals: StreamInternals, deliveredClose: DeliveredClose | undefined) {
    this.#handle = handle;
    this.#internals = internals;
    this.#deliveredClose = deliveredClose;
    // As long as it is known.
    handle.getpeername(this.#peer);
  }

  get remoteAddress(): string | undefined {
    return this.#peer.address;
  }

  get remotePort(): number | undefined {
    return this.#peer.port;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  once(_event: 'close', listener: () => void): void {
    this.#closeListeners.push(listener);
  }

  /** Begins to read, into pooled buffers. */
  feed(session: Listener, buffers: ReadBuffers): void {
    const reader = new DirectReader(buffers);
    this.#session = session;
    this.#reader = reader;
    reader.feed(session);
    this.#handle.onread = () => this.#read(reader, session);
    this.#handle.useUserBuffer(reader.buffer);
    this.resume();
  }

  #read(reader: DirectReader, session: Listener): Uint8Array | undefined {
    const length = this.#internals.lastRead();
    if (this.#destroyed || length === 0) return undefined;
    if (length > 0) {
      reader.read(length);
      return reader.buffer;
    }
    if (length !== END_OF_STREAM) {
      this.#lose('read', length);
      return undefined;
    }
    this.#finReceived = true;
    // See `wasReset` in socket-transport.ts.
    if (!this.#finSent && peerIsGone(this.#handle) === true) session.lost();
    else session.end();
    return undefined;
  }

  write(bytes: Uint8Array): MaybePromise<void> {
    if (this.#destroyed) return;
    const request = this.#internals.writeRequest();
    const status = this.#handle.writeBuffer(request, bytes);
    if (status !== 0) {
      this.#lose('write', status);
      return;
    }
    if (!this.#internals.lastWriteIsLater()) return;
    request.bytes = bytes;
    return new Promise((free) => {
      request.oncomplete = (failed) => {
        if (failed !== 0) this.#lose('write', failed);
        free();
      };
    });
  }

  end(): void {
    this.#sendFin(() => undefined);
  }

  close(deliveredClose = this.#deliveredClose): void {
    this.#sendFin(() => {
      if (this.#destroyed) return;
      if (deliveredClose === undefined) this.destroy();
      else deliveredClose.close(this.#handle, () => this.destroy());
    });
  }

  #sendFin(sent: () => void): void {
    if (this.#destroyed) return;
    if (this.#finSent) {
      sent();
      return;
    }
    this.#finSent = true;
    const request = this.#internals.shutdownRequest();
    // Where that fails nobody is there who could miss it.
    request.oncomplete = sent;
    if (this.#handle.shutdown(request) !== 0) sent();
  }

  reset(): void {
    if (this.#destroyed) return;
    // SO_LINGER of zero, then close (uv_tcp_close_reset). After a FIN there is no reset.
    if (this.#handle.reset(() => this.#closed()) !== 0) this.destroy();
    else this.#destroyed = true;
  }

  pause(): void {
    if (!this.#destroyed) this.#handle.readStop();
  }

  resume(): void {
    if (this.#destroyed || this.#finReceived) return;
    const status = this.#handle.readStart();
    if (status !== 0) this.#lose('read', status);
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#handle.close(() => this.#closed());
  }

  #lose(call: string, status: number): void {
    if (this.#destroyed) return;
    this.#error = systemError(call, status);
    this.destroy();
  }

  #closed(): void {
    this.#reader?.close();
    this.#session?.lost(this.#error);
    for (const listener of this.#closeListeners) listener();
  }
}

/** As Node makes them for its sockets. */
function systemError(syscall: string, errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { errno, code, syscall });
}
