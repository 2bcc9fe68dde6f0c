import { EventEmitter } from 'node:events';
import type * as TE from 'typed-emitter';
import type { GoAheadError } from '../errors.js';
import { isLater, settle, type MaybePromise } from '../maybe-promise.js';
import type { Storage, Stored, Upload } from '../storage/storage.js';
import { Framer } from '../wire/framer.js';
import type { Header } from '../wire/header.js';
import { REPLY } from '../wire/reply.js';
import { Backlog } from './backlog.js';
import type { Clock, Timer } from './clock.js';
import { receiveOptions, type Complete, type ReceiveOptions } from './options.js';
import { RateWatch } from './rate-watch.js';
import * as fault from './receive-faults.js';
import { nextReceiveState, type ReceiveEvent, type ReceiveState } from './states.js';
import type { Transport } from './transport.js';

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
  #rate: RateWatch | undefined;
  #pieces = 0;
  #finReceived = false;
  #opening = false;
  #replied = false;
  #cleaning = false;
  /** Of a storage that writes at once there is never one. */
  #backlog: Backlog | undefined;
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

  /**
   * Whether a chunk that comes now may still be in use when `receive` has returned. Where this is false its memory is free
   * then, whatever `receive` returns. A chunk of a header is never in use for longer.
   */
  get retainsChunk(): boolean {
    if (this.#state === 'opening') return true;
    return this.#state === 'body' && this.#upload?.retainsChunk !== false;
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
        this.#fail(fault.earlyData(chunk.length));
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
    this.#fail(fault.connectionLost(cause, this.#progress));
  }

  /** Ends the transfer for a reason of our own, unless the file is being committed already. */
  abort(error: GoAheadError): void {
    this.#fail(error);
  }

  #receiveHeader(chunk: Uint8Array): void {
    this.#pieces += 1;
    this.#quiet?.cancel();
    if (this.#pieces > MAX_HEADER_PIECES) {
      this.#fail(fault.tooManyPieces(MAX_HEADER_PIECES));
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
    this.#fail(fault.headerTimeout(this.#options.headerDeadline, this.#pieces));
  }

  #open(header: Header): void {
    this.#header = header;
    // The header is there: from here on the sender waits for us.
    this.#deadline?.cancel();
    const { maxSize } = this.#options;
    if (header.size > maxSize) {
      this.#fail(fault.sizeOverLimit(header.size, maxSize));
      return;
    }
    this.#opening = true;
    settle(
      () => this.#storage.create(header),
      (upload) => this.#opened(header, upload),
      (reason) => {
        this.#opening = false;
        if (this.#failing) this.#cleanUp();
        else this.#fail(fault.storageFailed(reason));
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
    if (this.#options.minRate > 0) this.#watchRate();
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
      this.#fail(fault.storageFailed(reason));
      return;
    }
    if (isLater(written)) this.#waitFor(written, view.length);
    if (this.listenerCount('progress') > 0) this.emit('progress', this.#framer.received);
  }

  #waitFor(written: Promise<void>, length: number): void {
    const backlog = (this.#backlog ??= this.#newBacklog());
    backlog.add(length);
    const settled = (): void => {
      backlog.remove(length);
      if (this.#failing) this.#cleanUp();
      else if (this.#state === 'flushing') this.#flush();
      else backlog.resumeWhenLow();
    };
    // A promise of our own realm: a thenable may answer at once, return nothing, or be no `Promise` to who reads on.
    this.#chunkInUse = Promise.resolve(written).then(settled, (reason: unknown) => {
      this.#fail(fault.storageFailed(reason));
      settled();
    });
  }

  #newBacklog(): Backlog {
    return new Backlog(this.#transport, this.#options.maxPendingBytes, () => {
      // The silence was ours.
      this.#rate?.excuse();
      this.#deadline?.refresh();
    });
  }

  /** Some of what came is still to be written. */
  get #writing(): boolean {
    return this.#backlog !== undefined && !this.#backlog.empty;
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
    if (this.#writing) {
      // The storage is what is slow, and the sender cannot help it.
      this.#startBodyDeadline();
      return;
    }
    this.#fail(fault.bodyTimeout(this.#options.bodyDeadline, this.#progress));
  }

  #watchRate(): void {
    this.#rate = new RateWatch(this.#clock, this.#options, {
      received: () => this.#framer.received,
      held: () => this.#writing,
      tooSlow: (came, least) => this.#fail(fault.bodyTooSlow(came, least, this.#options.rateWindow, this.#progress)),
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
    this.#backlog?.resume();
  }

  #finish(reason: 'fin' | 'grace'): void {
    this.#deadline?.cancel();
    this.#move(reason);
    this.#flush();
  }

  #flush(): void {
    const upload = this.#upload;
    if (this.#writing || upload === undefined) return;
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
      (reason) => this.#beginFailing(fault.storageFailed(reason)),
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
    if (this.#opening || this.#writing || this.#cleaning) return;
    this.#cleaning = true;
    const failed = (): void => {
      this.#move('cleaned');
      if (this.#replied) this.#transport.reset();
      else this.#transport.close();
      if (this.#error !== undefined) this.emit('failed', this.#error);
    };
    settle(() => this.#upload?.abort(), failed, failed);
  }

  get #progress(): fault.Progress {
    return { received: this.#framer.received, size: this.#header?.size };
  }

  #move(event: ReceiveEvent): void {
    this.#state = nextReceiveState(this.#state, event);
  }
}
