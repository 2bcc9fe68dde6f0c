import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { GoAheadError } from '../../lib/errors.js';
import { createServer } from '../../lib/net/create-server.js';
import type { Server } from '../../lib/net/server.js';
import type { IncomingUpload } from '../../lib/net/server-events.js';
import type { ServerOptions } from '../../lib/net/server-options.js';
import type { Storage, Stored } from '../../lib/storage/storage.js';
import { noOpenssl } from './certificates.js';
import { certificates, connectSecurePeer } from './secure-peer.js';
import { connectPeer, GO_AHEAD, type Peer } from './support.js';
import { until } from '../support/until.js';
import { ManualClock } from '../support/manual-clock.js';

export interface Seen {
  readonly kind: 'begun' | 'progress' | 'stored' | 'failed';
  readonly upload: IncomingUpload;
  readonly stored?: Stored;
  readonly error?: GoAheadError;
}

/** A server on a free port, everything it tells, and where it stores. */
export interface Rig {
  readonly server: Server;
  readonly port: number;
  readonly clock: ManualClock;
  readonly directory: string;
  /** Where it was made with one. */
  readonly storage: Storage | undefined;
  readonly way: Way;
  readonly seen: Seen[];
  /** `begun`, `stored` and `failed`, in order. */
  kinds(): string[];
  connect(): Promise<Peer>;
  /** Every name in the directory, with its content. */
  files(): Map<string, Buffer>;
}

export type RigOptions = Omit<ServerOptions, 'directory' | 'directReads' | 'bareHandles'>;

/** How bytes reach a session: into pooled buffers, from a handle or a socket; by stream events, or through TLS. */
export type Way = 'direct reads' | 'direct reads of sockets' | 'plain reads' | 'TLS';
const WAYS: readonly Way[] = ['direct reads', 'direct reads of sockets', 'plain reads', 'TLS'];

export async function serverRig(t: Test, options: RigOptions, way: Way = 'direct reads'): Promise<Rig> {
  const directory = t.testdir({});
  const clock = new ManualClock();
  const place = options.storage === undefined ? { directory, sync: false } : {};
  const secure = way === 'TLS' ? { tls: { cert: certificates().server.cert, key: certificates().server.key } } : {};
  // What that takes, and does, has specs of its own.
  const parts = {
    clock,
    directReads: way !== 'plain reads',
    bareHandles: way === 'direct reads',
    resetIfKilled: false,
  };
  const server = createServer({ ...place, ...parts, ...secure, ...options });
  const seen: Seen[] = [];
  server.on('begun', (upload) => seen.push({ kind: 'begun', upload }));
  server.on('progress', (upload) => seen.push({ kind: 'progress', upload }));
  server.on('stored', (upload, stored) => seen.push({ kind: 'stored', upload, stored }));
  server.on('failed', (upload, error) => seen.push({ kind: 'failed', upload, error }));
  const { port } = await server.listen({ port: 0 });
  return {
    server,
    port,
    clock,
    directory,
    storage: options.storage,
    way,
    seen,
    kinds: () => seen.map(({ kind }) => kind).filter((kind) => kind !== 'progress'),
    connect: () => (way === 'TLS' ? connectSecurePeer(t, port) : connectPeer(t, port)),
    files: () => new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))])),
  };
}

/** Runs a case in every way: what is seen from outside must be the same. */
export function everyWay(
  name: string,
  options: RigOptions | (() => RigOptions),
  body: (t: Test, rig: Rig) => Promise<void>,
): void {
  for (const way of WAYS) {
    t.test(`${name} (${way})`, { skip: way === 'TLS' && noOpenssl }, async (t) => {
      const rig = await serverRig(t, typeof options === 'function' ? options() : options, way);
      const { server } = rig;
      await body(t, rig);
      await server.close({ drain: 0 });
      t.equal(server.connections, 0, 'no connection is left');
      t.equal(server.bufferedBytes, 0, 'every read buffer is back');
      t.equal(rig.clock.armed(), 0, 'no timer is left');
    });
  }
}

/** A whole transfer as a conforming sender does it. */
export async function upload(peer: Peer, header: Uint8Array, body: Uint8Array): Promise<void> {
  await peer.write(header);
  await peer.has(GO_AHEAD.length);
  await peer.write(body);
  peer.fin();
}

export function isOver(rig: Rig, count = 1): Promise<void> {
  return until(() => rig.seen.filter(({ kind }) => kind === 'stored' || kind === 'failed').length >= count);
}
