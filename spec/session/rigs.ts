import { GoAheadError } from '../../lib/errors.js';
import { RECEIVE_DEFAULTS, type ReceiveOptions, type SendSessionOptions } from '../../lib/session/options.js';
import { ReceiveSession } from '../../lib/session/receive-session.js';
import { SendSession } from '../../lib/session/send-session.js';
import type { ReceiveState, SendState } from '../../lib/session/states.js';
import { FakeSource, type FakeSourceOptions } from '../support/fake-source.js';
import { FakeStorage, type FakeStorageOptions } from '../support/fake-storage.js';
import { ManualClock, quiescence } from '../support/manual-clock.js';
import { RecordingTransport } from '../support/recording-transport.js';
import { hex } from '../wire/bytes.js';

export const SIZE_0 = hex('00 00 00 00 00 00 00 00');
export const SIZE_5 = hex('00 00 00 00 00 00 00 05');
export const NAME = hex('61 2e 74 78 74'); // "a.txt"
export const HEADER = Buffer.concat([SIZE_5, NAME]);
export const EMPTY_HEADER = Buffer.concat([SIZE_0, NAME]);
export const HELLO = hex('68 65 6c 6c 6f'); // "hello"
export const GO_AHEAD = hex('67 6f 20 61 68 65 61 64');

/** A receiving session whose every part is under control. */
export class Receiving {
  readonly session: ReceiveSession;
  readonly transport = new RecordingTransport();
  readonly clock = new ManualClock();
  readonly storage: FakeStorage;
  readonly events: string[] = [];
  error: GoAheadError | undefined;

  constructor(storage: FakeStorageOptions = {}, options: ReceiveOptions = {}) {
    this.storage = new FakeStorage(storage);
    const { transport, clock } = this;
    this.session = new ReceiveSession({ transport, clock, storage: this.storage }, options);
    this.session.on('begun', ({ name, size }) => void this.events.push(`begun ${name} ${size}`));
    this.session.on('stored', ({ name, size }) => void this.events.push(`stored ${name} ${size}`));
    this.session.on('failed', (error) => {
      this.error = error;
      this.events.push(`failed ${error.code}`);
    });
    this.session.start();
  }

  /** Lets every call of the storage come to its end, also those that follow from others. */
  async drain(): Promise<void> {
    await quiescence();
    while (this.storage.waiting.length > 0) {
      this.storage.settle();
      await quiescence();
    }
  }

  /** The outcome in one line, for tables. */
  get summary(): string {
    const files = this.storage.files.map(({ name, bytes }) => `${name}=${bytes.toString()}`);
    return [this.events.join(', '), this.transport.calls.join(', '), this.storage.calls.join(', '), files.join()].join(
      ' | ',
    );
  }
}

/** A sending session whose every part is under control. */
export class Sending {
  readonly session: SendSession;
  readonly transport: RecordingTransport;
  readonly clock = new ManualClock();
  readonly source: FakeSource;
  readonly events: string[] = [];
  error: GoAheadError | undefined;

  constructor(
    chunks: readonly (Uint8Array | string)[],
    source: FakeSourceOptions = {},
    options: SendSessionOptions = {},
    writes: 'sync' | 'manual' = 'sync',
    name = 'a.txt',
  ) {
    this.transport = new RecordingTransport(writes);
    this.source = new FakeSource(chunks, source);
    const { transport, clock } = this;
    this.session = new SendSession(name, { transport, clock, source: this.source }, options);
    this.session.on('begun', () => void this.events.push('begun'));
    this.session.on('progress', (sent) => void this.events.push(`progress ${sent}`));
    this.session.on('confirmed', () => void this.events.push('confirmed'));
    this.session.on('failed', (error) => {
      this.error = error;
      this.events.push(`failed ${error.code}`);
    });
  }

  /** Lets every write and every call of the source come to its end. */
  async drain(): Promise<void> {
    await quiescence();
    while (this.source.waiting + this.transport.outstanding > 0) {
      if (this.source.waiting > 0) this.source.settle();
      else this.transport.settle();
      await quiescence();
    }
  }
}

/** How to bring a session into each state, by a storage that waits where the state needs it. */
export const REACH_RECEIVE: Readonly<Record<ReceiveState, () => Promise<Receiving>>> = {
  header: async () => new Receiving({ answering: 'manual' }),
  settling: async () => {
    const rig = await REACH_RECEIVE.header();
    rig.session.receive(HEADER.subarray(0, 3));
    rig.session.receive(HEADER.subarray(3));
    return rig;
  },
  opening: async () => {
    const rig = await REACH_RECEIVE.header();
    rig.session.receive(HEADER);
    return rig;
  },
  body: async () => {
    const rig = await REACH_RECEIVE.opening();
    rig.storage.settle();
    await quiescence();
    return rig;
  },
  ending: async () => {
    const rig = await REACH_RECEIVE.body();
    void rig.session.receive(HELLO);
    rig.storage.settle();
    await quiescence();
    return rig;
  },
  flushing: async () => {
    const rig = await REACH_RECEIVE.body();
    void rig.session.receive(HELLO);
    rig.clock.advance(RECEIVE_DEFAULTS.grace);
    return rig;
  },
  committing: async () => {
    const rig = await REACH_RECEIVE.ending();
    rig.clock.advance(RECEIVE_DEFAULTS.grace);
    return rig;
  },
  stored: async () => {
    const rig = await REACH_RECEIVE.committing();
    rig.storage.settle();
    await quiescence();
    return rig;
  },
  failing: async () => {
    const rig = await REACH_RECEIVE.body();
    rig.session.abort(new GoAheadError('ABORTED', 'enough'));
    return rig;
  },
  failed: async () => {
    const rig = await REACH_RECEIVE.failing();
    rig.storage.settle();
    await quiescence();
    return rig;
  },
};

/** How to bring a session into each state; the source has "he" and "llo". */
export const REACH_SEND: Readonly<Record<SendState, () => Promise<Sending>>> = {
  ready: async () => new Sending(['he', 'llo'], { answering: 'manual' }, {}, 'manual'),
  'awaiting reply': async () => {
    const rig = await REACH_SEND.ready();
    rig.session.start();
    rig.transport.settle();
    return rig;
  },
  body: async () => {
    const rig = await REACH_SEND['awaiting reply']();
    rig.session.receive(GO_AHEAD);
    rig.source.settle();
    await quiescence();
    return rig;
  },
  'awaiting close': async () => {
    const rig = await REACH_SEND.body();
    await rig.drain();
    return rig;
  },
  confirmed: async () => {
    const rig = await REACH_SEND['awaiting close']();
    rig.session.end();
    await rig.drain();
    return rig;
  },
  failing: async () => {
    const rig = await REACH_SEND['awaiting reply']();
    rig.session.abort(new GoAheadError('ABORTED', 'enough'));
    return rig;
  },
  failed: async () => {
    const rig = await REACH_SEND.failing();
    await rig.drain();
    return rig;
  },
};
