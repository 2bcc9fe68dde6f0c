/** One connection, with everything that happens on it in a timed log. Sends literal bytes; knows nothing of the protocol. */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { codeOf } from '../../cause.js';
import { plural } from '../../plural.js';
import { escaped } from '../model/bytes.js';
import type { Ending } from '../model/case.js';

export type WireEvent =
  | 'connected'
  | 'refused'
  | 'sent'
  | 'sent FIN'
  | 'sent RST'
  | 'closed'
  | 'received'
  | 'received FIN'
  | 'received RST'
  | 'time-out'
  | 'note';

/** One line of the evidence. */
export type WireEntry = BytesEntry | EventEntry;

interface EntryBase {
  /** In ms from the start of the exchange. */
  readonly at: number;
  readonly note?: string;
  /** For a trace only: in ms since 1970. */
  readonly time?: number;
}

/** `hex` and `text` show the first 64 bytes. */
export interface BytesEntry extends EntryBase {
  readonly event: 'sent' | 'received';
  readonly length: number;
  readonly hex: string;
  readonly text: string;
  /** For a trace only: all of the bytes in base64. */
  readonly bytes?: string;
}

export interface EventEntry extends EntryBase {
  readonly event: Exclude<WireEvent, BytesEntry['event']>;
}

const SHOWN = 64;
/** More entries than this are not kept: a body in single bytes would fill the report. A trace keeps more. */
const ENTRIES = 200;
const TRACED_ENTRIES = 20_000;
/** What a trace keeps of the bytes of a connection. */
const TRACED_BYTES = 2 * 1024 * 1024;

const lost = (count: number): string => `after ${plural(count, 'line')} not shown`;

function withoutBytes(entry: WireEntry): WireEntry {
  const { at, note } = entry;
  const rest = note === undefined ? {} : { note };
  if (!('hex' in entry)) return { at, event: entry.event, ...rest };
  const { event, length, hex, text } = entry;
  return { at, event, length, hex, text, ...rest };
}

/** A log as reports have it: without the bytes in full, and not longer than they can show. */
export function abridged(log: readonly WireEntry[]): readonly WireEntry[] {
  const short = log.map(withoutBytes);
  const last = short.at(-1);
  if (last === undefined || short.length <= ENTRIES) return short;
  return [...short.slice(0, ENTRIES - 1), { ...last, note: lost(short.length - ENTRIES) }];
}

export class WireLog {
  readonly entries: WireEntry[] = [];
  readonly #traced: boolean;
  #room = TRACED_BYTES;
  #dropped = 0;
  readonly #origin = performance.now();

  /** `traced`: keep the bytes in full. */
  constructor(traced = false) {
    this.#traced = traced;
  }

  now(): number {
    return Math.round((performance.now() - this.#origin) * 100) / 100;
  }

  bytes(event: BytesEntry['event'], bytes: Buffer): void {
    const shown = bytes.subarray(0, SHOWN);
    const more = bytes.length > SHOWN ? ' …' : '';
    const keep = this.#traced && bytes.length <= this.#room;
    if (keep) this.#room -= bytes.length;
    this.#add({
      at: this.now(),
      event,
      length: bytes.length,
      hex: shown.toString('hex').replace(/(..)(?=.)/g, '$1 ') + more,
      text: escaped(shown) + more,
      ...(keep && { bytes: bytes.toString('base64') }),
    });
  }

  event(event: EventEntry['event'], note?: string): void {
    this.#add(note === undefined ? { at: this.now(), event } : { at: this.now(), event, note });
  }

  #add(bare: WireEntry): void {
    const entry = this.#traced ? { ...bare, time: performance.timeOrigin + performance.now() } : bare;
    const last = this.entries.at(-1);
    const limit = this.#traced ? TRACED_ENTRIES : ENTRIES;
    if (this.entries.length < limit) this.entries.push(entry);
    else {
      // The end of an exchange says most: the last line is always the newest, the one before counts the lost ones.
      this.#dropped += 1;
      if (last) this.entries[limit - 1] = { ...entry, note: lost(this.#dropped) };
    }
  }
}

/** What the wire keeps of what it received, in bytes; the rest is counted only. */
const KEEP = 64 * 1024 * 1024;

export class Wire {
  readonly log: WireLog;
  /** The lengths of the first pieces, as the reads returned them. */
  readonly pieces: number[] = [];
  receivedLength = 0;
  receivedAt = 0;
  sentAt = 0;
  closedAt = 0;
  /** How the other end ended the connection. */
  ending: Ending = 'open';
  /** We have ended it ourselves (reset or close), so how the target would have is unknown. */
  ours = false;
  readonly #socket: Socket;
  readonly #kept: Buffer[] = [];
  readonly #waiting = new Set<() => void>();
  #gone = false;

  constructor(socket: Socket, log: WireLog) {
    this.#socket = socket;
    this.log = log;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#received(bytes));
    socket.on('end', () => {
      // libuv reports a reset that comes with bytes as an end. After a real end the peer still has a name, unless our
      // side is closed too; and Node keeps a name once asked for, so nobody may ask before.
      const reset = !socket.writableEnded && socket.remoteAddress === undefined;
      this.ending = reset ? 'rst' : 'fin';
      this.closedAt = log.now();
      log.event(reset ? 'received RST' : 'received FIN');
      this.#wake();
    });
    socket.on('error', (error) => this.#failed(codeOf(error)));
    socket.on('close', () => {
      this.#gone = true;
      this.#wake();
    });
  }

  get received(): Buffer {
    return Buffer.concat(this.#kept);
  }

  get ended(): boolean {
    return this.ending !== 'open' || this.#gone;
  }

  /** Waits until `test` holds, at most `ms`; false when the time is over. Looks after every event of the connection. */
  async until(test: () => boolean, ms: number): Promise<boolean> {
    if (test()) return true;
    return new Promise((resolve) => {
      const settle = (met: boolean): void => {
        clearTimeout(timer);
        clearImmediate(last);
        this.#waiting.delete(look);
        resolve(met);
      };
      const look = (): void => {
        if (test()) settle(true);
      };
      // Node runs timers before it reads: after a stall of ours what came in time is still unread, and is let in first.
      let last: NodeJS.Immediate | undefined;
      const timer = setTimeout(() => {
        last = setImmediate(() => settle(test()));
      }, ms);
      this.#waiting.add(look);
    });
  }

  /** Sends in one write and waits until the kernel has taken it; false when the connection is gone or `ms` is over. */
  async send(bytes: Buffer, ms: number): Promise<boolean> {
    if (this.#gone || this.ours || !this.#socket.writable) return false;
    let state: 'pending' | 'done' | 'failed' = 'pending';
    const settled = (): boolean => state !== 'pending' || this.#gone;
    this.log.bytes('sent', bytes);
    this.#socket.write(bytes, (error) => {
      state = error ? 'failed' : 'done';
      this.#wake();
    });
    const met = await this.until(settled, ms);
    if (!met) this.log.event('time-out', 'the other end takes no more bytes');
    this.sentAt = this.log.now();
    return this.#is(state, 'done');
  }

  finish(): void {
    if (this.#gone || this.ours) return;
    this.log.event('sent FIN');
    this.#socket.end();
  }

  reset(): void {
    if (this.#gone || this.ours) return;
    this.ours = true;
    this.log.event('sent RST');
    this.#socket.resetAndDestroy();
  }

  /** Leaves: a FIN, and no more reading. */
  close(): void {
    if (this.#gone || this.ours) return;
    this.ours = true;
    this.log.event('closed');
    this.#socket.destroy();
  }

  stopReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** Frees the socket without a trace in the log. Resets, so that no half-open connection is left at the target. */
  dispose(): void {
    if (this.#gone) return;
    if (this.ending === 'fin' && this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  // TypeScript narrows `state` to its initial value across the closure; a call hides it.
  #is<T>(value: T, wanted: T): boolean {
    return value === wanted;
  }

  #received(bytes: Buffer): void {
    if (this.receivedLength < KEEP) this.#kept.push(bytes);
    if (this.pieces.length < 64) this.pieces.push(bytes.length);
    this.receivedLength += bytes.length;
    this.receivedAt = this.log.now();
    this.log.bytes('received', bytes);
    this.#wake();
  }

  #failed(code: string): void {
    // EPIPE without a reset seen before it: Linux reports it when a FIN came first and the reset answered our bytes
    // (tcp_reset() in state CLOSE_WAIT), so what the target did was a FIN.
    if (this.ending === 'open') {
      this.ending = code === 'EPIPE' ? 'fin' : 'rst';
      this.closedAt = this.log.now();
    }
    this.log.event('received RST', code);
    this.#gone = true;
    this.#wake();
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}
