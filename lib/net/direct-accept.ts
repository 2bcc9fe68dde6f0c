import { Socket, type OnReadOpts, type Server, type SocketConstructorOpts } from 'node:net';
import type { DirectReader } from './direct-reader.js';

/*
 * Reading into buffers of our own saves an allocation and a copy for each chunk. Node offers it (`onread` of `net.Socket`) for
 * sockets that one constructs, but `net.Server` constructs its own. So this file does once more what the server does when a
 * connection comes in: it makes a socket around the handle. It leans on three undocumented names: `_handle` of the server, its
 * `onconnection(status, handle)`, and the option `handle` of the socket. Where they are not as expected, for the server or
 * for one connection, Node goes on as if this file were not there, and the connection is read plainly.
 */

/** Hands the connections of a server that listens to `accept`, in place of its `connection` event, where that is possible. */
export function acceptDirectly(listener: Server, accept: (handle: object) => void): void {
  const handle: unknown = Reflect.get(listener, '_handle');
  if (!isObject(handle)) return;
  const accepted: unknown = Reflect.get(handle, 'onconnection');
  if (typeof accepted !== 'function') return;
  Reflect.set(handle, 'onconnection', function (this: unknown, status: unknown, client: unknown): void {
    // A failed accept has no handle, and is for the server to tell.
    if (isObject(client) && 'useUserBuffer' in client) accept(client);
    else Reflect.apply(accepted, this, [status, client]);
  });
}

/** A socket that reads into the reader's buffers. It reads from now on. */
export function directSocket(handle: object, reader: DirectReader): Socket {
  const options: SocketConstructorOpts & { readonly handle: object; readonly onread: OnReadOpts } = {
    handle,
    allowHalfOpen: true,
    onread: { buffer: () => reader.buffer, callback: (length) => reader.read(length) },
  };
  return new Socket(options);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
