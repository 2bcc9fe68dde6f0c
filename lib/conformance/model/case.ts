/**
 * What a case is: a declarative row. Everything that runs, judges or prints cases reads these types;
 * `docs/conformance.md`, "How to add a case", says how to fill them in.
 */
import type { Bytes } from './bytes.js';
import type { DeclaredTime, Requirements } from './capabilities.js';
import type { ClauseId } from './clause.js';

/** Whom the suite judges. */
export type Role = 'server' | 'client';
/** `classic` asks what the course's text asks, `full` all of `docs/protocol.md`. */
export type Profile = 'classic' | 'full';
/** What the suite must be able to see or do: only the connection, the directory too, or the process too. */
export type Observation = 'wire' | 'dir' | 'exec';

/** How the target ended the connection; `open` means that it did not, in the time that it had. */
export type Ending = 'fin' | 'rst' | 'open';

/** How bytes are cut into segments: at these offsets, into pieces of this many bytes, or not at all. */
export type Cut = { readonly at: readonly number[] } | { readonly every: number };

/** How far apart pieces are: a share of a deadline that was declared. */
export interface Pace {
  readonly of: DeclaredTime;
  readonly share: number;
}

/**
 * One step of a script. A step that waits (`reply`, `request`, `take`, `ended`) ends the script when what it waits for
 * does not come; the judge then sees what came instead.
 */
export type Step =
  /** Send size and name. `hush`: no byte may come between the pieces, and they are one `silence` apart. */
  | { readonly do: 'header'; readonly cut?: Cut; readonly hush?: true; readonly pace?: Pace }
  /** Send the body from byte `from` to byte `to`; negative offsets count from its end. */
  | { readonly do: 'body'; readonly from?: number; readonly to?: number; readonly cut?: Cut }
  /** Send these bytes. */
  | { readonly do: 'send'; readonly bytes: Bytes; readonly cut?: Cut }
  /** Wait for the 8 bytes `go ahead` (of a server). */
  | { readonly do: 'reply' }
  /** Wait for the header (of a client). */
  | { readonly do: 'request' }
  /** Wait for so many bytes of the body (of a client); the whole of it by default, negative counts from its end. */
  | { readonly do: 'take'; readonly to?: number }
  /** No byte may come for a while; ends the script when the target closes. */
  | { readonly do: 'silence' }
  /** Let a while pass (`quiet`, or so many ms), whatever comes. */
  | { readonly do: 'pause'; readonly ms?: number }
  /** Half-close: FIN. */
  | { readonly do: 'finish' }
  /** RST. */
  | { readonly do: 'reset' }
  /** Close both directions without waiting. */
  | { readonly do: 'close' }
  | { readonly do: 'stop reading' }
  | { readonly do: 'resume reading' }
  /** Wait until the target ends the connection; `after` is a deadline of its own, which was declared. */
  | { readonly do: 'ended'; readonly after?: DeclaredTime }
  /** For cases with several connections. The end of a connection gives the signal of its label. */
  | { readonly do: 'signal'; readonly name: string }
  | { readonly do: 'await'; readonly name: string }
  /** Wait until every copy of this connection that still can has come to this point; once in a script. */
  | { readonly do: 'meet' }
  /** What stands under the final name is what stood there before, or nothing; ends the script when it is not. */
  | { readonly do: 'look' }
  | ClientStep;

/** What is done to a client beside its connection. */
export type ClientStep =
  /** Change its file while it is sent. */
  | { readonly do: 'change file'; readonly how: FileChange }
  | { readonly do: 'signal client'; readonly signal: 'SIGINT' | 'SIGTERM' }
  /** Its process must still be there after a while. */
  | { readonly do: 'still running' }
  /** Its process must end before this deadline of its own, which was declared. */
  | { readonly do: 'exited'; readonly after: DeclaredTime }
  /** Ask the kernel in how many segments its bytes have come; for the header `one piece`. */
  | { readonly do: 'count segments' };

/** `replace` puts another file in its place, `rewrite` changes bytes of the same one. */
export type FileChange =
  | { readonly kind: 'append'; readonly bytes: Bytes }
  | { readonly kind: 'truncate'; readonly to: number }
  | { readonly kind: 'rewrite'; readonly at: number; readonly bytes: Bytes }
  | { readonly kind: 'remove' }
  | { readonly kind: 'replace'; readonly bytes: Bytes };

interface CaseBase {
  /** Permanent: `role/group/what`, never renamed, never reused. */
  readonly id: string;
  /** What is done, for a student; under 80 characters. */
  readonly title: string;
  readonly clause: ClauseId;
  readonly profiles: readonly Profile[];
  readonly needs: Observation;
  /** Gates the case: without them it is `not applicable`. */
  readonly requires?: Requirements;
  /** `not applicable` when the user declared one of these: what is only probed does not excuse the target. */
  readonly unlessDeclared?: Requirements;
  /** Deadlines of the target that its user must declare; without them it is `untestable`. */
  readonly declared?: readonly DeclaredTime[];
  /** Nothing else runs at the same time. Needed when a name has no `{t}`. */
  readonly alone?: boolean;
  /** How often it is run until it holds, by default once; for expectations of time, which a busy machine may miss. */
  readonly tries?: number;
  /** Part of `--quick`. */
  readonly quick?: boolean;
}

// ---- servers

/** The file of one connection: what is announced, and what is sent. */
export interface WireFile {
  /** The bytes of the size field, in literal hexadecimal; fewer than 8 for a header that is cut. */
  readonly size: Bytes;
  readonly name: Bytes;
  readonly body: Bytes;
}

/**
 * What a server may do on one connection. Several may be allowed: one that holds on every axis is enough.
 *
 * disk: `whole` the body, byte for byte, under `as` plus the suffix; `nothing`; `either` of the two; `one`: of all
 * connections that say so exactly one body is there, whole; `any` is not looked at.
 */
export interface ServerOutcome {
  readonly reply: 'go ahead' | 'none' | 'any';
  readonly closed: readonly Ending[];
  readonly disk: 'whole' | 'nothing' | 'either' | 'one' | 'any';
  /** The name on disk, without suffix; by default the name that was sent. `any` when the receiver chooses. */
  readonly as?: Bytes | 'any';
  /** The longest time in ms from the last byte sent to the reply, or to the close, beyond the round trip. */
  readonly within?: { readonly to: 'reply' | 'close'; readonly ms: number };
  /** The disk is looked at when the FIN comes, and not again later. */
  readonly atClose?: true;
}

/** At least one. */
export type Some<T> = readonly [T, ...T[]];

export interface ServerExchange {
  readonly label?: string;
  /** So many connections with this script at once; `{i}` tells them apart. */
  readonly copies?: number;
  readonly file: WireFile;
  readonly steps: readonly Step[];
  readonly expect: Some<ServerOutcome>;
}

/**
 * What stands in the directory before the case; `at` is relative to it (`../` for outside, in a sandbox only).
 * `{suffix}` is what the server adds to names.
 */
export type Plant =
  | {
      readonly kind: 'file';
      readonly at: string;
      readonly bytes: Bytes;
      readonly mode?: number;
      readonly mayChange?: true;
    }
  | { readonly kind: 'directory'; readonly at: string }
  | { readonly kind: 'symlink'; readonly at: string; readonly to: string; readonly mayChange?: true }
  | { readonly kind: 'hard link'; readonly at: string; readonly to: string; readonly mayChange?: true }
  | { readonly kind: 'fifo'; readonly at: string }
  /** Nothing stands there, and nothing may appear. */
  | { readonly kind: 'nothing'; readonly at: string };

/**
 * What else is looked at; needs `exec` (`residue`: `dir`) and `alone`.
 *
 * `descriptors`: the process holds no more of them afterwards than before. `resident memory`: it grows by less than
 * 64 MiB. `reserved memory`: the data segment grows by less than 256 MiB, touched or not. `residue`: the case runs last,
 * and of the whole run nothing is left that no case accounts for.
 */
export type Watch = 'descriptors' | 'resident memory' | 'reserved memory' | 'residue';

export interface ServerCase extends CaseBase {
  readonly role: 'server';
  readonly watch?: Watch;
  /** The name aims at places far from the directory: they are looked at too. */
  readonly escapes?: true;
  readonly plant?: readonly Plant[];
  readonly exchange: ServerExchange | Some<ServerExchange>;
  /**
   * For a case that expects anything but acceptance: the same exchange without the one fault. It must be accepted, and
   * is run after the fault on the same process, so it also proves that the target is alive.
   */
  readonly twin?: {
    readonly file?: Partial<WireFile>;
    readonly steps?: readonly Step[];
    /** The name on disk; by default any. */
    readonly as?: Bytes;
    /** By default nothing is planted for the twin. */
    readonly plant?: readonly Plant[];
  };
}

// ---- clients

/**
 * What stands at `{file}` when the client starts: `sparse` is a regular file of zeros that takes no space, `link` a
 * symbolic link to a regular file, `device` one to /dev/null.
 */
export interface LocalFile {
  readonly kind:
    | 'file'
    | 'sparse'
    | 'link'
    | 'missing'
    | 'dangling link'
    | 'link loop'
    | 'directory'
    | 'fifo'
    | 'device'
    | 'unreadable';
  readonly name: Bytes;
  /** Literal bytes of the size field that the client must send. */
  readonly size: Bytes;
  readonly body: Bytes;
  /** In folders so deep that the path does not fit a header; the name alone does. */
  readonly deep?: boolean;
}

/**
 * What a client may do. Several may be allowed: one that holds on every axis is enough.
 *
 * header: `exact` is size and name (the last component, or also the path as it was given); `one piece` the same in one
 * segment; `none` when nothing may be sent. body: what came after the header, from the first byte on: `whole`, `part`
 * (not all of it), `prefix` (a part or the whole), `none`, or `any`.
 */
export interface ClientOutcome {
  readonly connects: boolean;
  readonly header: 'exact' | 'last component' | 'one piece' | 'none' | 'any';
  readonly body: 'whole' | 'part' | 'prefix' | 'none' | 'any';
  readonly closed: readonly Ending[];
  /** `or signal`: also ended by the signal that the script sent. */
  readonly exit: 'zero' | 'not zero' | 'not zero or signal';
  /** On standard error, or on standard output. */
  readonly message?: 'some';
  /** By default the client may connect again: a further attempt is reset at once. */
  readonly connections?: 'one';
}

export interface ClientExchange {
  readonly file: LocalFile;
  readonly steps: readonly Step[];
  readonly expect: Some<ClientOutcome>;
  /** Nothing listens on the port. */
  readonly refused?: true;
  /** What the client prints goes to pipes that nobody reads any more. */
  readonly output?: 'closed';
}

export interface ClientCase extends CaseBase {
  readonly role: 'client';
  readonly exchange: ClientExchange;
  /** The same without the one fault, with a listener; the client must send the whole file and exit with zero. */
  readonly twin?: { readonly file?: Partial<LocalFile>; readonly steps?: readonly Step[] };
}

export type Case = ServerCase | ClientCase;

export function exchangesOf({ exchange }: ServerCase): Some<ServerExchange> {
  return 'file' in exchange ? [exchange] : exchange;
}

/** The outcomes that most rows name. */
export const ACCEPTED: ServerOutcome = { reply: 'go ahead', closed: ['fin'], disk: 'whole' };
export const REFUSED: ServerOutcome = { reply: 'none', closed: ['fin', 'rst'], disk: 'nothing' };
/** Failed after the reply, without regard to how the connection ended (that is clause 8.2, which has cases of its own). */
export const DISCARDED: ServerOutcome = { reply: 'go ahead', closed: ['fin', 'rst'], disk: 'nothing' };

export const SENT: ClientOutcome = { connects: true, header: 'exact', body: 'whole', closed: ['fin'], exit: 'zero' };
/** A failure that is told by the status; what was sent of the body until then is the file's. */
export const FAILED: ClientOutcome = {
  connects: true,
  header: 'exact',
  body: 'prefix',
  closed: ['fin', 'rst'],
  exit: 'not zero',
};
