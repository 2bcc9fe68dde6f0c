import { GoAheadError } from '../errors.js';

/**
 * Both state machines, as data: `state -> event -> next state`. Everything that decides where a session goes is here,
 * `docs/states.md` is drawn from it, and an event that a state does not list is a bug of ours.
 */
export const RECEIVE_TRANSITIONS = {
  /** Nothing, or a part that cannot be a whole header (3.7, 3.8). */
  header: { fragment: 'header', whole: 'opening', piece: 'settling', fault: 'failing' },
  /** What has come in pieces may be a whole header; waiting for a short quiet (3.10). */
  settling: { fragment: 'header', piece: 'settling', quiet: 'opening', fin: 'opening', fault: 'failing' },
  /** The storage is asked to accept the upload (4, 9.2). */
  opening: { opened: 'body', fault: 'failing' },
  /** The reply is sent (5.1). */
  body: { last: 'ending', fault: 'failing' },
  /** The last byte has come; waiting for the end of the stream, or for the grace to pass (7.2, 7.3). */
  ending: { fin: 'flushing', grace: 'flushing', fault: 'failing' },
  /** Waiting for writes that are under way. */
  flushing: { flushed: 'committing', fault: 'failing' },
  /** The storage puts the file under its final name; there is no way back (7.5). */
  committing: { committed: 'stored', fault: 'failing' },
  stored: {},
  /** Waiting for the storage to remove what was written (8.3). */
  failing: { cleaned: 'failed' },
  failed: {},
} as const;

export const SEND_TRANSITIONS = {
  ready: { start: 'awaiting reply', fault: 'failing' },
  /** The header is sent (3.4, 3.5). */
  'awaiting reply': { reply: 'body', fault: 'failing' },
  body: { last: 'awaiting close', fault: 'failing' },
  /** The last byte and the FIN are sent; the receiver's FIN is the receipt (7.9). */
  'awaiting close': { fin: 'confirmed', fault: 'failing' },
  confirmed: {},
  /** Waiting for the source to be closed. */
  failing: { cleaned: 'failed' },
  failed: {},
} as const;

export type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;
export type ReceiveState = keyof typeof RECEIVE_TRANSITIONS;
export type SendState = keyof typeof SEND_TRANSITIONS;

type EventOf<T> = { [S in keyof T]: keyof T[S] }[keyof T] & string;
export type ReceiveEvent = EventOf<typeof RECEIVE_TRANSITIONS>;
export type SendEvent = EventOf<typeof SEND_TRANSITIONS>;

/** @throws GoAheadError `INTERNAL` when the table has no such transition */
export function nextReceiveState(state: ReceiveState, event: ReceiveEvent): ReceiveState {
  const row: Readonly<Partial<Record<ReceiveEvent, ReceiveState>>> = RECEIVE_TRANSITIONS[state];
  return row[event] ?? noTransition(state, event);
}

/** @throws GoAheadError `INTERNAL` when the table has no such transition */
export function nextSendState(state: SendState, event: SendEvent): SendState {
  const row: Readonly<Partial<Record<SendEvent, SendState>>> = SEND_TRANSITIONS[state];
  return row[event] ?? noTransition(state, event);
}

function noTransition(state: string, event: string): never {
  throw new GoAheadError('INTERNAL', `the event "${event}" has no place in the state "${state}"; please report this`);
}
