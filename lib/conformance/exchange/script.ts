/** Runs the steps of one connection and writes down what happened. It judges nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bufferOf, chunksOf, join, lengthOf, type Bytes, type Variables } from '../model/bytes.js';
import type { DeclaredTime } from '../model/capabilities.js';
import type { ClientStep, Cut, Ending, Step } from '../model/case.js';
import type { Times } from './times.js';
import type { Wire, WireEntry } from './wire.js';

export const GO_AHEAD = Buffer.from('676f206168656164', 'hex');

/** What happened on one connection. */
export interface Observed {
  readonly label: string;
  /** Null when the connection was made, else why not. */
  readonly connectError: string | null;
  readonly received: Buffer;
  readonly receivedLength: number;
  /** The lengths of the pieces as they were read. */
  readonly pieces: readonly number[];
  /** How many bytes had come when the script first sent something. */
  readonly receivedBeforeSending: number;
  /** Bytes came in a silence. */
  readonly brokeSilence: boolean;
  /** What stood under the final name too early; null when nothing did. */
  readonly seenEarly: string | null;
  readonly ending: Ending;
  /** The script itself ended the connection, so `ending` says nothing about the target. */
  readonly endedByUs: boolean;
  /** The target ended the connection before the script had sent its last byte. */
  readonly endedEarly: boolean;
  /** The step at which the script stopped because what it waited for did not come; null when it ran through. */
  readonly stoppedAt: Step['do'] | null;
  /** How long that was waited for while the connection stayed open, in ms; null when it was not. */
  readonly waitedMs: number | null;
  /** From the last byte sent before it; null when it did not come. */
  readonly replyMs: number | null;
  readonly closeMs: number | null;
  readonly log: readonly WireEntry[];
}

/** Signals between the connections of one case. */
export class Board {
  readonly #given = new Set<string>();
  readonly #waiting = new Map<string, (() => void)[]>();
  readonly #here = new Map<string, Set<number>>();

  give(name: string): void {
    this.#given.add(name);
    for (const go of this.#waiting.get(name) ?? []) go();
  }

  async wait(name: string, ms: number): Promise<boolean> {
    if (this.#given.has(name)) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      const list = this.#waiting.get(name) ?? [];
      list.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
      this.#waiting.set(name, list);
    });
  }

  /** One of `size` is at the meeting point, or will never come to it. Returns the signal that is given when all are. */
  arrive({ name, member, size }: Group): string {
    const here = this.#here.get(name) ?? new Set();
    this.#here.set(name, here.add(member));
    const all = `all of ${name}`;
    if (here.size >= size) this.give(all);
    return all;
  }
}

/** The copies of one connection. */
export interface Group {
  readonly name: string;
  readonly member: number;
  readonly size: number;
}

export interface ScriptContext {
  readonly label: string;
  readonly file: { readonly size: Bytes; readonly name: Bytes; readonly body: Bytes };
  readonly variables: Variables;
  readonly times: Times;
  readonly declared: Partial<Readonly<Record<DeclaredTime, number>>>;
  readonly board: Board;
  /** The headers that a client may send. */
  readonly headers: readonly Buffer[];
  /** What is done to the client beside the connection; false ends the script. */
  readonly clientStep: (step: ClientStep) => Promise<boolean>;
  readonly group?: Group;
  /** What is wrong with what stands under the final name while the upload goes on; null when nothing is. */
  readonly look?: () => Promise<string | null>;
  /** How many bytes of the case are on disk by now. */
  readonly stored?: () => number;
}

function offset(value: number | undefined, length: bigint, fallback: bigint): bigint {
  if (value === undefined) return fallback;
  return value < 0 ? length + BigInt(value) : BigInt(value);
}

function cutPieces(whole: Buffer, cut: Cut | undefined): Buffer[] {
  if (cut === undefined) return [whole];
  const points =
    'at' in cut
      ? cut.at
      : Array.from({ length: Math.max(0, Math.ceil(whole.length / cut.every) - 1) }, (_, i) => (i + 1) * cut.every);
  const ends = [...points.filter((point) => point > 0 && point < whole.length), whole.length];
  return ends.map((end, i) => whole.subarray(ends[i - 1] ?? 0, end));
}

/** A deadline of the target's own; 0 without one. */
export function declaredMs({ declared }: Pick<ScriptContext, 'declared'>, which: DeclaredTime | undefined): number {
  return which === undefined ? 0 : (declared[which] ?? 0);
}

class Script {
  readonly #wire: Wire;
  readonly #context: ScriptContext;
  readonly #deadline: number;
  receivedBeforeSending: number | null = null;
  brokeSilence = false;
  seenEarly: string | null = null;
  endedEarly = false;
  replyMs: number | null = null;
  closeMs: number | null = null;
  waitedMs: number | null = null;

  constructor(wire: Wire, steps: readonly Step[], context: ScriptContext) {
    this.#wire = wire;
    this.#context = context;
    // The target's own deadlines come on top of what the suite allows a case.
    const own = steps.map((step) => {
      if (step.do === 'ended') return declaredMs(context, step.after);
      return step.do === 'header' && step.pace ? 8 * step.pace.share * declaredMs(context, step.pace.of) : 0;
    });
    this.#deadline = performance.now() + context.times.cap + own.reduce((sum, ms) => sum + ms, 0);
  }

  /** True to go on, false to end the script. */
  async step(step: Step): Promise<boolean> {
    const { times, file, variables } = this.#context;
    const wire = this.#wire;
    switch (step.do) {
      case 'header':
        return this.#send(
          bufferOf(join(file.size, file.name), variables),
          step.cut,
          step.pace ? step.pace.share * declaredMs(this.#context, step.pace.of) : times.gap,
          step.hush,
        );
      case 'send':
        return this.#send(bufferOf(step.bytes, variables), step.cut, times.gap);
      case 'body':
        return this.#body(step.from, step.to, step.cut);
      case 'reply':
        return this.#reply();
      case 'request':
        return this.#request();
      case 'take': {
        const header = this.receivedBeforeSending ?? wire.receivedLength;
        const wanted = header + Number(offset(step.to, lengthOf(file.body, variables), lengthOf(file.body, variables)));
        return this.#take(() => wire.receivedLength >= wanted);
      }
      case 'silence':
        return this.#silence();
      case 'pause':
        await sleep(this.#left(step.ms ?? times.quiet));
        return true;
      case 'finish':
        wire.finish();
        return true;
      case 'reset':
        wire.reset();
        return true;
      case 'close':
        wire.close();
        return true;
      case 'stop reading':
        wire.stopReading();
        return true;
      case 'resume reading':
        wire.resumeReading();
        return true;
      case 'ended': {
        const own = declaredMs(this.#context, step.after);
        const met = await this.#ended(own + times.patience);
        if (met) this.closeMs = Math.max(0, wire.closedAt - wire.sentAt);
        return met;
      }
      case 'signal':
        this.#context.board.give(step.name);
        return true;
      case 'await':
        return this.#context.board.wait(step.name, this.#left(times.cap));
      case 'meet': {
        const { board, group } = this.#context;
        return group === undefined || board.wait(board.arrive(group), this.#left(times.cap));
      }
      case 'look':
        this.seenEarly = (await this.#context.look?.()) ?? null;
        if (this.seenEarly !== null) wire.log.event('note', `under the final name: ${this.seenEarly}`);
        return this.seenEarly === null;
      case 'change file':
      case 'signal client':
      case 'still running':
      case 'exited':
      case 'count segments':
        return this.#context.clientStep(step);
    }
  }

  #left(ms: number): number {
    return Math.max(0, Math.min(ms, this.#deadline - performance.now()));
  }

  async #wait(what: string, test: () => boolean, ms = this.#context.times.patience): Promise<boolean> {
    const left = this.#left(ms);
    await this.#wire.until(() => test() || this.#wire.ended, left);
    return test() || this.#missed(what, left);
  }

  #missed(what: string, ms: number): false {
    if (!this.#wire.ended) {
      this.waitedMs = Math.round(ms);
      this.#wire.log.event('time-out', `${what} did not come in ${this.waitedMs} ms`);
    }
    return false;
  }

  /** Who is slow is waited for as long as bytes come, within what the suite allows a case. */
  async #take(whole: () => boolean): Promise<boolean> {
    const wire = this.#wire;
    const { patience, cap } = this.#context.times;
    for (;;) {
      const before = wire.receivedLength;
      const left = this.#left(patience);
      await wire.until(() => whole() || wire.receivedLength !== before || wire.ended, left);
      if (whole()) return true;
      const stalled = wire.receivedLength === before;
      if (wire.ended || (stalled && left === patience)) return this.#missed('more of the body', left);
      if (stalled || left === 0) return this.#missed('the whole body', cap);
    }
  }

  /** Who has taken the bytes and still stores them is slow, too. Half of the wait shows whether anything grows. */
  async #ended(ms: number): Promise<boolean> {
    const wire = this.#wire;
    const stored = this.#context.stored ?? ((): number => 0);
    if (await wire.until(() => wire.ended, this.#left(ms / 2))) return true;
    for (;;) {
      const before = stored();
      await wire.until(() => wire.ended, this.#left(ms / 2));
      if (wire.ended) return true;
      if (stored() === before) return this.#missed('the end of the connection', ms);
      if (this.#left(1) === 0) return this.#missed('the end of the connection', this.#context.times.cap);
    }
  }

  async #send(whole: Buffer, cut: Cut | undefined, gap: number, hush?: true): Promise<boolean> {
    this.receivedBeforeSending ??= this.#wire.receivedLength;
    for (const [i, piece] of cutPieces(whole, cut).entries()) {
      if (i > 0 && hush && !(await this.#silence())) {
        this.endedEarly = this.#wire.ended;
        return false;
      }
      if (i > 0 && !hush && gap > 0) await this.#wire.until(() => this.#wire.ended, gap);
      if (this.#wire.ended) this.endedEarly = true;
      const left = this.#left(this.#context.times.patience);
      if (!(await this.#wire.send(piece, left))) {
        this.endedEarly = true;
        if (!this.#wire.ended) this.waitedMs = Math.round(left);
        return false;
      }
    }
    return true;
  }

  async #body(from: number | undefined, to: number | undefined, cut: Cut | undefined): Promise<boolean> {
    const { body } = this.#context.file;
    const { variables, times } = this.#context;
    const length = lengthOf(body, variables);
    const start = offset(from, length, 0n);
    const end = offset(to, length, length);
    if (cut !== undefined && 'at' in cut) {
      return this.#send(Buffer.concat([...chunksOf(body, variables, start, end)]), cut, times.gap);
    }
    for (const chunk of chunksOf(body, variables, start, end, cut?.every)) {
      if (!(await this.#send(chunk, undefined, 0))) return false;
    }
    return true;
  }

  async #reply(): Promise<boolean> {
    const wire = this.#wire;
    const wrong = (): boolean => {
      const head = wire.received.subarray(0, GO_AHEAD.length);
      return !GO_AHEAD.subarray(0, head.length).equals(head);
    };
    const came = await this.#wait('the reply', () => wire.receivedLength >= GO_AHEAD.length || wrong());
    if (!came || wrong()) return false;
    this.replyMs = Math.max(0, wire.receivedAt - wire.sentAt);
    return true;
  }

  async #request(): Promise<boolean> {
    const wire = this.#wire;
    // Lengths first: what was received is joined anew each time, and a client that does not wait sends a large file.
    const whole = (): boolean =>
      this.#context.headers.some((header) => header.length === wire.receivedLength && header.equals(wire.received));
    if (!(await this.#wait('the header', () => wire.receivedLength >= 9))) return false;
    // It is not one of the headers that we know: let it become quiet, so that the judge sees all of it.
    let before = -1;
    while (!whole() && before !== wire.receivedLength && !wire.ended) {
      before = wire.receivedLength;
      const length = before;
      await wire.until(
        () => whole() || wire.receivedLength !== length || wire.ended,
        this.#left(this.#context.times.quiet),
      );
    }
    return true;
  }

  async #silence(): Promise<boolean> {
    const wire = this.#wire;
    const before = wire.receivedLength;
    await wire.until(() => wire.receivedLength !== before || wire.ended, this.#left(this.#context.times.quiet));
    if (wire.receivedLength !== before) {
      wire.log.event('note', 'bytes came where none were allowed');
      this.brokeSilence = true;
    }
    return !this.brokeSilence && !wire.ended;
  }
}

export async function runScript(wire: Wire, steps: readonly Step[], context: ScriptContext): Promise<Observed> {
  const script = new Script(wire, steps, context);
  let stoppedAt: Step['do'] | null = null;
  for (const step of steps) {
    if (!(await script.step(step))) {
      stoppedAt = step.do;
      break;
    }
  }
  return {
    label: context.label,
    connectError: null,
    received: wire.received,
    receivedLength: wire.receivedLength,
    pieces: wire.pieces,
    receivedBeforeSending: script.receivedBeforeSending ?? wire.receivedLength,
    brokeSilence: script.brokeSilence,
    seenEarly: script.seenEarly,
    ending: wire.ending,
    endedByUs: wire.ours,
    endedEarly: script.endedEarly,
    stoppedAt,
    waitedMs: script.waitedMs,
    replyMs: script.replyMs,
    closeMs: script.closeMs,
    log: wire.log.entries,
  };
}

export function notConnected(label: string, reason: string, log: readonly WireEntry[]): Observed {
  return {
    label,
    connectError: reason,
    received: Buffer.alloc(0),
    receivedLength: 0,
    pieces: [],
    receivedBeforeSending: 0,
    brokeSilence: false,
    seenEarly: null,
    ending: 'open',
    endedByUs: false,
    endedEarly: false,
    stoppedAt: null,
    waitedMs: null,
    replyMs: null,
    closeMs: null,
    log,
  };
}
