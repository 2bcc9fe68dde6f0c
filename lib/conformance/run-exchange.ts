/** One exchange of a server case: opens its connections, runs the scripts, and waits until the disk has settled. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bufferOf, type Variables } from './model/bytes.js';
import type { Plant, ServerExchange } from './model/case.js';
import type { Declared } from './model/capabilities.js';
import type { Directory } from './target/directory.js';
import { showEntry, type DiskEntry, type Snapshot } from './target/disk-entry.js';
import { holds, judgeDisk, judgeRuns, type DiskView, type JudgedRun, type ServerRun } from './judge/judge.js';
import type { Axis } from './report/report.js';
import { Board, notConnected, runScript, type Observed, type ScriptContext } from './exchange/script.js';
import type { ServerTarget } from './target/server-target.js';
import type { Times } from './exchange/times.js';
import { WireLog, type Wire } from './exchange/wire.js';

export interface Ground {
  readonly target: ServerTarget;
  readonly directory: Directory | null;
  readonly times: Times;
  readonly declared: Declared;
  readonly suffix: string;
  readonly naming: DiskView['naming'];
  /** Whether the bytes of every connection are kept in full. */
  readonly traced?: boolean;
}

export interface ExchangeResult {
  readonly judged: readonly JudgedRun[];
  readonly axes: readonly Axis[];
  readonly before: Snapshot;
  readonly after: Snapshot;
}

const POLL = 10;

async function runOne(
  ground: Ground,
  exchange: ServerExchange,
  context: ScriptContext,
  opened: Wire[],
): Promise<Observed> {
  const [first, ...rest] = exchange.steps;
  // A script that begins by waiting for another connection connects after that, not before.
  if (first?.do === 'await') await context.board.wait(first.name, context.times.cap);
  const log = new WireLog(ground.traced);
  const wire = await ground.target.connect(log, context.times.patience);
  if ('error' in wire) {
    return notConnected(context.label, wire.error, log.entries);
  }
  opened.push(wire);
  return runScript(wire, first?.do === 'await' ? rest : exchange.steps, context);
}

export interface ExchangeOptions {
  readonly alone: boolean;
  readonly plant: readonly Plant[];
  readonly label?: string;
  /** Look at the places that hostile names aim at, too. */
  readonly escapes?: boolean;
}

/** What is wrong under the final name while the upload goes on. */
async function seenUnder(directory: Directory, name: Buffer, before: DiskEntry | null): Promise<string | null> {
  const now = await directory.at(name);
  if (now === null) return before === null ? null : 'what stood there is gone';
  if (before !== null && same(before, now)) return null;
  return showEntry(now);
}

export async function runExchange(
  ground: Ground,
  exchanges: readonly ServerExchange[],
  token: string,
  options: ExchangeOptions,
): Promise<ExchangeResult> {
  const { directory, times } = ground;
  const scope = options.alone ? null : token;
  const asked = exchanges.some(({ file }) => file.size.some(({ kind }) => kind === 'share of free space'));
  const free = asked ? await directory?.freeSpace() : undefined;
  const { suffix } = ground;
  const places = { suffix, ...(directory && { beside: directory.beside }), ...(free !== undefined && { free }) };
  const planted: Variables = { t: token, i: 0, ...places };
  await directory?.plant(options.plant, planted);
  const before = directory ? await look(directory, scope) : { inside: [], outside: [] };

  const board = new Board();
  const opened: Wire[] = [];
  const groups = exchanges.map(async (exchange) => {
    // Of several all but one have a label.
    const name = exchange.label ?? 'connection';
    const copies = exchange.copies ?? 1;
    const group = Array.from({ length: copies }, async (_, i): Promise<ServerRun> => {
      const variables: Variables = { t: token, i, ...places };
      const finalName = bufferOf(exchange.file.name, variables);
      const standing = exchange.steps.some((step) => step.do === 'look') ? await directory?.at(finalName) : null;
      const member = { name, member: i, size: copies };
      const context: ScriptContext = {
        label: `${options.label ?? name}${copies === 1 ? '' : ` ${i}`}`,
        file: exchange.file,
        variables,
        times,
        declared: ground.declared,
        board,
        headers: [],
        clientStep: () => Promise.resolve(true),
        group: member,
        ...(directory && {
          look: () => seenUnder(directory, finalName, standing ?? null),
          stored: () => directory.stored(token),
        }),
      };
      const observed = await runOne(ground, exchange, context, opened);
      // Who stopped early will not come to the meeting.
      board.arrive(member);
      return { exchange, variables, observed };
    });
    const runs = await Promise.all(group);
    board.give(name);
    // A script that stopped early never comes to its signals; who waits for them must not wait for ever.
    for (const step of exchange.steps) if (step.do === 'signal') board.give(step.name);
    return runs;
  });
  const runs = (await Promise.all(groups)).flat();
  const judged = judgeRuns(runs, times);
  const axes = judged.flatMap((one) => one.axes);
  let after: Snapshot = before.inside;
  if (directory !== null) {
    const settled = await settleDisk(ground, directory, judged, before, scope);
    after = settled.after;
    axes.push(settled.axis);
    if (options.escapes === true) {
      const escaped = await directory.elsewhere(token, ground.target.cwd);
      axes.push(nothingElsewhere(escaped));
      after = [...after, ...escaped];
    }
    const problem = await directory.unchanged(options.plant, planted);
    if (options.plant.length > 0) {
      axes.push({
        axis: 'disk',
        ok: problem === null,
        expected: 'what stood there before, unchanged',
        actual: problem ?? 'unchanged',
      });
    }
  }
  for (const wire of opened) wire.dispose();
  if (directory !== null) {
    const left = since(before.inside, after);
    const names = runs.map(({ exchange, variables }) => bufferOf(exchange.file.name, variables));
    await directory.tidy(token, left, options.plant, names, holds(axes) && isCertain(judged));
  }
  return { judged, axes: merge(axes), before: [...before.inside, ...before.outside], after };
}

/** The outcomes leave no choice, so what appears later is wrong. */
function isCertain(judged: readonly JudgedRun[]): boolean {
  return judged.every(({ outcome: { disk } }) => disk === 'whole' || disk === 'nothing');
}

function nothingElsewhere(found: Snapshot): Axis {
  const actual = found.map(({ path, kind }) => `${path} (${kind})`).join(', ');
  return {
    axis: 'disk',
    ok: found.length === 0,
    expected: 'nothing outside the directory',
    actual: actual || 'nothing',
  };
}

interface Look {
  readonly inside: Snapshot;
  readonly outside: Snapshot;
}

async function look(directory: Directory, scope: string | null): Promise<Look> {
  return { inside: await directory.inside(scope), outside: await directory.outside(scope) };
}

function same(a: DiskEntry, b: DiskEntry): boolean {
  // The size of a directory changes with its entries, which are compared themselves.
  const size = a.kind === 'directory' || a.size === b.size;
  return a.path === b.path && a.kind === b.kind && size && a.sha256 === b.sha256 && a.target === b.target;
}

function since(before: Snapshot, after: Snapshot): Snapshot {
  return after.filter((entry) => !before.some((earlier) => same(earlier, entry)));
}

/**
 * Looks until what is expected is there, at most `patience`, and then once more: what is right must stay right.
 * `atClose` looks once.
 */
async function settleDisk(
  ground: Ground,
  directory: Directory,
  judged: readonly JudgedRun[],
  before: Look,
  scope: string | null,
): Promise<{ axis: Axis; after: Snapshot }> {
  const once = judged.some(({ outcome }) => outcome.atClose === true);
  const until = performance.now() + ground.times.patience;
  // Where the connection went wrong already, the case fails: the disk is shown, but not waited for. Nor is it where the
  // process is gone that would change it.
  const hopeless = !judged.every(({ axes }) => holds(axes));
  let confirmed = false;
  for (;;) {
    const now = await look(directory, scope);
    const inside = since(before.inside, now.inside);
    const outside = since(before.outside, now.outside);
    const axis = judgeDisk(judged, { inside, outside, suffix: ground.suffix, naming: ground.naming });
    const over = once || hopeless || ground.target.exit !== null || performance.now() > until;
    if (over || (axis.ok === true && confirmed)) return { axis, after: [...now.inside, ...now.outside] };
    confirmed = axis.ok === true;
    await sleep(confirmed ? ground.times.gap : POLL);
  }
}

/** One axis of each name: the first that is broken speaks for all; 64 connections make one line. */
function merge(axes: readonly Axis[]): readonly Axis[] {
  const merged = new Map<Axis['axis'], { readonly first: Axis; readonly more: number }>();
  for (const one of axes) {
    const earlier = merged.get(one.axis);
    if (earlier === undefined || (earlier.first.ok !== false && one.ok === false))
      merged.set(one.axis, { first: one, more: 0 });
    else if (one.ok === false) merged.set(one.axis, { ...earlier, more: earlier.more + 1 });
  }
  return [...merged.values()].map(({ first, more }) =>
    more === 0 ? first : { ...first, actual: `${first.actual} (and ${more} more like it)` },
  );
}
