/** What has, or is, the handle of a connection. */
export function handleOf(connection: object): object | undefined {
  const handle: unknown = '_handle' in connection ? Reflect.get(connection, '_handle') : connection;
  return typeof handle === 'object' && handle !== null ? handle : undefined;
}

/**
 * Whether the kernel knows of no peer any more (getpeername(2), ENOTCONN): the connection was reset, or both ends have the FIN
 * of the other. Undefined where it cannot be asked. `remoteAddress` of a socket remembers the answer of earlier, so the handle
 * is asked, which is not documented.
 */
export function peerIsGone(connection: object): boolean | undefined {
  const handle = handleOf(connection);
  const getpeername: unknown = handle && Reflect.get(handle, 'getpeername');
  return typeof getpeername === 'function' ? Reflect.apply(getpeername, handle, [{}]) !== 0 : undefined;
}
