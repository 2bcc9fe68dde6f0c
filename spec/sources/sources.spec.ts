import { execFileSync } from 'node:child_process';
import fs, {
  appendFileSync,
  createReadStream,
  existsSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import type { MaybePromise } from '../../lib/maybe-promise.js';
import { POOL } from '../../lib/sources/file-calls.js';
import { FileSource } from '../../lib/sources/file-source.js';
import { MemorySource } from '../../lib/sources/memory-source.js';
import type { Source } from '../../lib/sources/source.js';
import { StreamSource } from '../../lib/sources/stream-source.js';

const CHUNK = 1000;
const SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7];

const pattern = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255));
const openFiles = (): number => fs.readdirSync('/proc/self/fd').length;

interface Read {
  readonly bytes: Buffer;
  readonly lengths: number[];
  readonly memory: Set<ArrayBufferLike>;
}

/** As a session does: one chunk is on its way while the next is read, and then comes back. */
async function readAll(source: Source): Promise<Read> {
  const parts: Buffer[] = [];
  const memory = new Set<ArrayBufferLike>();
  let sending: Uint8Array | undefined;
  for (;;) {
    const chunk = await source.read();
    if (sending !== undefined) {
      parts.push(Buffer.from(sending));
      source.release(sending);
    }
    if (chunk === undefined) break;
    memory.add(chunk.buffer);
    sending = chunk;
  }
  return { bytes: Buffer.concat(parts), lengths: parts.map(({ length }) => length), memory };
}

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    yield new Uint8Array();
    yield bytes.subarray(at, at + length);
  }
  yield new Uint8Array();
}

t.test('every source gives exactly its bytes, in chunks of the size or less, never an empty one', async (t) => {
  const directory = t.testdir({});
  for (const size of SIZES) {
    const bytes = pattern(size);
    const path = join(directory, `f${size}`);
    writeFileSync(path, bytes);
    const sources: Source[] = [
      await FileSource.open(path, CHUNK),
      await FileSource.open(path),
      new MemorySource(bytes, CHUNK),
      new MemorySource(bytes),
      new StreamSource(Readable.from([bytes]), BigInt(size), CHUNK),
      new StreamSource(inPieces(bytes, CHUNK), BigInt(size)),
    ];
    for (const [index, source] of sources.entries()) {
      const what = `${source.constructor.name} ${index} of ${size} bytes`;
      t.equal(source.size, BigInt(size), what);
      const { bytes: read, lengths, memory } = await readAll(source);
      t.ok(read.equals(bytes), what);
      t.ok(
        lengths.every((length) => length > 0),
        `${what}: none is empty`,
      );
      if (index % 2 === 0)
        t.ok(
          lengths.every((length) => length <= CHUNK),
          `${what}: none is longer`,
        );
      if (source instanceof FileSource) t.ok(memory.size <= 2, `${what}: ${memory.size} buffers`);
      await source.verify();
      t.equal(await source.read(), undefined, `${what}: stays at its end`);
      await source.close();
    }
  }
});

t.test('two buffers serve a file of any length, and no more memory than the file has', async (t) => {
  const directory = t.testdir({ small: 'abc', large: '' });
  truncateSync(join(directory, 'large'), 64 * 2 ** 20);
  const large = await FileSource.open(join(directory, 'large'));
  const { lengths, memory } = await readAll(large);
  t.equal(lengths.length, 32);
  t.equal(memory.size, 2);
  t.same(
    [...memory].map(({ byteLength }) => byteLength),
    [2 * 2 ** 20, 2 * 2 ** 20],
  );
  await large.close();
  const small = await FileSource.open(join(directory, 'small'));
  t.same(
    [...(await readAll(small)).memory].map(({ byteLength }) => byteLength),
    [3],
  );
  await small.close();
});

t.test('chunks of memory are views of it', async (t) => {
  const bytes = Buffer.alloc(5 * 2 ** 20);
  const { memory, lengths } = await readAll(new MemorySource(bytes));
  t.strictSame([...memory], [bytes.buffer]);
  t.same(lengths, [2 ** 21, 2 ** 21, 2 ** 20], 'and bounded, so that each is some bytes to the deadline of a send');
  const source = new MemorySource(bytes);
  source.release();
  source.verify();
  source.close();
});

t.test('a chunk size is a whole number of bytes', async (t) => {
  const path = join(t.testdir({ file: 'abc' }), 'file');
  for (const chunkSize of [0, -1, 1.5, NaN, Infinity, 2 ** 30 + 1]) {
    await t.rejects(FileSource.open(path, chunkSize), { code: 'OPTION_INVALID' }, String(chunkSize));
    t.throws(() => new MemorySource(pattern(3), chunkSize), { code: 'OPTION_INVALID' }, String(chunkSize));
    t.throws(() => new StreamSource(new PassThrough(), 3n, chunkSize), { code: 'OPTION_INVALID' }, String(chunkSize));
  }
});

t.test('only regular files that can be read are opened, and nothing stays open', async (t) => {
  const directory = t.testdir({ file: 'abc', folder: {} });
  const path = (name: string): string => join(directory, name);
  execFileSync('mkfifo', [path('fifo')]);
  symlinkSync('file', path('link'));
  symlinkSync('loop', path('loop'));
  symlinkSync('nowhere', path('dangling'));
  symlinkSync('folder', path('folder-link'));
  const before = openFiles();
  const cases: [string, RegExp][] = [
    [path('missing'), /there is no such file/],
    [path('dangling'), /there is no such file/],
    [path('folder'), /is a directory; only regular files/],
    [path('folder-link'), /is a directory/],
    [path('fifo'), /is a FIFO/],
    ['/dev/null', /is not a regular file/],
    [path('loop'), /ELOOP/],
    [path('file/x'), /ENOTDIR/],
    [path('n'.repeat(300)), /ENAMETOOLONG/],
    [path('a\0b'), /ERR_INVALID_ARG_VALUE/],
  ];
  for (const [file, message] of cases) {
    await t.rejects(FileSource.open(file), { code: 'SOURCE_INVALID', message }, file);
  }
  t.equal(openFiles(), before);
  const link = await FileSource.open(path('link'));
  t.equal(link.size, 3n, 'a link to a file is a file');
  await link.verify();
  await link.close();
  await link.close();
  t.equal(openFiles(), before, 'closed once, however often it is asked for');
});

t.test('what is no file any more when it is opened is not read', async (t) => {
  const directory = t.testdir({ file: 'abc', folder: {} });
  const path = join(directory, 'file');
  const before = openFiles();
  // Between the two looks at the path somebody puts a folder in the place of the file.
  const open = (file: string, flags: number): MaybePromise<number> =>
    POOL.open(file === path ? join(directory, 'folder') : file, flags);
  await t.rejects(FileSource.openBy({ ...POOL, open }, path), { code: 'SOURCE_INVALID', message: /is a directory/ });
  t.equal(openFiles(), before, 'and it is closed again');
});

t.test('what may not be read', { skip: process.platform !== 'linux' && 'needs seteuid as on Linux' }, async (t) => {
  const path = join(t.testdir({ file: 'abc' }), 'file');
  const uid = process.geteuid?.() ?? 0;
  fs.chmodSync(path, 0);
  // A superuser reads everything, so for a moment this process is nobody.
  if (uid === 0) process.seteuid?.(65_534);
  try {
    await t.rejects(FileSource.open(path), { code: 'SOURCE_INVALID', message: /you may not read it|EACCES/ });
  } finally {
    if (uid === 0) process.seteuid?.(uid);
  }
});

t.test('a file that changes is not what was announced', async (t) => {
  const directory = t.testdir({});
  const path = join(directory, 'file');
  const cases: [string, RegExp, () => void][] = [
    ['grows', /8 bytes/, () => appendFileSync(path, 'more')],
    ['shrinks', /2 bytes/, () => truncateSync(path, 2)],
    ['is rewritten', /written to/, () => writeFileSync(path, 'ABCD')],
    ['is touched', /written to/, () => utimesSync(path, 1, 1)],
    ['vanishes', /nothing there/, () => unlinkSync(path)],
    [
      'is replaced',
      /another in its place/,
      () => {
        writeFileSync(`${path}.new`, 'abcd');
        renameSync(`${path}.new`, path);
      },
    ],
  ];
  for (const [what, actual, change] of cases) {
    writeFileSync(path, 'abcd');
    utimesSync(path, 1000, 1000);
    const source = await FileSource.open(path);
    await source.verify();
    change();
    await t.rejects(Promise.resolve(source.verify()), { code: 'SOURCE_CHANGED', actual }, what);
    await source.close();
  }
});

t.test(
  'a file without a true size is not sent as an empty one',
  { skip: !existsSync('/proc/version') && 'needs /proc' },
  async (t) => {
    const before = openFiles();
    await t.rejects(FileSource.open('/proc/version'), {
      code: 'SOURCE_INVALID',
      message: '/proc/version has bytes but says that it has none; use: cat FILE | go-ahead send - --size N --as NAME',
    });
    t.equal(openFiles(), before);
  },
);

t.test('a file without a true size that was empty at first is not what was announced', async (t) => {
  const path = join(t.testdir({ file: '' }), 'file');
  let bytes = 0;
  const source = await FileSource.openBy({ ...POOL, read: () => bytes }, path);
  t.equal(source.size, 0n);
  await source.verify();
  bytes = 1;
  await t.rejects(Promise.resolve(source.verify()), { code: 'SOURCE_CHANGED', actual: 'at least 1 byte' });
  await source.close();
});

t.test('a file is not closed under a read, nor read when it is closed', async (t) => {
  const directory = t.testdir({ large: '', file: 'abcd' });
  // Long enough to read that a close beside it would be over first.
  const size = 64 * 2 ** 20;
  truncateSync(join(directory, 'large'), size);
  const large = await FileSource.open(join(directory, 'large'), size);
  const before = openFiles();
  const reading = large.read();
  const closing = large.close();
  t.equal((await reading)?.length, size, 'the read comes to its end');
  t.equal(openFiles(), before, 'and the file is open until then');
  await closing;
  t.equal(openFiles(), before - 1);

  const source = await FileSource.open(join(directory, 'file'));
  await source.close();
  // Its number is now this file's.
  const other = await FileSource.open(join(directory, 'file'));
  t.equal(await source.read(), undefined);
  await other.close();
});

t.test('a file is not closed under the look that is the last before it is sent', async (t) => {
  const path = join(t.testdir({ file: 'abcd' }), 'file');
  const order: string[] = [];
  let opened = false;
  const calls = {
    ...POOL,
    async fstat(fd: number) {
      const stats = await POOL.fstat(fd);
      if (opened) await turn();
      order.push('fstat');
      return stats;
    },
    close(fd: number) {
      order.push('close');
      return POOL.close(fd);
    },
  };
  const source = await FileSource.openBy(calls, path);
  opened = true;
  await Promise.all([source.verify(), source.close()]);
  t.strictSame(order, ['fstat', 'fstat', 'close']);
});

t.test('a file that cannot be read any more fails, and is closed', async (t) => {
  const source = await FileSource.open(join(t.testdir({ file: 'abcd' }), 'file'));
  const before = openFiles();
  const fd = fs
    .readdirSync('/proc/self/fd')
    .map(Number)
    .find((number) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${number}`).endsWith('/file');
      } catch {
        return false;
      }
    });
  t.type(fd, 'number');
  fs.closeSync(fd ?? -1);
  await t.rejects(source.read(), { code: 'EBADF' });
  await t.rejects(source.close(), { code: 'EBADF' }, 'and its close comes to an end too');
  t.equal(openFiles(), before - 1);
});

t.test('a stream that goes on, fails, or yields text', async (t) => {
  const longer = new StreamSource(inPieces(pattern(12), 5), 5n);
  t.equal((await longer.read())?.length, 5);
  await t.rejects(longer.verify(), {
    code: 'SOURCE_CHANGED',
    actual: 'at least 10 bytes',
    message: /after the 5 bytes .* to 10 at least; send it again with its exact size/,
  });

  const fault = new Error('the disk of the stream');
  const failing = new StreamSource(
    (async function* () {
      yield pattern(2);
      throw fault;
    })(),
    5n,
  );
  await failing.read();
  t.equal(await failing.read().catch((reason: unknown) => reason), fault);

  const text = new StreamSource(Readable.from(['grün']) as AsyncIterable<Uint8Array>, 4n);
  await t.rejects(text.read(), { code: 'SOURCE_INVALID', actual: 'string' });
});

t.test('a stream that fails before it is read is told when it is read, and ends no process', async (t) => {
  const missing = createReadStream(join(t.testdir({}), 'missing'));
  const source = new StreamSource(missing, 5n);
  await new Promise<void>((closed) => missing.once('close', closed));
  await t.rejects(source.read(), { code: 'ENOENT' });
  source.close();
});

t.test('a stream that was never read is closed with its source', async (t) => {
  const stream = createReadStream(join(t.testdir({ file: 'abcd' }), 'file'));
  await new Promise<void>((opened) => stream.once('ready', opened));
  const before = openFiles();
  const closed = new Promise<void>((done) => stream.once('close', done));
  new StreamSource(stream, 4n).close();
  await closed;
  t.equal(openFiles(), before - 1);
});

t.test('closing a stream ends it, and waits for nobody', async (t) => {
  let finished = false;
  const generator = (async function* () {
    try {
      yield pattern(1);
      yield pattern(1);
    } finally {
      finished = true;
    }
  })();
  const source = new StreamSource(generator, 2n);
  await source.read();
  source.close();
  await turn();
  t.ok(finished, 'a generator gets its chance to clean up');

  const silent = new PassThrough();
  const waiting = new StreamSource(silent, 2n);
  const reading = waiting.read();
  waiting.close();
  await t.rejects(reading, { code: 'ERR_STREAM_PREMATURE_CLOSE' }, 'also when nothing comes');

  const stubborn = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: true as const, value: undefined }),
      return: async () => Promise.reject(new Error('will not')),
    }),
  };
  new StreamSource(stubborn, 0n).close();
  const plain = { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true as const, value: undefined }) }) };
  new StreamSource(plain, 0n).close();
  await turn();
  t.pass('and what it answers to that does not matter');
});
