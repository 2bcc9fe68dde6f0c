import { EventEmitter } from 'node:events';
import type * as TE from 'typed-emitter';
import { GoAheadError, toGoAheadError } from '../errors.js';
import { isLater, settle, type MaybePromise } from '../storage/maybe-promise.js';
import type { Storage, Stored, Upload } from '../storage/storage.js';
import { Framer } from '../wire/framer.js';
import type { Header } from '../wire/header.js';
import { REPLY } from '../wire/reply.js';
import type { Clock, Timer } from './clock.js';
import { receiveOptions, type Complete, type ReceiveOptions } from './options.js';
import { nextReceiveState, type ReceiveEvent, type ReceiveState } from './states.js';
import type { Transport } from './transport.js';

// A chunk of one byte keeps a whole read buffer, so bytes alone do not bound the memory (6.6).
const MAX_PENDING_CHUNKS = 8;

// The longest name that a disk takes is, byte by byte and with the size, 263 pieces; the rest is for a path before it. Each
// piece costs a timer and a copy, which is what a sender that sends as small as it can is after.
const MAX_HEADER_PIECES = 512;

/** What a receiving session tells: `begun`, then `progress` any number of times, then one of the last two. */
export type ReceiveEvents = {
  /** The storage accepted the upload and the reply is sent. */
  begun: (header: Header) => void;
  /** Bytes of the body that have come, after each chunk. */
  progress: (received: bigint) => void;
  /** The file stands under its final name, and the connection is being closed. One of the last two comes, once. */
  stored: (stored: Stored) => void;
  /** Nothing is left of the upload, and the connection is being closed (refused) or reset. */
  failed: (error: GoAheadError) => void;
};

/** What a receiving session is put on. */
export interface ReceiveParts {
  /** How it answers on the connection. */
  readonly transport: Transport;
  /** Where the file goes. */
  readonly storage: Storage;
  /** For its deadlines; `systemClock` but in tests. */
  readonly clock: Clock;
}

/**
 * The receiving half of one transfer: header, reply, body, receipt. It owns no socket: its caller tells it what
 * happens on the connection (`receive`, `end`, `lost`), and it answers through the transport. See `docs/states.md`.
 */
export class ReceiveSession extends (EventEmitter as new () => TE.default<ReceiveEvents>) {
  readonly #transport: Transport;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #options: Complete<ReceiveOptions>;
  readonly #framer = new Framer();
  #state: ReceiveState = 'header';
  #header: Header | undefined;
  #upload: Upload | undefined;
  #error: GoAheadError | undefined;
  /** The deadline of the state: for the header, for the next byte, or the grace. */
  #deadline: Timer | undefined;
  #quiet: Timer | undefined;
  #rate: Timer | undefined;
  /** In this window of the rate the sender had to wait for the storage. */
  #lagged = false;
  #pieces = 0;
  #finReceived = false;
  #opening = false;
  #replied = false;
  #cleaning = false;
  #paused = false;
  #pendingWrites = 0;
  #pendingBytes = 0;
  /** Settles when the storage is done with the chunk that is being received. */
  #chunkInUse: Promise<void> | undefined;

  /** @throws GoAheadError `OPTION_INVALID` */
  constructor({ transport, storage, clock }: ReceiveParts, options: ReceiveOptions = {}) {
    super();
    this.#transport = transport;
    this.#storage = storage;
    this.#clock = clock;
    this.#options = receiveOptions(options);
    this.#framer.on('header', (header) => this.#open(header));
    this.#framer.on('end', () => this.#lastByte());
    this.#framer.on('error', (error) => this.#fail(error));
  }

  /** Where the transfer stands, as in `docs/states.md`. */
  get state(): ReceiveState {
    return this.#state;
  }

  /** What was announced, once the header is over. */
  get header(): Header | undefined {
    return this.#header;
  }

  /** Bytes of the body that have come. */
  get received(): bigint {
    return this.#framer.received;
  }

  /** The connection is there: starts the deadline for the header (11.1). */
  start(): void {
    this.#deadline = this.#clock.schedule(this.#options.headerDeadline, () => this.#headerTimeout());
  }

  /**
   * Takes bytes that came on the connection.
   *
   * @returns nothing when the chunk's memory is free again, else a promise that settles (and never rejects) when it is
   */
  receive(chunk: Uint8Array): MaybePromise<void> {
    if (chunk.length === 0) return;
    switch (this.#state) {
      case 'header':
      case 'settling':
        this.#receiveHeader(chunk);
        return;
      case 'opening':
        this.#fail(
          new GoAheadError('EARLY_DATA', `${chunk.length} bytes came after the header and before the reply`, {
            expected: 'silence until the reply',
            actual: `${chunk.length} bytes`,
          }),
        );
        return;
      case 'body':
        this.#deadline?.refresh();
        this.#framer.push(chunk);
        return this.#takeChunkInUse();
      case 'ending':
      case 'flushing':
        this.#framer.push(chunk);
        return;
      // Too late to undo a commit: only a sender that kept its side open, past the grace, can get here (7.3). What follows is
      // left to the kernel, however long the disk takes.
      case 'committing':
        this.#transport.pause();
        return;
      case 'stored':
      case 'failing':
      case 'failed':
        return;
    }
  }

  /** The peer closed its sending side (FIN). */
  end(): void {
    this.#finReceived = true;
    switch (this.#state) {
      case 'settling':
        // Nothing can follow, so the header is over.
        this.#quiet?.cancel();
        this.#move('fin');
        this.#framer.endHeader();
        return;
      case 'header':
      case 'body':
        this.#framer.end();
        return;
      case 'ending':
        this.#framer.end();
        this.#finish('fin');
        return;
      // When the storage has answered, the reply is sent only if the body is whole, that is, empty.
      case 'opening':
      case 'flushing':
      case 'committing':
      case 'stored':
      case 'failing':
      case 'failed':
        return;
    }
  }

  /** The connection was reset, or lost in another way. */
  lost(cause?: unknown): void {
    // Every connection ends with this, mostly as no news.
    if (this.#isOver()) return;
    this.#fail(
      new GoAheadError('CONNECTION_RESET', `the connection was lost ${this.#progressText()}`, {
        expected: 'the end of the stream',
        actual: 'a reset',
        cause,
      }),
    );
  }

  /** Ends the transfer for a reason of our own, unless the file is being committed already. */
  abort(error: GoAheadError): void {
    this.#fail(error);
  }

  #receiveHeader(chunk: Uint8Array): void {
    this.#pieces += 1;
    this.#quiet?.cancel();
    if (this.#pieces > MAX_HEADER_PIECES) {
      this.#fail(tooManyPieces());
      return;
    }
    this.#framer.push(chunk);
    if (this.#failing) return;
    if (this.#framer.headerProgress !== 'plausible') {
      this.#move('fragment');
    } else if (this.#pieces === 1 && !this.#options.settleAlways) {
      this.#move('whole');
      this.#framer.endHeader();
    } else {
      this.#move('piece');
      this.#quiet = this.#clock.schedule(this.#options.settle, () => {
        this.#move('quiet');
        this.#framer.endHeader();
      });
    }
  }

  #headerTimeout(): void {
    const { headerDeadline } = this.#options;
    this.#fail(
      new GoAheadError('HEADER_TIMEOUT', `the header was not complete after ${headerDeadline} ms`, {
        expected: `a header within ${headerDeadline} ms`,
        actual: `${this.#pieces} pieces of it`,
      }),
    );
  }

  #open(header: Header): void {
    this.#header = header;
    // The header is there: from here on the sender waits for us.
    this.#deadline?.cancel();
    const { maxSize } = this.#options;
    if (header.size > maxSize) {
      this.#fail(
        new GoAheadError('SIZE_OVER_LIMIT', `${header.size} bytes were announced, the limit is ${maxSize}`, {
          expected: `at most ${maxSize} bytes`,
          actual: `${header.size} bytes`,
        }),
      );
      return;
    }
    this.#opening = true;
    settle(
      () => this.#storage.create(header),
      (upload) => this.#opened(header, upload),
      (reason) => {
        this.#opening = false;
        if (this.#failing) this.#cleanUp();
        else this.#fail(storageError(reason));
      },
    );
  }

  #opened(header: Header, upload: Upload): void {
    this.#opening = false;
    this.#upload = upload;
    if (this.#failing) {
      this.#cleanUp();
      return;
    }
    if (this.#finReceived && header.size > 0n) {
      // Nothing of the body can come any more, so this is a refusal.
      this.#framer.end();
      return;
    }
    this.#move('opened');
    this.#framer.on('body', (view) => this.#write(upload, view));
    this.#startBodyDeadline();
    if (this.#options.minRate > 0) this.#watchRate(this.#framer.received);
    this.#replied = true;
    void this.#transport.write(REPLY);
    // The transport may have told us at once that the connection is lost.
    if (this.#state !== 'body') return;
    this.emit('begun', header);
    // Of a size of zero, when the storage took its time; when it answered at once the framer is about to say so.
    if (this.#framer.complete) this.#lastByte();
  }

  #write(upload: Upload, view: Uint8Array): void {
    let written: MaybePromise<void>;
    try {
      written = upload.write(view);
    } catch (reason) {
      this.#fail(storageError(reason));
      return;
    }
    if (isLater(written)) this.#waitFor(written, view.length);
    if (this.listenerCount('progress') > 0) this.emit('progress', this.#framer.received);
  }

  #waitFor(written: Promise<void>, length: number): void {
    this.#pendingWrites += 1;
    this.#pendingBytes += length;
    if (!this.#paused && this.#pendingShare() >= 1) {
      this.#paused = true;
      this.#transport.pause();
    }
    const settled = (): void => {
      this.#pendingWrites -= 1;
      this.#pendingBytes -= length;
      if (this.#failing) this.#cleanUp();
      else if (this.#state === 'flushing') this.#flush();
      else if (this.#paused && this.#pendingShare() <= 0.5) this.#unpause();
    };
    this.#chunkInUse = written.then(settled, (reason: unknown) => {
      this.#fail(storageError(reason));
      settled();
    });
  }

  /** What waits for the storage, of what may: 1 and more is too much. */
  #pendingShare(): number {
    return Math.max(this.#pendingBytes / this.#options.maxPendingBytes, this.#pendingWrites / MAX_PENDING_CHUNKS);
  }

  #unpause(): void {
    this.#paused = false;
    this.#lagged = true;
    // The silence was ours.
    this.#deadline?.refresh();
    this.#transport.resume();
  }

  #takeChunkInUse(): MaybePromise<void> {
    const inUse = this.#chunkInUse;
    this.#chunkInUse = undefined;
    return inUse;
  }

  #startBodyDeadline(): void {
    this.#deadline = this.#clock.schedule(this.#options.bodyDeadline, () => this.#bodyTimeout());
  }

  #bodyTimeout(): void {
    if (this.#pendingWrites > 0) {
      // The storage is what is slow, and the sender cannot help it.
      this.#startBodyDeadline();
      return;
    }
    const { bodyDeadline } = this.#options;
    this.#fail(
      new GoAheadError('BODY_TIMEOUT', `no byte came for ${bodyDeadline} ms, ${this.#progressText()}`, {
        expected: `a byte within ${bodyDeadline} ms`,
        actual: 'silence',
      }),
    );
  }

  /** Looks after each window whether enough has come since `before`, unless it was the storage that kept the sender waiting. */
  #watchRate(before: bigint): void {
    const { minRate, rateWindow } = this.#options;
    this.#rate = this.#clock.schedule(rateWindow, () => {
      const { received } = this.#framer;
      const came = Number(received - before);
      const least = Math.ceil((minRate * rateWindow) / 1000);
      const lagged = this.#lagged || this.#pendingWrites > 0;
      this.#lagged = false;
      if (came >= least || lagged) {
        this.#watchRate(received);
        return;
      }
      this.#fail(
        new GoAheadError('BODY_TOO_SLOW', `${came} bytes came in ${rateWindow} ms, ${this.#progressText()}`, {
          expected: `at least ${least} bytes in ${rateWindow} ms`,
          actual: `${came} bytes`,
        }),
      );
    });
  }

  #lastByte(): void {
    // While the storage is still being asked, `#opened` comes back to this.
    if (this.#state !== 'body') return;
    this.#move('last');
    this.#deadline?.cancel();
    this.#rate?.cancel();
    if (this.#finReceived) {
      this.#finish('fin');
      return;
    }
    this.#deadline = this.#clock.schedule(this.#options.grace, () => this.#finish('grace'));
    // However much the storage still has to write: unread, neither the end of the stream nor a byte too many is seen.
    if (this.#paused) this.#unpause();
  }

  #finish(reason: 'fin' | 'grace'): void {
    this.#deadline?.cancel();
    this.#move(reason);
    this.#flush();
  }

  #flush(): void {
    const upload = this.#upload;
    if (this.#pendingWrites > 0 || upload === undefined) return;
    this.#move('flushed');
    // Whatever comes of it, the upload is over then.
    this.#upload = undefined;
    settle(
      () => upload.commit(),
      (stored) => {
        this.#move('committed');
        this.#transport.close();
        this.emit('stored', stored);
      },
      (reason) => this.#beginFailing(storageError(reason)),
    );
  }

  get #failing(): boolean {
    return this.#state === 'failing' || this.#state === 'failed';
  }

  #isOver(): boolean {
    return this.#failing || this.#state === 'committing' || this.#state === 'stored';
  }

  #fail(error: GoAheadError): void {
    if (this.#isOver()) return;
    this.#beginFailing(error);
  }

  #beginFailing(error: GoAheadError): void {
    this.#move('fault');
    this.#deadline?.cancel();
    this.#quiet?.cancel();
    this.#rate?.cancel();
    this.#error = error;
    this.#transport.pause();
    this.#cleanUp();
  }

  /** Removes what was written and only then closes: a close of whatever kind means that the disk is as it will be. */
  #cleanUp(): void {
    if (this.#opening || this.#pendingWrites > 0 || this.#cleaning) return;
    this.#cleaning = true;
    const failed = (): void => {
      this.#move('cleaned');
      if (this.#replied) this.#transport.reset();
      else this.#transport.close();
      if (this.#error !== undefined) this.emit('failed', this.#error);
    };
    settle(() => this.#upload?.abort(), failed, failed);
  }

  #progressText(): string {
    return this.#header === undefined
      ? 'in the header'
      : `after ${this.#framer.received} of ${this.#header.size} bytes`;
  }

  #move(event: ReceiveEvent): void {
    this.#state = nextReceiveState(this.#state, event);
  }
}

function tooManyPieces(): GoAheadError {
  return new GoAheadError(
    'HEADER_TOO_MANY_PIECES',
    `the header came in more than ${MAX_HEADER_PIECES} pieces: it is to be sent in one`,
    { expected: 'one write', actual: `${MAX_HEADER_PIECES + 1} pieces` },
  );
}

function storageError(reason: unknown): GoAheadError {
  return toGoAheadError(reason, 'STORAGE_FAILED', 'the storage failed');
}
