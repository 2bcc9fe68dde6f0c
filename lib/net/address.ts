import type { AddressInfo, Server } from 'node:net';
import { GoAheadError } from '../errors.js';
import { optionInvalid } from '../option.js';

/** The customary port of the protocol. */
export const DEFAULT_PORT = 12000;

/** `host:port`, with brackets around an IPv6 address (RFC 3986, 3.2.2). */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Without one, Node would listen on every interface; callers without types may pass anything. @throws GoAheadError `OPTION_INVALID` */
export function requireHost(host: unknown): void {
  if (typeof host === 'string' && host !== '') return;
  throw optionInvalid('host', 'an address, such as 127.0.0.1, or 0.0.0.0 for all', String(host));
}

/**
 * Of a listener for TCP.
 *
 * @throws GoAheadError `LISTEN_FAILED` when it does not listen
 */
export function addressOf(listener: Server): AddressInfo {
  const address = listener.address();
  // Text would be the path of a pipe, and none of ours listens on one.
  if (address === null || typeof address === 'string') {
    throw new GoAheadError('LISTEN_FAILED', 'the server is not listening');
  }
  return address;
}
