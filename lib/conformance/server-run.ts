import { traceOf } from '../cause.js';
import { plural } from '../plural.js';
import type { Profile, ServerCase } from './model/case.js';
import { UNKNOWN } from './model/capabilities.js';
import { howEnded, type Exit } from './target/child.js';
import { probe, type Probe } from './control.js';
import type { Directory } from './target/directory.js';
import { Doubts } from './judge/doubts.js';
import { HeldBack } from './judge/held-back.js';
import { lanes } from './lanes.js';
import type { ConformServerOptions } from './options.js';
import type { Recorder } from './report/recorder.js';
import type { Result } from './report/report.js';
import type { Ground } from './run-exchange.js';
import { declarations, plainFailure, quoted, resultOf, stumbledNote } from './report/result.js';
import { GOING, runServerCase, type ServerCaseContext, type ServerCaseRun } from './run-server-case.js';
import type { ServerTarget } from './target/server-target.js';
import { unmeasured } from './exchange/times.js';

/** The command line gives it also where its user does not. */
export const LOCAL = '127.0.0.1';

/** What does not change in a run. */
export interface RunBase {
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

/** A case that was passed beside others. */
interface Judged {
  readonly one: ServerCase;
  readonly result: Result;
}

/** How often a target is started again before the suite gives it up. */
const RESTARTS = 400;

/** All cases, on one server. */
export class ServerRun {
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
  /** The case that ran by itself last. */
  #latest = 'the probes';

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
    const doubts = new Doubts<ServerCase>(this.#probe?.gate === null && this.#options.confirm !== false);
    const width = this.#options.width ?? 12;
    const { signal } = this.#options;
    const { target } = this.ground;
    // A process that a case ends may need a moment for it, and its workers may serve on: by itself that case is found.
    const tell = ({ result }: Judged): void => this.#base.recorder.publish(result);
    const young = new HeldBack<Judged>(GOING, tell, () => target.exit !== null);
    const tellAll = (): void => young.tellAll();
    signal?.addEventListener('abort', tellAll);
    await lanes(waitingFirst(together), { busy: width, all: 2 * width, signal }, async (one, idle) => {
      // After the target went down what is in flight proves nothing of itself: all of it is run again, one at a time.
      if (this.#down) {
        suspects.push(one);
        return;
      }
      const timer = setTimeout(idle, IDLE);
      const run = await this.#one(one).finally(() => clearTimeout(timer));
      // A target that never worked did not go down in a case.
      if (run.targetDown && (this.#probe?.gate === null || target.exit !== null)) this.#down = true;
      if ((this.#down && run.result.verdict !== 'pass') || doubts.raise(one, run.result)) suspects.push(one);
      else if (run.result.verdict === 'pass') young.add({ one, result: run.result });
      else this.#base.recorder.publish(run.result);
    });
    const beside = await this.#justEnded();
    if (beside !== null) {
      this.#ended = true;
      suspects.push(...young.take().map(({ one }) => one));
    }
    young.tellAll();
    signal?.removeEventListener('abort', tellAll);
    for (const one of [...suspects, ...alone, ...last]) await this.#byItself(one, doubts);
    const end = beside ?? (this.#ended ? null : await this.#justEnded());
    if (end !== null && this.#wentDown.length === 0)
      this.#base.recorder.notes.push(`The process ${howEnded(end)}, and it is not known in which case`);
  }

  /** How the process has ended, where it should serve on; null while it lives. */
  async #justEnded(): Promise<Exit | null> {
    return this.capabilities.lasting === 'no' ? null : this.ground.target.exitWithin(GOING);
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
    const before = this.#latest;
    this.#latest = one.id;
    const run = await this.#one(one);
    if (target.neverServed && run.targetDown) {
      // It could not be asked: that tells nothing of the case.
      const reason = target.whyUnreachable('ECONNREFUSED');
      return first ?? resultOf(one, { verdict: 'inconclusive', reason, replay: this.#replay(one.id) });
    }
    const { exit } = target;
    if (exit !== null && lasting !== 'no' && !this.#ended) {
      // It may have been the case before, whose pass was quicker than the end of the process.
      this.#ended = true;
      this.#restarts -= 1;
      const again = await this.#afresh(one, first);
      const where = `in ${one.id} or after ${before}, but not when ${one.id} was run again`;
      if (target.exit === null) this.#base.recorder.notes.push(`The process ${howEnded(exit)} ${where}`);
      return again;
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
