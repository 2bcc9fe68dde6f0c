import type { Socket } from 'node:net';

/**
 * Whether the kernel knows of no peer any more (getpeername(2), ENOTCONN): the connection was reset, or both ends have the FIN
 * of the other. Undefined where it cannot be asked. `remoteAddress` remembers the answer of earlier, so the handle is asked,
 * which is not documented.
 */
export function peerIsGone(socket: Socket): boolean | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return undefined;
  const getpeername: unknown = Reflect.get(handle, 'getpeername');
  return typeof getpeername === 'function' ? Reflect.apply(getpeername, handle, [{}]) !== 0 : undefined;
}
