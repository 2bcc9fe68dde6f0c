import { hash as digest, randomBytes } from 'node:crypto';
import type { RunIdentity } from './run-identity.js';

/**
 * The names of temporary files: `.go-ahead-RUN-N-TIME-CHECK.part`.
 *
 * RUN is 48 bytes in base64url, written once per storage: who made the file, and in which directory. N counts, TIME is
 * the moment of creation, and CHECK is over all of it. So a sweep knows its own by the name alone, and a name with one
 * character changed is somebody else's. At most 143 bytes, which is NAME_MAX of eCryptfs.
 */
const TEMPORARY = /^\.go-ahead-([\w-]{64})-([0-9a-z]{1,11})-([0-9a-z]{1,9})-([0-9a-f]{16})\.part$/;

/** The fields of RUN, in this order. All but the numbers are hashes, since they are only compared. */
const FIELDS = { host: 6, boot: 6, pidNamespace: 4, pid: 4, startTime: 6, nonce: 12, device: 4, inode: 6 } as const;

/** What the name of a temporary file tells. Hashes are in hex. */
export interface TemporaryName {
  readonly host: string;
  readonly boot: string;
  readonly pidNamespace: string;
  readonly pid: number;
  readonly startTime: number;
  readonly device: string;
  readonly inode: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Where a directory is, for the kernel. */
export interface DirectoryIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

function hash(text: string, bytes: number): Buffer {
  return digest('sha256', text, 'buffer').subarray(0, bytes);
}

function integer(value: number, bytes: number): Buffer {
  const field = Buffer.alloc(bytes);
  field.writeUIntBE(value, 0, bytes);
  return field;
}

/** Whether a name has the form of a temporary file's; names of this form are not accepted from the wire. */
export function looksTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** Makes the names for one storage: 96 random bits and a counter, so none can be guessed or met twice. */
export class TemporaryNames {
  readonly #run: string;
  readonly #wallClock: () => number;
  /** There is a name for each upload, so what they have in common is mixed once. */
  readonly #runMix: Mix;
  #count = 0;

  /** @param wallClock milliseconds since 1970, as the filesystem's own times are */
  constructor(run: RunIdentity, directory: DirectoryIdentity, wallClock: () => number) {
    this.#wallClock = wallClock;
    this.#run = Buffer.concat([
      hash(run.host, FIELDS.host),
      hash(run.boot, FIELDS.boot),
      hash(run.pidNamespace, FIELDS.pidNamespace),
      integer(run.pid, FIELDS.pid),
      integer(run.startTime, FIELDS.startTime),
      randomBytes(FIELDS.nonce),
      hash(directory.dev.toString(), FIELDS.device),
      hash(directory.ino.toString(), FIELDS.inode),
    ]).toString('base64url');
    this.#runMix = mix(BASIS, this.#run);
  }

  next(): string {
    const rest = `-${(this.#count++).toString(36)}-${Math.floor(this.#wallClock()).toString(36)}`;
    return `.go-ahead-${this.#run}${rest}-${hex(mix(this.#runMix, rest))}.part`;
  }
}

/** Two lanes of 32 bits. */
type Mix = readonly [number, number];

/**
 * FNV-1a twice, with multipliers of which each step can be undone: so one character changed is always seen. It is against
 * chance, and not against malice: a name of this form is refused when it comes from the wire, whatever its check.
 */
function mix([one, other]: Mix, text: string): Mix {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    one = Math.imul(one ^ unit, 0x01000193);
    other = Math.imul(other ^ unit, 0x9e3779b1);
  }
  return [one, other];
}

function hex([one, other]: Mix): string {
  // High bits of the product know of all characters, low ones only of low ones.
  const folded = (lane: number): string => ((lane ^ (lane >>> 15)) >>> 0).toString(16).padStart(8, '0');
  return folded(one) + folded(other);
}

const BASIS: Mix = mix([0x811c9dc5, 0x85ebca6b], 'go-ahead temporary file ');

/** What a name tells, or undefined when it is not one that this library made. */
export function parseTemporaryName(name: string): TemporaryName | undefined {
  const [, run, count, time, sum] = TEMPORARY.exec(name) ?? [];
  if (run === undefined || count === undefined || time === undefined) return undefined;
  if (hex(mix(BASIS, `${run}-${count}-${time}`)) !== sum) return undefined;
  const bytes = Buffer.from(run, 'base64url');
  let at = 0;
  const take = (length: number): Buffer => bytes.subarray(at, (at += length));
  const host = take(FIELDS.host).toString('hex');
  const boot = take(FIELDS.boot).toString('hex');
  const pidNamespace = take(FIELDS.pidNamespace).toString('hex');
  const pid = take(FIELDS.pid).readUIntBE(0, FIELDS.pid);
  const startTime = take(FIELDS.startTime).readUIntBE(0, FIELDS.startTime);
  take(FIELDS.nonce);
  const device = take(FIELDS.device).toString('hex');
  const inode = take(FIELDS.inode).toString('hex');
  return { host, boot, pidNamespace, pid, startTime, device, inode, createdAt: parseInt(time, 36) };
}

/** The hashes of this run, to hold against those of a name. */
export function ownFields(
  run: RunIdentity,
  directory: DirectoryIdentity,
): Pick<TemporaryName, 'host' | 'boot' | 'pidNamespace' | 'device' | 'inode'> {
  const hashed = (text: string, field: keyof typeof FIELDS): string => hash(text, FIELDS[field]).toString('hex');
  return {
    host: hashed(run.host, 'host'),
    boot: hashed(run.boot, 'boot'),
    pidNamespace: hashed(run.pidNamespace, 'pidNamespace'),
    device: hashed(directory.dev.toString(), 'device'),
    inode: hashed(directory.ino.toString(), 'inode'),
  };
}
