/** Runs one server case with its twin and gives the verdict. */
import { ACCEPTED, exchangesOf } from './model/case.js';
import type { Plant, Profile, ServerCase, ServerExchange, ServerOutcome } from './model/case.js';
import { clauseLevel } from './model/clause.js';
import { mentionsKey } from './model/bytes.js';
import { excused, gate, type Capabilities } from './model/capabilities.js';
import { describeExit, howEnded } from './target/child.js';
import { plainControl, sizedControl } from './control.js';
import { holds, verdictOf } from './judge/judge.js';
import type { Axis, Evidence, Result } from './report/report.js';
import { resultOf } from './report/result.js';
import { runExchange, type ExchangeResult, type Ground } from './run-exchange.js';
import { startWatch } from './judge/watch.js';

export interface ServerCaseContext {
  readonly ground: Ground;
  readonly profile: Profile;
  readonly capabilities: Capabilities;
  /** Why the control transfer at the start failed, or null. */
  readonly gate: string | null;
  /** The process of the target has ended in a case before. */
  readonly mayEnd: boolean;
  readonly token: () => string;
  readonly replay: (id: string) => string;
}

/** A result, and whether the target itself seems to be gone, so that other cases in flight may have suffered from it. */
export interface ServerCaseRun {
  readonly result: Result;
  readonly targetDown: boolean;
}

/** The case asks for a whole transfer on one of its connections at least, so it is its own proof. */
export function provesItself(testCase: ServerCase): boolean {
  return exchangesOf(testCase).some(({ expect }) =>
    expect.every(
      ({ reply, disk, closed }) => reply === 'go ahead' && disk === 'whole' && closed.every((how) => how === 'fin'),
    ),
  );
}

export function twinOf(testCase: ServerCase): ServerExchange | null {
  const { twin } = testCase;
  if (twin === undefined) return null;
  const [first] = exchangesOf(testCase);
  const outcome: ServerOutcome = { ...ACCEPTED, as: twin.as ?? 'any' };
  return { file: { ...first.file, ...twin.file }, steps: twin.steps ?? first.steps, expect: [outcome] };
}

/** Why a case cannot be run at all here: it does not apply, or something is missing to see it. Null when it can. */
export function excluded(testCase: ServerCase, context: ServerCaseContext): Pick<Result, 'verdict' | 'reason'> | null {
  const { directory, target, declared } = context.ground;
  const unmet = gate(testCase.requires, context.capabilities);
  if (unmet !== null) return { verdict: 'not applicable', reason: unmet };
  const excuse = excused(testCase.unlessDeclared, declared);
  if (excuse !== null) return { verdict: 'not applicable', reason: excuse };
  if (testCase.needs === 'dir' && directory === null) {
    return { verdict: 'untestable', reason: 'needs --dir DIR, the directory in which the server stores' };
  }
  if (testCase.needs === 'exec' && !target.restartable) {
    return { verdict: 'untestable', reason: 'needs --exec "CMD {port} {dir}", so that the suite starts the server' };
  }
  const missing = (testCase.declared ?? []).filter((name) => declared[name] === undefined);
  if (missing.length > 0) {
    return { verdict: 'untestable', reason: `needs --declare ${missing.map((name) => `${name}=MS`).join(' ')}` };
  }
  if (needsSandbox(testCase) && directory?.sandboxed === false) {
    return { verdict: 'untestable', reason: 'needs a directory of the suite: --exec with {dir}, and no --dir' };
  }
  return null;
}

/** It touches what is not the suite's own: the surroundings, or a name without a token. */
function needsSandbox(testCase: ServerCase): boolean {
  const plants = (testCase.plant ?? []).some(
    (plant) => plant.at.startsWith('../') || ('to' in plant && plant.to.includes('{beside}')),
  );
  const names = exchangesOf(testCase).some(
    ({ file }) => mentionsKey(file.name, 'beside') || (!mentionsKey(file.name, 't') && provesItself(testCase)),
  );
  return plants || names;
}

/** A process that has hung up may take so long, in ms, until it has ended. */
export const GOING = 50;

export async function runServerCase(testCase: ServerCase, context: ServerCaseContext): Promise<ServerCaseRun> {
  const { ground } = context;
  const started = performance.now();
  const replay = context.replay(testCase.id);
  const why = excluded(testCase, context);
  if (why !== null) return { result: resultOf(testCase, { ...why, replay }), targetDown: false };

  const alone = testCase.alone === true;
  const options = { alone, plant: testCase.plant ?? [], escapes: testCase.escapes === true };
  const watch = testCase.watch === undefined ? null : await startWatch(testCase.watch, ground, context.token());
  let own = await runExchange(ground, exchangesOf(testCase), context.token(), options);
  for (let tries = testCase.tries ?? 1; tries > 1 && !holds(own.axes); tries -= 1) {
    own = await runExchange(ground, exchangesOf(testCase), context.token(), options);
  }
  // A process that hung up may be about to end, which must not be held against the next case.
  if (!holds(own.axes) || context.mayEnd) await ground.target.exitWithin(GOING);
  const watched = await watch?.();
  const proof = await prove(testCase, own, context);
  const axes: Axis[] = [...own.axes, ...(watched ?? []), ...proof.alive];

  const level = clauseLevel(testCase.clause);
  const found = verdictOf({ level, axes, proof: proof.axis, gate: context.gate });
  const { verdict, reason } = found.verdict === 'pass' ? (unwatched(watched) ?? found) : found;
  const judged = [...own.judged, ...(proof.result?.judged ?? [])];
  const evidence: Evidence = {
    connections: judged.map(({ run }) => ({ label: run.observed.label, log: run.observed.log })),
    disk:
      ground.directory === null ? null : { before: own.before, after: [...own.after, ...(proof.result?.after ?? [])] },
    ...(ground.target.exit === null ? {} : { process: describeExit(ground.target.exit) }),
  };
  const refused = judged.some(({ run }) => run.observed.connectError !== null);
  const targetDown = ground.target.exit !== null || refused || proof.alive.some(({ ok }) => ok === false);
  const ms = Math.round(performance.now() - started);
  return {
    result: resultOf(testCase, { verdict, reason, replay, axes: [...axes, proof.axis], evidence, ms }),
    targetDown,
  };
}

/** What a case watches must have been seen for a pass. */
function unwatched(axes: readonly Axis[] = []): Pick<Result, 'verdict' | 'reason'> | null {
  const unseen = axes.find(({ ok }) => ok === null);
  if (unseen === undefined) return null;
  return { verdict: 'untestable', reason: `expected ${unseen.expected}, seen: ${unseen.actual}` };
}

interface Proof {
  /** The axis `twin`: ok when a whole transfer was seen, null when it cannot be seen here. */
  readonly axis: Axis;
  readonly alive: readonly Axis[];
  readonly result: ExchangeResult | null;
}

const ALIVE = 'serves the next connection';

/** Everything rests on this: a verdict of pass needs a whole transfer on the same process, seen on disk or, without a directory, by the sized control. */
async function prove(testCase: ServerCase, own: ExchangeResult, context: ServerCaseContext): Promise<Proof> {
  const { ground, capabilities } = context;
  const run = (exchange: ServerExchange, label: string, plant: readonly Plant[] = []): Promise<ExchangeResult> =>
    runExchange(ground, [exchange], context.token(), { alone: false, plant, label });
  const axis = (ok: boolean | null, actual: string): Axis => ({ axis: 'twin', ok, expected: 'accepted', actual });
  const crash = ground.target.exit;
  const died: Axis = {
    axis: 'alive',
    ok: false,
    expected: ALIVE,
    actual: crash === null ? '' : `the process ${howEnded(crash)}`,
  };
  const mayBeOver = capabilities.lasting === 'no';

  const twin = twinOf(testCase);
  if (twin === null) {
    if (crash !== null && !mayBeOver) return { axis: axis(null, 'the process is gone'), alive: [died], result: null };
    if (ground.directory !== null)
      return { axis: axis(holds(own.axes), 'the case is its own proof'), alive: [], result: null };
  }
  if (crash !== null) {
    if (mayBeOver)
      return {
        axis: axis(null, 'this server serves one connection only, and the proof needs a second one'),
        alive: [],
        result: null,
      };
    return { axis: axis(false, 'the process is gone'), alive: [died], result: null };
  }
  // Nothing can pass then, and a plain transfer that fails would be held against every case.
  if (context.gate !== null)
    return { axis: axis(null, 'not tried: a plain transfer does not work here'), alive: [], result: null };
  if (twin !== null) {
    const result = await run(twin, 'twin', testCase.twin?.plant);
    if (!holds(result.axes)) return failedTwin(result, await run(plainControl, 'control'), axis, context);
    if (ground.directory !== null)
      return { axis: axis(true, 'accepted'), alive: [{ ...died, ok: true, actual: 'yes' }], result };
  }
  if (capabilities.closes === 'after the sender') {
    return {
      axis: axis(null, 'needs --dir: this server waits for the sender to close, so the connection alone shows nothing'),
      alive: [],
      result: null,
    };
  }
  const result = await run(sizedControl(1800), 'sized control');
  return { axis: axis(holds(result.axes), holds(result.axes) ? 'accepted' : actualOf(result)), alive: [], result };
}

async function failedTwin(
  twin: ExchangeResult,
  control: ExchangeResult,
  axis: (ok: boolean | null, actual: string) => Axis,
  { ground }: ServerCaseContext,
): Promise<Proof> {
  const exit = await ground.target.exitWithin(GOING);
  const alive = holds(control.axes) && exit === null;
  const actual =
    exit === null ? `a plain transfer fails afterwards: ${actualOf(control)}` : `the process ${howEnded(exit)}`;
  return {
    axis: axis(false, actualOf(twin)),
    alive: [{ axis: 'alive', ok: alive, expected: ALIVE, actual: alive ? 'yes' : actual }],
    result: twin,
  };
}

function actualOf(result: ExchangeResult): string {
  return result.axes
    .filter(({ ok }) => ok === false)
    .map(({ axis, actual }) => `${axis}: ${actual}`)
    .join('; ');
}
