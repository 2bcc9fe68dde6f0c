import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { headerBytes, type Ending } from '../net/support.js';
import { MAIN } from '../support/built.js';

/** Everything here happens to the program as it is installed: a process of its own, a real disk, raw sockets. */

/** `npm run soak` sets it: the long forms of the specs of this folder. */
const SOAK_REPORT = process.env['GO_AHEAD_SOAK'] ?? '';
export const LONG = SOAK_REPORT !== '';

export function scaled(short: number, long: number): number {
  return LONG ? long : short;
}

/** A measured figure: a comment of the test, and in a soak a line of its report. */
export function figure(t: Test, what: string, value: string): void {
  t.comment(`${what}: ${value}`);
  if (LONG) appendFileSync(SOAK_REPORT, `${JSON.stringify({ what, value })}\n`);
}

export const NO_PROCFS = !existsSync('/proc/self/stat') && 'there is no procfs here';
export const NOT_ROOT = process.geteuid?.() !== 0 && 'only root may do this';

export function missingTool(...commands: string[]): string | false {
  const missing = commands.filter((command) => spawnSync(command, ['--version']).error !== undefined);
  return missing.length > 0 && `${missing.join(' and ')} cannot be run here`;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** An event of `serve --json` or `send --json`. */
export type Event = Readonly<Record<string, unknown>>;

/** A running `go-ahead` process. */
export class Program {
  readonly child: ChildProcess;
  /** Settles with the exit code, or the signal that ended it. */
  readonly exit: Promise<number | string>;
  stdout = '';
  stderr = '';
  #changed: () => void = () => undefined;

  /** @param prefix a command that starts the program in a different way, such as `prlimit --nofile=32` */
  constructor(t: Test, argv: readonly string[], prefix: readonly string[] = []) {
    const [command = '', ...words] = [...prefix, process.execPath, MAIN, ...argv];
    this.child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    t.teardown(() => this.child.kill('SIGKILL'));
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#changed();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#changed();
    });
    this.exit = once(this.child, 'close').then(([code, signal]: (number | string | null)[]) => {
      this.#changed();
      return code ?? signal ?? 'nothing';
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The events printed so far; the last line may be cut. */
  get events(): Event[] {
    const lines = this.stdout.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Event);
  }

  count(event: string): number {
    return this.stdout.split(`{"event":"${event}"`).length - 1;
  }

  /** Until the condition holds, looked at whenever something was printed; fails when the program ends before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`the program ended: ${this.stdout.slice(-500)} ${this.stderr.slice(-2000)}`);
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }
}

export class Serving extends Program {
  port = 0;

  static async start(
    t: Test,
    directory: string,
    argv: readonly string[] = [],
    prefix: readonly string[] = [],
  ): Promise<Serving> {
    const server = new Serving(t, ['serve', directory, '--port', '0', '--json', ...argv], prefix);
    await server.until(() => server.count('listening') > 0);
    server.port = Number(server.events[0]?.['port']);
    return server;
  }

  /** Until nothing but the listening socket and what node opened for itself is left. */
  async settles(descriptors: number): Promise<boolean> {
    return eventually(() => processFigures(this.pid).descriptors <= descriptors);
  }
}

/** Polls for what no event tells, at most for `ms`. */
export async function eventually(condition: () => boolean, ms = 10_000): Promise<boolean> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) return false;
    await delay(5);
  }
  return true;
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export interface ProcessFigures {
  readonly descriptors: number;
  /** Resident memory in MiB. */
  readonly memory: number;
  /** Milliseconds of CPU since the start. */
  readonly cpu: number;
  /** Bytes taken by read(2), of files and sockets. */
  readonly read: number;
}

/** Of a process and its workers together. */
export function processFigures(pid: number): ProcessFigures {
  return childProcesses(pid)
    .map(figuresOf)
    .reduce(
      (sum, { descriptors, memory, cpu, read }) => ({
        descriptors: sum.descriptors + descriptors,
        memory: sum.memory + memory,
        cpu: sum.cpu + cpu,
        read: sum.read + read,
      }),
      figuresOf(pid),
    );
}

/** proc_pid_fd(5), proc_pid_status(5), proc_pid_stat(5) in ticks of 10 ms, proc_pid_io(5). */
function figuresOf(pid: number): ProcessFigures {
  const text = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
  const stat = text('stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    memory: Number(/VmRSS:\s+(\d+)/.exec(text('status'))?.[1]) / 1024,
    cpu: (Number(fields[14 - 3]) + Number(fields[15 - 3])) * 10,
    read: Number(/rchar: (\d+)/.exec(text('io'))?.[1]),
  };
}

/** proc_pid_task_tid_children(5) */
export function childProcesses(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
}

/** What became of a transfer, as a sender sees it. */
export type Outcome = 'confirmed' | 'refused' | 'failed';

/** A sender by hand: events only, so that thousands of them fit into one process. */
export class Sender {
  readonly socket: Socket;
  /** Settles when the stream has ended, however. */
  readonly ended: Promise<Ending>;
  readonly replied: Promise<boolean>;
  /** Of the moment when the stream ended, on the clock of `performance.now`. */
  endedAt = 0;
  #received = '';
  #sent = false;

  constructor(port: number, host = '127.0.0.1', from?: string) {
    const socket = connect({ host, port, localAddress: from, allowHalfOpen: true, noDelay: true });
    this.socket = socket;
    let reply: (came: boolean) => void = () => undefined;
    this.replied = new Promise((resolve) => (reply = resolve));
    this.ended = new Promise((resolve) => {
      const over = (ending: Ending): void => {
        if (this.endedAt === 0) this.endedAt = performance.now();
        reply(false);
        resolve(ending);
      };
      // libuv tells bytes and a reset that come together as an orderly end; getpeername(2) knows better.
      socket.on('end', () => over(!socket.writableFinished && socket.remoteAddress === undefined ? 'RST' : 'FIN'));
      socket.on('error', () => over('RST'));
      socket.on('close', () => over('RST'));
    });
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
      if (this.#received.length >= 8) reply(true);
    });
  }

  get received(): string {
    return this.#received;
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  async begin(size: number | bigint, name: string | Uint8Array): Promise<boolean> {
    this.socket.write(headerBytes(size, name));
    return this.replied;
  }

  /** The whole body, and the end. */
  finish(body: Uint8Array): void {
    this.#sent = true;
    this.socket.end(body);
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  async outcome(): Promise<Outcome> {
    const ending = await this.ended;
    this.socket.destroy();
    if (ending === 'RST') return 'failed';
    if (this.#received === '') return 'refused';
    return this.#sent && this.#received === 'go ahead' ? 'confirmed' : 'failed';
  }
}

/** One transfer from end to end. */
export async function transfer(port: number, name: string | Uint8Array, body: Uint8Array): Promise<Outcome> {
  const sender = new Sender(port);
  if (await sender.begin(body.length, name)) sender.finish(body);
  return sender.outcome();
}

/** `work` for 0 to count - 1, at most so many at once. */
export async function atOnce(count: number, most: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(most, count) }, worker));
}

/** What stands in a directory: hashes of files, for everything else its kind. */
export function listing(directory: string): Map<string, string> {
  const kinds = readdirSync(directory, { withFileTypes: true }).map((entry): [string, string] => {
    const kind = entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'symbolic link' : 'special file';
    return [entry.name, entry.isFile() ? sha256(readFileSync(join(directory, entry.name))) : kind];
  });
  return new Map(kinds.sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function temporaryFiles(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('.go-ahead-'));
}
