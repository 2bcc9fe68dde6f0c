import { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { messageOf } from '../cause.js';
import { GoAheadError } from '../errors.js';
import { listenToEnd, readPlainly, type ConnectionListener } from './socket-transport.js';

type Pem = string | Buffer;

/** For a server: its certificate, and whom it lets in. All in PEM. */
export interface ServerTlsOptions {
  readonly cert: Pem;
  readonly key: Pem;
  /** Only clients with a certificate of this authority get in. Without it everybody does. */
  readonly ca?: Pem | undefined;
}

/** For a client: whom it trusts, and who it is. All in PEM. */
export interface ClientTlsOptions {
  /** Trusted in place of the authorities that Node knows. */
  readonly ca?: Pem | undefined;
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
  /** The name that the server's certificate must have. Default the host that is connected to. */
  readonly servername?: string | undefined;
}

/** @throws GoAheadError `OPTION_INVALID` when something is missing or no such thing, or certificate and key are no pair */
export function serverContext({ cert, key, ca }: ServerTlsOptions): SecureContext {
  // From JavaScript either may be missing, and every handshake would fail.
  if (!isPem(cert) || !isPem(key)) throw unusable('certificate and key', 'a server needs both');
  return secureContext({ cert, key, ca });
}

/** @throws GoAheadError `OPTION_INVALID` as above */
export function clientContext({ cert, key, ca }: ClientTlsOptions): SecureContext {
  if ((cert === undefined) !== (key === undefined))
    throw unusable('certificate and key', 'one is nothing without the other');
  return secureContext({ cert, key, ca });
}

function secureContext({ cert, key, ca }: ClientTlsOptions): SecureContext {
  // Node passes over an authority that is none, and for an empty string takes all those it knows: a server would let in
  // whoever has a certificate of any.
  if (ca !== undefined) attempt('authority', () => new X509Certificate(ca));
  if (cert !== undefined) attempt('certificate', () => new X509Certificate(cert));
  return attempt('certificate or key', () =>
    createSecureContext({
      cert,
      key,
      ca,
      minVersion: 'TLSv1.2',
      // Without one, a client that resumes its session is turned away when certificates are asked for
      // (SSL_CTX_set_session_id_context(3)).
      sessionIdContext: 'go-ahead',
    }),
  );
}

function isPem(pem: unknown): boolean {
  return typeof pem === 'string' || pem instanceof Uint8Array;
}

function attempt<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw unusable(what, reasonOf(cause), cause);
  }
}

function unusable(what: string, reason: string, cause?: unknown): GoAheadError {
  return new GoAheadError('OPTION_INVALID', `the TLS ${what} cannot be used: ${reason}`, {
    expected: 'a certificate, its key, and authorities, in PEM',
    actual: reason,
    cause,
  });
}

/**
 * The bytes of a connection on their way to TLS. It is there for its `over`: TLS ends a stream at the peer's close_notify and,
 * just alike, at the end of the connection below. Without the first the end is anybody's who can cut the connection
 * (RFC 8446, 6.1), and must not pass for a receipt.
 */
class Ciphertext extends Duplex {
  readonly #connection: Socket;
  over = false;

  constructor(connection: Socket) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
    connection.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) connection.pause();
    });
    connection.on('end', () => this.push(null));
    connection.on('error', (error) => this.destroy(error));
    connection.on('close', () => this.destroy());
    // The first listener, and so before TLS hears of it.
    this.on('end', () => (this.over = true));
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#connection.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#connection.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection.destroy();
    done(error);
  }
}

export interface SecureStream {
  readonly socket: TLSSocket;
  /** Once, when the peer has proved who it is: tells the session of bytes and of the end from then on. */
  attach(session: ConnectionListener): void;
}

/** The receiving end. `ready` or `failed` is called once; before `ready` nothing of what comes can be trusted. */
export function secureServerStream(
  connection: Socket,
  context: SecureContext,
  requestCert: boolean,
  ready: () => void,
  failed: (error: GoAheadError) => void,
): SecureStream {
  const ciphertext = new Ciphertext(connection);
  const endedEarly = (): void => failed(handshakeFailed(new Error('the connection ended during the handshake')));
  ciphertext.once('end', endedEarly);
  const socket = new TLSSocket(ciphertext, {
    isServer: true,
    secureContext: context,
    requestCert,
    rejectUnauthorized: true,
  });
  const onError = (cause: Error): void => failed(handshakeFailed(cause));
  socket.once('secure', () => {
    ciphertext.off('end', endedEarly);
    // From here on an error is the session's.
    socket.off('error', onError);
    const error = requestCert ? verifyError(socket) : undefined;
    if (error === undefined) ready();
    else failed(handshakeFailed(error));
  });
  socket.once('error', onError);
  return secureStream(socket, ciphertext);
}

/** The sending end: as above, on a socket that is being connected. The certificate must be one of `host`. */
export function secureClientStream(
  connection: Socket,
  host: string,
  context: SecureContext,
  ready: () => void,
  failed: (error: GoAheadError) => void,
): SecureStream {
  const ciphertext = new Ciphertext(connection);
  // An address is not allowed as a server name (RFC 6066, section 3); it is verified all the same, by way of `host`.
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = connect({ socket: ciphertext, secureContext: context, host, ...servername });
  const onError = (cause: Error): void => failed(handshakeFailed(cause));
  socket.once('secureConnect', () => {
    // In TLS 1.3 the server judges our certificate only after this; the alert comes as an error of OpenSSL.
    socket.off('error', onError);
    socket.on('error', (cause: Error) => {
      if ('library' in cause) failed(handshakeFailed(cause));
    });
    ready();
  });
  socket.once('error', onError);
  return secureStream(socket, ciphertext);
}

function secureStream(socket: TLSSocket, ciphertext: Ciphertext): SecureStream {
  let truncated: boolean | undefined;
  const push = socket.push.bind(socket);
  // The only moment that tells the two ends apart: when TLS ends the stream, is there still something below? After a
  // close_notify it says so again at the end below.
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null) truncated ??= ciphertext.over;
    return push(chunk, encoding);
  };
  return {
    socket,
    attach(session) {
      const end = (): void => {
        if (truncated !== false) session.lost(new Error('the TLS stream was cut off: it ended without close_notify'));
        else session.end();
      };
      listenToEnd(socket, { end, lost: (cause) => session.lost(cause) });
      readPlainly(socket, session);
    },
  };
}

/**
 * Whether the client's certificate is of the authority that was asked for. `tls.Server` asks the handle, since nothing that is
 * documented tells it of a socket that one makes; should the handle have no answer, nobody gets in.
 */
export function verifyError(socket: object): Error | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return new Error('the connection is gone');
  const verify: unknown = Reflect.get(handle, 'verifyError');
  if (typeof verify !== 'function')
    return new Error('this version of Node does not tell whether a certificate is good');
  const error: unknown = Reflect.apply(verify, handle, []);
  if (error === null || error === undefined) return undefined;
  return error instanceof Error ? error : new Error('the certificate is not trusted');
}

function handshakeFailed(cause: Error): GoAheadError {
  const reason = reasonOf(cause);
  return new GoAheadError('TLS_FAILED', `no secure connection: ${reason}`, {
    expected: 'a TLS handshake, and a certificate that is trusted',
    actual: reason,
    cause,
  });
}

/** OpenSSL's own words are in `reason`; around them `message` has its source file and line. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'reason' in cause && typeof cause.reason === 'string'
    ? cause.reason
    : messageOf(cause);
}
