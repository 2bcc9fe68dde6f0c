/** Where a reporter writes. Streams grow; documents are replaced as a whole, so that the file is valid at every moment. */
import { closeSync, lstatSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { GoAheadError } from '../../errors.js';

export interface ReportOutput {
  append(text: string): void;
  /** `last`: there is no later one. Earlier ones may be left out, and then are not even made. */
  document(render: () => string, last: boolean): void;
}

/** Standard output: what was written there cannot be replaced, so a document comes once, at the end. */
export function streamOutput(write: (text: string) => void): ReportOutput {
  return {
    append: write,
    document(render, last) {
      if (last) write(render());
    },
  };
}

/** The shortest time in ms between two versions of a document. */
const INTERVAL = 1000;

export class FileOutput implements ReportOutput {
  readonly #path: string;
  /** A device or a FIFO is written to, never replaced. */
  readonly #special: boolean;
  #descriptor: number | null = null;
  #next = 0;
  #writing = false;
  #closed = false;

  /** Throws `OPTION_INVALID` when the file cannot be written. */
  constructor(path: string) {
    this.#path = path;
    try {
      const found = lstatSync(path, { throwIfNoEntry: false });
      this.#special = found !== undefined && !found.isFile();
      // A report of an earlier run must not be taken for this one's.
      this.#descriptor = openSync(path, 'w');
    } catch (cause) {
      throw new GoAheadError('OPTION_INVALID', `The report cannot be written to ${path}: ${String(cause)}`, { cause });
    }
  }

  append(text: string): void {
    if (this.#descriptor !== null) writeSync(this.#descriptor, text);
  }

  document(render: () => string, last: boolean): void {
    if (last) {
      this.#closed = true;
      this.#finish(render());
      return;
    }
    if (this.#special || this.#writing || performance.now() < this.#next) return;
    this.#next = performance.now() + INTERVAL;
    this.#writing = true;
    void this.#replace(render()).finally(() => (this.#writing = false));
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #finish(text: string): void {
    if (this.#special) {
      this.append(text);
      return;
    }
    const next = `${this.#path}.${process.pid}.new`;
    try {
      writeFileSync(next, text);
      renameSync(next, this.#path);
    } finally {
      rmSync(next, { force: true });
    }
  }

  /** Without waiting: the measurements of the run go on meanwhile. A version that cannot be written is no loss. */
  async #replace(text: string): Promise<void> {
    const next = `${this.#path}.${process.pid}.part`;
    try {
      await writeFile(next, text);
      if (!this.#closed) await rename(next, this.#path);
    } catch {
      // The last one will say so.
    }
    await rm(next, { force: true }).catch(() => undefined);
  }
}
