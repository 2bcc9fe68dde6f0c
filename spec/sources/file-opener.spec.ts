/** Which calls for the files of one job are made on this thread, and which through the thread pool. */
import { statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CallPolicy, SLOW_MS, type Synchronous } from '../../lib/disk/call-policy.js';
import {
  AdaptiveCalls,
  POOL,
  type DirectFileCalls,
  type FileCalls,
  type PoolFileCalls,
} from '../../lib/sources/file-calls.js';
import { FileOpener, LARGEST_DIRECT_FILE } from '../../lib/sources/file-opener.js';
import type { FileSource } from '../../lib/sources/file-source.js';
import { all, EXT4, frozen, NFS, OPEN, OPEN_DIRECT, recordedCalls, SEND } from './recorded-calls.js';

/** As a session does. */
async function use(source: FileSource): Promise<string> {
  let text = '';
  while (BigInt(text.length) < source.size) {
    const chunk = (await source.read()) ?? new Uint8Array();
    text += Buffer.from(chunk).toString();
    source.release(chunk);
  }
  await source.verify();
  await source.close();
  return text;
}

const POOLED = all('pool', ...OPEN, ...SEND);
const DIRECT_ONES = all('direct', ...OPEN_DIRECT, ...SEND);

t.test(
  'a directory is looked at once, and so is its volume; then its small files are called for directly',
  async (t) => {
    const { direct, pool, made } = recordedCalls(EXT4);
    const directory = t.testdir({ a: 'first', b: 'second', other: { c: 'third', d: 'fourth' } });
    const opener = new FileOpener('adaptive', direct, pool, frozen);
    const steps: [string, string, string[]][] = [
      ['a', 'first', all('pool', 'stat', 'volumeType')],
      ['b', 'second', []],
      ['other/c', 'third', all('pool', 'stat')],
      ['other/d', 'fourth', []],
      ['a', 'first', []],
    ];
    for (const [name, text, looks] of steps) {
      made.length = 0;
      t.equal(await use(await opener.open(join(directory, name), undefined)), text);
      t.strictSame(made, [...looks, ...DIRECT_ONES], name);
    }
  },
);

t.test('files that are opened together wait for one look', async (t) => {
  const { direct, pool, made } = recordedCalls(EXT4);
  const directory = t.testdir({ a: 'first', b: 'second', c: 'third' });
  const opener = new FileOpener('adaptive', direct, pool, frozen);
  const sources = await Promise.all(['a', 'b', 'c'].map((name) => opener.open(join(directory, name), undefined)));
  t.strictSame(
    made.filter((call) => call.startsWith('pool')),
    all('pool', 'stat', 'volumeType'),
  );
  for (const source of sources) await source.close();
});

t.test('what is remote, turned off or not known never leaves the pool', async (t) => {
  const directory = t.testdir({ a: 'first', b: 'second' });
  const table: [string, bigint, Synchronous, Partial<PoolFileCalls>, string[]][] = [
    ['remote', NFS, 'adaptive', {}, all('pool', 'lstat', 'open', 'fstat', ...SEND)],
    ['turned off', EXT4, 'never', {}, POOLED],
    ['not known', EXT4, 'adaptive', { volumeType: () => Promise.reject(new Error('ENOSYS')) }, POOLED],
  ];
  for (const [what, type, synchronous, broken, expected] of table) {
    const { direct, pool, made } = recordedCalls(type);
    const opener = new FileOpener(synchronous, direct, { ...pool, ...broken }, frozen);
    await use(await opener.open(join(directory, 'a'), undefined));
    made.length = 0;
    t.equal(await use(await opener.open(join(directory, 'b'), undefined)), 'second');
    t.strictSame(made, expected, what);
  }
});

t.test('a link, a large file and one of another volume are not touched on this thread but for a look', async (t) => {
  const directory = t.testdir({ a: 'first' });
  symlinkSync('a', join(directory, 'link'));
  writeFileSync(join(directory, 'small'), '');
  writeFileSync(join(directory, 'large'), '');
  truncateSync(join(directory, 'small'), Number(LARGEST_DIRECT_FILE));
  truncateSync(join(directory, 'large'), Number(LARGEST_DIRECT_FILE) + 1);
  const look = all('direct', 'lstat');
  const table: [string, string[]][] = [
    ['a', DIRECT_ONES],
    ['link', [...look, ...POOLED]],
    ['small', DIRECT_ONES],
    ['large', [...look, ...POOLED]],
  ];
  const { direct, pool, made } = recordedCalls(EXT4);
  const opener = new FileOpener('adaptive', direct, pool, frozen);
  await use(await opener.open(join(directory, 'a'), undefined));
  for (const [name, expected] of table) {
    made.length = 0;
    await use(await opener.open(join(directory, name), undefined));
    t.strictSame(made, expected, name);
  }
  const mounted = {
    ...direct,
    lstat: (path: string) => Object.assign(direct.lstat(path), { dev: -1n }),
  };
  const other = new FileOpener('adaptive', mounted, pool, frozen);
  await use(await other.open(join(directory, 'a'), undefined));
  made.length = 0;
  await use(await other.open(join(directory, 'a'), undefined));
  t.strictSame(made, [...look, ...POOLED], 'mounted over');
});

t.test('a file that cannot be opened is the same error in both ways, and changes nothing', async (t) => {
  const directory = t.testdir({ a: 'first', folder: {} });
  symlinkSync('nowhere', join(directory, 'dangling'));
  for (const synchronous of ['adaptive', 'never'] as const) {
    const { direct, pool, made } = recordedCalls(EXT4);
    const opener = new FileOpener(synchronous, direct, pool, frozen);
    const open = (...names: string[]): Promise<FileSource> => opener.open(join(directory, ...names), undefined);
    for (const [names, message] of [
      [['missing'], /there is no such file/],
      [['dangling'], /there is no such file/],
      [['folder'], /is a directory/],
      [['no folder', 'a'], /there is no such file/],
    ] as const) {
      await t.rejects(open(...names), { code: 'SOURCE_INVALID', message });
    }
    made.length = 0;
    t.equal(await use(await open('a')), 'first');
    t.strictSame(made, synchronous === 'never' ? POOLED : DIRECT_ONES);
  }
});

t.test('what has become a folder when it is opened is not read, and is closed again', async (t) => {
  const { direct, pool, made } = recordedCalls(EXT4);
  const directory = t.testdir({ a: 'first', folder: {} });
  const replaced = { ...direct, open: (_path: string, flags: number) => direct.open(join(directory, 'folder'), flags) };
  const opener = new FileOpener('adaptive', replaced, pool, frozen);
  const message = /is a directory/;
  await t.rejects(opener.open(join(directory, 'a'), undefined), { code: 'SOURCE_INVALID', message });
  t.strictSame(made.slice(-4), all('direct', ...OPEN_DIRECT, 'close'));
});

t.test('an option that callers without types may give', async (t) => {
  const always: string = 'always';
  const opener = new FileOpener(always as Synchronous);
  const message = /synchronous must be adaptive, never, not "always"/;
  await t.rejects(opener.open('x', undefined), { code: 'OPTION_INVALID', message });
});

/** Direct calls take as long as `clock.takes` says. */
function slowCalls(clock: { time: number; takes: number }): {
  direct: DirectFileCalls;
  pool: PoolFileCalls;
  made: string[];
} {
  const made: string[] = [];
  const stats = statSync('.', { bigint: true });
  const direct = <T>(name: string, result: T): T => {
    made.push(`direct ${name}`);
    clock.time += clock.takes;
    return result;
  };
  const pool = async <T>(name: string, result: T): Promise<T> => {
    made.push(`pool ${name}`);
    return result;
  };
  return {
    made,
    direct: {
      lstat: () => direct('lstat', stats),
      stat: () => direct('stat', stats),
      open: () => direct('open', 3),
      fstat: () => direct('fstat', stats),
      read: (_fd, { length }) => direct('read', length),
      close: () => direct('close', undefined),
    },
    pool: {
      lstat: () => pool('lstat', stats),
      stat: () => pool('stat', stats),
      open: () => pool('open', 3),
      fstat: () => pool('fstat', stats),
      read: (_fd, { length }) => pool('read', length),
      close: () => pool('close', undefined),
      volumeType: () => pool('volumeType', EXT4),
    },
  };
}

const CALLS: Readonly<Record<keyof FileCalls, (calls: FileCalls) => unknown>> = {
  lstat: (calls) => calls.lstat('/x'),
  stat: (calls) => calls.stat('/x'),
  open: (calls) => calls.open('/x', 0),
  fstat: (calls) => calls.fstat(3),
  read: (calls) => calls.read(3, Buffer.alloc(4), 0),
  close: (calls) => calls.close(3),
};

t.test('the type of a volume that is not there', async (t) => {
  await t.rejects(POOL.volumeType(join(t.testdir(), 'no-such-file')), { code: 'ENOENT' });
});

/** Of an event loop that has nothing else to do. */
const policyBy = (clock: { readonly time: number }): CallPolicy =>
  new CallPolicy(
    EXT4,
    'adaptive',
    () => clock.time,
    (looked) => looked(),
  );

t.test('one slow call, of any kind, sends the following ones through the pool', async (t) => {
  for (const [name, call] of Object.entries(CALLS)) {
    const clock = { time: 1000, takes: SLOW_MS };
    const { direct, pool, made } = slowCalls(clock);
    const calls = new AdaptiveCalls(policyBy(clock), direct, pool);
    await call(calls);
    clock.takes = SLOW_MS + 1;
    await call(calls);
    for (const next of Object.values(CALLS)) await next(calls);
    const others = Object.keys(CALLS).map((other) => `pool ${other}`);
    t.strictSame(made, [`direct ${name}`, `direct ${name}`, ...others], 'at the bound it is not slow yet');
  }
});

t.test('an open for which the kernel had to grow the table of descriptors is not slow', async (t) => {
  for (const [fd, form] of [
    [63, 'pool'],
    [64, 'direct'],
    [65, 'pool'],
  ] as const) {
    const clock = { time: 1000, takes: SLOW_MS + 1 };
    const { direct, pool, made } = slowCalls(clock);
    const open = (): number => {
      direct.open('/x', 0);
      return fd;
    };
    const calls = new AdaptiveCalls(policyBy(clock), { ...direct, open }, pool);
    t.equal(calls.open('/x', 0), fd);
    await calls.close(fd);
    t.strictSame(made, ['direct open', `${form} close`], `${fd}`);
  }
});
