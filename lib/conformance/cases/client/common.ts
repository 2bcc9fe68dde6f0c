/** What many rows share. Equal files and steps make equal twins, and equal twins run once. */
import { hex, random, text } from '../../model/bytes.js';
import { FAILED, SENT, type ClientCase, type ClientOutcome, type LocalFile } from '../../model/case.js';
import { ended, finish, request, send, take } from '../../model/steps.js';

export const BOTH = ['classic', 'full'] as const;
export const FULL = ['full'] as const;

/** `go ahead` */
export const GO = hex('67 6f 20 61 68 65 61 64');
/** What a receiver does in a whole transfer, up to its close. */
export const WHOLE = [request, send(GO), take(), finish, ended];

/** 3,000 bytes: two buffers of 1,024 bytes and a part of one. */
export const SMALL = {
  kind: 'file',
  size: hex('00 00 00 00 00 00 0b b8'),
  name: text('{t}file.bin'),
  body: random(3000),
} as const satisfies LocalFile;

/** 16 MiB: more than the buffers of the two ends hold, so that a sender cannot have sent it while nobody reads. */
export const LARGE = {
  kind: 'file',
  size: hex('00 00 00 00 01 00 00 00'),
  name: text('{t}large.bin'),
  body: random(16_777_216),
} as const satisfies LocalFile;

export const NOTHING_SENT = { ...FAILED, body: 'none' } as const satisfies ClientOutcome;
/** Failed in mid-body: the receiver cannot take what it has for the whole. */
export const CUT_OFF = { ...FAILED, body: 'part' } as const satisfies ClientOutcome;
/** Failed without a connection. */
export const NOT_EVEN_CONNECTED = {
  connects: false,
  header: 'none',
  body: 'none',
  closed: ['fin', 'rst'],
  exit: 'not zero',
} as const satisfies ClientOutcome;

type Given = Pick<ClientCase, 'id' | 'title' | 'clause' | 'exchange'> & Partial<ClientCase>;

/** Rows that differ from a plain one in what they give. */
export function row(given: Given): ClientCase {
  return { role: 'client', needs: 'exec', profiles: FULL, ...given };
}

/** A row that expects a whole transfer of `file`. */
export function sent(given: Omit<Given, 'exchange'> & { readonly file: LocalFile }): ClientCase {
  const { file, ...rest } = given;
  return row({ ...rest, exchange: { file, steps: WHOLE, expect: [SENT] } });
}
