import { GoAheadError } from '../errors.js';

/**
 * Both state machines, as data: `state -> event -> next state`. Everything that decides where a session goes is here,
 * `docs/states.md` is drawn from it. What happens on a connection becomes an event that the state lists, or nothing.
 */
export const RECEIVE_TRANSITIONS = {
  header: { fragment: 'header', whole: 'opening', piece: 'settling', fault: 'failing' },
  settling: { fragment: 'header', piece: 'settling', quiet: 'opening', fin: 'opening', fault: 'failing' },
  opening: { opened: 'body', fault: 'failing' },
  body: { last: 'ending', fault: 'failing' },
  ending: { fin: 'flushing', grace: 'flushing', fault: 'failing' },
  flushing: { flushed: 'committing', fault: 'failing' },
  committing: { committed: 'stored', fault: 'failing' },
  stored: {},
  failing: { cleaned: 'failed' },
  failed: {},
} as const;

/** The same for the sending half. */
export const SEND_TRANSITIONS = {
  ready: { start: 'awaiting reply', fault: 'failing' },
  'awaiting reply': { reply: 'body', fault: 'failing' },
  body: { last: 'awaiting close', fault: 'failing' },
  'awaiting close': { fin: 'confirmed', fault: 'failing' },
  confirmed: {},
  failing: { cleaned: 'failed' },
  failed: {},
} as const;

/** Where a receiving session stands. */
export type ReceiveState = keyof typeof RECEIVE_TRANSITIONS;
/** Where a sending session stands. */
export type SendState = keyof typeof SEND_TRANSITIONS;

type EventOf<T> = { [S in keyof T]: keyof T[S] }[keyof T] & string;
export type ReceiveEvent = EventOf<typeof RECEIVE_TRANSITIONS>;
export type SendEvent = EventOf<typeof SEND_TRANSITIONS>;

/** What the tables' words mean, for `docs/states.md`. */
export interface Meanings<S extends string, E extends string> {
  readonly states: Readonly<Record<S, string>>;
  readonly events: Readonly<Record<E, string>>;
}

export const RECEIVE_MEANINGS: Meanings<ReceiveState, ReceiveEvent> = {
  states: {
    header: 'Nothing has come, or a part that cannot be a whole header (3.7, 3.8).',
    settling: 'What came in pieces may be a whole header: waiting for a short quiet (3.10).',
    opening: 'The storage is asked to accept the upload (4, 9.2).',
    body: 'The reply is sent (5.1): taking the body.',
    ending: 'The last byte has come: waiting for the end of the stream, or for the grace to pass (7.2, 7.3).',
    flushing: 'Waiting for the writes that are under way.',
    committing:
      'The storage puts the file under its final name; there is no way back, and only the storage can still fail (7.5).',
    stored: 'The file stands and the connection is closed, which is the receipt (7.6).',
    failing: 'Waiting for the storage to remove what was written (8.3).',
    failed: 'Nothing is left, and the connection is closed (8.1) or reset (8.2).',
  },
  events: {
    fragment: 'A piece came, and the header has fewer than 9 bytes or ends inside a character.',
    whole: 'A header that may be whole came in one piece (3.9).',
    piece: 'A piece came, and the header may be whole with it; or waiting for the quiet is asked for always.',
    quiet: 'No further piece came for the settle time.',
    opened: 'The storage accepted the upload.',
    last: 'The last byte of the body came.',
    fin: 'The sender closed its sending side, where that is the end of something; before its time it is a fault (3.13, 6.4).',
    grace: 'The sender kept its side open and silent for the grace.',
    flushed: 'No write is under way any more.',
    committed: 'The file stands under its final name.',
    fault: 'A clause was broken, a deadline passed, the connection was lost, the storage failed, or the user aborted.',
    cleaned: 'What was written is removed, or there was nothing.',
  },
};

export const SEND_MEANINGS: Meanings<SendState, SendEvent> = {
  states: {
    ready: 'Waiting for the connection.',
    'awaiting reply': 'The header is sent (3.4), and nothing follows it before the reply (3.5).',
    body: 'The reply has come: sending the body.',
    'awaiting close': 'The last byte and the FIN are sent (7.1): the FIN of the receiver is the receipt (7.9).',
    confirmed: 'The receiver has closed: the file is stored.',
    failing: 'The connection is reset (8.5): waiting for the source to be closed.',
    failed: 'The transfer failed, and the source is closed.',
  },
  events: {
    start: 'The connection is there.',
    reply: 'The whole reply has come.',
    last: 'The last byte was handed to the network.',
    fin: 'The receiver closed its side; before its time that is a refusal or a failure (8.1, 7.9).',
    fault: 'A clause was broken, a deadline passed, the connection was lost, the source failed, or the user aborted.',
    cleaned: 'The source is closed.',
  },
};

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
