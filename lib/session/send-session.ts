import { EventEmitter } from 'node:events';
import type * as TE from 'typed-emitter';
import { toGoAheadError, type GoAheadError } from '../errors.js';
import { chain, settle, type MaybePromise } from '../maybe-promise.js';
import { encodeHeader } from '../wire/header.js';
import { ReplyMatcher } from '../wire/reply.js';
import type { Clock, Timer } from './clock.js';
import { sendSessionOptions, type Complete, type SendSessionOptions } from './options.js';
import type { Source } from '../sources/source.js';
import * as fault from './send-faults.js';
import { nextSendState, type SendEvent, type SendState } from './states.js';
import type { Transport } from './transport.js';

/** What a sending session tells: `begun`, then `progress` any number of times, then one of the last two. */
export type SendEvents = {
  /** The receiver is ready for the body. */
  begun: () => void;
  /** Bytes of the body that were handed to the network so far, after each chunk. */
  progress: (sent: bigint) => void;
  /** The receiver closed after the last byte: the receipt. One of the last two comes, once. */
  confirmed: () => void;
  /** The connection is being reset; `mayBeStored` of the error says whether the receiver may have the file all the same. */
  failed: (error: GoAheadError) => void;
};

/** What a sending session is put on. */
export interface SendParts {
  /** How it sends on the connection. */
  readonly transport: Transport;
  /** Where the bytes come from. */
  readonly source: Source;
  /** For its deadlines; `systemClock` but in tests. */
  readonly clock: Clock;
}

/**
 * The sending half of one transfer. Like the receiving half it owns no socket: `start` when the connection is there,
 * then `receive`, `end` and `lost` as they happen.
 */
export class SendSession extends (EventEmitter as new () => TE.default<SendEvents>) {
  readonly #name: string;
  readonly #transport: Transport;
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #options: Complete<SendSessionOptions>;
  readonly #reply = new ReplyMatcher();
  #state: SendState = 'ready';
  #deadline: Timer | undefined;
  #endPause: (() => void) | undefined;
  #writing = false;
  /** What the network had taken when the deadline was set. */
  #takenThen: number | undefined;
  #finReceived = false;
  #sent = 0n;
  #mayBeStored = false;

  /**
   * @param name the name to announce, checked by `start`
   * @throws GoAheadError `OPTION_INVALID`
   */
  constructor(name: string, { transport, source, clock }: SendParts, options: SendSessionOptions = {}) {
    super();
    this.#name = name;
    this.#transport = transport;
    this.#source = source;
    this.#clock = clock;
    this.#options = sendSessionOptions(options);
  }

  /** Where the transfer stands, as in `docs/states.md`. */
  get state(): SendState {
    return this.#state;
  }

  /** Bytes of the body that were handed to the network. */
  get sent(): bigint {
    return this.#sent;
  }

  /**
   * False while it is certain that a conforming receiver has stored nothing: the bytes that complete the transfer have
   * not been handed to the network (6.4). Only then may a transfer be tried again without the risk of a second copy.
   */
  get mayBeStored(): boolean {
    return this.#mayBeStored;
  }

  /** The connection is there: sends the header in one write (3.4). */
  start(): void {
    let header: Buffer;
    try {
      header = encodeHeader({ size: this.#source.size, name: this.#name });
    } catch (reason) {
      this.#fail(toGoAheadError(reason, 'INTERNAL', 'the header cannot be encoded'));
      return;
    }
    this.#move('start');
    this.#mayBeStored = this.#source.size === 0n;
    const { replyTimeout } = this.#options;
    this.#deadline = this.#clock.schedule(replyTimeout, () =>
      this.#fail(fault.replyTimeout(replyTimeout, this.#reply.matched)),
    );
    void this.#transport.write(header);
  }

  /** Takes bytes that came on the connection. The chunk is free again when the call returns. */
  receive(chunk: Uint8Array): void {
    if (this.#isOver() || chunk.length === 0) return;
    const { matched } = this.#reply;
    const match = this.#reply.push(chunk);
    switch (match.kind) {
      case 'partial':
        return;
      case 'whole':
        this.#deadline?.cancel();
        this.#move('reply');
        this.emit('begun');
        if (!this.#isOver()) void this.#sendBody();
        return;
      case 'wrong':
        this.#fail(fault.replyWrong(matched, chunk));
        return;
    }
  }

  /** The receiver closed its sending side (FIN). */
  end(): void {
    switch (this.#state) {
      case 'awaiting reply':
        // Also an empty file is stored only after the reply.
        this.#mayBeStored = false;
        this.#fail(fault.refused(this.#reply.matched));
        return;
      case 'body':
        if (this.#sent === this.#source.size) {
          // All is sent, of a size of zero at once; only the file has still to be verified.
          this.#finReceived = true;
          return;
        }
        this.#fail(fault.closedEarly(this.#progress));
        return;
      case 'awaiting close':
        this.#confirmed();
        return;
      case 'ready':
      case 'confirmed':
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

  /** Ends the transfer for a reason of our own. */
  abort(error: GoAheadError): void {
    this.#fail(error);
  }

  async #sendBody(): Promise<void> {
    this.#startSendDeadline();
    try {
      await this.#sendChunks();
    } catch (reason) {
      this.#fail(toGoAheadError(reason, 'SOURCE_CHANGED', 'the source failed'));
    }
    if (this.#isOver()) return;
    this.#deadline?.cancel();
    this.#move('last');
    this.#deadline = this.#clock.schedule(this.#options.confirmTimeout, () =>
      this.#fail(fault.confirmTimeout(this.#options.confirmTimeout)),
    );
    this.#transport.end();
    if (this.#finReceived) this.#confirmed();
  }

  /** Sends the whole source, or until the session is over. Nothing is asked of the source from then on. */
  async #sendChunks(): Promise<void> {
    const { size } = this.#source;
    let read = 0n;
    /** Lent by the source and not yet given to the network. */
    let held: Uint8Array | undefined;
    let sending: MaybePromise<void> = undefined;
    try {
      while (read < size) {
        if (this.#options.pause > 0) await this.#pause();
        if (this.#isOver()) return;
        // While one chunk is on its way to the network, the next is read.
        held = await this.#source.read();
        if (this.#isOver()) return;
        read += BigInt(held?.length ?? 0);
        if (held === undefined || read > size) throw fault.lengthChanged(read, size);
        if (read === size) await this.#source.verify();
        await sending;
        if (this.#isOver()) return;
        if (read === size) this.#mayBeStored = true;
        sending = this.#send(held);
        held = undefined;
      }
      if (size === 0n) await this.#source.verify();
      await sending;
    } finally {
      if (held !== undefined) this.#source.release(held);
    }
  }

  #confirmed(): void {
    this.#deadline?.cancel();
    this.#move('fin');
    this.#transport.close();
    this.#closeSource(() => this.emit('confirmed'));
  }

  #send(chunk: Uint8Array): MaybePromise<void> {
    this.#writing = true;
    this.#deadline?.refresh();
    const written = this.#transport.write(chunk);
    // After what the network takes at once: from here on it is slow, or stands still.
    this.#takenThen = this.#transport.taken?.();
    return chain(written, () => {
      this.#writing = false;
      this.#source.release(chunk);
      if (this.#isOver()) return;
      this.#deadline?.refresh();
      this.#sent += BigInt(chunk.length);
      this.#tellProgress();
    });
  }

  #tellProgress(): void {
    try {
      this.emit('progress', this.#sent);
    } catch (reason) {
      // Nobody may be waiting for the write at this moment, and a rejection that nobody waits for ends the process.
      this.#fail(toGoAheadError(reason, 'INTERNAL', 'a listener of "progress" threw'));
    }
  }

  #pause(): Promise<void> {
    return new Promise((resume) => {
      const timer = this.#clock.schedule(this.#options.pause, resume);
      this.#endPause = () => {
        timer.cancel();
        resume();
      };
    });
  }

  #startSendDeadline(): void {
    this.#deadline = this.#clock.schedule(this.#options.sendTimeout, () => this.#sendTimeout());
  }

  #sendTimeout(): void {
    const taken = this.#transport.taken?.();
    // It takes bytes, if slowly; or it is the source that is slow, and the receiver waits for us.
    if (!this.#writing || taken !== this.#takenThen) {
      this.#takenThen = taken;
      this.#startSendDeadline();
      return;
    }
    this.#fail(fault.sendTimeout(this.#options.sendTimeout, this.#progress));
  }

  #isOver(): boolean {
    return this.#state === 'failing' || this.#state === 'failed' || this.#state === 'confirmed';
  }

  #fail(error: GoAheadError): void {
    if (this.#isOver()) return;
    error.mayBeStored = this.#mayBeStored;
    this.#move('fault');
    this.#deadline?.cancel();
    this.#endPause?.();
    this.#transport.reset();
    this.#closeSource(() => {
      this.#move('cleaned');
      this.emit('failed', error);
    });
  }

  #closeSource(closed: () => void): void {
    settle(() => this.#source.close(), closed, closed);
  }

  get #progress(): fault.Progress {
    return { state: this.#state, sent: this.#sent, size: this.#source.size };
  }

  #move(event: SendEvent): void {
    this.#state = nextSendState(this.#state, event);
  }
}
