import { resolve } from 'node:path';
import { traceOf } from '../cause.js';
import { GoAheadError } from '../errors.js';
import { hex, random, text } from './model/bytes.js';
import { UNKNOWN } from './model/capabilities.js';
import { SENT, type ClientCase, type ClientExchange } from './model/case.js';
import { CLIENT_CASES } from './cases/client/index.js';
import { describeExit } from './target/child.js';
import { mentions, mustKnowPort, splitCommand } from './target/command.js';
import type { ConformOptions } from './options.js';
import { brokenOf, holds } from './judge/judge.js';
import { Doubts } from './judge/doubts.js';
import { lanes } from './lanes.js';
import { Addresses } from './target/listener.js';
import { removeFolder, runFolder } from './target/local-file.js';
import { Recorder } from './report/recorder.js';
import type { Report, Result } from './report/report.js';
import { declarations, mustBeDirectory, plainFailure, quoted, resultOf, stumbledNote } from './report/result.js';
import { ClientRunner, type ClientExchangeResult, type ClientGround } from './run-client-case.js';
import { randomFrom, select, shuffle, tokens, whyNone } from './model/select.js';
import { ended, finish, request, send, take } from './model/steps.js';
import { calibrate, unmeasured } from './exchange/times.js';

/** How a client is found and judged. */
export interface ConformClientOptions extends ConformOptions {
  /**
   * `CMD {file} {host} {port}`, split like a shell would, run without one. `{file}` is an absolute path, `{name}` its
   * last component.
   */
  readonly exec: string;
  /** For clients that cannot be told one; then one case runs at a time, unless they are told `{host}`. By default ephemeral ones. */
  readonly port?: number;
  /** Where `exec` runs. A client that is given `{name}` and not `{file}` finds the files there, under new names. */
  readonly cwd?: string;
  /** Other cases than the suite's own; for the suite's specs. */
  readonly cases?: readonly ClientCase[];
}

/** A whole transfer with nothing strange about it; the first thing that is asked of a client. */
const CONTROL: ClientExchange = {
  file: { kind: 'file', size: hex('00 00 00 00 00 00 03 09'), name: text('{t}control.bin'), body: random(777) },
  steps: [request, send(hex('67 6f 20 61 68 65 61 64')), take(), finish, ended],
  expect: [SENT],
};

function usage(message: string, expected: string, actual: string): GoAheadError {
  return new GoAheadError('OPTION_INVALID', message, { expected, actual });
}

function checked({ exec, port, cwd }: ConformClientOptions): readonly string[] {
  const words = splitCommand(exec);
  if (!mentions(words, 'file') && !mentions(words, 'name')) {
    throw usage(
      'The command of --exec is not told which file to send: put {file} or {name} into it.',
      '{file} or {name} in the command',
      exec,
    );
  }
  if (!mentions(words, 'file') && cwd === undefined) {
    throw usage('The command of --exec is told a name only.', '{file} in the command, or --cwd, where it runs', exec);
  }
  mustKnowPort(words, exec, port ?? null);
  return words;
}

/** Judges a client. Throws `OPTION_INVALID` on options that contradict each other; everything else is in the report. */
export async function conformClient(options: ConformClientOptions): Promise<Report> {
  const words = checked(options);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const random32 = randomFrom(seed);
  const profile = options.profile ?? 'full';
  const all = options.cases ?? CLIENT_CASES;
  const { only = [], skip = [], quick = false } = options;
  const cases = select(all, { profile, only, skip, quick });
  if (options.cwd !== undefined) await mustBeDirectory(options.cwd, '--cwd');
  const folder = await runFolder();
  const cwd = options.cwd === undefined ? null : resolve(options.cwd);
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
    const run = new Run(options, seed, recorder, {
      words,
      cwd,
      files: { folder, shared: mentions(words, 'file') ? null : cwd },
      addresses: new Addresses(options.port, mentions(words, 'host')),
      declared,
      token: tokens(random32),
      times: unmeasured(options.patience),
      gate: null,
      traced: options.trace !== undefined,
    });
    await recorder.run(async () => {
      if (cases.length === 0) {
        recorder.notes.push(whyNone(all, { profile, only }));
        return;
      }
      await run.begin();
      await run.all(shuffle(cases, random32));
    });
    const reachable = run.unstartable === null;
    return recorder.end({ times: run.ground.times, capabilities: UNKNOWN, suffix: '', reachable });
  } finally {
    await removeFolder(folder);
  }
}

class Run {
  readonly ground: ClientGround;
  /** Why the command cannot be started at all; null when it can. */
  unstartable: string | null = null;
  readonly #options: ConformClientOptions;
  readonly #seed: number;
  readonly #recorder: Recorder;
  readonly #runner: ClientRunner;
  /** A case that has taken longer only waits for something, and costs nothing meanwhile. */
  #idleMs = 400;

  constructor(options: ConformClientOptions, seed: number, recorder: Recorder, ground: ClientGround) {
    this.#options = options;
    this.#seed = seed;
    this.#recorder = recorder;
    this.ground = ground;
    this.#runner = new ClientRunner(ground);
  }

  async begin(): Promise<void> {
    const control = await this.#control().catch(whyDeaf);
    if (typeof control === 'string') {
      this.unstartable = control;
      this.#recorder.explain(control);
      return;
    }
    if (!holds(control.axes)) {
      this.ground.gate = brokenOf(control.axes);
      this.#recorder.explain(plainFailure(this.ground.gate, control.exit));
    }
    const startMs = control.connectMs ?? 0;
    this.#idleMs = this.ground.gate === null ? Math.max(400, 4 * startMs) : 100;
    // Most of what a client takes is the start of its process: waiting for it needs that much patience.
    const least = this.ground.gate === null ? 3000 : 1000;
    const patience = this.#options.patience ?? Math.min(6000, Math.max(least, 10 * startMs));
    const times = calibrate({ roundTrip: 0, settle: Math.min(200, startMs / 2), grace: 0 }, patience);
    // A silence must not be longer than the client has patience itself.
    const { replyTimeout, sendTimeout, confirmTimeout } = this.ground.declared;
    const own = [replyTimeout, sendTimeout, confirmTimeout].map((ms) => (ms ?? Infinity) / 3);
    this.ground.times = { ...times, quiet: Math.min(times.quiet, ...own) };
  }

  /**
   * All other verdicts rest on it: who fails it on a busy machine gets another, since who is wrong fails both. A text says
   * why nothing can be asked at all.
   */
  async #control(): Promise<ClientExchangeResult | string> {
    const once = await this.#runner.exchange(CONTROL, 'control');
    if (once.exit.failedToStart !== undefined || holds(once.axes)) return whyUnstartable(once) ?? once;
    const twice = await this.#runner.exchange(CONTROL, 'control');
    if (holds(twice.axes)) this.#recorder.notes.push(stumbledNote(brokenOf(once.axes)));
    return whyUnstartable(twice) ?? twice;
  }

  async all(cases: readonly ClientCase[]): Promise<void> {
    const width = this.#options.width ?? 4;
    const together = cases.filter(({ alone }) => alone !== true);
    const confirm = this.ground.gate === null && this.unstartable === null && this.#options.confirm !== false;
    const doubts = new Doubts<ClientCase>(confirm);
    const suspects: ClientCase[] = [];
    const { signal } = this.#options;
    await lanes(together, { busy: width, all: 6 * width, signal }, async (one, idle) => {
      const result = await this.#one(one, idle);
      if (doubts.raise(one, result)) suspects.push(one);
      else this.#recorder.publish(result);
    });
    for (const one of [...suspects, ...cases.filter(({ alone }) => alone === true)]) {
      if (this.#recorder.aborted) return;
      const { result, notes } = await doubts.settle(one, () => this.#one(one));
      this.#recorder.notes.push(...notes);
      this.#recorder.publish(result);
    }
  }

  /** `idle`: it only waits for something by now. */
  async #one(one: ClientCase, idle?: () => void): Promise<Result> {
    const timer = setTimeout(() => idle?.(), this.#idleMs);
    return this.#judged(one).finally(() => clearTimeout(timer));
  }

  async #judged(one: ClientCase): Promise<Result> {
    const replay = this.#replay(one.id);
    try {
      if (this.unstartable !== null) {
        return resultOf(one, { verdict: 'inconclusive', reason: this.unstartable, replay });
      }
      return await this.#runner.run(one, replay);
    } catch (fault) {
      return resultOf(one, { verdict: 'suite fault', reason: traceOf(fault), replay });
    }
  }

  #replay(id: string): string {
    const { exec, port, cwd, profile } = this.#options;
    const parts = [
      `--exec ${quoted(exec)}`,
      port === undefined ? '' : `--port ${port}`,
      cwd === undefined ? '' : `--cwd ${quoted(cwd)}`,
      ...declarations(this.#options.declared),
      `--profile ${profile ?? 'full'} --seed ${this.#seed} --only ${id}`,
    ];
    return `go-ahead conform client ${parts.filter((part) => part !== '').join(' ')}`;
  }
}

/** Why no client can reach the suite: the port that it was told is not free. Anything else is a fault of ours. */
function whyDeaf(reason: unknown): string {
  if (reason instanceof GoAheadError && reason.code === 'LISTEN_FAILED') return reason.message;
  throw reason;
}

/** Why nothing can be asked of it: an interpreter that finds no program fails like a client, but before it connects. */
function whyUnstartable({ exit, connectMs }: ClientExchangeResult): string | null {
  if (exit.failedToStart !== undefined) return `The client ${describeExit(exit)}`;
  const failed = connectMs === null && exit.code !== null && exit.code !== 0;
  return failed ? `The client did not connect, and ${describeExit(exit)}` : null;
}
