import type { FileSystem } from './file-system.js';

/**
 * Makes the entries of a directory durable. One sync covers every entry made before it began, so uploads that end
 * together share one: those that come while one runs wait for the next.
 */
export class DirectorySync {
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(fileSystem: FileSystem, path: string) {
    this.#fileSystem = fileSystem;
    this.#path = path;
  }

  /** Settles when a sync that began after this call has ended. */
  sync(): Promise<void> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<void> {
    this.#next = undefined;
    const ended = (): void => {
      if (this.#running === running) this.#running = undefined;
    };
    const running = this.#fileSystem.pool.syncDirectory(this.#path);
    this.#running = running;
    running.then(ended, ended);
    return running;
  }
}
