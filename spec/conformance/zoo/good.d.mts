import type { ConformServerOptions } from '../../../lib/conformance/index.js';
import type { Report } from '../../../lib/conformance/index.js';

export interface Peer {
  readonly profile: 'classic' | 'full';
  readonly oneRecv?: boolean;
}
/** Those that need no compiler. */
export type PeerName = 'zoo, without a defect' | 'Python, threads' | 'Python, 1,024-byte buffers';
export type Network = 'chop' | 'chop-body' | 'coalesce' | 'delay';

export const GOOD_SERVERS: Readonly<Record<PeerName, Peer>>;
export const GOOD_CLIENTS: Readonly<Record<PeerName, Peer>>;
export function modeFor(peer: Peer, mode: Network): Network;
export function goodOptions(
  role: 'server' | 'client',
  peer: Peer,
  mode: Network | null,
): Pick<ConformServerOptions, 'profile' | 'declared' | 'skip'> & { readonly exec: string };
export function falseFailures(report: Report): string[];
