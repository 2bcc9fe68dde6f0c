import { systemCode } from '../cause.js';
import { GoAheadError } from '../errors.js';
import { formatAddress } from './address.js';

export function listenError(host: string, port: number, cause: unknown): GoAheadError {
  const code = systemCode(cause);
  const advice =
    code === 'EADDRINUSE'
      ? 'the port is in use; choose another, or 0 for a free one'
      : code === 'EACCES'
        ? 'you may not listen on that port; choose one above 1023'
        : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
          ? 'the host is not an address of this machine'
          : String(cause);
  return new GoAheadError('LISTEN_FAILED', `cannot listen on ${formatAddress(host, port)}: ${advice}`, { cause });
}
