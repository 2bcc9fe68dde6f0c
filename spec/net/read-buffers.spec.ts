import t from 'tap';
import { kindOf, ReadBuffers, type BufferKind } from '../../lib/net/read-buffers.js';

const SIZES: readonly [BufferKind, number][] = [
  ['header', 2048],
  ['body', 65_536],
  ['bulk', 1_048_576],
];

t.test('lends buffers of three sizes, counts them, and lends them again', async (t) => {
  const buffers = new ReadBuffers();
  for (const [kind, size] of SIZES) {
    const first = buffers.acquire(kind);
    t.equal(first.length, size);
    t.equal(first.buffer.byteLength, size, 'it has its memory to itself');
    t.equal(kindOf(first), kind);
    t.equal(buffers.usedBytes, size);
    const second = buffers.acquire(kind);
    t.not(second.buffer, first.buffer);
    t.equal(buffers.usedBytes, 2 * size);
    const free = buffers.freeBytes;
    buffers.release(first);
    t.equal(buffers.freeBytes, free + size);
    t.equal(buffers.acquire(kind), first, 'no memory is asked for while some is free');
    t.equal(buffers.freeBytes, free);
    buffers.release(first);
    buffers.release(second);
    t.equal(buffers.usedBytes, 0);
  }
});

t.test('keeps to the limit of bulk buffers, and gives a smaller one above it', async (t) => {
  const buffers = new ReadBuffers({ maxBulkBytes: 2 * 2 ** 20 });
  const bulk = [buffers.acquire('bulk'), buffers.acquire('bulk')];
  t.same(bulk.map(kindOf), ['bulk', 'bulk']);
  const smaller = buffers.acquire('bulk');
  t.equal(kindOf(smaller), 'body');
  t.equal(buffers.usedBytes, 2 * 2 ** 20 + 2 ** 16);
  buffers.release(smaller);
  for (const buffer of bulk) buffers.release(buffer);
  t.equal(kindOf(buffers.acquire('bulk')), 'bulk', 'a bulk buffer that came back may be lent again');
  t.equal(kindOf(new ReadBuffers({ maxBulkBytes: 0 }).acquire('bulk')), 'body');
});

t.test('keeps to the limit of all but the smallest buffers', async (t) => {
  const buffers = new ReadBuffers({ maxBodyBytes: 2 ** 20 + 2 ** 16, maxFreeBytes: 0 });
  const lent = (['bulk', 'bulk', 'body', 'bulk'] as const).map((kind) => buffers.acquire(kind));
  t.same(lent.map(kindOf), ['bulk', 'body', 'header', 'header']);
  buffers.release(lent[1]!);
  t.equal(kindOf(buffers.acquire('bulk')), 'body', 'what came back may be lent again');
  buffers.release(lent[0]!);
  t.same(
    Array.from({ length: 17 }, () => kindOf(buffers.acquire('body'))),
    [...Array<string>(16).fill('body'), 'header'],
    'bulk buffers count too',
  );
  const crowded = new ReadBuffers({ maxBodyBytes: 2 ** 24 });
  for (let index = 0; index < 10_000; index++) crowded.acquire('bulk');
  t.ok(crowded.usedBytes <= 2 ** 24 + 10_000 * 2_048, 'however many connections there are, what they hold is bounded');
});

t.test('keeps no more free memory than it may', async (t) => {
  const buffers = new ReadBuffers({ maxFreeBytes: 2 ** 16 + 2048 });
  const lent = SIZES.map(([kind]) => buffers.acquire(kind));
  for (const buffer of lent) buffers.release(buffer);
  t.equal(buffers.freeBytes, 2 ** 16 + 2048, 'the bulk buffer is left to the garbage collector');
  t.equal(buffers.usedBytes, 0);
  t.not(buffers.acquire('bulk'), lent[2]);
  t.equal(buffers.acquire('body'), lent[1]);
});
