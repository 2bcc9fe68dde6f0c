import type { IncomingUpload } from '../server-events.js';

interface Running {
  /** As it was told last. */
  readonly upload: IncomingUpload;
  /** When its connection was accepted, in milliseconds of the primary's clock. */
  readonly start: number;
}

/** The uploads of one worker that were told of and are not over. */
export class WorkerUploads {
  readonly #running = new Map<number, Running>();
  readonly #nextId: () => number;
  readonly #now: () => number;

  /** @param nextId a new id among all workers */
  constructor(nextId: () => number, now: () => number) {
    this.#nextId = nextId;
    this.#now = now;
  }

  /** The upload under its id among all workers; the worker's own counts within the worker. */
  told(upload: IncomingUpload, over: boolean): IncomingUpload {
    const known = this.#running.get(upload.id);
    const shared = { ...upload, id: known?.upload.id ?? this.#nextId() };
    if (over) this.#running.delete(upload.id);
    else this.#running.set(upload.id, { upload: shared, start: known?.start ?? this.#now() - upload.ms });
    return shared;
  }

  /** The worker is gone, and these with it. */
  takeAll(): IncomingUpload[] {
    const lost = [...this.#running.values()].map(({ upload, start }) => ({ ...upload, ms: this.#now() - start }));
    this.#running.clear();
    return lost;
  }
}
