import { isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { DEFAULT_PORT } from '../net/address.js';
import { MAX_CHUNK_SIZE } from '../sources/chunk-size.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A parser for a whole number within bounds. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      most === Number.MAX_SAFE_INTEGER
        ? `Expected a whole number, at least ${least}.`
        : `Expected a whole number from ${least} to ${most}.`,
    );
  };
}

export const port = wholeNumber(0, 65_535);

// setTimeout takes 31 bits and fires at once beyond them.
const LONGEST_TIMER = 2 ** 31 - 1;

/** Milliseconds. */
export const milliseconds = wholeNumber(0, LONGEST_TIMER);

/** Seconds, with a fraction or without, as milliseconds. */
export function seconds(text: string): number {
  const ms = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Math.round(Number(text) * 1000) : NaN;
  if (ms <= LONGEST_TIMER) return ms;
  throw new InvalidArgumentError(`Expected seconds from 0 to ${Math.floor(LONGEST_TIMER / 1000)}.`);
}

const FACTORS: Readonly<Record<string, bigint>> = {
  '': 1n,
  k: 10n ** 3n,
  m: 10n ** 6n,
  g: 10n ** 9n,
  t: 10n ** 12n,
  ki: 2n ** 10n,
  mi: 2n ** 20n,
  gi: 2n ** 30n,
  ti: 2n ** 40n,
};

/** Bytes: `1500`, `64k`, `500MB` (powers of 1,000), `2GiB` (powers of 1,024). */
export function size(text: string): bigint {
  const [, digits, prefix] = /^(\d+) ?((?:[kmgt]i?)?)b?$/i.exec(text) ?? [];
  const factor = prefix === undefined ? undefined : FACTORS[prefix.toLowerCase()];
  if (digits !== undefined && factor !== undefined) {
    const bytes = BigInt(digits) * factor;
    if (bytes === BigInt.asUintN(64, bytes)) return bytes;
  }
  throw new InvalidArgumentError('Expected bytes, such as 1500, 64k, 500MB or 2GiB, at most 2^64 - 1.');
}

/** Small, so that there is something to pause between; in bytes. */
export const PAUSED_CHUNK_SIZE = 16_384;

/** Bytes to send at once, written as a size. */
export function chunkSize(text: string): number {
  const bytes = size(text);
  if (bytes > 0n && bytes <= BigInt(MAX_CHUNK_SIZE)) return Number(bytes);
  throw new InvalidArgumentError('Expected a size from 1 byte to 1GiB.');
}

/** Bytes a second, written as a size. */
export function rate(text: string): number {
  return Number(size(text));
}

/** `HOST`, `HOST:PORT`, `:PORT`, `[IPV6]:PORT`, `[IPV6]` or a bare IPv6 address. */
export function address(text: string): Address {
  // Two colons, or it is none: asking Node is slow the first time.
  if (/:.*:/.test(text) && isIPv6(text)) return { host: text, port: DEFAULT_PORT };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]\s]*))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? (plain === '' && digits !== undefined ? '127.0.0.1' : plain);
  const number = digits === undefined ? DEFAULT_PORT : Number(digits);
  const valid = bracketed === undefined ? host !== undefined && host !== '' : isIPv6(bracketed);
  if (host !== undefined && valid && number >= 1 && number <= 65_535) return { host, port: number };
  throw new InvalidArgumentError('Expected HOST, HOST:PORT, :PORT or [IPV6]:PORT, with a port from 1 to 65535.');
}
