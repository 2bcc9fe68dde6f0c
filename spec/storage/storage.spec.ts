import fc from 'fast-check';
import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { NamingOptions } from '../../lib/storage/directory-storage.js';
import { DirectoryStorage } from '../../lib/storage/directory-storage.js';
import { MemoryStorage } from '../../lib/storage/memory-storage.js';
import type { Storage, Stored, Upload } from '../../lib/storage/storage.js';

/** A storage under test, and what stands in it: name to contents. */
interface Subject {
  readonly storage: Storage;
  readonly contents: () => Readonly<Record<string, string>>;
}

interface Kind {
  readonly kind: string;
  readonly open: (options?: NamingOptions) => Promise<Subject>;
}

const base = t.testdir({});

function directoryKind(kind: string, synchronous: 'adaptive' | 'never', sync: boolean): Kind {
  return {
    kind,
    open: async (options = {}) => {
      const directory = mkdtempSync(join(base, 'd'));
      const storage = await DirectoryStorage.open(directory, { ...options, synchronous, sync });
      const contents = (): Readonly<Record<string, string>> =>
        Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'latin1')]));
      return { storage, contents };
    },
  };
}

const KINDS: readonly Kind[] = [
  {
    kind: 'memory',
    open: async (options) => {
      const storage = new MemoryStorage(options);
      const contents = (): Readonly<Record<string, string>> =>
        Object.fromEntries([...storage.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('latin1')]));
      return { storage, contents };
    },
  },
  directoryKind('directory, calls as they come', 'adaptive', false),
  directoryKind('directory, all in the pool, synced', 'never', true),
];

const begin = async (storage: Storage, name: string, size: number): Promise<Upload> =>
  storage.create({ name, size: BigInt(size) });

async function store(storage: Storage, name: string, text: string): Promise<Stored> {
  const upload = await begin(storage, name, text.length);
  await upload.write(Buffer.from(text, 'latin1'));
  return upload.commit();
}

for (const { kind, open } of KINDS) {
  t.test(kind, async (t) => {
    t.test('an upload is seen under its name only when it is committed', async (t) => {
      const { storage, contents } = await open();
      const upload = await begin(storage, 'dir/report.pdf', 5);
      await upload.write(Buffer.from('he'));
      t.notOk('report.pdf' in contents());
      await upload.write(Buffer.from('llo'));
      t.notOk('report.pdf' in contents());
      t.match(await upload.commit(), { name: 'report.pdf', size: 5n });
      t.strictSame(contents(), { 'report.pdf': 'hello' });
    });

    t.test('zero bytes', async (t) => {
      const { storage, contents } = await open();
      t.match(await (await begin(storage, 'empty', 0)).commit(), { name: 'empty', size: 0n });
      const written = await begin(storage, 'empty chunk', 0);
      await written.write(Buffer.alloc(0));
      await written.commit();
      t.strictSame(contents(), { empty: '', 'empty chunk': '' });
    });

    t.test('chunks may be written over when their write has settled', async (t) => {
      const { storage, contents } = await open();
      const upload = await begin(storage, 'x', 6);
      const chunk = Buffer.from('abc');
      await upload.write(chunk);
      chunk.write('def');
      await upload.write(chunk);
      chunk.write('ghi');
      await upload.commit();
      t.strictSame(contents(), { x: 'abcdef' });
    });

    t.test('writes that overlap keep their order', async (t) => {
      const { storage, contents } = await open();
      const upload = await begin(storage, 'x', 200);
      const texts = Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i).repeat(10));
      const writes = texts.map((text) => upload.write(Buffer.from(text)));
      for (const write of writes) await write;
      await upload.commit();
      t.strictSame(contents(), { x: texts.join('') });
    });

    t.test('abort leaves others alone', async (t) => {
      const { storage, contents } = await open();
      await store(storage, 'x', 'old');
      const [one, other] = [await begin(storage, 'x', 3), await begin(storage, 'x', 3)];
      const writes = [one.write(Buffer.from('one')), other.write(Buffer.from('two'))];
      for (const write of writes) await write;
      await one.abort();
      await one.abort();
      t.equal((await other.commit()).name, 'x (1)');
      await other.abort();
      t.strictSame(contents(), { x: 'old', 'x (1)': 'two' });
    });

    t.test('what is over stays over', async (t) => {
      const { storage, contents } = await open();
      const INTERNAL = { name: 'GoAheadError', code: 'INTERNAL' };
      for (const end of ['commit', 'abort'] as const) {
        const upload = await begin(storage, end, 1);
        await upload.write(Buffer.from('1'));
        await upload[end]();
        await t.rejects(async () => upload.commit(), INTERNAL);
        await t.rejects(async () => upload.write(Buffer.from('2')), INTERNAL);
        await upload.abort();
      }
      t.strictSame(contents(), { commit: '1' });
    });

    t.test('another length than announced is never committed', async (t) => {
      const { storage, contents } = await open();
      for (const text of ['', '12', '1234']) {
        const upload = await begin(storage, 'x', 3);
        await upload.write(Buffer.from(text));
        await t.rejects(async () => upload.commit(), { code: 'INTERNAL' }, `${text.length} of 3`);
      }
      t.strictSame(contents(), {});
      t.equal((await store(storage, 'x', '123')).name, 'x', 'and the next upload works');
    });

    t.test('a taken name', async (t) => {
      const table = [
        { options: {}, names: ['a.txt', 'a (1).txt', 'a (2).txt'] },
        {
          options: { onConflict: 'rename', suffix: '.temp' },
          names: ['a.txt.temp', 'a (1).txt.temp', 'a (2).txt.temp'],
        },
        { options: { onConflict: 'replace' }, names: ['a.txt', 'a.txt', 'a.txt'] },
        { options: { onConflict: 'replace', suffix: '.temp' }, names: ['a.txt.temp', 'a.txt.temp', 'a.txt.temp'] },
      ] as const;
      for (const { options, names } of table) {
        const { storage, contents } = await open(options);
        const expected: Record<string, string> = {};
        for (const [index, name] of names.entries()) {
          t.equal((await store(storage, 'a.txt', `upload ${index}`)).name, name);
          expected[name] = `upload ${index}`;
        }
        t.strictSame(contents(), expected);
      }
    });

    t.test('a taken name is refused, before the transfer and after it', async (t) => {
      const { storage, contents } = await open({ onConflict: 'refuse' });
      const late = await begin(storage, 'a', 4);
      await late.write(Buffer.from('late'));
      await store(storage, 'a', 'first');
      const taken = { code: 'NAME_TAKEN', clause: '10.1' };
      await t.rejects(async () => storage.create({ name: 'dir/a', size: 1n }), taken);
      await t.rejects(async () => late.commit(), taken);
      t.strictSame(contents(), { a: 'first' });
    });

    t.test('numbers that are taken by names that came as such are passed over', async (t) => {
      const { storage, contents } = await open();
      for (const name of ['a (1)', 'a (2)', 'a (3)', 'a (4)', 'a (6)', 'a']) await store(storage, name, name);
      t.equal((await store(storage, 'a', 'new')).name, 'a (5)');
      t.equal((await store(storage, 'a', 'newer')).name, 'a (7)');
      t.equal(Object.keys(contents()).length, 8);
    });

    t.test('a name is refused before anything else is done', async (t) => {
      const { storage, contents } = await open();
      await t.rejects(async () => storage.create({ name: 'x/..', size: 2n ** 64n - 1n }), { code: 'NAME_UNSAFE' });
      t.strictSame(contents(), {});
    });

    t.test('a size that cannot fit is refused, and nothing is promised to it', async (t) => {
      const { storage, contents } = await open();
      for (const size of [2n ** 53n + 1n, 5_135_603_447_292_250_196n, 2n ** 63n, 2n ** 64n - 1n]) {
        await t.rejects(async () => storage.create({ name: 'x', size }), {
          code: 'NO_SPACE',
          clause: '9.2',
          actual: `${size.toLocaleString('en')} bytes`,
        });
      }
      t.strictSame(contents(), {});
      await store(storage, 'x', 'small');
    });

    t.test('options are checked', async (t) => {
      const bad = [
        { suffix: '/x' },
        { suffix: '\\x' },
        { suffix: '\n' },
        { suffix: 'x'.repeat(65) },
        { onConflict: 'overwrite' as 'replace' },
      ];
      for (const options of bad) await t.rejects(open(options), { code: 'OPTION_INVALID', side: 'local' });
    });

    t.test('however uploads of one name interleave, each committed one keeps its bytes', async (t) => {
      // Each upload is 3 writes and an end; the schedule says whose next step it is.
      const uploads = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });
      const property = fc.asyncProperty(
        uploads,
        fc.array(fc.nat(), { minLength: 20, maxLength: 20 }),
        fc.constantFrom('rename' as const, 'replace' as const),
        async (commits, schedule, onConflict) => {
          const { storage, contents } = await open({ onConflict });
          const running = await Promise.all(commits.map(() => begin(storage, 'a.b', 3)));
          const steps = commits.map((commit, index) => {
            const upload = running[index]!;
            const write = async (): Promise<void> => upload.write(Buffer.from(String(index)));
            const end = async (): Promise<unknown> => (commit ? upload.commit() : upload.abort());
            return [write, write, write, end];
          });
          const underWay: Promise<unknown>[] = [];
          for (let left = steps.filter((list) => list.length > 0); left.length > 0;) {
            const list = left[(schedule.shift() ?? 0) % left.length]!;
            const step = list.shift()!;
            // Ends only wait for the writes of their own upload; those of others go on meanwhile.
            const work = step();
            underWay.push(work);
            if (list.length <= 1) await work;
            left = steps.filter((list) => list.length > 0);
          }
          await Promise.all(underWay);
          const expected = commits.flatMap((commit, index) => (commit ? [String(index).repeat(3)] : []));
          const stored = Object.values(contents());
          if (onConflict === 'rename') return JSON.stringify(stored.sort()) === JSON.stringify(expected.sort());
          return expected.length === 0 ? stored.length === 0 : stored.length === 1 && expected.includes(stored[0]!);
        },
      );
      await t.resolves(fc.assert(property, { numRuns: 30 }));
    });

    t.test('many at once with one name', async (t) => {
      const { storage, contents } = await open();
      const stored = await Promise.all(Array.from({ length: 100 }, (_, i) => store(storage, 'x.txt', `upload ${i}`)));
      t.equal(new Set(stored.map(({ name }) => name)).size, 100);
      t.strictSame(Object.values(contents()).sort(), Array.from({ length: 100 }, (_, i) => `upload ${i}`).sort());
      t.ok('x (99).txt' in contents(), 'without gaps');
    });
  });
}

t.test('a body in chunks of any length is one piece of memory, of its own length', async (t) => {
  const storage = new MemoryStorage();
  const bytes = Buffer.from(Array.from({ length: 150_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));
  for (const [name, lengths] of Object.entries({ bytes: [1], mixed: [1, 70_000, 3, 64], whole: [bytes.length] })) {
    const upload = storage.create({ name, size: BigInt(bytes.length) });
    for (let at = 0, n = 0; at < bytes.length; n += 1) {
      const length = lengths[n % lengths.length] ?? 1;
      const chunk = Buffer.from(bytes.subarray(at, at + length));
      void upload.write(chunk);
      chunk.fill(0xee);
      at += length;
    }
    t.equal(upload.retainsChunk, false, 'chunks are copied at once');
    await upload.commit();
    const stored = storage.files.get(name) ?? new Uint8Array();
    t.ok(bytes.equals(stored), name);
    t.equal(stored.buffer.byteLength, bytes.length, name);
  }
});

t.test('the capacity of memory', async (t) => {
  const storage = new MemoryStorage({ capacity: 10, onConflict: 'replace' });
  const one = storage.create({ name: 'a', size: 6n });
  t.throws(() => storage.create({ name: 'b', size: 5n }), { code: 'NO_SPACE', expected: 'at most 4 bytes' });
  storage.create({ name: 'b', size: 4n }).abort();
  one.write(Buffer.from('123456'));
  one.commit();
  t.throws(() => storage.create({ name: 'b', size: 5n }), { code: 'NO_SPACE' }, 'files count');
  const again = storage.create({ name: 'a', size: 4n });
  again.write(Buffer.from('1234'));
  again.commit();
  t.throws(() => storage.create({ name: 'b', size: 7n }), { code: 'NO_SPACE' });
  storage.create({ name: 'b', size: 6n }).abort();
  t.equal(storage.delete('a'), true);
  t.equal(storage.delete('a'), false);
  storage.create({ name: 'b', size: 10n }).abort();
  for (const capacity of [-1, 0.5, NaN, Infinity])
    t.throws(() => new MemoryStorage({ capacity }), { code: 'OPTION_INVALID' });
});
