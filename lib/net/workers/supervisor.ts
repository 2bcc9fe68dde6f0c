import type { Worker } from 'node:cluster';
import { GoAheadError } from '../../errors.js';
import type { Clock, Timer } from '../../session/clock.js';
import { fromPlainError, type FromServing, type ToPrimary, type ToWorker } from './messages.js';
import { MOST_DEATHS, RestartPolicy } from './restart-policy.js';

/** How long after the end of a process its last messages are waited for, in milliseconds. */
export const CHANNEL_MS = 1000;

/** One process of ours, from its start to its end. */
export class WorkerProcess {
  readonly #worker: Worker;
  /** When it began to serve, in milliseconds of the clock. */
  servingSince: number | undefined;
  /** Why it could not start, as it said itself. */
  startError: GoAheadError | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** Nothing happens when it is gone: its end is told otherwise. */
  send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message, () => undefined);
  }
}

/** Who hears of one process. */
export interface ProcessListener {
  message(message: FromServing): void;
  /** Its end, after the last of its messages, and whether it was asked to end. */
  gone(error: GoAheadError, asked: boolean): void;
}

export interface SupervisorParts {
  readonly count: number;
  readonly clock: Clock;
  fork(): Worker;
  /** What a worker is to do first. */
  start(): ToWorker;
  /** A new process; before any of its messages. */
  opened(process: WorkerProcess): ProcessListener;
  /** A worker died as often as it was replaced: no more are started. */
  gaveUp(error: GoAheadError): void;
}

interface Running {
  readonly process: WorkerProcess;
  readonly listener: ProcessListener;
  readonly policy: RestartPolicy;
}

/** Who waits until all serve. */
interface Serving {
  readonly done: () => void;
  readonly failed: (error: GoAheadError) => void;
}

/** Keeps a number of worker processes running. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #running = new Set<WorkerProcess>();
  readonly #restarts = new Set<Timer>();
  #serving: Serving | undefined;
  #stopping = false;
  #stopped: Promise<void> | undefined;
  #empty: (() => void) | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
  }

  /**
   * Settles when all serve.
   *
   * @throws GoAheadError what the first worker says that cannot start; `WORKER_LOST` when one dies again and again
   */
  start(): Promise<void> {
    return new Promise((done, failed) => {
      this.#serving = { done, failed };
      for (let index = 0; index < this.#parts.count; index++) this.#fork(new RestartPolicy());
    });
  }

  /** Replaces no worker any more, and asks all to end. Settles when they have. */
  stop(drain: number): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#restarts) timer.cancel();
    this.#restarts.clear();
    this.#settle((serving) => serving.failed(new GoAheadError('ABORTED', 'the server was closed before it listened')));
    this.hurry(drain);
    this.#stopped ??= new Promise((empty) => {
      this.#empty = empty;
      if (this.#running.size === 0) empty();
    });
    return this.#stopped;
  }

  /** Asks once more, with less patience. */
  hurry(drain: number): void {
    for (const process of this.#running) process.send({ type: 'close', drain });
  }

  #fork(policy: RestartPolicy): void {
    const worker = this.#parts.fork();
    const process = new WorkerProcess(worker);
    this.#running.add(process);
    const running = { process, policy, listener: this.#parts.opened(process) };
    worker.on('message', (message: ToPrimary) => this.#hear(running, message));
    // The end of the process may be told before its last messages are read: those end with the channel.
    let left = 2;
    let how = 'could not be started';
    let patience: Timer | undefined;
    const over = (): void => {
      if (--left > 0) return;
      patience?.cancel();
      if (left === 0) this.#gone(running, how);
    };
    // A code, or the signal in its place.
    worker.on('exit', (code: number | null, signal: string | null) => {
      how = signal === null ? `exited with ${String(code)}` : `was ended by ${signal}`;
      // Of a process that ended in the midst of a message Node waits for the rest, and never tells of the end of the channel.
      if (left === 2) patience = this.#parts.clock.schedule(CHANNEL_MS, over);
      over();
    });
    worker.on('disconnect', over);
    // Without a process there is neither.
    worker.on('error', (error: Error) => {
      how = error.message;
      if (process.pid === undefined) this.#gone(running, how);
    });
  }

  #hear({ process, listener }: Running, message: ToPrimary): void {
    switch (message.type) {
      case 'ready':
        process.send(this.#stopping ? { type: 'close', drain: 0 } : this.#parts.start());
        return;
      case 'listening':
        process.servingSince = this.#parts.clock.now();
        if ([...this.#running].filter(({ servingSince }) => servingSince !== undefined).length === this.#parts.count)
          this.#settle((serving) => serving.done());
        return;
      case 'start failed':
        process.startError = fromPlainError(message.error);
        this.#settle((serving) => serving.failed(fromPlainError(message.error)));
        return;
      case 'report':
      case 'lease':
      case 'held':
        listener.message(message);
    }
  }

  #gone({ process, listener, policy }: Running, how: string): void {
    this.#running.delete(process);
    const error = workerLost(process, how);
    listener.gone(error, this.#stopping);
    if (this.#running.size === 0) this.#empty?.();
    if (this.#stopping) return;
    const { clock } = this.#parts;
    const { servingSince } = process;
    const delay = policy.died(servingSince === undefined ? 0 : clock.now() - servingSince);
    if (delay === undefined) {
      const end = new GoAheadError('WORKER_LOST', `a worker died ${MOST_DEATHS + 1} times in a row: ${error.message}`, {
        expected: 'workers that keep running',
        actual: `one that ${how}`,
        cause: error,
      });
      if (this.#serving === undefined) this.#parts.gaveUp(end);
      else this.#settle((serving) => serving.failed(end));
      return;
    }
    const timer = clock.schedule(delay, () => {
      this.#restarts.delete(timer);
      this.#fork(policy);
    });
    this.#restarts.add(timer);
  }

  #settle(tell: (serving: Serving) => void): void {
    const serving = this.#serving;
    this.#serving = undefined;
    if (serving !== undefined) tell(serving);
  }
}

function workerLost({ pid, startError }: WorkerProcess, how: string): GoAheadError {
  const why = startError === undefined ? how : `could not start: ${startError.message}`;
  return new GoAheadError('WORKER_LOST', `the worker process${pid === undefined ? '' : ` ${pid}`} ${why}`, {
    expected: 'a worker that serves until it is asked to end',
    actual: `one that ${how}`,
    cause: startError,
  });
}
