/** Servers that implement nothing. No case at all may pass on any of them. */
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Report } from '../../../lib/conformance/index.js';

/** What no implementation of nothing may have: a pass, or a fault of the suite. */
export function wrongOf({ results }: Report): string[] {
  return results
    .filter(({ verdict }) => verdict === 'pass' || verdict === 'suite fault')
    .map(({ id, verdict, reason }) => `${verdict} ${id}: ${reason}`);
}

type Behaviour = (socket: Socket) => void;

const GO_AHEAD = Buffer.from('676f206168656164', 'hex');

export const NULL_SERVERS: Readonly<Record<string, Behaviour>> = {
  'accepts and closes': (socket) => socket.end(),
  'accepts and resets': (socket) => socket.resetAndDestroy(),
  'accepts and hangs': (socket) => socket.resume(),
  echoes: (socket) => socket.pipe(socket),
  'sends random bytes': (socket) => socket.on('data', () => socket.write(randomBytes(8))),
  'says go ahead at once and hangs': (socket) => socket.resume().write(GO_AHEAD),
  'says go ahead at once and closes': (socket) => socket.resume().end(GO_AHEAD),
  'says go ahead to everything': (socket) => socket.on('data', () => socket.write(GO_AHEAD)),
  'says go ahead to everything and closes': (socket) => socket.once('data', () => socket.end(GO_AHEAD)),
  'says go ahead once and swallows the rest': (socket) => socket.once('data', () => socket.write(GO_AHEAD)),
  'speaks HTTP': (socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')),
};

/** On an ephemeral port of the loopback. */
export async function listen(behaviour: Behaviour): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    behaviour(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, close };
}
