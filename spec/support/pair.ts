import type { GoAheadError } from '../../lib/errors.js';
import type { ReceiveOptions, SendSessionOptions } from '../../lib/session/options.js';
import { ReceiveSession } from '../../lib/session/receive-session.js';
import { SendSession } from '../../lib/session/send-session.js';
import type { ReceiveState, SendState } from '../../lib/session/states.js';
import type { Transport } from '../../lib/session/transport.js';
import { FakeSource, type FakeSourceOptions } from './fake-source.js';
import { FakeStorage, type FakeStorageOptions } from './fake-storage.js';
import { ManualClock, quiescence } from './manual-clock.js';

type Item = Uint8Array | 'FIN' | 'RST';

/** One direction of a connection: what was sent and has not arrived. */
class Wire {
  readonly items: Item[] = [];
  /** Breaches of the order that a connection has: nothing follows a FIN or a reset. */
  readonly breaches: string[] = [];
  #closed = false;

  send(item: Item): void {
    if (item === 'RST') this.items.length = 0;
    else if (this.#closed)
      this.breaches.push(typeof item === 'string' ? `${item} after the end` : 'bytes after the end');
    this.#closed ||= typeof item === 'string';
    this.items.push(item);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Takes off what arrives next: all of what was written at once, or its first `most` bytes. */
  take(most = Number.POSITIVE_INFINITY): Item | undefined {
    const item = this.items.shift();
    if (item === undefined || typeof item === 'string' || item.length <= most) return item;
    this.items.unshift(item.subarray(most));
    return item.subarray(0, most);
  }

  get bytes(): number {
    return this.items.reduce((sum, item) => sum + (typeof item === 'string' ? 0 : item.length), 0);
  }
}

class WireTransport implements Transport {
  paused = false;
  /** Given up: nothing arrives here any more. */
  gone = false;
  readonly #out: Wire;

  constructor(out: Wire) {
    this.#out = out;
  }

  write(bytes: Uint8Array): void {
    if (!this.gone) this.#out.send(Buffer.from(bytes));
  }

  end(): void {
    this.#out.send('FIN');
  }

  close(): void {
    if (!this.#out.closed) this.#out.send('FIN');
    this.gone = true;
  }

  reset(): void {
    if (!this.gone) this.#out.send('RST');
    this.gone = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

/** Which states of the receiver go with one of the sender's, whatever is on its way between them. */
const TOGETHER: Readonly<Record<SendState, readonly ReceiveState[] | 'any'>> = {
  ready: ['header'],
  // An empty file can be stored, by the grace, before its sender has read the reply.
  'awaiting reply': 'any',
  body: ['body', 'ending', 'flushing', 'committing', 'stored', 'failing', 'failed'],
  'awaiting close': ['body', 'ending', 'flushing', 'committing', 'stored', 'failing', 'failed'],
  // The receipt: the reason for the whole exercise.
  confirmed: ['stored'],
  failing: 'any',
  failed: 'any',
};

export interface Views {
  readonly sender: SendState;
  readonly receiver: ReceiveState;
  /** Bytes of the body: handed to the network, on their way, and counted by the receiver. */
  readonly sent: bigint;
  readonly underWay: bigint;
  readonly received: bigint;
  readonly size: bigint;
  readonly mayBeStored: boolean;
}

/** Why two views cannot be of one transfer; undefined when they can. */
export function disagreement(views: Views): string | undefined {
  const { sender, receiver, sent, underWay, received, size, mayBeStored } = views;
  const together = TOGETHER[sender];
  if (together !== 'any' && !together.includes(receiver)) return `the sender is ${sender}, the receiver ${receiver}`;
  if (receiver === 'stored' && received !== size) return `stored after ${received} of ${size} bytes`;
  if (receiver === 'stored' && !mayBeStored) return 'stored, and the sender is sure that it is not';
  if (sender === 'body' && receiver === 'body' && sent !== received + underWay) {
    return `${sent} bytes were sent, ${underWay} are on their way, ${received} came`;
  }
  return undefined;
}

/** A sender and a receiver back to back, without sockets; after each step both must tell of one and the same transfer. */
export class Pair {
  readonly clock = new ManualClock();
  readonly storage: FakeStorage;
  readonly source: FakeSource;
  readonly sender: SendSession;
  readonly receiver: ReceiveSession;
  readonly toReceiver = new Wire();
  readonly toSender = new Wire();
  senderEnd: 'confirmed' | GoAheadError | undefined;
  receiverEnd: 'stored' | GoAheadError | undefined;
  readonly #senderTransport = new WireTransport(this.toReceiver);
  readonly #receiverTransport = new WireTransport(this.toSender);

  constructor(
    chunks: readonly (Uint8Array | string)[],
    {
      name = 'a.txt',
      ...options
    }: {
      name?: string;
      source?: FakeSourceOptions;
      storage?: FakeStorageOptions;
      send?: SendSessionOptions;
      receive?: ReceiveOptions;
    } = {},
  ) {
    const { clock } = this;
    this.storage = new FakeStorage(options.storage);
    this.source = new FakeSource(chunks, options.source);
    this.sender = new SendSession(name, { transport: this.#senderTransport, source: this.source, clock }, options.send);
    this.receiver = new ReceiveSession(
      { transport: this.#receiverTransport, storage: this.storage, clock },
      options.receive,
    );
    this.sender.on('confirmed', () => void (this.senderEnd = 'confirmed'));
    this.sender.on('failed', (error) => void (this.senderEnd = error));
    this.receiver.on('stored', () => void (this.receiverEnd = 'stored'));
    this.receiver.on('failed', (error) => void (this.receiverEnd = error));
  }

  async start(): Promise<void> {
    this.receiver.start();
    this.sender.start();
    await this.#look();
  }

  /** Lets the receiver have what arrives next, or its first `most` bytes. False when there is nothing, or it does not read. */
  async deliverToReceiver(most?: number): Promise<boolean> {
    return this.#deliver(this.toReceiver, this.#receiverTransport, this.receiver, most);
  }

  async deliverToSender(most?: number): Promise<boolean> {
    return this.#deliver(this.toSender, this.#senderTransport, this.sender, most);
  }

  /** Lets the storage finish its oldest call. False when it has none. */
  async settleStorage(): Promise<boolean> {
    if (this.storage.waiting.length === 0) return false;
    this.storage.settle();
    await this.#look();
    return true;
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.#look();
  }

  /** Until nothing is on its way and nothing is under way; time passes only where everything waits for it. */
  async finish(most?: number): Promise<void> {
    for (;;) {
      if (await this.deliverToReceiver(most)) continue;
      if (await this.deliverToSender(most)) continue;
      if (await this.settleStorage()) continue;
      const { next } = this.clock;
      if (next === undefined) return;
      await this.advance(next);
    }
  }

  /** The network fails for both. */
  async cut(): Promise<void> {
    this.toReceiver.items.length = this.toSender.items.length = 0;
    this.sender.lost();
    this.receiver.lost();
    await this.#look();
  }

  async #deliver(
    wire: Wire,
    { paused, gone }: WireTransport,
    session: SendSession | ReceiveSession,
    most: number | undefined,
  ): Promise<boolean> {
    // A reset is heard of also by who does not read.
    if (paused && !gone && wire.items[0] !== 'RST') return false;
    const item = wire.take(most);
    if (item === undefined) return false;
    if (gone) return true;
    if (item === 'FIN') session.end();
    else if (item === 'RST') session.lost();
    else {
      const memory = Buffer.from(item);
      const inUse = session.receive(memory);
      if (inUse === undefined) memory.fill(0xee);
      else void inUse.then(() => memory.fill(0xee));
    }
    await this.#look();
    return true;
  }

  async #look(): Promise<void> {
    await quiescence();
    const { sender, receiver } = this;
    const views: Views = {
      sender: sender.state,
      receiver: receiver.state,
      sent: sender.sent,
      underWay: BigInt(this.toReceiver.bytes),
      received: receiver.received,
      size: this.source.size,
      mayBeStored: sender.mayBeStored,
    };
    const problem = disagreement(views) ?? this.toReceiver.breaches[0] ?? this.toSender.breaches[0];
    if (problem !== undefined) throw new Error(problem);
  }
}
