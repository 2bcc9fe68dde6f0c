/** Runs one client case with its twin and gives the verdict. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { bufferOf, type Variables } from './model/bytes.js';
import type { Declared } from './model/capabilities.js';
import { SENT, type ClientCase, type ClientExchange, type ClientStep, type Some, type Step } from './model/case.js';
import { Child, describeExit, type Exit } from './target/child.js';
import { clauseLevel } from './model/clause.js';
import { fillCommand, wordOf } from './target/command.js';
import { isPositive, judgeClient } from './judge/judge-client.js';
import { brokenOf, holds, verdictOf } from './judge/judge.js';
import { ClosedPort, Listener, type Address, type Addresses } from './target/listener.js';
import { placeFile, type FileGround, type PlacedFile } from './target/local-file.js';
import type { Axis, Result } from './report/report.js';
import { resultOf } from './report/result.js';
import { Board, declaredMs, runScript, type Observed } from './exchange/script.js';
import { segmentsReceived } from './target/segments.js';
import type { Times } from './exchange/times.js';
import { Wire, WireLog } from './exchange/wire.js';

export interface ClientGround {
  readonly words: readonly string[];
  readonly cwd: string | null;
  readonly files: FileGround;
  readonly addresses: Addresses;
  readonly declared: Declared;
  readonly token: () => string;
  /** Whether the bytes of every connection are kept in full. */
  readonly traced?: boolean;
  times: Times;
  /** Why the control transfer at the start failed, or null. */
  gate: string | null;
}

/** What happened in one exchange; `impossible` when its file cannot be made here. */
export interface ClientExchangeResult {
  readonly impossible: string | null;
  readonly axes: readonly Axis[];
  readonly observed: Observed | null;
  readonly exit: Exit;
  /** From the start of the process to its connection; null without one. */
  readonly connectMs: number | null;
}

/** A client has to wait for its receipt at least so long, in ms, however quick it is otherwise. */
const LEAST_WAIT = 300;

const NOT_RUN: Exit = { code: null, signal: null, stderr: '', stdout: '', killed: false };

export class ClientRunner {
  readonly ground: ClientGround;
  /** Equal twins run once: each run is a new process, so a second one would show nothing new. */
  readonly #twins = new Map<string, Promise<ClientExchangeResult>>();

  constructor(ground: ClientGround) {
    this.ground = ground;
  }

  async run(one: ClientCase, replay: string): Promise<Result> {
    const started = performance.now();
    const missing = (one.declared ?? []).filter((name) => this.ground.declared[name] === undefined);
    if (missing.length > 0) {
      const reason = `needs --declare ${missing.map((name) => `${name}=MS`).join(' ')}`;
      return resultOf(one, { verdict: 'untestable', reason, replay });
    }
    const own = await this.exchange(one.exchange, 'connection');
    if (own.impossible !== null) return resultOf(one, { verdict: 'untestable', reason: own.impossible, replay });
    // Where a plain transfer does not work nothing can pass, with or without a twin.
    const twin = this.ground.gate === null ? await this.#twin(one) : null;
    const proof = proofOf(one, own, twin);
    const level = clauseLevel(one.clause);
    const judged = verdictOf({ level, axes: own.axes, proof, gate: this.ground.gate });
    const unseen = own.axes.find(({ axis, ok }) => axis === 'wire' && ok === null);
    const { verdict, reason } =
      judged.verdict === 'pass' && unseen !== undefined
        ? ({ verdict: 'untestable', reason: `expected ${unseen.expected}, seen: ${unseen.actual}` } as const)
        : judged;
    const connections = [own, ...(twin === null ? [] : [twin])].flatMap(({ observed }) =>
      observed === null ? [] : [{ label: observed.label, log: observed.log }],
    );
    const evidence = { connections, disk: null, process: describeExit(own.exit) };
    const ms = Math.round(performance.now() - started);
    return resultOf(one, { verdict, reason, replay, axes: [...own.axes, proof], evidence, ms });
  }

  async #twin(one: ClientCase): Promise<ClientExchangeResult | null> {
    if (one.twin === undefined) return null;
    const file = { ...one.exchange.file, ...one.twin.file };
    const exchange: ClientExchange = { file, steps: one.twin.steps ?? one.exchange.steps, expect: [SENT] };
    const key = JSON.stringify([exchange.file, exchange.steps], (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
    const running = this.#twins.get(key) ?? this.exchange(exchange, 'twin');
    this.#twins.set(key, running);
    const result = await running;
    // A case that is run again is given another chance in all.
    if (!holds(result.axes)) this.#twins.delete(key);
    return result;
  }

  async exchange(exchange: ClientExchange, label: string): Promise<ClientExchangeResult> {
    const variables: Variables = { t: this.ground.token(), i: 0 };
    const placed = await placeFile(this.ground.files, exchange.file, variables);
    if ('impossible' in placed) {
      return { impossible: placed.impossible, axes: [], observed: null, exit: NOT_RUN, connectMs: null };
    }
    const address = await this.ground.addresses.take();
    try {
      return await this.#play(exchange, label, { placed, address, variables });
    } finally {
      this.ground.addresses.giveBack(address);
      await placed.remove();
    }
  }

  async #play(exchange: ClientExchange, label: string, scene: Scene): Promise<ClientExchangeResult> {
    const { placed, address, variables } = scene;
    const { times, declared } = this.ground;
    const place = exchange.refused === true ? await ClosedPort.open(address) : await Listener.open(address);
    const listener = place instanceof Listener ? place : null;
    const started = performance.now();
    const child = this.#start(exchange, scene, place.port);
    const own = Math.max(0, ...exchange.steps.map((step) => declaredFor(step, declared)));
    let wire: Wire | null = null;
    try {
      const ended = child.ended(times.cap + own).then((exit) => {
        listener?.stopWaiting();
        return exit;
      });
      // Who does not even connect hangs in something that comes before, such as the opening of a FIFO.
      const late = setTimeout(() => child.kill(), 2 * times.patience);
      const socket = listener === null ? null : await listener.connection();
      if (listener !== null) clearTimeout(late);
      const connectMs = socket === null ? null : performance.now() - started;
      let observed: Observed | null = null;
      const segments: (number | null)[] = [];
      if (socket !== null) {
        const log = new WireLog(this.ground.traced);
        log.event('connected');
        wire = new Wire(socket, log);
        if (listener !== null) listener.onFurther = () => log.event('note', 'another connection came, and was reset');
        const headers = headersOf(exchange, placed, variables);
        const clientStep = (step: ClientStep): Promise<boolean> =>
          act(step, { child, placed, socket, log, times, declared, segments });
        const { file } = exchange;
        const context = { label, file, variables, times, declared, board: new Board(), headers, clientStep };
        observed = await runScript(wire, exchange.steps, context);
      }
      const exit = await this.#end(child, ended, wire, observed);
      clearTimeout(late);
      const headers = headersOf(exchange, placed, variables);
      const further = listener?.further ?? 0;
      const axes = judgeClient({ exchange, variables, observed, further, segments, exit, headers });
      return { impossible: null, axes, observed, exit, connectMs };
    } finally {
      wire?.dispose();
      child.kill();
      await place.close();
    }
  }

  #start(exchange: ClientExchange, { placed, address }: Scene, port: number): Child {
    const { words, cwd } = this.ground;
    const values = {
      file: wordOf(placed.path),
      name: wordOf(placed.name),
      host: address.host,
      port: String(port),
    };
    return new Child([...placed.before, ...fillCommand(words, values)], cwd, exchange.output ?? 'both');
  }

  /** Waits for the end of the process. Who has kept the script waiting in vain has failed, and is not waited for long. */
  async #end(child: Child, ended: Promise<Exit>, wire: Wire | null, observed: Observed | null): Promise<Exit> {
    const { patience, quiet } = this.ground.times;
    if (wire === null) return ended;
    const hangs = observed !== null && observed.stoppedAt !== null && observed.ending === 'open';
    // The script is over: a client that waits for us would wait in vain.
    wire.dispose();
    const timer = setTimeout(() => child.kill(), hangs ? Math.min(patience, 2 * quiet) : patience);
    const exit = await ended;
    clearTimeout(timer);
    return exit;
  }
}

interface Scene {
  readonly placed: PlacedFile;
  readonly address: Address;
  readonly variables: Variables;
}

/** The headers that are exact: with the last component, and with the path as the client was given it. */
function headersOf(exchange: ClientExchange, { name, path }: PlacedFile, variables: Variables): Some<Buffer> {
  const size = bufferOf(exchange.file.size, variables);
  return [Buffer.concat([size, name]), Buffer.concat([size, path])];
}

interface Stage {
  readonly child: Child;
  readonly placed: PlacedFile;
  readonly socket: Socket;
  readonly log: WireLog;
  readonly times: Times;
  readonly declared: Declared;
  readonly segments: (number | null)[];
}

/** The deadline of the client that a step waits for. */
function declaredFor(step: Step, declared: Declared): number {
  return step.do === 'ended' || step.do === 'exited' ? declaredMs({ declared }, step.after) : 0;
}

async function act(
  step: ClientStep,
  { child, placed, socket, log, times, declared, segments }: Stage,
): Promise<boolean> {
  switch (step.do) {
    case 'change file':
      await placed.change(step.how);
      log.event('note', `the file was changed: ${step.how.kind}`);
      return true;
    case 'signal client':
      child.signal(step.signal);
      log.event('note', `the client was sent ${step.signal}`);
      return true;
    case 'still running':
      await Promise.race([child.exited(), sleep(Math.max(times.quiet, LEAST_WAIT), null, { ref: false })]);
      if (child.exit !== null) log.event('note', 'the client had ended by then');
      return child.exit === null;
    case 'exited': {
      const ms = declaredFor(step, declared) + times.patience;
      const ended = await Promise.race([child.exited(), sleep(ms, null, { ref: false })]);
      log.event('note', ended === null ? `the client still runs after ${ms} ms` : 'the client has ended');
      return ended !== null;
    }
    case 'count segments':
      segments.push(await segmentsReceived(socket));
      log.event('note', `segments with data so far: ${segments.at(-1) ?? 'unknown'}`);
      return true;
  }
}

function proofOf(one: ClientCase, own: ClientExchangeResult, twin: ClientExchangeResult | null): Axis {
  const axis = (ok: boolean | null, actual: string): Axis => ({
    axis: 'twin',
    ok,
    expected: 'the whole file sent, and status 0',
    actual,
  });
  if (twin === null && !isPositive(one)) return axis(null, 'not tried: a plain transfer does not work here');
  if (twin === null) return axis(holds(own.axes), 'the case is its own proof');
  if (twin.impossible !== null) return axis(null, twin.impossible);
  return holds(twin.axes) ? axis(true, 'sent') : axis(false, brokenOf(twin.axes));
}
