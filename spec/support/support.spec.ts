import t from 'tap';
import { deliver, deliveries, firstMismatch, frame, mergeBodies, type WireEvent } from './deliver.js';
import { FakeSource } from './fake-source.js';
import { FakeStorage } from './fake-storage.js';
import { ManualClock, quiescence } from './manual-clock.js';
import { disagreement, Pair, type Views } from './pair.js';
import { pick, runSeed, seededRandom } from './random.js';
import { RecordingTransport } from './recording-transport.js';
import { hex } from '../wire/bytes.js';

// The helpers, where they could let a wrong thing pass.

t.test('deliveries', async (t) => {
  const bytes = Buffer.from('abcdefgh');
  const all = [...deliveries(bytes, 1, 10)];
  t.equal(all.length, 1 + 1 + 7 + 10, 'whole, bytewise, every cut, ten at random');
  t.strictSame(new Set(all.slice(2, 9).map(({ pieces }) => pieces[0]?.length)), new Set([1, 2, 3, 4, 5, 6, 7]));
  t.equal(all[1]?.pieces.length, 8);
  for (const { label, pieces } of all) t.strictSame(Buffer.concat(pieces), bytes, label);
  t.strictSame([...deliveries(bytes, 1, 10)], all, 'a seed repeats itself');
  t.notSame([...deliveries(bytes, 2, 10)], all);
  t.strictSame([...deliveries(new Uint8Array(), 1, 1)].length, 3, 'nothing has no cut');
});

t.test('a parser that minds one single cut is found out', async (t) => {
  const bytes = Buffer.from('abcdefgh');
  for (let bad = 1; bad < 8; bad++) {
    const parse = (pieces: readonly Uint8Array[]): string => {
      const text = Buffer.concat(pieces).toString();
      return pieces.length === 2 && pieces[0]?.length === bad ? text.toUpperCase() : text;
    };
    t.equal(firstMismatch(bytes, 1, parse, 'abcdefgh').mismatch?.label, `cut at ${bad}`);
  }
  const { tried, mismatch } = firstMismatch(bytes, 1, (pieces) => Buffer.concat(pieces).toString(), 'abcdefgh');
  t.equal(mismatch, undefined);
  t.equal(tried, 1 + 1 + 7 + 20);
});

t.test('deliver asserts the trailing bytes too, and fails where it should', async (t) => {
  const told: [string, string][] = [];
  const asserter = {
    strictSame: (_: unknown, __: unknown, message: string) => told.push(['failed', message]) > 0,
    ok: (_: unknown, message: string) => told.push(['passed', message]) > 0,
  };
  const trailing = [
    { bytes: Buffer.from('c'), expected: 'abc' },
    { bytes: Buffer.from('cd'), expected: 'another' },
  ];
  deliver(asserter, 1, { name: 'case', bytes: Buffer.from('ab'), expected: 'ab', trailing }, (pieces) =>
    Buffer.concat(pieces).toString(),
  );
  t.strictSame(told, [
    ['passed', 'case'],
    ['passed', 'case, then 1 more'],
    ['failed', 'case, then 2 more: whole'],
  ]);
});

t.test('only adjacent bodies are merged', async (t) => {
  const body = (text: string): WireEvent => ({ kind: 'body', bytes: Buffer.from(text) });
  t.strictSame(mergeBodies([body('a'), body('b'), { kind: 'end' }, body('c')]), [
    body('ab'),
    { kind: 'end' },
    body('c'),
  ]);
  const bytes = Buffer.from([0, 0, 0, 0, 0, 0, 0, 2, 0x61, 0x62, 0x63]);
  const events: WireEvent[] = [{ kind: 'header', size: 2n, name: 'a' }, body('bc'), { kind: 'end' }];
  t.strictSame(frame([bytes], 9), events, 'a piece that reaches over the end of the header is cut there');
  t.strictSame(frame([bytes.subarray(0, 4), bytes.subarray(4)], 9), events);
});

t.test('hexadecimal with a slip of the pen', async (t) => {
  t.strictSame(hex('00 ff', '61'), Buffer.from([0, 255, 0x61]));
  t.throws(() => hex('0g'), { message: 'not hexadecimal: 0g' });
  t.throws(() => hex('61 6'), { message: 'not hexadecimal: 61 6' });
});

t.test('random numbers', async (t) => {
  const random = seededRandom(7);
  const counts = new Array<number>(10).fill(0);
  for (let index = 0; index < 10_000; index++) counts[pick(random, 10)]! += 1;
  for (const count of counts) t.ok(count > 850 && count < 1150, `evenly: ${count}`);
  t.equal(seededRandom(7)(), seededRandom(7)());
  t.not(seededRandom(7)(), seededRandom(8)());
  t.type(runSeed(), 'number');
});

t.test('ManualClock keeps to the contract of Clock', async (t) => {
  const clock = new ManualClock();
  const told: string[] = [];
  const first = clock.schedule(10, () => void told.push(`first at ${clock.now()}`));
  clock.schedule(5, () => void told.push(`second at ${clock.now()}`));
  const cancelled = clock.schedule(7, () => void told.push('cancelled'));
  const moved = clock.schedule(8, () => void told.push(`moved at ${clock.now()}`));
  clock.schedule(6, () => clock.schedule(1, () => void told.push(`nested at ${clock.now()}`)));
  t.equal(clock.armed(), 5);
  t.equal(clock.next, 5);
  clock.advance(6);
  cancelled.cancel();
  moved.refresh();
  clock.advance(20);
  t.strictSame(told, ['second at 5', 'nested at 7', 'first at 10', 'moved at 14']);
  t.equal(clock.now(), 26);
  first.refresh();
  cancelled.refresh();
  first.cancel();
  t.equal(clock.armed(), 0, 'what has passed or was cancelled never comes back');
  t.equal(clock.next, undefined);
});

t.test('RecordingTransport', async (t) => {
  const transport = new RecordingTransport('manual');
  const seen: string[] = [];
  transport.onCall = (call) => void seen.push(call);
  const memory = Buffer.from('text');
  let free = false;
  void Promise.resolve(transport.write(memory)).then(() => (free = true));
  memory.fill(0);
  transport.pause();
  transport.resume();
  transport.end();
  transport.close();
  transport.reset();
  t.strictSame(transport.calls, ['write "text"', 'pause', 'resume', 'end', 'close', 'reset']);
  t.strictSame(seen, transport.calls);
  t.strictSame(transport.written, [Buffer.from('text')], 'as it was then');
  await quiescence();
  t.equal(free, false);
  t.equal(transport.outstanding, 1);
  transport.settle();
  await quiescence();
  t.equal(free, true);
  t.throws(() => transport.settle(), { message: 'no write is under way' });
  const sync = new RecordingTransport();
  t.equal(sync.write(Buffer.from([0])), undefined);
  t.strictSame(sync.calls, ['write 00']);
});

t.test('FakeStorage sees what the interface forbids', async (t) => {
  const header = { size: 1n, name: 'a' };
  const storage = new FakeStorage({ answering: 'manual' });
  t.throws(() => storage.settle(), { message: 'no call is waiting' });
  const creating = storage.create(header);
  t.strictSame(storage.waiting, ['create']);
  storage.settle();
  const upload = await creating;
  t.equal(storage.open, 1);
  const memory = Buffer.from('x');
  const writing = upload.write(memory);
  memory.fill(0x79);
  void upload.commit();
  storage.settle();
  await writing;
  storage.settle();
  await quiescence();
  t.strictSame(storage.files, [{ name: 'a', bytes: Buffer.from('y') }], 'memory that was written over too early shows');
  void upload.write(new Uint8Array());
  void upload.abort();
  t.strictSame(storage.breaches, [
    'commit during 1 writes',
    'write after the end',
    'an empty write',
    'abort after the end',
    'abort during 1 writes',
  ]);
});

t.test('FakeSource sees what the interface forbids', async (t) => {
  const source = new FakeSource(['a', 'b'], { answering: 'manual' });
  t.throws(() => source.settle(), { message: 'no call is waiting' });
  const first = source.read();
  void source.read();
  source.settle();
  source.settle();
  const chunk = await first;
  await quiescence();
  t.strictSame([source.out, source.mostOut, source.size], [2, 2, 2n]);
  source.release(chunk!);
  t.strictSame(chunk, Buffer.from([0xee]), 'what was given back is not to be read again');
  source.release(chunk!);
  void source.close();
  void source.verify();
  t.equal(source.closed, true);
  t.strictSame(source.breaches, ['a read during a read', 'a release of what is not out', 'verify after close']);
});

t.test('Pair finds views that cannot be of one transfer', async (t) => {
  const good: Views = {
    sender: 'body',
    receiver: 'body',
    sent: 5n,
    underWay: 2n,
    received: 3n,
    size: 9n,
    mayBeStored: false,
  };
  t.equal(disagreement(good), undefined);
  t.equal(disagreement({ ...good, receiver: 'failed', received: 0n }), undefined);
  const done: Views = { ...good, sender: 'confirmed', receiver: 'stored', received: 9n, mayBeStored: true };
  t.equal(disagreement(done), undefined);
  for (const wrong of [
    { ...good, received: 4n },
    { ...good, receiver: 'opening' },
    { ...good, sender: 'ready' },
    { ...done, receiver: 'committing' },
    { ...done, receiver: 'failed' },
    { ...done, received: 8n },
    { ...done, sender: 'failed', mayBeStored: false },
  ] as const) {
    t.type(disagreement(wrong), 'string');
  }
});

t.test('Pair has the order of a connection, and its views are looked at', async (t) => {
  const pair = new Pair(['hello']);
  pair.toReceiver.send(Buffer.from('ab'));
  t.strictSame(pair.toReceiver.take(1), Buffer.from('a'));
  pair.toReceiver.send('FIN');
  pair.toReceiver.send(Buffer.from('late'));
  pair.toReceiver.send('FIN');
  t.strictSame(pair.toReceiver.breaches, ['bytes after the end', 'FIN after the end']);
  await t.rejects(pair.start(), { message: 'bytes after the end' });
  const reset = new Pair(['hello']);
  reset.toReceiver.send(Buffer.from('ab'));
  reset.toReceiver.send('RST');
  t.strictSame(reset.toReceiver.items, ['RST'], 'a reset overtakes what was sent before');
});
