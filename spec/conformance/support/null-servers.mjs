/** Servers that implement nothing. No case at all may pass on any of them. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';

const GO_AHEAD = Buffer.from('676f206168656164', 'hex');

export const NULL_SERVERS = {
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
export async function listen(behaviour) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    behaviour(socket);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: server.address().port, close };
}
