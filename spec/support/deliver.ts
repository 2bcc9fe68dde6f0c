import { isDeepStrictEqual } from 'node:util';
import { Framer } from '../../lib/wire/framer.js';
import type { ErrorCode } from '../../lib/errors.js';
import { pick, seededRandom } from './random.js';

/** What a framer tells, in a form that can be compared. */
export type WireEvent =
  | { readonly kind: 'header'; readonly size: bigint; readonly name: string }
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly code: ErrorCode };

/** Adjacent body events become one: how a body is cut is no part of what was said. */
export function mergeBodies(events: readonly WireEvent[]): WireEvent[] {
  const merged: WireEvent[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    if (event.kind === 'body' && last?.kind === 'body') {
      merged[merged.length - 1] = { kind: 'body', bytes: Buffer.concat([last.bytes, event.bytes]) };
    } else {
      merged.push(event);
    }
  }
  return merged;
}

export interface Delivery {
  readonly label: string;
  readonly pieces: readonly Uint8Array[];
}

/** The bytes whole, byte by byte, cut in two at every point, and cut at random into several. */
export function* deliveries(bytes: Uint8Array, seed: number, multiSplits = 20): Generator<Delivery> {
  yield { label: 'whole', pieces: [bytes] };
  yield { label: 'byte by byte', pieces: Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)) };
  for (let at = 1; at < bytes.length; at++) {
    yield { label: `cut at ${at}`, pieces: [bytes.subarray(0, at), bytes.subarray(at)] };
  }
  const random = seededRandom(seed);
  for (let split = 0; split < multiSplits; split++) {
    const cuts = Array.from({ length: 1 + pick(random, 8) }, () => pick(random, bytes.length + 1));
    cuts.sort((a, b) => a - b);
    const edges = [0, ...cuts, bytes.length];
    // Cuts that coincide make empty pieces, which must not matter either.
    const pieces = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
    yield { label: `seed ${seed}, split ${split} at ${cuts.join(', ')}`, pieces };
  }
}

export interface Mismatch<T> {
  readonly label: string;
  readonly actual: T;
}

/** The first delivery whose outcome is not the expected one, and how many were tried. */
export function firstMismatch<T>(
  bytes: Uint8Array,
  seed: number,
  run: (pieces: readonly Uint8Array[]) => T,
  expected: T,
): { readonly tried: number; readonly mismatch: Mismatch<T> | undefined } {
  let tried = 0;
  for (const { label, pieces } of deliveries(bytes, seed)) {
    tried += 1;
    const actual = run(pieces);
    if (!isDeepStrictEqual(actual, expected)) return { tried, mismatch: { label, actual } };
  }
  return { tried, mismatch: undefined };
}

/** What {@link deliver} needs of a tap test. */
interface Asserter {
  strictSame(found: unknown, wanted: unknown, message: string): boolean;
  ok(found: unknown, message: string): boolean;
}

export interface DeliverCase<T> {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly expected: T;
  /** What comes of it when these bytes follow. */
  readonly trailing: readonly { readonly bytes: Uint8Array; readonly expected: T }[];
}

/** Runs a case in every delivery, alone and with each of its trailing bytes. */
export function deliver<T>(
  t: Asserter,
  seed: number,
  { name, bytes, expected, trailing }: DeliverCase<T>,
  run: (pieces: readonly Uint8Array[]) => T,
): void {
  for (const round of [{ bytes: new Uint8Array(), expected }, ...trailing]) {
    const all = Buffer.concat([bytes, round.bytes]);
    const { mismatch } = firstMismatch(all, seed, run, round.expected);
    const followed = round.bytes.length === 0 ? '' : `, then ${round.bytes.length} more`;
    if (mismatch === undefined) t.ok(true, `${name}${followed}`);
    else t.strictSame(mismatch.actual, round.expected, `${name}${followed}: ${mismatch.label}`);
  }
}

/** Collects what a framer tells. Views are copied: they are the framer's caller's memory. */
export function record(framer: Framer): WireEvent[] {
  const events: WireEvent[] = [];
  framer.on('header', ({ size, name }) => void events.push({ kind: 'header', size, name }));
  framer.on('body', (view) => void events.push({ kind: 'body', bytes: Buffer.from(view) }));
  framer.on('end', () => void events.push({ kind: 'end' }));
  framer.on('error', ({ code }) => void events.push({ kind: 'error', code }));
  return events;
}

/**
 * Runs pieces through a framer whose caller knows where the header ends: a piece that reaches over that point is cut
 * there, since a caller hears of the body's first bytes only after its reply.
 */
export function frame(pieces: readonly Uint8Array[], headerLength: number, fin = false): WireEvent[] {
  const framer = new Framer();
  const events = record(framer);
  let before = headerLength;
  for (const piece of pieces) {
    framer.push(piece.subarray(0, before));
    if (before > 0 && piece.length >= before) framer.endHeader();
    framer.push(piece.subarray(before));
    before = Math.max(0, before - piece.length);
  }
  if (fin) framer.end();
  return mergeBodies(events);
}
