import type { MaybePromise } from '../../lib/maybe-promise.js';
import type { Transport } from '../../lib/session/transport.js';

/** Remembers what it was asked for, in order: writes as `write "text"` or `write 00ff`, the rest by name. */
export class RecordingTransport implements Transport {
  readonly calls: string[] = [];
  readonly written: Buffer[] = [];
  /** Runs inside each call, before it returns: what a connection may do to a session in the midst of its work. */
  onCall: ((call: string) => void) | undefined;
  /** Where a spec knows it. */
  taken: () => number | undefined = () => undefined;
  readonly #waiting: (() => void)[] = [];
  readonly #manual: boolean;

  /** @param mode whether a write is done when the call returns, or when {@link settle} says so */
  constructor(mode: 'sync' | 'manual' = 'sync') {
    this.#manual = mode === 'manual';
  }

  write(bytes: Uint8Array): MaybePromise<void> {
    this.written.push(Buffer.from(bytes));
    this.#call(`write ${display(bytes)}`);
    if (this.#manual) return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    this.#call('end');
  }

  close(): void {
    this.#call('close');
  }

  reset(): void {
    this.#call('reset');
  }

  pause(): void {
    this.#call('pause');
  }

  resume(): void {
    this.#call('resume');
  }

  /** Writes that have not settled. */
  get outstanding(): number {
    return this.#waiting.length;
  }

  /** Settles the oldest write. */
  settle(): void {
    const resolve = this.#waiting.shift();
    if (resolve === undefined) throw new Error('no write is under way');
    resolve();
  }

  #call(call: string): void {
    this.calls.push(call);
    this.onCall?.(call);
  }
}

function display(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  return buffer.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? JSON.stringify(buffer.toString())
    : buffer.toString('hex');
}
