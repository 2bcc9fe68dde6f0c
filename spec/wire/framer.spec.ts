import t from 'tap';
import { GoAheadError } from '../../lib/errors.js';
import { Framer } from '../../lib/wire/framer.js';
import { deliver, frame, mergeBodies, record, type WireEvent } from '../support/deliver.js';
import { pick, runSeed, seededRandom } from '../support/random.js';
import { HEADERS, hex, INVALID_UTF8 } from './bytes.js';

const seed = runSeed();
t.comment(`SEED=${seed}`);

const SIZE_5 = hex('00 00 00 00 00 00 00 05');
const NAME = hex('6e c3 a9 2e 74 78 74'); // "né.txt"
const HEADER = Buffer.concat([SIZE_5, NAME]);
const HELLO = hex('68 65 6c 6c 6f'); // "hello"
const header: WireEvent = { kind: 'header', size: 5n, name: 'n\u00e9.txt' };
const hello: WireEvent = { kind: 'body', bytes: HELLO };
const end: WireEvent = { kind: 'end' };
const failed = (code: GoAheadError['code']): WireEvent => ({ kind: 'error', code });

/** A framer that has its header. */
function inBody(head: Uint8Array = HEADER): { framer: Framer; events: WireEvent[]; errors: GoAheadError[] } {
  const framer = new Framer();
  const errors: GoAheadError[] = [];
  framer.on('error', (error) => void errors.push(error));
  const events = record(framer);
  framer.push(head);
  framer.endHeader();
  return { framer, events, errors };
}

t.test('every header, in every delivery', async (t) => {
  for (const { title, bytes, size, name } of HEADERS) {
    const told: WireEvent = { kind: 'header', size, name };
    // A name of 1,016 bytes has 1,023 cuts, and each is a framer of its own: still only milliseconds.
    const expected = size === 0n ? [told, end] : [told];
    deliver(t, seed, { name: title, bytes, expected, trailing: [] }, (pieces) => frame(pieces, bytes.length));
  }
});

t.test('every body, in every delivery, and what follows it', async (t) => {
  const letters = Buffer.from('abcdefghijklmnopqrstuvwxyz0123456789');
  for (const [size, body] of [
    [hex('00 00 00 00 00 00 00 00'), Buffer.alloc(0)],
    [hex('00 00 00 00 00 00 00 01'), letters.subarray(0, 1)],
    [hex('00 00 00 00 00 00 00 02'), letters.subarray(0, 2)],
    [SIZE_5, HELLO],
    [hex('00 00 00 00 00 00 00 24'), letters],
  ] as const) {
    const head = Buffer.concat([size, NAME]);
    const expected: WireEvent[] = [{ kind: 'header', size: BigInt(body.length), name: 'n\u00e9.txt' }];
    if (body.length > 0) expected.push({ kind: 'body', bytes: body });
    expected.push(end);
    const overrun = [...expected, failed('BODY_OVERRUN')];
    const name = `${body.length} bytes`;
    const bytes = Buffer.concat([head, body]);
    const trailing = [hex('00'), HELLO, HEADER].map((more) => ({ bytes: more, expected: overrun }));
    deliver(t, seed, { name, bytes, expected, trailing }, (pieces) => frame(pieces, head.length));
    deliver(t, seed, { name: `${name}, FIN`, bytes, expected, trailing: [] }, (pieces) =>
      frame(pieces, head.length, true),
    );
    if (body.length === 0) continue;
    const short = bytes.subarray(0, -1);
    const underrun = mergeBodies([
      expected[0]!,
      ...(body.length > 1 ? [{ kind: 'body', bytes: body.subarray(0, -1) } as const] : []),
      failed('BODY_UNDERRUN'),
    ]);
    deliver(t, seed, { name: `${name}, one missing`, bytes: short, expected: underrun, trailing: [] }, (pieces) =>
      frame(pieces, head.length, true),
    );
  }
});

t.test('progress of a header', async (t) => {
  const framer = new Framer();
  const steps: string[] = [];
  for (const byte of HEADER) {
    framer.push(Uint8Array.of(byte));
    steps.push(framer.headerProgress);
  }
  t.strictSame(steps, [
    ...Array.from({ length: 8 }, () => 'short'), // the size
    'plausible', // n
    'cut', // the first byte of U+00E9
    'plausible', // the second
    ...Array.from({ length: 4 }, () => 'plausible'), // .txt
  ]);
  t.equal(framer.received, 0n);
  t.equal(framer.complete, false);
});

t.test('a header too long (3.11), whole and in parts', async (t) => {
  const longest = Buffer.concat([SIZE_5, Buffer.alloc(1016, 0x61)]);
  const tooLong = Buffer.concat([longest, hex('61')]);
  const run = (pieces: readonly Uint8Array[]): WireEvent[] => frame(pieces, Number.POSITIVE_INFINITY);
  deliver(t, seed, { name: '1,024 bytes', bytes: longest, expected: [], trailing: [] }, run);
  const expected = [failed('HEADER_TOO_LONG')];
  const trailing = [{ bytes: HELLO, expected }];
  deliver(t, seed, { name: '1,025 bytes', bytes: tooLong, expected, trailing }, run);

  const framer = new Framer();
  const errors: GoAheadError[] = [];
  framer.on('error', (error) => void errors.push(error));
  framer.push(Buffer.alloc(1_000_000));
  t.match(errors, [
    { code: 'HEADER_TOO_LONG', clause: '3.11', actual: '1000000 bytes', expected: 'at most 1024 bytes' },
  ]);
  t.equal(framer.headerProgress, 'short', 'and nothing of it was kept');
});

t.test('a name that is not UTF-8 (3.12), in every delivery', async (t) => {
  for (const { title, bytes: name } of INVALID_UTF8) {
    const bytes = Buffer.concat([SIZE_5, name]);
    const expected = [failed('NAME_NOT_UTF8')];
    deliver(t, seed, { name: title, bytes, expected, trailing: [{ bytes: HELLO, expected }] }, (pieces) =>
      frame(pieces, bytes.length, true),
    );
  }
});

t.test('a header that is over before it is whole (3.13)', async (t) => {
  for (let length = 0; length < HEADER.length; length++) {
    const framer = new Framer();
    const events = record(framer);
    framer.push(HEADER.subarray(0, length));
    framer.end();
    framer.push(HEADER);
    framer.endHeader();
    t.strictSame(events, [failed('HEADER_INCOMPLETE')], `the stream ends after ${length} bytes`);
  }
  for (let length = 0; length <= 8; length++) {
    const framer = new Framer();
    const events = record(framer);
    framer.push(HEADER.subarray(0, length));
    framer.endHeader();
    t.strictSame(events, [failed('HEADER_INCOMPLETE')], `the caller says so after ${length} bytes`);
  }
});

t.test('a body is told by views of the chunk, never by copies', async (t) => {
  const { framer } = inBody();
  const views: Uint8Array[] = [];
  framer.on('body', (view) => void views.push(view));
  framer.on('error', () => undefined);
  const memory = new Uint8Array(64);
  memory.set(HELLO.subarray(0, 2), 10);
  framer.push(memory.subarray(10, 12));
  memory.set(HELLO.subarray(2), 30);
  // The last three and three too many.
  framer.push(memory.subarray(30, 36));
  t.strictSame(
    views.map(({ buffer, byteOffset, length }) => ({ same: buffer === memory.buffer, byteOffset, length })),
    [
      { same: true, byteOffset: 10, length: 2 },
      { same: true, byteOffset: 30, length: 3 },
    ],
  );
});

t.test('a header is kept when the chunk is written over', async (t) => {
  const framer = new Framer();
  const events = record(framer);
  const memory = Buffer.from(HEADER);
  framer.push(memory.subarray(0, 9));
  memory.fill(0xff, 0, 9);
  framer.push(memory.subarray(9));
  memory.fill(0xff);
  framer.endHeader();
  t.strictSame(events, [header]);
});

t.test('the messages do the arithmetic', async (t) => {
  const short = inBody();
  short.framer.push(HELLO.subarray(0, 3));
  short.framer.end();
  t.match(short.errors, [
    {
      code: 'BODY_UNDERRUN',
      clause: '6.4',
      message: 'the stream ended after 3 of 5 bytes',
      expected: '5 bytes',
      actual: '3 bytes',
    },
  ]);
  const long = inBody();
  long.framer.push(Buffer.alloc(12));
  t.match(long.errors, [{ code: 'BODY_OVERRUN', clause: '6.5', actual: 'at least 12 bytes' }]);
  t.match(long.errors[0]?.message, /^7 more bytes came after the 5 /);
});

t.test('complete and received', async (t) => {
  const { framer } = inBody();
  t.equal(framer.complete, false);
  framer.push(HELLO.subarray(0, 4));
  t.equal(framer.received, 4n);
  t.equal(framer.complete, false);
  framer.push(HELLO.subarray(4));
  t.equal(framer.received, 5n);
  t.equal(framer.complete, true);
  framer.end();
  t.equal(framer.complete, true, 'also when the stream has ended');
  framer.push(HELLO);
  t.equal(framer.received, 5n);
  t.equal(framer.complete, true, 'after the end nothing can come, so nothing is looked at');

  const over = inBody();
  over.framer.push(Buffer.alloc(6));
  t.equal(over.framer.complete, false, 'an overrun is not complete');
});

function pushThenEndHeader(framer: Framer, head: Uint8Array): Framer {
  framer.push(head);
  framer.endHeader();
  return framer;
}

t.test('nothing follows an error, whatever comes', async (t) => {
  const failures: [string, (framer: Framer) => unknown][] = [
    ['HEADER_TOO_LONG', (framer) => framer.push(Buffer.alloc(1025))],
    ['HEADER_INCOMPLETE', (framer) => framer.end()],
    ['NAME_NOT_UTF8', (framer) => pushThenEndHeader(framer, Buffer.alloc(9, 0xff))],
    ['BODY_UNDERRUN', (framer) => pushThenEndHeader(framer, HEADER).end()],
    ['BODY_OVERRUN', (framer) => pushThenEndHeader(framer, HEADER).push(Buffer.alloc(6))],
  ];
  for (const [code, fail] of failures) {
    const framer = new Framer();
    const events = record(framer);
    fail(framer);
    t.strictSame(events.at(-1), { kind: 'error', code });
    const told = events.length;
    const random = seededRandom(seed);
    for (let step = 0; step < 200; step++) {
      if (random() < 0.1) framer.endHeader();
      else if (random() < 0.1) framer.end();
      else framer.push(Buffer.alloc(pick(random, 20), 0x61));
    }
    framer.push(HEADER);
    framer.endHeader();
    framer.push(HELLO);
    framer.end();
    t.equal(events.length, told, `${code}: silence`);
    t.equal(framer.complete, false);
  }
});

t.test('calls that come twice or too late', async (t) => {
  const { framer, events } = inBody();
  framer.endHeader();
  framer.push(new Uint8Array());
  framer.push(HELLO);
  framer.push(new Uint8Array());
  framer.endHeader();
  framer.end();
  framer.end();
  framer.endHeader();
  t.strictSame(events, [header, hello, end]);
});

t.test('a listener that closes the stream in the midst of an event', async (t) => {
  const head = inBody(hex('00 00 00 00 00 00 00 00', '61'));
  t.strictSame(head.events, [{ kind: 'header', size: 0n, name: 'a' }, end]);

  const framer = new Framer();
  framer.on('header', () => framer.end());
  const events = record(framer);
  framer.push(hex('00 00 00 00 00 00 00 00', '61'));
  framer.endHeader();
  t.strictSame(
    events.map(({ kind }) => kind),
    ['error', 'header'],
    'no end after an error',
  );

  const body = new Framer();
  const told: string[] = [];
  body.on('end', () => void told.push('end'));
  body.on('error', ({ code }) => void told.push(code));
  body.on('body', () => body.end());
  body.push(HEADER);
  body.endHeader();
  body.push(Buffer.alloc(9));
  t.strictSame(told, ['BODY_UNDERRUN'], 'neither an end nor an overrun');
});

t.test('counting beyond 2^53', async (t) => {
  // Pages that nobody touches are never there, so 4 GiB of zeros cost nothing.
  const CHUNK = 2 ** 32;
  const chunk = new Uint8Array(CHUNK);
  const framer = new Framer();
  let told = 0n;
  let copies = 0;
  const events: string[] = [];
  framer.on('body', (view) => {
    told += BigInt(view.length);
    if (view.buffer !== chunk.buffer) copies += 1;
  });
  framer.on('end', () => void events.push('end'));
  framer.on('error', (error) => void events.push(error.message));
  framer.push(hex('00 20 00 00 00 00 00 01', '61')); // size: 2^53 + 1, name: "a"
  framer.endHeader();
  const chunks = 2 ** 53 / CHUNK;
  // Copies of these would take hours.
  for (let index = 0; index < chunks - 1 && copies === 0; index++) framer.push(chunk);
  t.equal(framer.received, 2n ** 53n - 2n ** 32n);
  framer.push(chunk.subarray(0, CHUNK - 1));
  t.equal(framer.received, 2n ** 53n - 1n);
  framer.push(chunk.subarray(0, 1));
  t.equal(framer.received, 2n ** 53n);
  t.equal(framer.complete, false, 'one byte is missing at 2^53');
  // One byte of it belongs to the body.
  framer.push(chunk.subarray(0, 3));
  t.equal(framer.received, 2n ** 53n + 1n);
  t.equal(told, 2n ** 53n + 1n);
  t.equal(copies, 0);
  t.strictSame(events, ['end', '2 more bytes came after the 9007199254740993 that were announced']);

  if (copies > 0) return;

  // As far above as it goes: what comes is counted exactly, and what is missing is told.
  const last = inBody(hex('ff ff ff ff ff ff ff ff', '61'));
  last.framer.removeAllListeners('body');
  // A window of 2^52 and then some.
  const over = 2 ** 52 / CHUNK + 5;
  for (let index = 0; index < over; index++) last.framer.push(chunk);
  last.framer.push(chunk.subarray(0, 7));
  last.framer.end();
  const received = BigInt(over) * 2n ** 32n + 7n;
  t.match(last.errors, [{ actual: `${received} bytes`, expected: '18446744073709551615 bytes' }]);
});

t.test('random streams', async (t) => {
  // FRAMER_STREAMS sets how many, for the long form.
  const streams = Number(process.env['FRAMER_STREAMS'] ?? 20_000);
  const random = seededRandom(seed);
  const outcomes = { complete: 0, running: 0, failed: 0 };
  const wrong: string[] = [];
  for (let stream = 0; stream < streams; stream++) {
    const framer = new Framer();
    let size: bigint | undefined;
    let told = 0n;
    let ends = 0;
    let error: Error | undefined;
    let after = 0;
    const late = (): void => {
      if (error !== undefined) after += 1;
    };
    framer.on('header', (head) => (late(), (size = head.size)));
    framer.on('body', (view) => (late(), (told += BigInt(view.length))));
    framer.on('end', () => (late(), (ends += 1)));
    framer.on('error', (reason) => (late(), (error = reason)));
    try {
      if (random() < 0.5) {
        // One that begins well: a small size and a letter.
        const head = Buffer.concat([Buffer.alloc(7), Uint8Array.of(pick(random, 12)), hex('61')]);
        const cut = pick(random, head.length);
        framer.push(head.subarray(0, cut));
        framer.push(head.subarray(cut));
        framer.endHeader();
      }
      for (let step = pick(random, 6); step > 0; step--) {
        const piece = Buffer.alloc(pick(random, random() < 0.02 ? 2000 : 12));
        for (let at = 0; at < piece.length; at++) {
          const dice = random();
          piece[at] = dice < 0.6 ? 0 : pick(random, dice < 0.8 ? 12 : 256);
        }
        framer.push(piece);
        if (random() < 0.3) framer.endHeader();
      }
      if (random() < 0.5) framer.end();
    } catch (reason) {
      wrong.push(`stream ${stream}: ${String(reason)}`);
    }
    if (after > 0) wrong.push(`stream ${stream}: events after an error`);
    if (ends > 1) wrong.push(`stream ${stream}: two ends`);
    if (told !== framer.received) wrong.push(`stream ${stream}: told ${told}, counted ${framer.received}`);
    if (framer.complete && (size !== told || ends !== 1)) wrong.push(`stream ${stream}: complete at ${told}`);
    if (error !== undefined && !(error instanceof GoAheadError)) wrong.push(`stream ${stream}: ${error.message}`);
    if (error !== undefined) outcomes.failed += 1;
    else if (framer.complete) outcomes.complete += 1;
    else outcomes.running += 1;
  }
  t.strictSame(wrong, []);
  // Else the streams would prove nothing.
  for (const [outcome, count] of Object.entries(outcomes)) t.ok(count > streams / 100, `${outcome}: ${count}`);
});
