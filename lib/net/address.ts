/** The customary port of the protocol. */
export const DEFAULT_PORT = 12000;

/** `host:port`, with brackets around an IPv6 address (RFC 3986, 3.2.2). */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
