import t, { type Test } from 'tap';
import { GoAheadError } from '../../lib/errors.js';
import { RECEIVE_DEFAULTS } from '../../lib/session/options.js';
import {
  nextReceiveState,
  nextSendState,
  RECEIVE_TRANSITIONS,
  SEND_TRANSITIONS,
  type ReceiveEvent,
  type ReceiveState,
  type SendEvent,
  type SendState,
} from '../../lib/session/states.js';
import { quiescence } from '../support/manual-clock.js';
import { EMPTY_HEADER, GO_AHEAD, HEADER, HELLO, REACH_RECEIVE, REACH_SEND, Sending, type Receiving } from './rigs.js';

/** `state event`, for each transition of a table: a new one that is not exercised below does not compile. */
type TransitionsOf<T> = { [S in keyof T & string]: `${S} ${keyof T[S] & string}` }[keyof T & string];

const enough = new GoAheadError('ABORTED', 'enough');
const abort = ({ session }: { readonly session: { abort(error: GoAheadError): void } }): void => session.abort(enough);
const settle = ({ storage }: Receiving): void => storage.settle();
const fin = ({ session }: { readonly session: { end(): void } }): void => session.end();

const RECEIVE: Readonly<Record<TransitionsOf<typeof RECEIVE_TRANSITIONS>, (rig: Receiving) => void>> = {
  'header fragment': ({ session }) => void session.receive(HEADER.subarray(0, 8)),
  'header whole': ({ session }) => void session.receive(HEADER),
  // Two pieces, which pass through the state itself.
  'header piece': ({ session }) => {
    session.receive(HEADER.subarray(0, 8));
    session.receive(HEADER.subarray(8));
  },
  'header fault': abort,
  'settling fragment': ({ session }) => void session.receive(Buffer.from([0xc3])),
  'settling piece': ({ session }) => void session.receive(Buffer.from('x')),
  'settling quiet': ({ clock }) => clock.advance(RECEIVE_DEFAULTS.settle),
  'settling fin': fin,
  'settling fault': abort,
  'opening opened': settle,
  'opening fault': abort,
  'body last': ({ session }) => void session.receive(HELLO),
  'body fault': abort,
  'ending fin': fin,
  'ending grace': ({ clock }) => clock.advance(RECEIVE_DEFAULTS.grace),
  'ending fault': abort,
  'flushing flushed': settle,
  'flushing fault': abort,
  'committing committed': settle,
  // By hand, below: only the storage can fail a commit.
  'committing fault': () => undefined,
  'failing cleaned': settle,
};

const SEND: Readonly<Record<TransitionsOf<typeof SEND_TRANSITIONS>, (rig: Sending) => unknown>> = {
  'ready start': ({ session }) => session.start(),
  'ready fault': abort,
  'awaiting reply reply': ({ session }) => session.receive(GO_AHEAD),
  'awaiting reply fault': abort,
  'body last': (rig) => rig.drain(),
  'body fault': abort,
  'awaiting close fin': fin,
  'awaiting close fault': abort,
  'failing cleaned': ({ source }) => source.settle(),
};

t.test('every transition of the receiver is one that a session takes', async (t) => {
  for (const [state, row] of Object.entries(RECEIVE_TRANSITIONS) as [ReceiveState, Record<string, ReceiveState>][]) {
    for (const [event, next] of Object.entries(row)) {
      const rig = await REACH_RECEIVE[state]();
      const key = `${state} ${event}` as keyof typeof RECEIVE;
      if (key === 'committing fault') continue;
      const seen: ReceiveState[] = [];
      // Whatever the session does on the way out can be seen here, before it goes on.
      rig.transport.onCall = () => void seen.push(rig.session.state);
      RECEIVE[key](rig);
      seen.push(rig.session.state);
      await quiescence();
      seen.push(rig.session.state);
      // Where nothing holds it, a session goes on at once: flushing has nothing to flush.
      const passes = next === 'flushing' && seen.includes('committing');
      t.ok(seen.includes(next) || passes, `${key} -> ${next}: ${seen.join(', ')}`);
    }
  }
  const rig = await REACH_RECEIVE.committing();
  rig.storage.failNext();
  rig.storage.settle();
  await quiescence();
  t.equal(rig.session.state, 'failed', 'committing fault -> failing: a commit that fails, with nothing left to clean');
  t.equal(rig.events.at(-1), 'failed STORAGE_FAILED');
});

t.test('every transition of the sender is one that a session takes', async (t) => {
  for (const [state, row] of Object.entries(SEND_TRANSITIONS) as [SendState, Record<string, SendState>][]) {
    for (const [event, next] of Object.entries(row)) {
      const rig = await REACH_SEND[state]();
      await SEND[`${state} ${event}` as keyof typeof SEND](rig);
      const now = rig.session.state;
      await quiescence();
      t.ok(now === next || rig.session.state === next, `${state} ${event} -> ${next}`);
    }
  }
});

function assertTable<S extends string, E extends string>(
  t: Test,
  table: Readonly<Record<S, Readonly<Partial<Record<E, S>>>>>,
  next: (state: S, event: E) => S,
  ends: readonly S[],
): void {
  const states = Object.keys(table) as S[];
  const events = [...new Set(states.flatMap((state) => Object.keys(table[state]) as E[]))];
  let impossible = 0;
  for (const state of states) {
    for (const event of events) {
      const to = table[state][event];
      if (to !== undefined) {
        t.equal(next(state, event), to, `${state} ${event}`);
        t.ok(states.includes(to), `${to} is a state`);
        continue;
      }
      impossible += 1;
      t.throws(
        () => next(state, event),
        { name: 'GoAheadError', code: 'INTERNAL', side: 'local' },
        `${state}, no ${event}`,
      );
    }
  }
  t.ok(impossible > 0);
  t.strictSame(
    states.filter((state) => Object.keys(table[state]).length === 0),
    ends,
    'the states that are an end',
  );
  const reached = new Set<S>(states.slice(0, 1));
  for (const state of reached)
    for (const to of Object.values<S | undefined>(table[state])) if (to !== undefined) reached.add(to);
  t.strictSame([...reached].sort(), [...states].sort(), 'every state can be reached from the first');
}

t.test('an event that a state does not list is impossible', async (t) => {
  assertTable<ReceiveState, ReceiveEvent>(t, RECEIVE_TRANSITIONS, nextReceiveState, ['stored', 'failed']);
  assertTable<SendState, SendEvent>(t, SEND_TRANSITIONS, nextSendState, ['confirmed', 'failed']);
});

t.test('a session that is used wrongly says so, by an error of ours', async (t) => {
  const twice = new Sending(['hello']);
  twice.session.start();
  t.throws(() => twice.session.start(), { name: 'GoAheadError', code: 'INTERNAL' });
  const unstarted = new Sending(['hello']);
  t.throws(() => unstarted.session.receive(GO_AHEAD), { name: 'GoAheadError', code: 'INTERNAL' });
  const rig = await REACH_RECEIVE.header();
  rig.session.receive(EMPTY_HEADER);
  t.equal(rig.session.state, 'opening');
});
