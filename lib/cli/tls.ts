import { readFile } from 'node:fs/promises';
import { messageOf } from '../cause.js';
import { GoAheadError } from '../errors.js';
import type { ClientTlsOptions, ServerTlsOptions } from '../net/secure-stream.js';

export interface TlsFlags {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsCa?: string | undefined;
}

/** What is wrong with TLS options that are right one by one. */
export function checkServeTls({ tlsCert, tlsKey, tlsCa }: TlsFlags): string | undefined {
  if (tlsCert === undefined && tlsKey !== undefined) return '--tls-key needs --tls-cert';
  if (tlsCert !== undefined && tlsKey === undefined) return '--tls-cert needs --tls-key';
  return tlsCa !== undefined && tlsCert === undefined ? '--tls-ca needs --tls-cert and --tls-key' : undefined;
}

export function checkSendTls(flags: TlsFlags & { readonly tls?: boolean }): string | undefined {
  const { tls = false, tlsCert, tlsKey, tlsCa } = flags;
  // Without it the file would go out in the clear.
  if (!tls && [tlsCert, tlsKey, tlsCa].some((file) => file !== undefined)) {
    return '--tls-ca, --tls-cert and --tls-key need --tls';
  }
  return checkServeTls({ tlsCert, tlsKey });
}

/** @throws GoAheadError `OPTION_INVALID` when a file cannot be read, or is not what it should be */
export async function readServerTls({ tlsCert, tlsKey, tlsCa }: TlsFlags): Promise<ServerTlsOptions | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const [cert, key, ca] = await Promise.all([read(tlsCert), read(tlsKey), read(tlsCa)]);
  const tls = { cert, key, ca };
  const { serverContext } = await import('../net/secure-stream.js');
  serverContext(tls);
  return tls;
}

/** @throws GoAheadError `OPTION_INVALID` as above */
export async function readClientTls({ tlsCert, tlsKey, tlsCa }: TlsFlags): Promise<ClientTlsOptions> {
  const [cert, key, ca] = await Promise.all([read(tlsCert), read(tlsKey), read(tlsCa)]);
  const tls = { cert, key, ca };
  const { clientContext } = await import('../net/secure-stream.js');
  clientContext(tls);
  return tls;
}

function read(path: string): Promise<Buffer>;
function read(path: string | undefined): Promise<Buffer | undefined>;
async function read(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new GoAheadError('OPTION_INVALID', `cannot read the TLS file ${path}: ${reason}`, {
      expected: 'a file in PEM that can be read',
      actual: reason,
      cause,
    });
  }
}
