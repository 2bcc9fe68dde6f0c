import { EventEmitter } from 'node:events';
import type * as TE from 'typed-emitter';
import { GoAheadError, toGoAheadError } from '../errors.js';
import { decodeHeader, endsInsideCharacter, headerTooLong, incompleteHeader } from './decode-header.js';
import { MAX_HEADER_LENGTH, SIZE_LENGTH, type Header } from './header.js';

/** In the order in which they come; `error` instead of what would follow, and nothing after `end` but that. */
export type FramerEvents = {
  /** The header, once the caller has said that it is over. */
  header: (header: Header) => void;
  /** Bytes of the body: a view of the chunk that was pushed, never a copy, and never empty. */
  body: (view: Uint8Array) => void;
  /** The last byte has come (at once for a size of zero). Whether the stream stops there is still to be seen. */
  end: () => void;
  /** The stream broke a clause. No event follows, whatever comes. */
  error: (error: GoAheadError) => void;
};

/**
 * How far a header has come: `short` has fewer than 9 bytes (3.7) and `cut` ends inside a character (3.8), so more
 * must follow; `plausible` may be whole.
 */
export type HeaderProgress = 'short' | 'cut' | 'plausible';

type State = 'header' | 'body' | 'complete' | 'ended' | 'failed';

// Body bytes are counted down in numbers, as far as these are exact, and what is above in windows of this size.
const WINDOW = 2 ** 52;

/**
 * The stateful decoder of what a sender sends: bytes in, typed events out. It does no IO and knows no time.
 *
 * The name has no end mark, so only the caller, who has the clock, can tell when the header is over: it calls
 * {@link endHeader}. Everything pushed before that is header, everything after it is body.
 */
export class Framer extends (EventEmitter as new () => TE.default<FramerEvents>) {
  #state: State = 'header';
  #pending: Buffer = Buffer.alloc(0);
  #size = 0n;
  #window = 0;
  #beyond = 0n;

  /** Meaningful until {@link endHeader}. */
  get headerProgress(): HeaderProgress {
    if (this.#pending.length <= SIZE_LENGTH) return 'short';
    return endsInsideCharacter(this.#pending.subarray(SIZE_LENGTH)) ? 'cut' : 'plausible';
  }

  /** Whether the whole body has come and nothing is wrong so far. */
  get complete(): boolean {
    return this.#state === 'complete' || this.#state === 'ended';
  }

  /** Bytes of the body that have come. */
  get received(): bigint {
    return this.#size - this.#beyond - BigInt(this.#window);
  }

  /** Takes bytes from the connection, cut anywhere. The chunk is free again when the call returns, views of it aside. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    switch (this.#state) {
      case 'header':
        this.#pushHeader(chunk);
        return;
      case 'body':
        this.#pushBody(chunk);
        return;
      case 'complete':
        this.#overrun(chunk.length);
        return;
      case 'ended':
      case 'failed':
        return;
    }
  }

  /** The header is over: emits `header` (and `end` for a size of zero), or `error` (3.12, 3.13). */
  endHeader(): void {
    if (this.#state !== 'header') return;
    let header: Header;
    try {
      header = decodeHeader(this.#pending);
    } catch (reason) {
      this.#fail(toGoAheadError(reason, 'INTERNAL', 'the header cannot be decoded'));
      return;
    }
    this.#pending = Buffer.alloc(0);
    this.#size = this.#beyond = header.size;
    this.#refill();
    this.#state = 'body';
    this.emit('header', header);
    if (this.#window === 0) this.#complete();
  }

  /** The stream is over: an `error` unless exactly the announced bytes came (3.13, 6.4). */
  end(): void {
    switch (this.#state) {
      case 'header':
        this.#fail(incompleteHeader(this.#pending.length));
        return;
      case 'body':
        this.#fail(
          new GoAheadError('BODY_UNDERRUN', `the stream ended after ${this.received} of ${this.#size} bytes`, {
            expected: `${this.#size} bytes`,
            actual: `${this.received} bytes`,
          }),
        );
        return;
      case 'complete':
        this.#state = 'ended';
        return;
      case 'ended':
      case 'failed':
        return;
    }
  }

  #pushHeader(chunk: Uint8Array): void {
    const length = this.#pending.length + chunk.length;
    // Before anything is kept: what is held never exceeds a header.
    if (length > MAX_HEADER_LENGTH) this.#fail(headerTooLong(length));
    else this.#pending = Buffer.concat([this.#pending, chunk], length);
  }

  #pushBody(chunk: Uint8Array): void {
    if (chunk.length > this.#window) this.#refill();
    const surplus = chunk.length - this.#window;
    const body = surplus > 0 ? chunk.subarray(0, this.#window) : chunk;
    this.#window -= body.length;
    this.emit('body', body);
    if (this.#window === 0 && this.#beyond === 0n) this.#complete();
    if (surplus > 0) this.#overrun(surplus);
  }

  #refill(): void {
    const room = BigInt(WINDOW - this.#window);
    const more = this.#beyond < room ? this.#beyond : room;
    this.#window += Number(more);
    this.#beyond -= more;
  }

  #complete(): void {
    // A listener of `body` or `header` may have closed the stream in between.
    if (this.#state !== 'body') return;
    this.#state = 'complete';
    this.emit('end');
  }

  #overrun(surplus: number): void {
    if (this.#state !== 'complete') return;
    this.#fail(
      new GoAheadError('BODY_OVERRUN', `${surplus} more bytes came after the ${this.#size} that were announced`, {
        expected: `${this.#size} bytes, then nothing`,
        actual: `at least ${this.#size + BigInt(surplus)} bytes`,
      }),
    );
  }

  #fail(error: GoAheadError): void {
    this.#state = 'failed';
    this.#pending = Buffer.alloc(0);
    this.emit('error', error);
  }
}
