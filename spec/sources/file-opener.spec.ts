/** Which calls for the files of one job are made on this thread, and which through the thread pool. */
import { symlinkSync, writeFileSync, type BigIntStats } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { CallPolicy, SLOW_MS, type Synchronous } from '../../lib/disk/call-policy.js';
import { addressOf } from '../../lib/net/address.js';
import type * as sendAllModule from '../../lib/net/send-all.js';
import {
  AdaptiveCalls,
  DIRECT,
  LARGEST_DIRECT_READ,
  POOL,
  type FileCalls,
  type PoolFileCalls,
} from '../../lib/sources/file-calls.js';
import { FileOpener } from '../../lib/sources/file-opener.js';
import type { FileSource } from '../../lib/sources/file-source.js';

const EXT4 = 0xef53n;
const NFS = 0x6969n;

interface Recorded {
  readonly direct: FileCalls;
  readonly pool: PoolFileCalls;
  readonly calls: string[];
}

/** The real calls, and a list of them. Every volume is of this type. */
function recorded(type: bigint): Recorded {
  const calls: string[] = [];
  const note = <T>(call: string, result: T): T => {
    calls.push(call);
    return result;
  };
  return {
    calls,
    direct: {
      stat: (path) => note('direct stat', DIRECT.stat(path)),
      open: (path, flags) => note('direct open', DIRECT.open(path, flags)),
      fstat: (fd) => note('direct fstat', DIRECT.fstat(fd)),
      read: (fd, buffer, position) => note('direct read', DIRECT.read(fd, buffer, position)),
      close: (fd) => note('direct close', DIRECT.close(fd)),
    },
    pool: {
      volumeType: async () => note('pool volumeType', type),
      stat: (path) => note('pool stat', POOL.stat(path)),
      open: (path, flags) => note('pool open', POOL.open(path, flags)),
      fstat: (fd) => note('pool fstat', POOL.fstat(fd)),
      read: (fd, buffer, position) => note('pool read', POOL.read(fd, buffer, position)),
      close: (fd) => note('pool close', POOL.close(fd)),
    },
  };
}

async function use(source: FileSource): Promise<string> {
  let text = '';
  for (;;) {
    const chunk = await source.read();
    if (chunk === undefined) break;
    text += Buffer.from(chunk).toString();
    source.release(chunk);
  }
  await source.verify();
  await source.close();
  return text;
}

/** On which no call is slow, whatever the machine does. */
const frozen = (): number => 0;

const OPENING = ['stat', 'open', 'fstat'];
const SENDING = ['read', 'read', 'fstat', 'stat', 'close'];
const all = (form: 'direct' | 'pool', ...calls: readonly string[]): string[] => calls.map((call) => `${form} ${call}`);

t.test('the first file of a directory goes through the pool, and tells what may be done with the others', async (t) => {
  const { direct, pool, calls } = recorded(EXT4);
  const directory = t.testdir({ a: 'first', b: 'second', other: { c: 'third', d: 'fourth' } });
  const opener = new FileOpener('adaptive', direct, pool, frozen);
  const pooled = all('pool', ...OPENING, ...SENDING);
  const made = all('direct', ...OPENING, ...SENDING);
  const steps: [string, string, string[]][] = [
    ['a', 'first', all('pool', ...OPENING, 'volumeType', ...SENDING)],
    ['b', 'second', made],
    ['other/c', 'third', pooled],
    ['other/d', 'fourth', made],
    ['a', 'first', pooled],
  ];
  for (const [name, text, expected] of steps) {
    calls.length = 0;
    t.equal(await use(await opener.open(join(directory, name), undefined)), text);
    t.strictSame(calls, expected, `${name}: a volume is asked for once`);
  }
});

t.test('what is remote, turned off or not known never leaves the pool', async (t) => {
  const directory = t.testdir({ a: 'first', b: 'second' });
  const table: [string, Synchronous, (recorded: Recorded) => PoolFileCalls][] = [
    ['remote', 'adaptive', () => recorded(NFS).pool],
    ['turned off', 'never', ({ pool }) => pool],
    ['not known', 'adaptive', ({ pool }) => ({ ...pool, volumeType: () => Promise.reject(new Error('ENOSYS')) })],
  ];
  for (const [what, synchronous, poolOf] of table) {
    const record = recorded(EXT4);
    const opener = new FileOpener(synchronous, record.direct, poolOf(record), frozen);
    for (const name of ['a', 'b', 'b']) t.ok(await use(await opener.open(join(directory, name), undefined)));
    if (synchronous === 'never') t.notOk(record.calls.includes('pool volumeType'), 'nor is it asked for');
    t.strictSame(
      record.calls.filter((call) => call.startsWith('direct')),
      [],
      what,
    );
  }
});

t.test('a file that cannot be opened is the same error in both ways, and changes nothing', async (t) => {
  const directory = t.testdir({ a: 'first', b: 'second', folder: {} });
  symlinkSync('nowhere', join(directory, 'dangling'));
  const opener = new FileOpener('adaptive');
  const bad = async (): Promise<void> => {
    for (const [name, message] of [
      ['missing', /there is no such file/],
      ['dangling', /there is no such file/],
      ['folder', /is a directory/],
    ] as const) {
      await t.rejects(opener.open(join(directory, name), undefined), { code: 'SOURCE_INVALID', message });
    }
  };
  await bad();
  t.equal(await use(await opener.open(join(directory, 'a'), undefined)), 'first');
  await bad();
  t.equal(await use(await opener.open(join(directory, 'b'), undefined)), 'second');
});

/** Calls that take as long as `clock.takes` says. */
function slowCalls(clock: { time: number; takes: number }): { direct: FileCalls; pool: PoolFileCalls; made: string[] } {
  const made: string[] = [];
  const stats = {} as BigIntStats;
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
      stat: () => direct('stat', stats),
      open: () => direct('open', 3),
      fstat: () => direct('fstat', stats),
      read: (_fd, { length }) => direct('read', length),
      close: () => direct('close', undefined),
    },
    pool: {
      volumeType: () => pool('volumeType', EXT4),
      stat: () => pool('stat', stats),
      open: () => pool('open', 3),
      fstat: () => pool('fstat', stats),
      read: (_fd, { length }) => pool('read', length),
      close: () => pool('close', undefined),
    },
  };
}

const CALLS: Readonly<Record<string, (calls: FileCalls) => unknown>> = {
  stat: (calls) => calls.stat('/x'),
  open: (calls) => calls.open('/x', 0),
  fstat: (calls) => calls.fstat(3),
  read: (calls) => calls.read(3, Buffer.alloc(LARGEST_DIRECT_READ), 0),
  close: (calls) => calls.close(3),
};

t.test('one slow call, of any kind, sends the following ones through the pool', async (t) => {
  for (const [name, call] of Object.entries(CALLS)) {
    const clock = { time: 1000, takes: SLOW_MS };
    const { direct, pool, made } = slowCalls(clock);
    const policy = new CallPolicy(
      EXT4,
      'adaptive',
      () => clock.time,
      (looked) => looked(),
    );
    const calls = new AdaptiveCalls(policy, direct, pool);
    await call(calls);
    clock.takes = SLOW_MS + 1;
    await call(calls);
    for (const next of Object.values(CALLS)) await next(calls);
    const others = Object.keys(CALLS).map((other) => `pool ${other}`);
    t.strictSame(made, [`direct ${name}`, `direct ${name}`, ...others], 'at the bound it is not slow yet');
  }
});

t.test('large reads are never made on this thread: the network takes one chunk while the next is read', async (t) => {
  const clock = { time: 0, takes: 0 };
  const { direct, pool, made } = slowCalls(clock);
  const calls = new AdaptiveCalls(new CallPolicy(EXT4, 'adaptive', () => clock.time), direct, pool);
  t.equal(calls.read(3, Buffer.alloc(LARGEST_DIRECT_READ), 0), LARGEST_DIRECT_READ);
  t.equal(await calls.read(3, Buffer.alloc(LARGEST_DIRECT_READ + 1), 0), LARGEST_DIRECT_READ + 1);
  t.strictSame(made, ['direct read', 'pool read']);
});

t.test('sendAll makes the calls for many small files on this thread, unless told not to', async (t) => {
  const folder = t.testdir({});
  const files = Array.from({ length: 20 }, (_, index) => join(folder, `f${index}`));
  for (const file of files) writeFileSync(file, file);
  const received: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    socket.once('data', () => {
      socket.write('go ahead');
      socket.on('data', (chunk) => chunks.push(chunk));
    });
    socket.on('end', () => {
      received.push(Buffer.concat(chunks).toString());
      socket.end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  const port = addressOf(server).port;

  for (const synchronous of [undefined, 'never'] as const) {
    const { direct, pool, calls } = recorded(EXT4);
    const Recording = class extends FileOpener {
      constructor(synchronous: Synchronous) {
        super(synchronous, direct, pool, frozen);
      }
    };
    const { sendAll } = await t.mockImport<typeof sendAllModule>('../../lib/net/send-all.js', {
      '../../lib/sources/file-opener.js': { FileOpener: Recording },
    });
    received.length = 0;
    const results = await sendAll(files, { port, concurrency: 1, synchronous });
    t.ok(results.every(({ kind }) => kind === 'confirmed'));
    t.strictSame(received.sort(), [...files].sort());
    const pooled = synchronous === undefined ? 1 : files.length;
    t.equal(calls.filter((call) => call === 'pool open').length, pooled);
    t.equal(calls.filter((call) => call === 'direct open').length, files.length - pooled);
  }
});
