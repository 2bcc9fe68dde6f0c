/** Whole transfers that a right target must accept: the control at the start of a run, and what capabilities are probed with. */
import { join, random, repeat, text } from './model/bytes.js';
import type { Bytes } from './model/bytes.js';
import { UNKNOWN, type Capabilities } from './model/capabilities.js';
import { ACCEPTED, type Profile, type ServerExchange, type ServerOutcome, type Step } from './model/case.js';
import { brokenOf, holds } from './judge/judge.js';
import { runExchange, type ExchangeResult, type Ground } from './run-exchange.js';
import { NO_ANSWER } from './target/server-target.js';
import { awaiting, body, ended, finish, header, pause, reply, signal, silence } from './model/steps.js';
import { calibrate, type Times } from './exchange/times.js';

const ANY: ServerOutcome = { reply: 'any', closed: ['fin', 'rst', 'open'], disk: 'any' };
const UPLOADED: ServerOutcome = { ...ACCEPTED, as: 'any' };

/** Eight bytes, most significant first; the suite's own, so that it shares no encoder with what it judges. */
export function sizeField(size: number): Bytes {
  return [{ kind: 'hex', hex: size.toString(16).padStart(16, '0') }];
}

function transfer(name: string, length: number, steps: readonly Step[], key = ''): ServerExchange {
  const file = { size: sizeField(length), name: text(name), body: random(length, key) };
  return { file, steps, expect: [UPLOADED] };
}

/**
 * A transfer that only an implementation that reads the size can pass: the last byte is withheld, the connection must stay open; it is sent,
 * and the target must close. On the wire alone this is the most that can be shown.
 */
export function sizedControl(length: number): ServerExchange {
  return transfer('{t}control', length, [header(), reply, body({ to: -1 }), silence, body({ from: -1 }), ended]);
}

export const plainControl: ServerExchange = transfer('{t}control', 777, [header(), reply, body(), finish, ended]);

export type Probe = Found & (Reachable | Unreachable);

interface Reachable {
  readonly reachable: true;
  /** Why the control transfer failed, twice; null when it went well. */
  readonly gate: string | null;
  /** Why it failed the first time, when it went well the second time; else null. */
  readonly stumbled: string | null;
}

interface Unreachable {
  readonly reachable: false;
  /** Why no connection was made. */
  readonly gate: string;
}

interface Found {
  readonly capabilities: Capabilities;
  readonly suffix: string;
  readonly times: Times;
}

type Run = (exchanges: readonly ServerExchange[]) => Promise<{ token: string; result: ExchangeResult }>;

/** Plays the control transfer and, where it goes well, finds out what the target does where it may choose. */
export async function probe(
  base: Ground,
  options: {
    readonly profile: Profile;
    readonly token: () => string;
    readonly patience: number | undefined;
    readonly suffix: string | null;
  },
): Promise<Probe> {
  let ground: Ground = { ...base, naming: 'opaque' };
  const run: Run = async (exchanges) => {
    const token = options.token();
    return { token, result: await runExchange(ground, exchanges, token, { alone: false, plant: [] }) };
  };
  let stumbled: string | null = null;
  // All other verdicts rest on these: who fails one on a busy machine gets another, since who is wrong fails both.
  const control = async (exchange: ServerExchange, fails: (result: ExchangeResult) => boolean): ReturnType<Run> => {
    const once = await run([exchange]);
    const error = connectErrorOf(once.result);
    if (error === null ? !fails(once.result) : error !== NO_ANSWER) return once;
    const twice = await run([exchange]);
    // Who serves a single connection has had it.
    if (error === null && connectErrorOf(twice.result) !== null) return once;
    if (error === null && !fails(twice.result)) stumbled = brokenOf(once.result.axes);
    return twice;
  };
  const length = 1500 + (Buffer.from(options.token()).reduce((sum, byte) => sum * 31 + byte, 7) % 3000);

  // First with a FIN of ours, which every right target answers: it tells the round trip, the name on disk and whether it works at all.
  const first = await control(
    transfer('{t}control', length, [header(), reply, body(), finish, ended]),
    ({ axes }) => !holds(axes),
  );
  const unreachable = connectErrorOf(first.result);
  if (unreachable !== null) {
    return {
      reachable: false,
      gate: unreachable,
      capabilities: UNKNOWN,
      suffix: '',
      times: calibrate(noTimes, options.patience),
    };
  }
  const stored = first.result.after.find(({ path }) => path.includes(first.token));
  const plain = `${first.token}control`;
  const added = stored?.path.startsWith(plain) === true ? stored.path.slice(plain.length) : null;
  const suffix = options.suffix ?? added ?? '';
  const naming = stored === undefined ? 'unknown' : added === null ? 'opaque' : 'kept';
  const firstReply = first.result.judged[0]?.run.observed.replyMs ?? 0;
  if (!holds(first.result.axes)) {
    const capabilities = { ...UNKNOWN, naming } as const;
    const times = calibrate({ ...noTimes, roundTrip: firstReply }, Math.min(options.patience ?? 1000, 1000));
    return { reachable: true, gate: brokenOf(first.result.axes), stumbled, capabilities, suffix, times };
  }

  ground = { ...ground, times: calibrate({ ...noTimes, roundTrip: firstReply }, options.patience) };

  // Then with our side open and the last byte withheld; who leaves it open at the end waits for the sender.
  const staysOpen = ({ judged }: ExchangeResult): boolean => judged[0]?.run.observed.ending === 'open';
  const second = await control(sizedControl(length + 1), (result) => !staysOpen(result) && !holds(result.axes));
  const sized = second.result.judged[0]?.run.observed;
  // The first reply may hold the start of the process: a round trip is the shorter one.
  const roundTrip = Math.min(firstReply, sized?.replyMs ?? firstReply);
  const lasting = sized?.connectError === null ? 'yes' : 'no';
  if (lasting === 'no') {
    const times = calibrate({ ...noTimes, roundTrip }, options.patience);
    return { reachable: true, gate: null, stumbled, capabilities: { ...UNKNOWN, naming, lasting }, suffix, times };
  }
  const closes = staysOpen(second.result) ? 'after the sender' : 'on its own';
  const gate = closes === 'on its own' && !holds(second.result.axes) ? brokenOf(second.result.axes) : null;
  const grace = sized?.closeMs ?? 0;

  const rest = await probeChoices(run, ground, suffix);
  const settle = options.profile === 'full' ? await probeSettle(run) : 0;
  const turnaround = options.profile === 'full' ? await probeTurnaround(run) : null;
  return {
    reachable: true,
    gate,
    stumbled,
    capabilities: { naming, lasting, closes, ...rest },
    suffix,
    times: calibrate({ roundTrip, settle, grace, ...(turnaround !== null && { turnaround }) }, options.patience),
  };
}

const noTimes = { roundTrip: 0, settle: 0, grace: 0 };

function connectErrorOf(result: ExchangeResult): string | null {
  return result.judged[0]?.run.observed.connectError ?? null;
}

async function probeSettle(run: Run): Promise<number> {
  const steps = [header({ at: [4] }), reply, body(), finish, ended];
  const { result } = await run([transfer('{t}settle', 10, steps)]);
  return result.judged[0]?.run.observed.replyMs ?? 0;
}

/** A header that is too long can be refused on sight, also by a target that waits after every header. */
async function probeTurnaround(run: Run): Promise<number | null> {
  const file = { size: sizeField(10), name: join(text('{t}'), repeat('61', 1100)), body: random(10) };
  const { result } = await run([{ file, steps: [header(), ended], expect: [ANY] }]);
  return result.judged[0]?.run.observed.closeMs ?? null;
}

async function probeChoices(
  run: Run,
  ground: Ground,
  suffix: string,
): Promise<Pick<Capabilities, 'paths' | 'conflict' | 'concurrent'>> {
  const whole = [header(), reply, body(), finish, ended];
  const at = {
    label: 'open',
    steps: [header(), reply, signal('open'), awaiting('second'), pause(0), body(), finish, ended],
  };
  const open: ServerExchange = { ...transfer('{t}open', 40, at.steps), label: at.label, expect: [ANY] };
  const other = { ...transfer('{t}second', 40, [awaiting('open'), ...whole]), label: 'second' };
  const together = await run([open, other]);
  const served = together.result.judged[1]?.run.observed.replyMs ?? null;
  const concurrent = served === null ? 'no' : 'yes';
  if (ground.directory === null) return { paths: 'unknown', conflict: 'unknown', concurrent };

  const path = await run([{ ...transfer('no-such-directory/{t}path', 40, whole), expect: [ANY] }]);
  const last = path.result.after.some((entry) => entry.path === `${path.token}path${suffix}`);
  const refused = path.result.judged[0]?.run.observed.receivedLength === 0;
  const paths = last ? 'last component' : refused ? 'refused' : 'other';

  const earlier: ServerExchange = { ...transfer('{t}twice', 40, whole), label: 'earlier', expect: [ANY] };
  const later: ServerExchange = {
    ...transfer('{t}twice', 41, [awaiting('earlier'), ...whole], 'later'),
    label: 'later',
    expect: [ANY],
  };
  const twice = await run([earlier, later]);
  const sizes = twice.result.after.filter(({ kind }) => kind === 'file').map(({ size }) => size);
  const conflict =
    sizes.includes(40) && sizes.includes(41)
      ? 'numbered'
      : sizes.includes(41)
        ? 'replaced'
        : sizes.includes(40) && twice.result.judged[1]?.run.observed.receivedLength === 0
          ? 'refused'
          : 'other';
  return { paths, conflict, concurrent };
}
