import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { makeCertificates, type Certificates } from './certificates.js';
import { Peer, type ScriptedServer } from './support.js';

/** The raw peers of `support.ts`, each with TLS by hand on its socket. */

let made: Certificates | undefined;

/** One set for all cases of a spec. */
export function certificates(): Certificates {
  return (made ??= makeCertificates(t));
}

/**
 * TLS tells its end by close_notify, and just alike when what is below ends. Here the two are told apart: an end without
 * close_notify comes with or after the end below, one with it before.
 */
class Below extends Duplex {
  over = false;
  readonly #tcp: Socket;

  constructor(tcp: Socket) {
    super({ allowHalfOpen: true });
    this.#tcp = tcp;
    tcp.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) tcp.pause();
    });
    tcp.on('end', () => {
      this.over = true;
      this.push(null);
    });
    tcp.on('error', (error) => this.destroy(error));
    tcp.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#tcp.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#tcp.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#tcp.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#tcp.destroy();
    done(error);
  }
}

function peerOn(tcp: Socket, secure: (below: Duplex) => TLSSocket): Peer {
  const below = new Below(tcp);
  return new Peer(secure(below), tcp, () => below.over);
}

/** A sender: settles after the handshake, or when the receiver ends the connection instead. */
export async function connectSecurePeer(t: Test, port: number): Promise<Peer> {
  const tcp = connectTcp({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  t.teardown(() => tcp.destroy());
  await once(tcp, 'connect');
  const peer = peerOn(tcp, (socket) => connect({ socket, ca: certificates().ca.cert, host: '127.0.0.1' }));
  await Promise.race([new Promise((done) => peer.socket.once('secureConnect', done)), peer.ended]);
  return peer;
}

/** A receiver written by hand: each connection runs the script after its handshake. */
export async function secureScriptedServer(
  t: Test,
  script: (peer: Peer, index: number) => Promise<void> | void,
): Promise<ScriptedServer> {
  const { cert, key } = certificates().server;
  const secureContext = createSecureContext({ cert, key });
  const peers: Peer[] = [];
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (tcp) => {
    const peer = peerOn(tcp, (below) => new TLSSocket(below, { isServer: true, secureContext }));
    server.open += 1;
    server.mostOpen = Math.max(server.mostOpen, server.open);
    tcp.on('close', () => (server.open -= 1));
    const index = peers.push(peer) - 1;
    peer.socket.once('secure', () => void script(peer, index));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const server: ScriptedServer = {
    port: (listener.address() as AddressInfo).port,
    peers,
    open: 0,
    mostOpen: 0,
    listener,
  };
  t.teardown(() => {
    for (const { tcp } of peers) tcp.destroy();
    listener.close();
  });
  return server;
}
