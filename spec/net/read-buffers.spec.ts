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
    const first = buffers.acquire(kind, true);
    t.equal(first.length, size);
    t.equal(first.buffer.byteLength, size, 'it has its memory to itself');
    t.equal(kindOf(first), kind);
    t.equal(buffers.ownedBytes, size);
    const second = buffers.acquire(kind, true);
    t.not(second.buffer, first.buffer);
    t.equal(buffers.ownedBytes, 2 * size);
    const free = buffers.freeBytes;
    buffers.release(first);
    t.equal(buffers.freeBytes, free + size);
    t.equal(buffers.acquire(kind, true), first, 'no memory is asked for while some is free');
    t.equal(buffers.freeBytes, free);
    buffers.release(first);
    buffers.release(second);
    t.equal(buffers.ownedBytes, 0);
  }
});

t.test('what nobody needs for longer is the same memory for all', async (t) => {
  const buffers = new ReadBuffers();
  const lent = SIZES.flatMap(([kind]) => [buffers.acquire(kind, false), buffers.acquire(kind, false)]);
  t.same(
    lent.map(({ length }) => length),
    [2048, 2048, 65_536, 65_536, 1_048_576, 1_048_576],
  );
  t.equal(new Set(lent.map(({ buffer }) => buffer)).size, 1);
  t.same([...new Set(lent.map(({ byteOffset }) => byteOffset))], [0], 'from its start, which stays warm');
  t.equal(buffers.ownedBytes, 0);
  t.ok(lent.every((buffer) => buffers.isShared(buffer)));
  lent[2]!.fill('a', 0, 10);
  const kept = buffers.keep(lent[2]!, 10);
  t.equal(buffers.ownedBytes, 65_536);
  t.equal(kept.length, 65_536);
  t.notOk(buffers.isShared(kept));
  lent[0]!.fill('b', 0, 10);
  t.equal(kept.toString('latin1', 0, 10), 'a'.repeat(10), 'and what is kept is not read over');
  t.equal(buffers.keep(kept, 10), kept, 'nor copied once more');
  for (const buffer of [kept, ...lent.filter((_, index) => index !== 2)]) buffers.release(buffer);
  t.equal(buffers.ownedBytes, 0);
  t.equal(buffers.freeBytes, 65_536, 'only what was owned is free for others');
});

t.test('shared buffers count for the limits, since each may become an owned one', async (t) => {
  const buffers = new ReadBuffers({ maxBulkBytes: 2 ** 20, maxBodyBytes: 2 ** 20 + 2 ** 16 });
  const lent = (['bulk', 'bulk', 'bulk'] as const).map((kind) => buffers.acquire(kind, false));
  t.same(lent.map(kindOf), ['bulk', 'body', 'header']);
  t.equal(kindOf(buffers.acquire('body', true)), 'header');
  buffers.release(buffers.keep(lent[0]!, 5));
  t.equal(kindOf(buffers.acquire('bulk', true)), 'bulk');
});

t.test('keeps to the limit of bulk buffers, and gives a smaller one above it', async (t) => {
  const buffers = new ReadBuffers({ maxBulkBytes: 2 * 2 ** 20 });
  const bulk = [buffers.acquire('bulk', true), buffers.acquire('bulk', true)];
  t.same(bulk.map(kindOf), ['bulk', 'bulk']);
  const smaller = buffers.acquire('bulk', true);
  t.equal(kindOf(smaller), 'body');
  t.equal(buffers.ownedBytes, 2 * 2 ** 20 + 2 ** 16);
  buffers.release(smaller);
  for (const buffer of bulk) buffers.release(buffer);
  t.equal(kindOf(buffers.acquire('bulk', true)), 'bulk', 'a bulk buffer that came back may be lent again');
  t.equal(kindOf(new ReadBuffers({ maxBulkBytes: 0 }).acquire('bulk', true)), 'body');
});

t.test('keeps to the limit of all but the smallest buffers', async (t) => {
  const buffers = new ReadBuffers({ maxBodyBytes: 2 ** 20 + 2 ** 16, maxFreeBytes: 0 });
  const lent = (['bulk', 'bulk', 'body', 'bulk'] as const).map((kind) => buffers.acquire(kind, true));
  t.same(lent.map(kindOf), ['bulk', 'body', 'header', 'header']);
  buffers.release(lent[1]!);
  t.equal(kindOf(buffers.acquire('bulk', true)), 'body', 'what came back may be lent again');
  buffers.release(lent[0]!);
  t.same(
    Array.from({ length: 17 }, () => kindOf(buffers.acquire('body', true))),
    [...Array<string>(16).fill('body'), 'header'],
    'bulk buffers count too',
  );
  const crowded = new ReadBuffers({ maxBodyBytes: 2 ** 24 });
  for (let index = 0; index < 10_000; index++) crowded.acquire('bulk', true);
  t.ok(crowded.ownedBytes <= 2 ** 24 + 10_000 * 2_048, 'however many connections there are, what they hold is bounded');
});

t.test('keeps no more free memory than it may', async (t) => {
  const buffers = new ReadBuffers({ maxFreeBytes: 2 ** 16 + 2048 });
  const lent = SIZES.map(([kind]) => buffers.acquire(kind, true));
  for (const buffer of lent) buffers.release(buffer);
  t.equal(buffers.freeBytes, 2 ** 16 + 2048, 'the bulk buffer is left to the garbage collector');
  t.equal(buffers.ownedBytes, 0);
  t.not(buffers.acquire('bulk', true), lent[2]);
  t.equal(buffers.acquire('body', true), lent[1]);
});
