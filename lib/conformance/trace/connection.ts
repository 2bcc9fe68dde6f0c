/** The log of one connection with its bytes, as a trace needs it. */
import type { BytesEntry, WireEntry } from '../exchange/wire.js';

export interface TracedConnection {
  readonly label: string;
  readonly log: readonly WireEntry[];
}

/** The bytes of an entry; what was not kept is filled with zeros, so that lengths are right. */
export function bytesOf({ bytes, length }: BytesEntry): Buffer {
  return bytes === undefined ? Buffer.alloc(length) : Buffer.from(bytes, 'base64');
}

/** How many of the bytes that were sent are not in the trace. */
export function bytesLost(connections: readonly TracedConnection[]): number {
  const lost = connections.flatMap(({ log }) =>
    log.flatMap((entry) => (entry.event === 'sent' && entry.bytes === undefined ? entry.length : [])),
  );
  return lost.reduce((sum, length) => sum + length, 0);
}

/** From when to when it was in use, in ms since 1970. */
export function spanOf({ log }: TracedConnection): { readonly from: number; readonly to: number } {
  return { from: log[0]?.time ?? 0, to: log.at(-1)?.time ?? 0 };
}
