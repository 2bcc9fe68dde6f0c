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

/** A worker's end of the channel to its primary, as node:cluster has it. */
export interface WorkerChannel {
  isConnected(): boolean;
  send(message: ToPrimary, sent: () => void): unknown;
  on(event: 'message', listener: (message: ToWorker) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
  exitedAfterDisconnect: boolean;
}

/** Runs a server as its primary says, and tells the primary what happens. It speaks first. */
export class ServingWorker {
  readonly #channel: WorkerChannel;
  readonly #exit: (code: number) => void;
  readonly #leases: Readonly<Record<Resource, Lease>>;
  readonly #reports: Reports;
  readonly #slots: LeasedSlots;
  readonly #onProgress: Reports['progress'];
  #server: Server | undefined;
  /** Of the server, once there is one. */
  #figures: Pick<Server, 'connections' | 'bufferedBytes'> = { connections: 0, bufferedBytes: 0 };
  #progressWanted = false;
  #leaving = false;

  /** @param exit ends the process */
  constructor(channel: WorkerChannel, exit: (code: number) => void) {
    this.#channel = channel;
    this.#exit = exit;
    this.#leases = { space: this.#lease('space', 2n * SPACE_BLOCK), connections: this.#lease('connections', 64n) };
    this.#reports = new Reports((events) => {
      const { connections, bufferedBytes } = this.#figures;
      return this.#send({ type: 'report', events, connections, bufferedBytes });
    });
    this.#slots = new LeasedSlots(this.#leases.connections, () => this.#reports.changed());
    this.#onProgress = this.#reports.progress.bind(this.#reports);
    channel.on('message', (message) => this.#hear(message));
    channel.on('disconnect', () => this.#orphaned());
    void this.#send({ type: 'ready' });
  }

  /** Settles when the message is on its way, or never can be. */
  #send(message: ToPrimary): Promise<void> {
    return new Promise((sent) => {
      if (this.#channel.isConnected()) this.#channel.send(message, sent);
      else sent();
    });
  }

  #lease(resource: Resource, mostIdle: bigint): Lease {
    return new Lease(
      {
        ask: (need, holding) => void this.#send({ type: 'lease', resource, need, ...holding }),
        returned: (holding, recalled) => void this.#send({ type: 'held', resource, recalled, ...holding }),
      },
      mostIdle,
    );
  }

  #hear(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        this.#progressWanted = message.progress;
        void this.#start(message.options, message.host, message.port);
        return;
      case 'progress':
        if (message.wanted !== this.#progressWanted) {
          this.#server?.[message.wanted ? 'on' : 'off']('progress', this.#onProgress);
        }
        this.#progressWanted = message.wanted;
        return;
      case 'granted':
        this.#leases[message.resource].granted(message.amount);
        return;
      case 'denied':
        this.#leases[message.resource].denied({ error: message.error && fromPlainError(message.error) });
        return;
      case 'recall':
        this.#leases[message.resource].recall();
        return;
      case 'close':
        this.#leave(message.drain);
    }
  }

  async #start(options: WorkerOptions, host: string, port: number): Promise<void> {
    try {
      const server = new Server({ ...options, slots: this.#slots, space: new LeasedSpace(this.#leases.space) });
      this.#server = server;
      this.#figures = server;
      this.#report(server);
      await server.listen({ host, port });
      await this.#send({ type: 'listening' });
    } catch (reason) {
      if (this.#leaving) return;
      const error = toGoAheadError(reason, 'INTERNAL', 'cannot start');
      await this.#send({ type: 'start failed', error: toPlainError(error) });
      this.#exit(1);
    }
  }

  #report(server: Server): void {
    const reports = this.#reports;
    server.on('begun', (upload) => reports.add({ kind: 'begun', upload }));
    server.on('stored', (upload, stored) => reports.add({ kind: 'stored', upload, stored }));
    server.on('failed', (upload, error) => reports.add({ kind: 'failed', upload, error: toPlainError(error) }));
    server.on('error', (error) => reports.add({ kind: 'error', error: toPlainError(error) }));
    if (this.#progressWanted) server.on('progress', this.#onProgress);
  }

  /** Ends the process when the server is closed and the primary has heard all of it. */
  #leave(drain: number): void {
    const again = this.#leaving;
    this.#leaving = true;
    const closed = this.#server?.close({ drain }) ?? Promise.resolve();
    if (again) return;
    void closed.then(() => this.#reports.flush()).finally(() => this.#exit(0));
  }

  /**
   * The primary is gone. node:cluster would end this process now, and the kernel would close its connections in an orderly
   * way: a receipt for whoever has just sent its last byte. They are reset first, and their files removed.
   */
  #orphaned(): void {
    this.#channel.exitedAfterDisconnect = true;
    const error = new GoAheadError('ABORTED', 'the primary process of the server is gone');
    for (const lease of Object.values(this.#leases)) lease.end({ error });
    this.#leave(0);
  }
}
