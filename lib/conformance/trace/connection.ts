/** The log of one connection with its bytes, as a trace needs it. */
import type { WireEntry } from '../wire.js';

export interface TracedConnection {
  readonly label: string;
  readonly log: readonly WireEntry[];
}

/** The bytes of an entry; what was not kept is filled with zeros, so that lengths are right. */
export function bytesOf(entry: WireEntry): Buffer {
  const { bytes, length = 0 } = entry;
  return bytes === undefined ? Buffer.alloc(length) : Buffer.from(bytes, 'base64');
}

/** How many of the bytes that were sent are not in the trace. */
export function bytesLost(connections: readonly TracedConnection[]): number {
  const sent = connections.flatMap(({ log }) => log.filter(({ event }) => event === 'sent'));
  return sent.reduce((sum, { bytes, length = 0 }) => sum + (bytes === undefined ? length : 0), 0);
}

/** From when to when it was in use, in ms since 1970. */
export function spanOf({ log }: TracedConnection): { readonly from: number; readonly to: number } {
  return { from: log[0]?.time ?? 0, to: log.at(-1)?.time ?? 0 };
}
