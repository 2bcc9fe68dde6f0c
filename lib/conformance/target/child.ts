/** A program of somebody else's that the suite starts and is responsible for ending. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { spawnable } from './command.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last 2,000 bytes of what it wrote to stderr. */
  readonly stderr: string;
  /** The same of stdout, where it is kept. */
  readonly stdout: string;
  /** It could not be started at all. */
  readonly failedToStart?: string;
  /** We killed it because its time was over. */
  readonly killed: boolean;
}

export interface Memory {
  readonly resident: number;
  /** The data segments, touched or not. */
  readonly reserved: number;
}

const TAIL = 2000;

/** What becomes of its output: stderr is kept, stdout too, or nobody reads either (EPIPE). */
export type Output = 'stderr' | 'both' | 'closed';

export class Child {
  readonly #process: ChildProcess;
  #stderr: Buffer = Buffer.alloc(0);
  #stdout: Buffer = Buffer.alloc(0);
  #exit: Exit | null = null;
  #killed = false;
  readonly #done: Promise<Exit>;

  constructor(words: readonly string[], cwd: string | null, output: Output = 'stderr') {
    const [command = '', ...args] = spawnable(words);
    // A group of its own, so that what it started in turn ends with it.
    this.#process = spawn(command, args, {
      detached: true,
      stdio: ['ignore', output === 'stderr' ? 'ignore' : 'pipe', 'pipe'],
      ...(cwd === null ? {} : { cwd }),
    });
    if (output === 'closed') {
      this.#process.stdout?.destroy();
      this.#process.stderr?.destroy();
    }
    this.#process.stderr?.on('data', (bytes: Buffer) => {
      this.#stderr = tail(this.#stderr, bytes);
    });
    this.#process.stdout?.on('data', (bytes: Buffer) => {
      this.#stdout = tail(this.#stdout, bytes);
    });
    this.#done = new Promise((resolve) => {
      const finish = (exit: Omit<Exit, 'stderr' | 'stdout' | 'killed'>): void => {
        this.#exit ??= { ...exit, stderr: textOf(this.#stderr), stdout: textOf(this.#stdout), killed: this.#killed };
        children.delete(this);
        resolve(this.#exit);
      };
      this.#process.on('error', (error) => finish({ code: null, signal: null, failedToStart: error.message }));
      this.#process.on('exit', (code, signal) => {
        this.#endGroup();
        // What it wrote last may still be in the pipe; a grandchild may hold the pipe open for ever. A loop that is late
        // runs its timers before it reads, hence the turn after the wait.
        const late = setTimeout(() => setImmediate(() => finish({ code, signal })), 1000);
        this.#process.on('close', () => {
          clearTimeout(late);
          finish({ code, signal });
        });
      });
    });
    children.add(this);
    armExitGuard();
  }

  /** Null while it runs. */
  get exit(): Exit | null {
    return this.#exit;
  }

  /** How many files and sockets it holds open; null where the system does not tell. */
  async descriptors(): Promise<number | null> {
    const pid = this.#process.pid;
    if (pid === undefined) return null;
    return readdir(`/proc/${pid}/fd`).then(
      (names) => names.length,
      () => null,
    );
  }

  /** Memory in bytes of it and what it started, since it leads a process group; null where the system does not tell. */
  async memory(): Promise<Memory | null> {
    const leader = this.#process.pid;
    const pids = await readdir('/proc').catch(() => []);
    let resident: number | null = null;
    let reserved = 0;
    for (const pid of pids.filter((name) => /^\d+$/.test(name))) {
      const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
      // proc_pid_stat(5): the third field after the command in parentheses is the process group.
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) !== leader) continue;
      const memory = memoryOf(await readFile(`/proc/${pid}/status`, 'latin1').catch(() => ''));
      resident = (resident ?? 0) + memory.resident;
      reserved += memory.reserved;
    }
    return resident === null ? null : { resident, reserved };
  }

  /** Waits for its end; after `ms` it is killed. */
  async ended(ms: number): Promise<Exit> {
    const timer = setTimeout(() => this.kill(), ms);
    const exit = await this.#done;
    clearTimeout(timer);
    return exit;
  }

  async exited(): Promise<Exit> {
    return this.#done;
  }

  /** Because its time is over. */
  kill(): void {
    if (this.#exit !== null) return;
    this.#killed = true;
    this.signal('SIGKILL');
  }

  /** What it started in turn, and left behind: nobody else would end that. */
  #endGroup(): void {
    try {
      if (this.#process.pid !== undefined) process.kill(-this.#process.pid, 'SIGKILL');
    } catch {
      // Nothing is left of it, as mostly.
    }
  }

  signal(name: NodeJS.Signals): void {
    if (this.#exit !== null || this.#process.pid === undefined) return;
    try {
      process.kill(-this.#process.pid, name);
    } catch {
      this.#process.kill(name);
    }
  }
}

function tail(before: Buffer, bytes: Buffer): Buffer {
  return Buffer.concat([before, bytes]).subarray(-TAIL);
}

/** Where the beginning was cut off, without the rest of a character that was cut (10xxxxxx). */
function textOf(bytes: Buffer): string {
  const start = bytes.length < TAIL ? 0 : bytes.findIndex((byte) => byte >> 6 !== 2);
  return bytes.subarray(Math.max(0, start)).toString();
}

/** By a `status` of proc(5). A process that ends just now has none: of a zombie it tells no memory. */
export function memoryOf(status: string): Memory {
  const kib = (field: string): number => {
    const [, digits = '0'] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
    return Number(digits);
  };
  return { resident: kib('VmRSS') * 1024, reserved: kib('VmData') * 1024 };
}

/** So that an interrupted run leaves no server behind. */
const children = new Set<Child>();
let armed = false;
function armExitGuard(): void {
  if (armed) return;
  armed = true;
  process.on('exit', () => {
    for (const child of children) child.signal('SIGKILL');
  });
}

const STDERR = '; stderr ends: ';

/** How Node, Python, Rust, Go and others begin the line that says what went wrong. */
const FAULT = /^(?:[\w.]*(?:Error|Exception)\b|Uncaught\b|panic\b|thread '.*' panicked)/;

/** The last three lines; of a fault that stands further up, its line and the one after it, which mostly says where. */
function telling(stderr: string): readonly string[] {
  // Node ends with its version, below a bracket.
  const lines = stderr.split('\n').filter((line) => !/^\s*[{}]?\s*$|^Node\.js v\S+$/.test(line));
  const fault = lines.findLastIndex((line) => FAULT.test(line));
  return fault < 0 || fault >= lines.length - 3 ? lines.slice(-3) : lines.slice(fault, fault + 2);
}

export function describeExit(exit: Exit): string {
  const tail = telling(exit.stderr)
    .map((line) => line.trim())
    .join(' | ');
  return tail === '' ? howEnded(exit) : `${howEnded(exit)}${STDERR}${tail}`;
}

export function howEnded(exit: Exit): string {
  if (exit.failedToStart !== undefined) return `could not be started: ${exit.failedToStart}`;
  if (exit.killed) return 'had to be killed';
  return exit.signal === null ? `exited with status ${exit.code ?? '?'}` : `was ended by ${exit.signal}`;
}

/** The parts of what `describeExit` says. */
export function splitExit(text: string): { readonly how: string; readonly stderr: string | null } {
  const at = text.indexOf(STDERR);
  return at < 0 ? { how: text, stderr: null } : { how: text.slice(0, at), stderr: text.slice(at + STDERR.length) };
}
