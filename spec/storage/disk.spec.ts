import t from 'tap';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CALM_FACTOR, LONGEST_CALM_MS, QUICK_CALLS, SLOW_IN_POOL_MS, SLOW_MS } from '../../lib/disk/call-policy.js';
import { coreWait, openCoreWait } from '../../lib/disk/core-wait.js';
import { Disk } from '../../lib/storage/disk.js';
import type { Entry, FileSystem, Volume } from '../../lib/storage/file-system.js';
import { DirectorySync } from '../../lib/storage/directory-sync.js';
import type { MaybePromise } from '../../lib/maybe-promise.js';
import type { Task } from '../../lib/storage/task.js';
import { run, wait } from '../../lib/storage/task.js';

const EXT4 = 0xef53n;
const NFS = 0x6969n;

/** An event loop that has nothing else to do: it looks for a result at once. */
const idle = (looked: () => void): void => {
  looked();
};

/** A filesystem on which every call takes as long as `takes` says, on an injected clock. */
function slowFileSystem(): { fileSystem: FileSystem; clock: { time: number; takes: number }; calls: string[] } {
  const clock = { time: 1000, takes: 0 };
  const calls: string[] = [];
  const direct = <T>(name: string, result: T): T => {
    calls.push(`direct ${name}`);
    clock.time += clock.takes;
    return result;
  };
  const pool = async <T>(name: string, result: T): Promise<T> => {
    calls.push(`pool ${name}`);
    clock.time += clock.takes;
    return result;
  };
  const entry: Entry = { kind: 'file', dev: 1n, ino: 1n, uid: 0, size: 0n, birthtimeMs: 0 };
  const volume: Volume = { type: EXT4, bsize: 1n, bavail: 1n, blocks: 1n };
  const fileSystem: FileSystem = {
    direct: {
      open: () => direct('open', 3),
      write: (_fd, _chunk, _offset, length) => direct('write', length),
      close: () => direct('close', undefined),
      link: () => direct('link', undefined),
      rename: () => direct('rename', undefined),
      unlink: () => direct('unlink', undefined),
      lstat: () => direct('lstat', entry),
      statfs: () => direct('statfs', volume),
    },
    pool: {
      open: () => pool('open', 3),
      write: (_fd, _chunk, _offset, length) => pool('write', length),
      close: () => pool('close', undefined),
      link: () => pool('link', undefined),
      rename: () => pool('rename', undefined),
      unlink: () => pool('unlink', undefined),
      lstat: () => pool('lstat', entry),
      statfs: () => pool('statfs', volume),
      fsync: () => pool('fsync', undefined),
      syncDirectory: () => pool('syncDirectory', undefined),
      realpath: (path) => pool('realpath', path),
      checkAccess: () => pool('checkAccess', undefined),
      readdir: () => pool('readdir', []),
    },
  };
  return { fileSystem, clock, calls };
}

/** On a local filesystem, by that clock. */
function adaptiveDisk(fileSystem: FileSystem, clock: { readonly time: number }): Disk {
  return new Disk(fileSystem, EXT4, 'adaptive', () => clock.time, idle);
}

/** As an upload does. */
function write(disk: Disk, chunk: Uint8Array): MaybePromise<number> {
  const call = disk.direct ? 'writeDirectly' : 'writeInPool';
  return disk[call](3, chunk, 0, chunk.byteLength, 0);
}

const CALLS: Readonly<Record<string, (disk: Disk) => MaybePromise<unknown>>> = {
  open: (disk) => disk.open('/x', 0, 0),
  write: (disk) => write(disk, Buffer.alloc(4)),
  close: (disk) => disk.close(3),
  link: (disk) => disk.link('/x', '/y'),
  rename: (disk) => disk.rename('/x', '/y'),
  unlink: (disk) => disk.unlink('/x'),
  lstat: (disk) => disk.lstat('/x'),
  statfs: (disk) => disk.statfs('/'),
};

t.test('which calls are direct from the start', async (t) => {
  const table = [
    { type: EXT4, synchronous: 'adaptive', form: 'direct' },
    { type: 0x01021994n, synchronous: 'adaptive', form: 'direct' },
    // btrfs, as a 32-bit system would give it
    { type: BigInt.asIntN(32, 0x9123683en), synchronous: 'adaptive', form: 'direct' },
    { type: EXT4, synchronous: 'never', form: 'pool' },
    { type: NFS, synchronous: 'adaptive', form: 'pool' },
    { type: 0x65735546n, synchronous: 'adaptive', form: 'pool' }, // FUSE
    { type: 0xff534d42n, synchronous: 'adaptive', form: 'pool' }, // CIFS
    { type: 0n, synchronous: 'adaptive', form: 'pool' },
  ] as const;
  for (const { type, synchronous, form } of table) {
    for (const [name, call] of Object.entries(CALLS)) {
      const { fileSystem, clock, calls } = slowFileSystem();
      const disk = new Disk(fileSystem, type, synchronous, () => clock.time, idle);
      const result = call(disk);
      t.equal(result instanceof Promise, form === 'pool');
      await result;
      t.strictSame(calls, [`${form} ${name}`], `${type}, ${synchronous}`);
    }
  }
});

t.test('what is remote or turned off never becomes direct', async (t) => {
  for (const [type, synchronous] of [[NFS, 'adaptive'] as const, [EXT4, 'never'] as const]) {
    const { fileSystem, clock, calls } = slowFileSystem();
    const disk = new Disk(fileSystem, type, synchronous, () => clock.time, idle);
    for (let call = 0; call < 3 * QUICK_CALLS; call++) {
      clock.time += LONGEST_CALM_MS;
      await disk.close(3);
    }
    t.notOk(calls.includes('direct close'));
  }
});

t.test('syncing always goes through the pool, and says nothing about the other calls', async (t) => {
  const { fileSystem, clock, calls } = slowFileSystem();
  const disk = adaptiveDisk(fileSystem, clock);
  clock.takes = 5000;
  await disk.fsync(3);
  clock.takes = 0;
  t.equal(disk.close(3), undefined);
  t.strictSame(calls, ['pool fsync', 'direct close']);
});

t.test('after one slow call, of any kind, nothing is direct until the pool has been quick for a while', async (t) => {
  for (const [name, call] of Object.entries(CALLS)) {
    const { fileSystem, clock, calls } = slowFileSystem();
    const disk = adaptiveDisk(fileSystem, clock);
    clock.takes = SLOW_MS;
    await call(disk);
    await call(disk);
    t.strictSame(calls, [`direct ${name}`, `direct ${name}`], 'at the bound it is not slow yet');
    calls.length = 0;
    const slow = SLOW_MS + 1;
    clock.takes = slow;
    await call(disk);
    t.strictSame(calls, [`direct ${name}`]);
    calls.length = 0;

    const calmUntil = clock.time + slow * CALM_FACTOR;
    clock.takes = 0;
    while (clock.time < calmUntil) {
      await disk.close(3);
      clock.time += 0.5;
    }
    t.ok(calls.length > QUICK_CALLS && calls.every((made) => made === 'pool close'), 'quick, but not for long enough');
    await disk.close(3);
    calls.length = 0;
    t.equal(disk.close(3), undefined, 'then direct again');
    t.strictSame(calls, ['direct close']);
  }
});

t.test(
  'time alone does not bring direct calls back, and a slow call through the pool starts the wait again',
  async (t) => {
    const { fileSystem, clock, calls } = slowFileSystem();
    const disk = adaptiveDisk(fileSystem, clock);
    clock.takes = 1000;
    await disk.close(3);
    calls.length = 0;
    clock.takes = 0;
    clock.time += LONGEST_CALM_MS;
    for (let call = 0; call < QUICK_CALLS - 1; call++) await disk.close(3);
    clock.takes = SLOW_IN_POOL_MS + 1;
    await disk.close(3);
    clock.takes = 0;
    clock.time += LONGEST_CALM_MS;
    for (let call = 0; call < QUICK_CALLS; call++) await disk.close(3);
    t.ok(calls.every((made) => made === 'pool close'));
    t.equal(calls.length, 2 * QUICK_CALLS);
    t.equal(disk.close(3), undefined);
  },
);

t.test('a call through the pool may wait for those before it, one round after the other', async (t) => {
  for (const [name, calls, rounds] of [
    ['one', 1, 1],
    ['as many as there are threads', 4, 1],
    ['one more', 5, 2],
    ['a crowd', 4000, 1000],
  ] as const) {
    for (const [took, direct] of [
      [rounds * SLOW_IN_POOL_MS, true],
      [rounds * SLOW_IN_POOL_MS + 1, false],
    ] as const) {
      const { fileSystem, clock } = slowFileSystem();
      const answers: (() => void)[] = [];
      const close = async (): Promise<void> => new Promise((resolve) => void answers.push(resolve));
      const disk = adaptiveDisk({ ...fileSystem, pool: { ...fileSystem.pool, close } }, clock);
      clock.takes = SLOW_MS + 1;
      disk.unlink('/x');
      clock.takes = 0;
      clock.time += LONGEST_CALM_MS;
      // All but the last one are quick.
      const results = Array.from({ length: calls }, async () => disk.close(3));
      for (const answer of answers.slice(0, -1)) answer();
      await Promise.all(results.slice(0, -1));
      clock.time += took;
      answers.at(-1)?.();
      await results.at(-1);
      for (let call = 1; call < QUICK_CALLS; call++) await disk.unlink('/x');
      t.equal(disk.direct, direct, `${name}, after ${took} ms`);
    }
  }
});

t.test('what a result waited for a busy event loop is not held against the disk', async (t) => {
  const { fileSystem, clock, calls } = slowFileSystem();
  let look = (): void => undefined;
  const busy = (looked: () => void): void => void (look = looked);
  const disk = new Disk(fileSystem, EXT4, 'adaptive', () => clock.time, busy);
  clock.takes = 1000;
  await disk.close(3);
  clock.time += LONGEST_CALM_MS;
  for (let call = 0; call < QUICK_CALLS; call++) await disk.close(3);
  calls.length = 0;
  clock.takes = 0;
  t.equal(disk.close(3), undefined, 'direct again');

  clock.takes = 1000;
  await disk.close(3);
  clock.time += LONGEST_CALM_MS;
  for (let call = 0; call < QUICK_CALLS; call++) {
    const closed = disk.close(3);
    look();
    await closed;
  }
  t.type(disk.close(3), Promise, 'it had looked, and the result was not there');
  t.strictSame(calls.slice(0, 2), ['direct close', 'direct close']);
});

t.test('a stall of any length is forgotten in the end', async (t) => {
  const { fileSystem, clock } = slowFileSystem();
  const disk = adaptiveDisk(fileSystem, clock);
  clock.takes = 3_600_000;
  await disk.close(3);
  clock.takes = 0;
  clock.time += LONGEST_CALM_MS;
  for (let call = 0; call < QUICK_CALLS; call++) await disk.close(3);
  t.equal(disk.close(3), undefined);
});

t.test('a slow call that fails counts too', async (t) => {
  const { fileSystem, clock, calls } = slowFileSystem();
  const direct = {
    ...fileSystem.direct,
    link: () => {
      clock.time += 100;
      throw new Error('slow and broken');
    },
  };
  const pool = { ...fileSystem.pool, unlink: () => Promise.reject(new Error('broken')) };
  const disk = adaptiveDisk({ direct, pool }, clock);
  t.throws(() => disk.link('/x', '/y'), { message: 'slow and broken' });
  await t.rejects(async () => disk.unlink('/x'), { message: 'broken' });
  await disk.close(3);
  t.strictSame(calls, ['pool close']);
});

t.test('a large write may take the time of its bytes', async (t) => {
  const { fileSystem, clock, calls } = slowFileSystem();
  const disk = adaptiveDisk(fileSystem, clock);
  const chunk = Buffer.alloc(2 ** 20);
  clock.takes = SLOW_MS + 2;
  t.equal(write(disk, chunk), chunk.byteLength);
  clock.takes = SLOW_MS + 2.1;
  t.equal(write(disk, chunk), chunk.byteLength);
  t.type(write(disk, chunk), Promise);
  t.strictSame(calls, ['direct write', 'direct write', 'pool write']);
});

t.test('a call through the pool that turns out slow ends direct calls that began meanwhile', async (t) => {
  const { fileSystem, clock } = slowFileSystem();
  let answer = (): void => undefined;
  const pool = { ...fileSystem.pool, unlink: () => new Promise<void>((resolve) => (answer = resolve)) };
  const disk = new Disk({ ...fileSystem, pool }, EXT4, 'adaptive', () => clock.time, idle);
  clock.takes = SLOW_MS + 1;
  disk.close(3);
  clock.takes = 0;
  const hanging = disk.unlink('/x');
  clock.time += 1000;
  for (let call = 0; call < QUICK_CALLS; call++) await disk.close(3);
  t.equal(disk.close(3), undefined, 'direct again');
  answer();
  await hanging;
  t.type(disk.close(3), Promise);
});

t.test('a task that need not wait ends before it returns', async (t) => {
  const sum = function* (one: MaybePromise<number>, other: MaybePromise<number>): Task<number> {
    return (yield* wait(one)) + (yield* wait(other));
  };
  t.equal(run(sum(1, 2)), 3);
  const later = run(sum(1, Promise.resolve(2)));
  t.type(later, Promise);
  t.equal(await later, 3);
  t.equal(await run(sum(Promise.resolve(1), Promise.resolve(2))), 3);
  const caught = function* (): Task<unknown> {
    try {
      return yield* wait(Promise.reject(new Error('no')));
    } catch (reason) {
      return reason;
    }
  };
  t.match(await run(caught()), { message: 'no' });
  await t.rejects(async () => run(sum(1, Promise.reject(new Error('later')))), { message: 'later' });
  const early = sum(Promise.resolve(1), 2);
  early.next();
  t.throws(() => early.next(), { message: /before its step had settled/ });
});

t.test('uploads that end together share one sync of the directory, which begins after each of them', async (t) => {
  const ends: { resolve: () => void; reject: (reason: Error) => void }[] = [];
  const { fileSystem } = slowFileSystem();
  const syncDirectory = (): Promise<void> =>
    new Promise((resolve, reject) => {
      ends.push({ resolve, reject });
    });
  const directory = new DirectorySync({ ...fileSystem, pool: { ...fileSystem.pool, syncDirectory } }, '/x');
  const settled: string[] = [];
  const sync = (name: string): Promise<void> =>
    directory.sync().then(
      () => void settled.push(name),
      () => void settled.push(`${name} failed`),
    );
  const first = sync('a');
  const second = [sync('b'), sync('c')];
  t.equal(ends.length, 1, 'the one that runs began before b and c');
  ends[0]?.resolve();
  await first;
  t.strictSame(settled, ['a']);
  await new Promise(setImmediate);
  t.equal(ends.length, 2);
  const third = sync('d');
  ends[1]?.reject(new Error('EIO'));
  await Promise.all(second);
  t.strictSame(settled, ['a', 'b failed', 'c failed']);
  await new Promise(setImmediate);
  t.equal(ends.length, 3, 'a failure is not passed on to those that come later');
  ends[2]?.resolve();
  await third;
  t.equal(settled.at(-1), 'd');
  const fourth = sync('e');
  t.equal(ends.length, 4);
  ends[3]?.resolve();
  await fourth;
});

t.test('an open for which the kernel had to grow the table of descriptors is not slow', async (t) => {
  for (const [fd, direct] of [
    [3, false],
    [32, false],
    [63, false],
    [64, true],
    [65, false],
    [2047, false],
    [2048, true],
    [3072, false],
  ] as const) {
    const { fileSystem, clock } = slowFileSystem();
    const open = (): number => {
      clock.time += 15;
      return fd;
    };
    const disk = adaptiveDisk({ ...fileSystem, direct: { ...fileSystem.direct, open } }, clock);
    t.equal(disk.open('/x', 0, 0), fd);
    t.equal(disk.direct, direct, `${fd}`);
  }
});

t.test('a call that had to wait for a core is not slow, and one that waited for the disk is', async (t) => {
  for (const [waits, form] of [
    [0, 'pool'],
    [1.9, 'pool'],
    [8, 'direct'],
    [10, 'direct'],
  ] as const) {
    const { fileSystem, clock, calls } = slowFileSystem();
    let waited = 1000;
    const disk = new Disk(
      fileSystem,
      EXT4,
      'adaptive',
      () => clock.time,
      idle,
      () => waited,
    );
    disk.close(3);
    // Long ago, and not during the call.
    clock.time += 500;
    waited += 500;
    const { direct } = fileSystem;
    const link = direct.link;
    Reflect.set(direct, 'link', (...paths: [string, string]) => {
      clock.time += 10;
      waited += waits;
      link(...paths);
    });
    disk.link('/x', '/y');
    await disk.close(3);
    t.strictSame(calls.at(-1), `${form} close`, `of 10 ms, ${waits} were spent waiting for a core`);
  }
});

t.test('the wait for a core is read from Linux, and is 0 elsewhere', async (t) => {
  const path = join(t.testdir({}), 'schedstat');
  t.equal(openCoreWait(path)(), 0, 'no such file');
  writeFileSync(path, '913 2500000 7\n');
  const wait = openCoreWait(path);
  t.equal(wait(), 2.5);
  writeFileSync(path, '914 12500000 8\n');
  t.equal(wait(), 12.5);
  for (const odd of ['', 'x', '1 x 2']) {
    writeFileSync(path, odd);
    t.equal(wait(), 0, `"${odd}"`);
  }
  t.equal(openCoreWait(t.testdir({}))(), 0, 'a directory');
  t.ok(coreWait() >= 0);
});
