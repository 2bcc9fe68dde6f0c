import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { traceOf } from '../cause.js';
import { GoAheadError } from '../errors.js';
import { plural } from '../plural.js';
import type { Profile, ServerCase } from './model/case.js';
import { SERVER_CASES } from './cases/index.js';
import { UNKNOWN, type Declared } from './model/capabilities.js';
import { howEnded } from './target/child.js';
import { mentions, splitCommand } from './target/command.js';
import { probe, type Probe } from './control.js';
import { Directory } from './target/directory.js';
import { Doubts } from './judge/doubts.js';
import { lanes } from './lanes.js';
import { Recorder, type RecorderOptions } from './report/recorder.js';
import type { Report, Result } from './report/report.js';
import type { Ground } from './run-exchange.js';
import { declarations, mustBeDirectory, plainFailure, quoted, resultOf, stumbledNote } from './report/result.js';
import { GOING, runServerCase, type ServerCaseContext, type ServerCaseRun } from './run-server-case.js';
import { randomFrom, RUN_MARK, select, shuffle, tokens, whyNone } from './model/select.js';
import { ServerTarget } from './target/server-target.js';
import { unmeasured } from './exchange/times.js';

/** What is judged, and how; the same for both roles. */
export interface ConformOptions extends RecorderOptions {
  /** By default `full`. */
  readonly profile?: Profile;
  /** Ids or globs (`server/name/*`) of the cases to run; by default all. */
  readonly only?: readonly string[];
  /** Ids or globs of cases to leave out. */
  readonly skip?: readonly string[];
  /** Only the cases that together tell most in three seconds. By default false. */
  readonly quick?: boolean;
  /** 0 to 2^32 - 1; by default a random one. The report has it. */
  readonly seed?: number;
  /** What the user says of the target; overrides what is probed. */
  readonly declared?: Declared;
  /** How many cases run at a time; by default 12. */
  readonly width?: number;
  /** The longest wait in ms for something that must come; by default calibrated. For targets that are known to fail. */
  readonly patience?: number;
  /** Run again by itself what failed beside other cases; by default true. */
  readonly confirm?: boolean;
}

/** How a server is found and judged. */
export interface ConformServerOptions extends ConformOptions {
  /** By default 127.0.0.1. */
  readonly host?: string;
  /** By default 12000, or with `exec` and `{port}` a free one. */
  readonly port?: number;
  /** `CMD {port} {dir}`, split like a shell would, run without one. */
  readonly exec?: string;
  /** Where `exec` runs; the server stores there unless `{dir}` or `dir` says otherwise. */
  readonly cwd?: string;
  /** Where the server stores. With `exec` and `{dir}` a new directory by default. */
  readonly dir?: string;
  /** What the server adds to names; by default it is found out. */
  readonly suffix?: string;
  /** How often a target that went down is started again, until the suite gives it up; by default 400. */
  readonly restarts?: number;
  /** Other cases than the suite's own; for the suite's specs. */
  readonly cases?: readonly ServerCase[];
}

/** The command line gives it also where its user does not. */
const LOCAL = '127.0.0.1';

/** Judges a server. Throws `OPTION_INVALID` on options that contradict each other; everything else is in the report. */
export async function conformServer(options: ConformServerOptions): Promise<Report> {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const random = randomFrom(seed);
  const profile = options.profile ?? 'full';
  const all = options.cases ?? SERVER_CASES;
  const { only = [], skip = [], quick = false } = options;
  const cases = select(all, { profile, only, skip, quick });
  const directory = await directoryOf(options);
  try {
    const target = await ServerTarget.open({
      host: options.host ?? LOCAL,
      port: options.port ?? null,
      exec: options.exec ?? null,
      cwd: options.cwd ?? null,
      dir: directory?.path ?? null,
      patience: options.patience,
    });
    try {
      const recorder = new Recorder(options, cases, {
        role: 'server',
        profile,
        target: options.exec ?? `${target.host}:${target.port}`,
        observation: target.restartable ? 'exec' : directory === null ? 'wire' : 'dir',
        seed,
        declared: options.declared ?? {},
      });
      const token = tokens(random);
      const run = new Run(options, { target, directory, profile, token, seed, recorder });
      await recorder.run(async () => {
        if (cases.length === 0) {
          recorder.notes.push(whyNone(all, { profile, only }));
          return;
        }
        await directory?.begin();
        await run.begin();
        await run.all(shuffle(cases, random));
      });
      await directory?.clean(token().slice(0, RUN_MARK));
      const { ground, capabilities, reachable } = run;
      return recorder.end({ times: ground.times, capabilities, suffix: ground.suffix, reachable });
    } finally {
      await target.stop();
    }
  } finally {
    await directory?.remove();
  }
}

async function directoryOf(options: ConformServerOptions): Promise<Directory | null> {
  const { dir, exec, cwd } = options;
  if (cwd !== undefined) {
    if (exec === undefined) {
      throw new GoAheadError('OPTION_INVALID', '--cwd says where --exec runs, and there is no --exec.', {
        expected: '--exec with --cwd, or --dir alone',
        actual: cwd,
      });
    }
    await mustBeDirectory(cwd, '--cwd');
  }
  if (dir !== undefined) {
    await mustBeDirectory(dir, '--dir');
    return Directory.existing(resolve(dir));
  }
  if (exec === undefined) return null;
  if (mentions(splitCommand(exec), 'dir')) return Directory.sandbox(tmpdir());
  return cwd === undefined ? null : Directory.existing(resolve(cwd));
}

interface RunBase {
  readonly target: ServerTarget;
  readonly directory: Directory | null;
  readonly profile: Profile;
  readonly token: () => string;
  readonly seed: number;
  readonly recorder: Recorder;
}

/** A case that has taken longer, in ms, only waits for something, and costs nothing meanwhile. */
const IDLE = 400;

/** Those that wait for a deadline of the target's begin, so that the others run while they do. */
function waitingFirst(cases: readonly ServerCase[]): readonly ServerCase[] {
  const waits = ({ declared }: ServerCase): boolean => declared !== undefined;
  return [...cases.filter(waits), ...cases.filter((one) => !waits(one))];
}

/** A case that was passed beside others, and when, in ms of the monotonic clock. */
interface Pass {
  readonly one: ServerCase;
  readonly result: Result;
  readonly at: number;
}

/** How often a target is started again before the suite gives it up. */
const RESTARTS = 400;

class Run {
  /** Why it is not; null until the target was tried. */
  #unreachable: string | null = null;
  ground: Ground;
  readonly #options: ConformServerOptions;
  readonly #base: RunBase;
  #probe: Probe | null = null;
  #restarts = 0;
  readonly #wentDown: string[] = [];
  #downNote: number | null = null;
  #down = false;
  /** Whether the process has ended in some case: from then on each case by itself is asked whether it did that. */
  #ended = false;
  constructor(options: ConformServerOptions, base: RunBase) {
    this.#options = options;
    this.#base = base;
    const { target, directory } = base;
    this.ground = {
      target,
      directory,
      times: unmeasured(options.patience),
      declared: options.declared ?? {},
      suffix: options.suffix ?? '',
      naming: 'unknown',
      traced: options.trace !== undefined,
    };
  }

  get reachable(): boolean {
    return this.#unreachable === null;
  }

  get capabilities(): ServerCaseContext['capabilities'] {
    return { ...(this.#probe?.capabilities ?? UNKNOWN), ...this.#declaredCapabilities() };
  }

  async begin(): Promise<void> {
    const { profile, token } = this.#base;
    const suffix = this.#options.suffix ?? null;
    const { obstacle } = this.ground.target;
    if (obstacle !== null) {
      this.#unreachable = obstacle;
      this.#base.recorder.explain(obstacle);
      return;
    }
    this.#probe = await probe(this.ground, { profile, token, patience: this.#options.patience, suffix });
    if (!this.#probe.reachable) this.#unreachable = this.ground.target.whyUnreachable(this.#probe.gate);
    this.ground = {
      ...this.ground,
      times: this.#probe.times,
      suffix: this.#probe.suffix,
      naming: this.capabilities.naming,
    };
    if (this.ground.directory !== null) this.ground.directory.suffix = this.ground.suffix;
    if (this.#probe.gate !== null && this.reachable) {
      this.#base.recorder.explain(plainFailure(this.#probe.gate, await this.ground.target.exitWithin(GOING)));
    }
    if (this.#probe.reachable && this.#probe.stumbled !== null)
      this.#base.recorder.notes.push(stumbledNote(this.#probe.stumbled));
    if (this.#unreachable !== null) this.#base.recorder.explain(this.#unreachable);
    if (this.reachable && (await this.ground.target.exitWithin(GOING)) !== null) await this.#restart('the probes');
  }

  async all(cases: readonly ServerCase[]): Promise<void> {
    const reason = this.#unreachable;
    if (reason !== null) {
      for (const one of cases)
        this.#base.recorder.publish(resultOf(one, { verdict: 'inconclusive', reason, replay: this.#replay(one.id) }));
      return;
    }
    const { lasting, concurrent } = this.capabilities;
    const together = lasting !== 'no' && concurrent !== 'no' ? cases.filter(({ alone }) => alone !== true) : [];
    const last = cases.filter(({ watch }) => watch === 'residue');
    const alone = cases.filter((one) => !together.includes(one) && !last.includes(one));
    const suspects: ServerCase[] = [];
    const passes: Pass[] = [];
    const doubts = new Doubts<ServerCase>(this.#probe?.gate === null && this.#options.confirm !== false);
    const width = this.#options.width ?? 12;
    const { signal } = this.#options;
    await lanes(waitingFirst(together), { busy: width, all: 2 * width, signal }, async (one, idle) => {
      // After the target went down what is in flight proves nothing of itself: all of it is run again, one at a time.
      if (this.#down) {
        suspects.push(one);
        return;
      }
      const timer = setTimeout(idle, IDLE);
      const run = await this.#one(one).finally(() => clearTimeout(timer));
      const ended = this.ground.target.exit !== null;
      // A target that never worked did not go down in a case.
      if (run.targetDown && (this.#probe?.gate === null || ended)) this.#down = true;
      if ((this.#down && run.result.verdict !== 'pass') || doubts.raise(one, run.result)) suspects.push(one);
      else passes.push({ one, result: run.result, at: performance.now() });
      if (!ended) this.#publishOld(passes);
    });
    // Whichever of the youngest ended the process, its workers may have served on: by itself it is found.
    if (lasting !== 'no' && (await this.ground.target.exitWithin(GOING)) !== null) {
      this.#ended = true;
      suspects.push(...passes.splice(0).map(({ one }) => one));
    }
    for (const { result } of passes) this.#base.recorder.publish(result);
    for (const one of [...suspects, ...alone, ...last]) await this.#byItself(one, doubts);
  }

  /** What was passed long enough ago: a process that a case ends may need a moment for it. */
  #publishOld(passes: Pass[]): void {
    const young = passes.findIndex(({ at }) => at > performance.now() - GOING);
    const old = passes.splice(0, young < 0 ? passes.length : young);
    for (const { result } of old) this.#base.recorder.publish(result);
  }

  async #byItself(one: ServerCase, doubts: Doubts<ServerCase>): Promise<void> {
    if (this.#base.recorder.aborted) return;
    const { result, notes } = await doubts.settle(one, (first) => this.#afresh(one, first));
    this.#base.recorder.notes.push(...notes);
    this.#base.recorder.publish(result);
  }

  /** Runs a case on a target that runs. `first`: the verdict that it had beside other cases, if any. */
  async #afresh(one: ServerCase, first: Result | null): Promise<Result> {
    const { target } = this.ground;
    const { lasting } = this.capabilities;
    if (this.#down || target.exit !== null || lasting === 'no') await this.#restart(one.id);
    const run = await this.#one(one);
    const { exit } = target;
    if (exit !== null && lasting !== 'no' && !this.#ended) {
      // It may have been the case before, whose pass was quicker than the end of the process.
      this.#ended = true;
      const again = await this.#afresh(one, first);
      const where = `${one.id} or the case before it, but not when ${one.id} was run again`;
      if (target.exit === null) this.#base.recorder.notes.push(`The process ${howEnded(exit)} in ${where}`);
      return again;
    }
    if (target.neverServed && run.targetDown) {
      // It could not be asked: that tells nothing of the case.
      const reason = target.whyUnreachable('ECONNREFUSED');
      return first ?? resultOf(one, { verdict: 'inconclusive', reason, replay: this.#replay(one.id) });
    }
    if (run.targetDown && lasting !== 'no') {
      this.#down = true;
      this.#wentDown.push(`${one.id}${target.exit === null ? '' : `: the process ${howEnded(target.exit)}`}`);
      this.#noteWhereItWentDown();
    }
    return run.result;
  }

  /** One note, however often it was. */
  #noteWhereItWentDown(): void {
    const { notes } = this.#base.recorder;
    const [first = '', ...more] = this.#wentDown;
    const note = `The target went down in ${more.length === 0 ? '' : `${1 + more.length} cases, first in `}${first}`;
    this.#downNote ??= notes.length;
    notes[this.#downNote] = note;
  }

  async #restart(before: string): Promise<void> {
    this.#down = false;
    if (!this.ground.target.restartable) return;
    const { restarts = RESTARTS } = this.#options;
    if (this.#restarts >= restarts && this.capabilities.lasting !== 'no') {
      this.#base.recorder.notes.push(`Restarted ${plural(restarts, 'time')}: given up before ${before}`);
      return;
    }
    this.#restarts += 1;
    await this.ground.target.restart();
  }

  async #one(one: ServerCase): Promise<ServerCaseRun> {
    const { profile, token } = this.#base;
    const replay = (id: string): string => this.#replay(id);
    const context = {
      ground: this.ground,
      profile,
      capabilities: this.capabilities,
      gate: this.#probe?.gate ?? null,
      mayEnd: this.#ended,
      token,
      replay,
    };
    try {
      return await runServerCase(one, context);
    } catch (fault) {
      const result = resultOf(one, { verdict: 'suite fault', reason: traceOf(fault), replay: replay(one.id) });
      return { result, targetDown: false };
    }
  }

  #declaredCapabilities(): Partial<ServerCaseContext['capabilities']> {
    const { naming, paths, conflict, concurrent, lasting, closes } = this.#options.declared ?? {};
    return {
      ...(naming && { naming }),
      ...(paths && { paths }),
      ...(conflict && { conflict }),
      ...(concurrent && { concurrent }),
      ...(lasting && { lasting }),
      ...(closes && { closes }),
    };
  }

  #replay(id: string): string {
    const { exec, host, port, dir, cwd, suffix } = this.#options;
    const parts = [
      exec === undefined ? `--host ${host ?? LOCAL} --port ${this.ground.target.port}` : `--exec ${quoted(exec)}`,
      exec !== undefined && port !== undefined ? `--port ${port}` : '',
      dir === undefined ? '' : `--dir ${quoted(dir)}`,
      cwd === undefined ? '' : `--cwd ${quoted(cwd)}`,
      suffix === undefined ? '' : `--suffix ${quoted(suffix)}`,
      ...declarations(this.#options.declared),
      exec === undefined || host === undefined || host === LOCAL ? '' : `--host ${quoted(host)}`,
      `--profile ${this.#base.profile} --seed ${this.#base.seed} --only ${id}`,
    ];
    return `go-ahead conform server ${parts.filter((part) => part !== '').join(' ')}`;
  }
}
