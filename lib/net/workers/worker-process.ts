import cluster from 'node:cluster';
import { GoAheadError, toGoAheadError } from '../../errors.js';
import { Server } from '../server.js';
import { Lease } from './lease.js';
import { LeasedSlots, LeasedSpace } from './leased.js';
import { SPACE_BLOCK } from './ledger.js';
import {
  fromPlainError,
  toPlainError,
  type Resource,
  type ToPrimary,
  type ToWorker,
  type WorkerOptions,
} from './messages.js';
import { Reports } from './reports.js';

const { worker } = cluster;
if (worker === undefined) throw new GoAheadError('INTERNAL', 'this file is run by node:cluster only');

/** Settles when the message is on its way, or never can be. */
function send(message: ToPrimary): Promise<void> {
  return new Promise((sent) => {
    if (process.send === undefined || !process.connected) sent();
    else process.send(message, undefined, undefined, () => sent());
  });
}

function leaseOf(resource: Resource, mostIdle: bigint): Lease {
  return new Lease(
    {
      ask: (need, held) => void send({ type: 'lease', resource, need, held }),
      returned: (held, recalled) => void send({ type: 'held', resource, held, recalled }),
    },
    mostIdle,
  );
}

const leases: Readonly<Record<Resource, Lease>> = {
  space: leaseOf('space', 2n * SPACE_BLOCK),
  connections: leaseOf('connections', 64n),
};
const reports = new Reports((events) => {
  const { connections = 0, bufferedBytes = 0 } = server ?? {};
  return send({ type: 'report', events, connections, bufferedBytes });
});
const slots = new LeasedSlots(leases.connections, () => reports.changed());
let server: Server | undefined;
let progressWanted = false;
let leaving = false;

async function start(options: WorkerOptions, host: string, port: number): Promise<void> {
  try {
    server = new Server({ ...options, slots, space: new LeasedSpace(leases.space) });
    report(server);
    await server.listen({ host, port });
    await send({ type: 'listening' });
  } catch (reason) {
    if (leaving) return;
    await send({ type: 'start failed', error: toPlainError(toGoAheadError(reason, 'INTERNAL', 'cannot start')) });
    process.exit(1);
  }
}

const onProgress = reports.progress.bind(reports);

function report(from: Server): void {
  from.on('begun', (upload) => reports.add({ kind: 'begun', upload }));
  from.on('stored', (upload, stored) => reports.add({ kind: 'stored', upload, stored }));
  from.on('failed', (upload, error) => reports.add({ kind: 'failed', upload, error: toPlainError(error) }));
  from.on('error', (error) => reports.add({ kind: 'error', error: toPlainError(error) }));
  if (progressWanted) from.on('progress', onProgress);
}

/** Ends the process when the server is closed and the primary has heard all of it. */
function leave(drain: number): void {
  const again = leaving;
  leaving = true;
  const closed = server?.close({ drain }) ?? Promise.resolve();
  if (again) return;
  void closed.then(() => reports.flush()).finally(() => process.exit());
}

worker.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'start':
      progressWanted = message.progress;
      void start(message.options, message.host, message.port);
      return;
    case 'progress':
      if (message.wanted !== progressWanted) server?.[message.wanted ? 'on' : 'off']('progress', onProgress);
      progressWanted = message.wanted;
      return;
    case 'granted':
      leases[message.resource].granted(message.amount);
      return;
    case 'denied':
      leases[message.resource].denied({ error: message.error && fromPlainError(message.error) });
      return;
    case 'recall':
      leases[message.resource].recall();
      return;
    case 'close':
      leave(message.drain);
  }
});

worker.on('disconnect', () => {
  // The primary is gone. node:cluster would end this process now, and the kernel would close its connections in an orderly
  // way: a receipt for whoever has just sent its last byte. They are reset first, and their files removed.
  worker.exitedAfterDisconnect = true;
  const error = new GoAheadError('ABORTED', 'the primary process of the server is gone');
  for (const lease of Object.values(leases)) lease.end({ error });
  leave(0);
});

void send({ type: 'ready' });
