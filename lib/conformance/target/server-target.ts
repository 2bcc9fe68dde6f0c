/** The server under test: one that runs, or one that the suite starts, restarts and ends. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, messageOf } from '../../cause.js';
import { Child, describeExit, type Exit, type Memory } from './child.js';
import { fillCommand, mustKnowPort, splitCommand } from './command.js';
import { freePort } from './listener.js';
import type { WireLog } from '../exchange/wire.js';
import { Wire } from '../exchange/wire.js';

export interface ServerTargetOptions {
  readonly host: string;
  /** Null: a free one is chosen; the command must then mention `{port}`. */
  readonly port: number | null;
  readonly exec: string | null;
  readonly cwd: string | null;
  /** What `{dir}` stands for. */
  readonly dir: string | null;
  /** The longest wait in ms that the user asks for, if any. */
  readonly patience?: number | undefined;
}

/** How long a server that was just started may take until it listens, in ms. */
const STARTUP = 10_000;
const RETRY = 10;
/** How long to find out whether somebody listens already, in ms: who does, answers at once. */
const TAKEN = 1000;
/** Connections that are being made at a time: a queue of listen(2) that overflows costs a second, and proves nothing. */
const CONNECTING = 32;
/** In place of a system code, where the time for a connection went by. */
export const NO_ANSWER = 'no answer to the connection request';

export class ServerTarget {
  readonly host: string;
  /** Why it could not be started at all; null when it was. */
  readonly obstacle: string | null;
  readonly #options: ServerTargetOptions;
  readonly #words: readonly string[] | null;
  readonly #startup: number;
  #port: number;
  #child: Child | null = null;
  /** Until its first connection a server that was just started is not expected to listen yet. */
  #freshUntil = 0;
  #restarted = false;
  #connecting = 0;
  readonly #waiting: (() => void)[] = [];

  private constructor(options: ServerTargetOptions, { port, words, obstacle }: Place) {
    this.host = options.host;
    this.obstacle = obstacle;
    this.#options = options;
    this.#words = words;
    this.#startup = Math.max(STARTUP, options.patience ?? 0);
    this.#port = port;
  }

  static async open(options: ServerTargetOptions): Promise<ServerTarget> {
    const { exec } = options;
    if (exec === null) return new ServerTarget(options, { port: options.port ?? 12_000, words: null, obstacle: null });
    const words = splitCommand(exec);
    mustKnowPort(words, exec, options.port);
    const target = new ServerTarget(options, { words, ...(await placeFor(options)) });
    if (target.obstacle === null) target.#start(words);
    return target;
  }

  get port(): number {
    return this.#port;
  }

  get restartable(): boolean {
    return this.#words !== null;
  }

  /** How the process ended; null while it runs, or when it is not ours. */
  get exit(): Exit | null {
    return this.#child?.exit ?? null;
  }

  /** The process that was started last ended before anything could connect to it. */
  get neverServed(): boolean {
    return this.exit !== null && this.#freshUntil > 0;
  }

  /** The same of a process that is about to end. */
  async exitWithin(ms: number): Promise<Exit | null> {
    return this.#child === null ? null : Promise.race([this.#child.exited(), sleep(ms, null, { ref: false })]);
  }

  /** Open files and sockets of the process; null when it is not ours or the system does not tell. */
  async descriptors(): Promise<number | null> {
    return this.#child === null ? null : this.#child.descriptors();
  }

  /** Memory of the process; null when it is not ours or the system does not tell. */
  async memory(): Promise<Memory | null> {
    return this.#child === null ? null : this.#child.memory();
  }

  /** What is wrong when it cannot be connected to, and what to do. `error` is a system code, or a text. */
  whyUnreachable(error: string): string {
    const place = `${this.host}:${this.port}`;
    const { exit } = this;
    if (exit !== null) {
      // A connection that the process before it closed first keeps its port for a minute (TIME_WAIT).
      const reuse =
        this.#restarted && this.#options.port !== null
          ? '; where its port was still in use, it must set SO_REUSEADDR, or take {port} instead of a fixed --port'
          : '';
      return `nothing listens on ${place}, since the command of --exec ${describeExit(exit)}${reuse}`;
    }
    if (error !== 'ECONNREFUSED') return `${place} cannot be connected to: ${error}`;
    return this.restartable
      ? `the command of --exec runs, but nothing listened on ${place} within ${this.#startup / 1000} s`
      : `nothing listens on ${place}: start the server first, or let the suite do it with --exec "CMD {port} {dir}"`;
  }

  get cwd(): string | null {
    return this.#options.cwd;
  }

  #start(words: readonly string[]): void {
    const { dir, host, cwd } = this.#options;
    this.#child = new Child(fillCommand(words, { port: String(this.#port), dir: dir ?? '', host }), cwd);
    this.#freshUntil = performance.now() + this.#startup;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    if (child.exit === null) child.signal('SIGTERM');
    const exited = await Promise.race([child.ended(2000), sleep(300).then(() => null)]);
    if (exited === null) {
      child.signal('SIGKILL');
      await child.ended(2000);
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    if (this.#words === null || this.obstacle !== null) return;
    this.#restarted = true;
    // Not the port of before: without SO_REUSEADDR nobody can listen on that for a minute (TIME_WAIT).
    if (this.#options.port === null) this.#port = await freePort(this.host);
    this.#start(this.#words);
  }

  /**
   * Connects. A server that was just started is tried again until it listens, and the first connection that succeeds is the
   * caller's: no connection is spent on finding out, since some servers serve only one.
   */
  async connect(log: WireLog, ms: number): Promise<Wire | { readonly error: string }> {
    if (this.#connecting >= CONNECTING) await new Promise<void>((next) => this.#waiting.push(next));
    this.#connecting += 1;
    try {
      return await this.#connect(log, ms);
    } finally {
      this.#connecting -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #connect(log: WireLog, ms: number): Promise<Wire | { readonly error: string }> {
    for (;;) {
      const socket = connect({ host: this.host, port: this.port, allowHalfOpen: true, noDelay: true });
      const error = await established(socket, ms);
      if (error === null) {
        this.#freshUntil = 0;
        log.event('connected');
        return new Wire(socket, log);
      }
      socket.destroy();
      if (error !== 'ECONNREFUSED' || performance.now() > this.#freshUntil || this.exit !== null) {
        log.event('refused', error);
        return { error };
      }
      await sleep(RETRY);
    }
  }
}

interface Place {
  readonly port: number;
  readonly words: readonly string[] | null;
  readonly obstacle: string | null;
}

/** Where a server that the suite starts is to listen, and what stands against that. */
async function placeFor({ host, port }: ServerTargetOptions): Promise<Pick<Place, 'port' | 'obstacle'>> {
  if (port === null) {
    try {
      return { port: await freePort(host), obstacle: null };
    } catch (cause) {
      return { port: 0, obstacle: messageOf(cause) };
    }
  }
  const socket = connect({ host, port });
  const error = await established(socket, TAKEN);
  socket.destroy();
  if (error !== null) return { port, obstacle: null };
  const obstacle = `something else listens on ${host}:${port} already, and would be judged in place of the command of --exec: end it, or choose another --port`;
  return { port, obstacle };
}

async function established(socket: Socket, ms: number): Promise<string | null> {
  return new Promise((resolve) => {
    // As in Wire.until: what was made while this process stalled is let in first.
    let last: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      last = setImmediate(() => settle(NO_ANSWER));
    }, ms);
    const settle = (result: string | null): void => {
      clearTimeout(timer);
      clearImmediate(last);
      socket.removeListener('connect', connected);
      socket.removeListener('error', failed);
      // A later error without a listener would be an exception.
      if (result !== null) socket.on('error', () => undefined);
      resolve(result);
    };
    const connected = (): void => settle(null);
    const failed = (error: Error): void => settle(codeOf(error));
    socket.once('connect', connected);
    socket.once('error', failed);
  });
}
