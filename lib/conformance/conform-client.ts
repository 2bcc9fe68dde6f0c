import * as fs from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join as joinPath } from 'node:path';
import { GoAheadError } from '../errors.js';
import { bufferOf, chunksOf, hex, random, text, type Variables } from './bytes.js';
import { UNKNOWN } from './capabilities.js';
import { SENT, type ClientCase, type ClientExchange, type FileChange, type LocalFile, type Profile } from './case.js';
import { CLIENT_CASES } from './cases/index.js';
import { clauseLevel } from './clause.js';
import { Child, describeExit, type Exit } from './child.js';
import { fillCommand, mentions, splitCommand } from './command.js';
import { declarations, mustBeDirectory, quoted, type ConformOptions } from './conform-server.js';
import { holds, isPositive, judgeClient, verdictOf } from './judge.js';
import { Recorder } from './recorder.js';
import type { Axis, Report } from './report.js';
import { resultOf } from './run-server-case.js';
import { Board, GO_AHEAD, runScript, type Observed } from './script.js';
import { pool, randomFrom, select, shuffle, tokens } from './select.js';
import { ended, finish, request, send, take } from './steps.js';
import { calibrate, UNMEASURED, type Times } from './times.js';
import { Wire, WireLog } from './wire.js';

export interface ConformClientOptions extends ConformOptions {
  /** `CMD {file} {host} {port}`, split like a shell would, run without one. `{name}` is the last component of `{file}`. */
  readonly exec: string;
  /** For clients that cannot be told one; then one case runs at a time. By default ephemeral ones. */
  readonly port?: number;
  /** Where `exec` runs; also where the files are made, so that a client may be given `{name}` alone. */
  readonly cwd?: string;
  /** Other cases than the suite's own; for the suite's specs. */
  readonly cases?: readonly ClientCase[];
}

const HOST = '127.0.0.1';

/** Whole transfers with nothing strange about them; the first thing that is asked of a client. */
const CONTROL: ClientExchange = {
  file: { kind: 'file', size: hex('00 00 00 00 00 00 03 09'), name: text('{t}control.bin'), body: random(777) },
  steps: [request, send([{ kind: 'hex', hex: GO_AHEAD.toString('hex') }]), take(), finish, ended],
  expect: [SENT],
};

interface ClientRunResult {
  readonly axes: readonly Axis[];
  readonly observed: Observed | null;
  readonly exit: Exit;
  /** From the start of the process to its connection; null without one. */
  readonly connectMs: number | null;
}

/** Judges a client. Throws `OPTION_INVALID` on options that contradict each other; everything else is in the report. */
export async function conformClient(options: ConformClientOptions): Promise<Report> {
  const words = splitCommand(options.exec);
  if (!mentions(words, 'file') && !mentions(words, 'name')) {
    throw new GoAheadError('OPTION_INVALID', 'The command of --exec is not told which file to send.', {
      expected: '{file} or {name} in the command',
      actual: options.exec,
    });
  }
  if (!mentions(words, 'port') && options.port === undefined) {
    throw new GoAheadError('OPTION_INVALID', 'The command of --exec is not told a port.', {
      expected: '{port} in the command, or --port',
      actual: options.exec,
    });
  }
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const random32 = randomFrom(seed);
  const profile = options.profile ?? 'full';
  const cases = select(options.cases ?? CLIENT_CASES, {
    profile,
    only: options.only ?? [],
    skip: options.skip ?? [],
    quick: options.quick ?? false,
  });
  if (options.cwd !== undefined) await mustBeDirectory(options.cwd, '--cwd');
  const folder = await fs.mkdtemp(joinPath(options.cwd ?? tmpdir(), 'go-ahead-conformance-'));
  try {
    const { exec: target, declared = {} } = options;
    const recorder = new Recorder(options, cases, {
      role: 'client',
      profile,
      target,
      observation: 'exec',
      seed,
      declared,
    });
    const run = new Run(options, { words, folder, profile, token: tokens(random32), seed, recorder });
    await recorder.run(async () => {
      await run.begin();
      await run.all(shuffle(cases, random32));
    });
    return recorder.end({ times: run.times, capabilities: UNKNOWN, suffix: '', reachable: run.startable });
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

interface RunBase {
  readonly words: readonly string[];
  readonly folder: string;
  readonly profile: Profile;
  readonly token: () => string;
  readonly seed: number;
  readonly recorder: Recorder;
}

class Run {
  times: Times = UNMEASURED;
  startable = true;
  readonly #options: ConformClientOptions;
  readonly #base: RunBase;
  #gate: string | null = null;
  /** Equal twins run once: each run is a new process, so a second one would show nothing new. */
  readonly #twins = new Map<string, Promise<ClientRunResult>>();

  constructor(options: ConformClientOptions, base: RunBase) {
    this.#options = options;
    this.#base = base;
  }

  async begin(): Promise<void> {
    const control = await this.#exchange(CONTROL, 'control');
    if (control.exit.failedToStart !== undefined) this.startable = false;
    if (!holds(control.axes)) {
      this.#gate = brokenOf(control.axes);
      this.#base.recorder.notes.push(`The control transfer failed: ${this.#gate}`);
    }
    const start = control.connectMs ?? 0;
    // Most of what a client takes is the start of its process: waiting for it needs that much patience.
    const patience = this.#options.patience ?? Math.min(6000, Math.max(this.#gate === null ? 2000 : 1000, 10 * start));
    this.times = calibrate({ roundTrip: 0, settle: Math.min(200, start / 2), grace: 0 }, patience);
  }

  async all(cases: readonly ClientCase[]): Promise<void> {
    const width = this.#options.port === undefined ? (this.#options.width ?? 4) : 1;
    const together = cases.filter(({ alone }) => alone !== true);
    await pool(together, width, (one) => this.#one(one));
    for (const one of cases) if (one.alone === true) await this.#one(one);
  }

  async #one(one: ClientCase): Promise<void> {
    if (this.#base.recorder.aborted) return;
    const started = performance.now();
    const replay = this.#replay(one.id);
    const missing = (one.declared ?? []).filter((name) => this.#options.declared?.[name] === undefined);
    try {
      if (missing.length > 0) {
        const reason = `needs --declare ${missing.map((name) => `${name}=MS`).join(' ')}`;
        this.#base.recorder.publish(resultOf(one, { verdict: 'untestable', reason, replay }));
        return;
      }
      const own = await this.#exchange(one.exchange, 'connection');
      const twin = await this.#twin(one);
      const ok = twin === null ? isPositive(one) && holds(own.axes) : holds(twin.axes);
      const actual = twin === null ? 'the case is its own proof' : ok ? 'sent' : brokenOf(twin.axes);
      const proof: Axis = { axis: 'twin', ok, expected: 'the whole file sent, and status 0', actual };
      const level = clauseLevel(one.clause);
      const { verdict, reason } = verdictOf({ level, axes: own.axes, proof, gate: this.#gate });
      const connections = [own, ...(twin === null ? [] : [twin])].flatMap(({ observed }) =>
        observed === null ? [] : [{ label: observed.label, log: observed.log }],
      );
      const evidence = { connections, disk: null, process: describeExit(own.exit) };
      const ms = Math.round(performance.now() - started);
      this.#base.recorder.publish(resultOf(one, { verdict, reason, replay, axes: [...own.axes, proof], evidence, ms }));
    } catch (fault) {
      const reason = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
      this.#base.recorder.publish(resultOf(one, { verdict: 'suite fault', reason, replay }));
    }
  }

  async #twin(one: ClientCase): Promise<ClientRunResult | null> {
    if (one.twin === undefined) return null;
    const file = { ...one.exchange.file, ...one.twin.file };
    const exchange: ClientExchange = { file, steps: one.twin.steps ?? one.exchange.steps, expect: [SENT] };
    const key = JSON.stringify([exchange.file, exchange.steps], (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
    const running = this.#twins.get(key) ?? this.#exchange(exchange, 'twin');
    this.#twins.set(key, running);
    return running;
  }

  async #exchange(exchange: ClientExchange, label: string): Promise<ClientRunResult> {
    const variables: Variables = { t: this.#base.token(), i: 0 };
    const { times } = this;
    const folder = await fs.mkdtemp(joinPath(this.#base.folder, 'case-'));
    const path = joinPath(folder, bufferOf(exchange.file.name, variables).toString());
    await makeFile(path, exchange.file, variables);
    const headers = [basename(path), path, joinPath(basename(folder), basename(path))].map((name) =>
      Buffer.concat([bufferOf(exchange.file.size, variables), Buffer.from(name)]),
    );
    const listener = await Listener.open(HOST, this.#options.port ?? 0);
    let wire: Wire | null = null;
    try {
      const started = performance.now();
      const values = { file: path, name: basename(path), host: HOST, port: String(listener.port) };
      const child = new Child(fillCommand(this.#base.words, values), this.#options.cwd === undefined ? null : folder);
      const running = child.ended(times.cap).then((end) => {
        listener.stopWaiting();
        return end;
      });
      const socket = await listener.connection();
      const connectMs = socket === null ? null : performance.now() - started;
      let observed: Observed | null = null;
      if (socket !== null) {
        const log = new WireLog(this.#options.trace !== undefined);
        log.event('connected');
        wire = new Wire(socket, log);
        const changeFile = (how: FileChange): Promise<void> => change(path, how, variables);
        const { file } = exchange;
        const declared = this.#options.declared ?? {};
        const context = { label, file, variables, times, declared, board: new Board(), headers, changeFile };
        observed = await runScript(wire, exchange.steps, context);
      }
      const scripted = performance.now();
      const patience = setTimeout(() => child.signal('SIGKILL'), times.patience);
      const end = await running;
      clearTimeout(patience);
      const run = { exchange, variables, observed, exit: end, exitMs: performance.now() - scripted, headers };
      return { axes: judgeClient(run), observed, exit: end, connectMs };
    } finally {
      wire?.dispose();
      await listener.close();
    }
  }

  #replay(id: string): string {
    const { exec, port, cwd } = this.#options;
    const parts = [
      `--exec ${quoted(exec)}`,
      port === undefined ? '' : `--port ${port}`,
      cwd === undefined ? '' : `--cwd ${quoted(cwd)}`,
      ...declarations(this.#options.declared),
      `--profile ${this.#base.profile} --seed ${this.#base.seed} --only ${id}`,
    ];
    return `go-ahead conform client ${parts.filter((part) => part !== '').join(' ')}`;
  }
}

function brokenOf(axes: readonly Axis[]): string {
  return axes
    .filter(({ ok }) => ok === false)
    .map(({ axis, expected, actual }) => `${axis}: expected ${expected}, got ${actual}`)
    .join('; ');
}

async function makeFile(path: string, file: LocalFile, variables: Variables): Promise<void> {
  switch (file.kind) {
    case 'file':
    case 'unreadable': {
      const handle = await fs.open(path, 'w');
      for (const chunk of chunksOf(file.body, variables)) await handle.write(chunk);
      if (file.kind === 'unreadable') await handle.chmod(0);
      await handle.close();
      break;
    }
    case 'directory':
      await fs.mkdir(path);
      break;
    case 'fifo':
      execFileSync('mkfifo', [path]);
      break;
    case 'missing':
      break;
  }
}

async function change(path: string, how: FileChange, variables: Variables): Promise<void> {
  switch (how.kind) {
    case 'append':
      return fs.appendFile(path, bufferOf(how.bytes, variables));
    case 'truncate':
      return fs.truncate(path, how.to);
    case 'remove':
      return fs.rm(path);
    case 'replace': {
      await fs.writeFile(`${path}.new`, bufferOf(how.bytes, variables));
      return fs.rename(`${path}.new`, path);
    }
  }
}

/** Takes the first connection of a client; a second one is reset. */
class Listener {
  readonly port: number;
  readonly #server: Server;
  readonly #first: Promise<Socket | null>;
  #settle: (socket: Socket | null) => void = () => undefined;

  private constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#first = new Promise((resolve) => {
      this.#settle = resolve;
    });
    let taken = false;
    server.on('connection', (socket) => {
      if (taken) socket.resetAndDestroy();
      else this.#settle(socket);
      taken = true;
    });
  }

  static async open(host: string, port: number): Promise<Listener> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    return new Promise((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new GoAheadError('LISTEN_FAILED', `The suite cannot listen on ${host}:${port}.`, { cause })),
      );
      server.listen(port, host, () => resolve(new Listener(server)));
    });
  }

  connection(): Promise<Socket | null> {
    return this.#first;
  }

  /** The process is gone: who has not connected by now will not. */
  stopWaiting(): void {
    setTimeout(() => this.#settle(null), 50);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
