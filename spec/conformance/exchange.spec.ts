import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { hex, random, text } from '../../lib/conformance/model/bytes.js';
import type { Step } from '../../lib/conformance/model/case.js';
import { Board, runScript, type Observed, type ScriptContext } from '../../lib/conformance/exchange/script.js';
import { ServerTarget } from '../../lib/conformance/target/server-target.js';
import {
  body,
  ended,
  finish,
  header,
  hushed,
  reply,
  request,
  reset,
  silence,
  take,
} from '../../lib/conformance/model/steps.js';
import { WireLog } from '../../lib/conformance/exchange/wire.js';
import { listen } from './support/null-servers.mjs';

const GO = Buffer.from('676f206168656164', 'hex');
const times = { roundTrip: 0, turnaround: 0, gap: 5, quiet: 30, patience: 400, cap: 2000 };
const file = { size: hex('00 00 00 00 00 00 00 0a'), name: text('{t}'), body: random(10) };

interface Odd extends Partial<Pick<ScriptContext, 'times' | 'stored'>> {
  /** Of the body. */
  readonly size?: number;
}

async function play(
  t: Test,
  behaviour: (socket: Socket) => unknown,
  steps: readonly Step[],
  { size, ...odd }: Odd = {},
): Promise<Observed> {
  const server = await listen(behaviour);
  t.teardown(server.close);
  const target = await ServerTarget.open({ host: '127.0.0.1', port: server.port, exec: null, cwd: null, dir: null });
  const wire = await target.connect(new WireLog(), 400);
  if ('error' in wire) throw new Error(wire.error);
  const clientStep = async (): Promise<boolean> => true;
  const context = {
    label: 'c',
    file: size === undefined ? file : { ...file, body: random(size) },
    variables: { t: 'tok', i: 0 },
    times,
    declared: {},
    board: new Board(),
    headers: [Buffer.from('a header')],
    clientStep,
    ...odd,
  };
  const observed = await runScript(wire, steps, context);
  wire.dispose();
  return observed;
}

const WHOLE = [header(), reply, body(), ended];

t.test('how the connection ended', async (t) => {
  const fin = await play(t, (socket) => socket.once('data', () => socket.end(GO)), [header(), reply, ended]);
  t.match(fin, { ending: 'fin', endedEarly: false, stoppedAt: null, receivedLength: 8 });
  t.type(fin.closeMs, 'number');

  const rst = await play(t, (socket) => socket.once('data', () => socket.resetAndDestroy()), [header(), reply, ended]);
  t.match(rst, { ending: 'rst', stoppedAt: 'reply', receivedLength: 0 });

  const open = await play(t, (socket) => socket.once('data', () => socket.write(GO)), WHOLE);
  t.match(open, { ending: 'open', stoppedAt: 'ended', closeMs: null });
  t.ok(open.log.some(({ event }) => event === 'time-out'));

  const ours = await play(t, (socket) => socket.once('data', () => socket.write(GO)), [header(), reply, reset]);
  t.match(ours, { endedByUs: true, stoppedAt: null });
});

t.test('a target that sends much where a header is awaited: what came is not joined anew at each piece', async (t) => {
  const size = 8 * 2 ** 20;
  const joined: number[] = [];
  const concat = Buffer.concat.bind(Buffer);
  t.teardown(() => (Buffer.concat = concat));
  Buffer.concat = (list, length) => {
    const all = concat(list, length);
    joined.push(all.length);
    return all;
  };
  const observed = await play(t, (socket) => socket.write(Buffer.alloc(size)), [request]);
  t.equal(observed.receivedLength, size);
  t.ok(joined.filter((length) => length > 100).length <= 1, `${joined.length} times`);
});

t.test('a FIN before the last byte is seen as early', async (t) => {
  const early = await play(t, (socket) => socket.once('data', () => socket.end(GO)), [
    header(),
    reply,
    body({ to: -1 }),
    silence,
    body({ from: -1 }),
    ended,
  ]);
  t.match(early, { ending: 'fin', stoppedAt: 'silence' });
});

t.test('what came in time is seen, also when this process was held up meanwhile', async (t) => {
  let peer: Socket | null = null;
  const server = await listen((socket) => (peer = socket));
  t.teardown(server.close);
  const target = await ServerTarget.open({ host: '127.0.0.1', port: server.port, exec: null, cwd: null, dir: null });
  const wire = await target.connect(new WireLog(), 400);
  if ('error' in wire) throw new Error(wire.error);
  await wire.until(() => peer !== null, 400);
  const met = wire.until(() => wire.ended, 5);
  peer!.end();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
  t.equal(await met, true);
});

const waits = (log: Observed['log']): string[] =>
  log.flatMap(({ event, note }) => (event === 'time-out' ? [note!] : []));

t.test('a slow sender is waited for as long as bytes come, but not for ever', async (t) => {
  const drip = (pieces: number) => (socket: Socket) => {
    let sent = 0;
    const timer = setInterval(() => (sent++ < pieces ? socket.write('x') : clearInterval(timer)), 120);
    socket.on('error', () => undefined).on('close', () => clearInterval(timer));
  };
  const options = { times: { ...times, patience: 1000, cap: 10_000 } };
  const slow = await play(t, drip(10), [take()], options);
  t.match(slow, { stoppedAt: null, receivedLength: 10, waitedMs: null });
  const stops = await play(t, drip(2), [take()], options);
  t.match(stops, { stoppedAt: 'take', receivedLength: 2, waitedMs: 1000 });
  t.match(waits(stops.log), ['more of the body did not come in 1000 ms']);
  const endless = await play(t, drip(100), [take()], { times: { ...times, patience: 1000, cap: 1100 }, size: 1000 });
  t.match(endless, { stoppedAt: 'take', waitedMs: 1100 });
  t.match(waits(endless.log), ['the whole body did not come in 1100 ms']);
});

t.test('who still stores is waited for, but not for ever', async (t) => {
  const silent = (socket: Socket): unknown => socket.on('error', () => undefined).resume();
  // So many looks see more on disk than the one before.
  const grows = (looks: number) => {
    let seen = 0;
    return () => (seen < looks ? ++seen : seen);
  };
  const short = { ...times, patience: 40, cap: 400 };
  const stored = (): number => t.fail('no look where the end comes in time') as unknown as number;
  t.match(await play(t, (socket) => socket.end(), [ended], { stored }), { ending: 'fin', stoppedAt: null });
  const hangs = await play(t, silent, [ended], { times: short, stored: grows(1) });
  t.match(hangs, { stoppedAt: 'ended', waitedMs: 40 });
  let looked = 0;
  let peer: Socket | null = null;
  const stores = await play(t, (socket) => (peer = socket), [ended], {
    times: { ...short, cap: 10_000 },
    stored: () => {
      looked += 1;
      if (looked === 5) peer?.end();
      return looked;
    },
  });
  t.match(stores, { stoppedAt: null, ending: 'fin', waitedMs: null });
  const endless = await play(t, silent, [ended], { times: short, stored: grows(Infinity) });
  t.match(endless, { stoppedAt: 'ended', waitedMs: 400 });
});

t.test('who takes no more bytes has let the suite wait', async (t) => {
  const observed = await play(t, (socket) => socket.pause(), [body()], {
    times: { ...times, patience: 100 },
    size: 64 * 2 ** 20,
  });
  t.match(observed, { stoppedAt: 'body', endedEarly: true, waitedMs: 100 });
});

t.test('a wrong reply ends the script at once', async (t) => {
  for (const wrong of ['no ahead', 'g', 'go ahead\n', 'Go ahead', 'go  ahead']) {
    const observed = await play(t, (socket) => socket.once('data', () => socket.end(wrong)), WHOLE);
    const short = wrong === 'g' || wrong === 'go ahead\n';
    t.equal(observed.received.toString(), wrong);
    t.equal(observed.stoppedAt, short ? observed.stoppedAt : 'reply', wrong);
  }
});

t.test('bytes in a silence are seen', async (t) => {
  const observed = await play(t, (socket) => socket.write(GO), [silence, header(), reply]);
  t.match(observed, { brokeSilence: true, stoppedAt: 'silence' });
});

t.test('what comes between the pieces of a header is seen, and so is an end', async (t) => {
  const steps = [hushed({ at: [8] }), reply];
  const talks = await play(t, (socket) => socket.once('data', () => socket.write('g')), steps);
  t.match(talks, { brokeSilence: true, endedEarly: false, stoppedAt: 'header' });
  const leaves = await play(t, (socket) => socket.once('data', () => socket.end()), steps);
  t.match(leaves, { receivedLength: 0, endedEarly: true, stoppedAt: 'header' });
});

t.test('what is sent in pieces arrives in pieces, and whole', async (t) => {
  const pieces: Buffer[] = [];
  await play(t, (socket) => socket.on('data', (bytes) => pieces.push(bytes)), [header({ at: [3, 8] }), finish, ended]);
  t.strictSame(
    pieces.map((piece) => piece.toString('hex')),
    ['000000', '000000000a', '746f6b'],
  );
});

t.test('the log shows every byte escaped, with its time', async (t) => {
  const { log } = await play(t, (socket) => socket.once('data', () => socket.end(GO)), [header(), reply, ended]);
  t.match(
    log.map((entry) => [entry.event, 'hex' in entry ? entry.hex : undefined]),
    [
      ['connected', undefined],
      ['sent', '00 00 00 00 00 00 00 0a 74 6f 6b'],
      ['received', '67 6f 20 61 68 65 61 64'],
      ['received FIN', undefined],
    ],
  );
  const [, sent] = log;
  t.equal(sent && 'text' in sent && sent.text, '\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x0atok');
});
