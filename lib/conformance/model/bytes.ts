/**
 * Bytes as a case writes them: literal, or described so shortly that gigabytes fit in a row.
 *
 * `{t}` in a text stands for the token of the run of the case (it makes names unique, and what is left on disk
 * attributable), `{i}` for the number of the copy of a connection, `{tmp}` for the system's temporary directory and
 * `{beside}` for the directory of the canaries beside the server's own; both are absolute.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { tmpdir } from 'node:os';

export type Part =
  | { readonly kind: 'hex'; readonly hex: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'random'; readonly length: bigint; readonly key: string }
  | { readonly kind: 'repeat'; readonly hex: string; readonly length: bigint }
  | { readonly kind: 'repeat less suffix'; readonly hex: string; readonly length: bigint }
  | { readonly kind: 'share of free space'; readonly percent: bigint };

export type Bytes = readonly Part[];

/** What `{t}`, `{i}` and `{beside}` stand for. */
export interface Variables {
  readonly t: string;
  readonly i: number;
  readonly beside?: string;
  /** What the server adds to names. */
  readonly suffix?: string;
  /** Bytes that the server's filesystem has left. */
  readonly free?: bigint;
}

function compact(digits: string): string {
  const found = digits.replace(/\s+/g, '');
  if (!/^(?:[0-9a-f]{2})*$/i.test(found)) throw new TypeError(`not whole bytes in hexadecimal: ${digits}`);
  return found;
}

/** Literal bytes: `hex('00 00 00 00 00 00 00 05')`. */
export function hex(digits: string): Bytes {
  return [{ kind: 'hex', hex: compact(digits) }];
}

/** UTF-8 text, with `{t}` and `{i}`. */
export function text(value: string): Bytes {
  return [{ kind: 'text', text: value }];
}

/** `length` bytes without a pattern, so that loss, doubling and exchange of blocks show. Equal for equal `{t}`, `{i}` and `key`. */
export function random(length: number | bigint, key = ''): Bytes {
  return [{ kind: 'random', length: BigInt(length), key }];
}

/** The bytes of `digits` over and over, `length` bytes in all. */
export function repeat(digits: string, length: number | bigint): Bytes {
  return [{ kind: 'repeat', hex: compact(digits), length: BigInt(length) }];
}

/** As `repeat`, less as many bytes as the server's suffix has: for names that just fit, or just do not. */
export function repeatLessSuffix(digits: string, length: number): Bytes {
  return [{ kind: 'repeat less suffix', hex: compact(digits), length: BigInt(length) }];
}

/** Eight bytes, most significant first: so much of the space that the server's filesystem has left. */
export function shareOfFreeSpace(percent: number): Bytes {
  return [{ kind: 'share of free space', percent: BigInt(percent) }];
}

export function join(...pieces: readonly Bytes[]): Bytes {
  return pieces.flat();
}

function fillIn(template: string, variables: Variables): string {
  if (!template.includes('{')) return template;
  return (
    template
      .replaceAll('{t}', variables.t)
      .replaceAll('{i}', String(variables.i))
      // A look into the environment, which is slow, only where it is asked for.
      .replaceAll('{tmp}', () => tmpdir())
      .replaceAll('{beside}', variables.beside ?? '')
  );
}

function partLength(part: Part, variables: Variables): bigint {
  switch (part.kind) {
    case 'hex':
      return BigInt(part.hex.length / 2);
    case 'text':
      return BigInt(Buffer.byteLength(fillIn(part.text, variables)));
    case 'random':
    case 'repeat':
      return part.length;
    case 'repeat less suffix':
      return part.length - BigInt(Buffer.byteLength(variables.suffix ?? ''));
    case 'share of free space':
      return 8n;
  }
}

export function lengthOf(bytes: Bytes, variables: Variables): bigint {
  return bytes.reduce((sum, part) => sum + partLength(part, variables), 0n);
}

/** In bytes. What is larger the allocator takes anew from the system each time, which costs more than what is written into it. */
const CHUNK = 65_536;
const BLOCK = 16;
/** What is enciphered, so that nothing but the key stream is left. */
const ZEROS = Buffer.alloc(CHUNK + BLOCK);

function slicePart(part: Part, variables: Variables, from: bigint, length: number): Buffer {
  switch (part.kind) {
    case 'hex':
      return Buffer.from(part.hex, 'hex').subarray(Number(from), Number(from) + length);
    case 'text':
      return Buffer.from(fillIn(part.text, variables)).subarray(Number(from), Number(from) + length);
    case 'random': {
      const key = createHash('sha256').update(`${variables.t} ${variables.i} ${part.key}`).digest().subarray(0, 16);
      const counter = Buffer.alloc(BLOCK);
      counter.writeBigUInt64BE(from / BigInt(BLOCK), 8);
      const skip = Number(from % BigInt(BLOCK));
      const cipher = createCipheriv('aes-128-ctr', key, counter);
      return cipher.update(ZEROS.subarray(0, skip + length)).subarray(skip);
    }
    case 'repeat':
    case 'repeat less suffix': {
      const unit = Buffer.from(part.hex, 'hex');
      const skip = Number(from % BigInt(unit.length));
      return Buffer.alloc(skip + length, unit).subarray(skip);
    }
    case 'share of free space': {
      const size = Buffer.alloc(8);
      size.writeBigUInt64BE(((variables.free ?? 0n) * part.percent) / 100n);
      return size.subarray(Number(from), Number(from) + length);
    }
  }
}

/** The bytes from `from` to `to` in pieces of at most `most` bytes, 64 KiB if that is more. */
export function* chunksOf(
  bytes: Bytes,
  variables: Variables,
  from = 0n,
  to = lengthOf(bytes, variables),
  most = CHUNK,
): Generator<Buffer> {
  let start = 0n;
  for (const part of bytes) {
    const end = start + partLength(part, variables);
    let at = from > start ? from : start;
    const stop = to < end ? to : end;
    while (at < stop) {
      const length = Math.min(Number(stop - at), most, CHUNK);
      yield slicePart(part, variables, at - start, length);
      at += BigInt(length);
    }
    start = end;
  }
}

/** All bytes in one buffer; for headers and for bodies that fit in memory. */
export function bufferOf(bytes: Bytes, variables: Variables): Buffer {
  return Buffer.concat([...chunksOf(bytes, variables)]);
}

export function sha256Of(bytes: Bytes, variables: Variables): string {
  const hash = createHash('sha256');
  for (const chunk of chunksOf(bytes, variables)) hash.update(chunk);
  return hash.digest('hex');
}

/** Whether `{t}` stands in the bytes, so that what is stored under them can be attributed. */
export function hasToken(bytes: Bytes): boolean {
  return mentionsKey(bytes, 't');
}

/** Whether `{key}` stands in the bytes. */
export function mentionsKey(bytes: Bytes, key: string): boolean {
  return bytes.some((part) => part.kind === 'text' && part.text.includes(`{${key}}`));
}

/** For people: printable ASCII as it is, all else as `\xHH`. Never raw, since the bytes are a stranger's. */
export function escaped(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[^\x20-\x7e]|\\/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
