import type { IncomingUpload } from '../server-events.js';
import type { WorkerEvent } from './messages.js';

/** Sends a batch; settles when it is on its way, and the next one may follow. */
export type SendReport = (events: readonly WorkerEvent[]) => Promise<void>;

/** Gathers what happens, one message for each turn of the event loop at most, and one under way at a time. */
export class Reports {
  readonly #send: SendReport;
  #events: WorkerEvent[] = [];
  /** Where the last progress of an upload stands in the batch: only the latest counts. */
  #progress = new Map<number, number>();
  #scheduled = false;
  #sending: Promise<void> | undefined;

  constructor(send: SendReport) {
    this.#send = send;
  }

  add(event: WorkerEvent): void {
    this.#events.push(event);
    this.changed();
  }

  progress(upload: IncomingUpload): void {
    const index = this.#progress.get(upload.id) ?? this.#events.length;
    this.#progress.set(upload.id, index);
    this.#events[index] = { kind: 'progress', upload };
    this.changed();
  }

  /** A report is due, even when nothing happened but a change of the figures. */
  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => void this.flush());
  }

  /** Settles when all is on its way. */
  async flush(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
    if (!this.#scheduled) return;
    this.#scheduled = false;
    const events = this.#events;
    this.#events = [];
    this.#progress = new Map();
    this.#sending = this.#send(events).finally(() => (this.#sending = undefined));
    await this.#sending;
  }
}
