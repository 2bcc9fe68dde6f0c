import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { GoAheadError } from '../../lib/errors.js';
import type { DirectoryStorageOptions } from '../../lib/storage/directory-storage.js';
import { DirectoryStorage } from '../../lib/storage/directory-storage.js';
import type { FileSystem } from '../../lib/storage/file-system.js';
import { NODE_FILE_SYSTEM, nodeFileSystem } from '../../lib/storage/file-system.js';
import type { ConflictPolicy } from '../../lib/storage/final-name.js';
import { freeSpaceOf } from '../../lib/storage/free-space.js';
import type { Processes, RunIdentity } from '../../lib/storage/run-identity.js';
import { processesOf } from '../../lib/storage/run-identity.js';
import type { Storage, Stored, Upload } from '../../lib/storage/storage.js';
import { systemCode } from '../../lib/cause.js';
import { storageFailed } from '../../lib/storage/storage-failed.js';
import { parseTemporaryName, TemporaryNames } from '../../lib/storage/temporary-name.js';
import type { Call, CallName } from './broken-file-system.js';
import { local, systemError, withHook, withoutSync } from './broken-file-system.js';

const base = t.testdir({});
const freshDirectory = (): string => fs.mkdtempSync(join(base, 'd'));

const begin = async (storage: Storage, name: string, size: number): Promise<Upload> =>
  storage.create({ name, size: BigInt(size) });

async function store(storage: Storage, name: string, text: string): Promise<Stored> {
  const upload = await begin(storage, name, Buffer.byteLength(text));
  try {
    await upload.write(Buffer.from(text));
    return await upload.commit();
  } catch (reason) {
    await upload.abort();
    throw reason;
  }
}

/** The whole tree: path to kind and contents, so that two states can be compared. */
function snapshot(root: string): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const entry of fs.readdirSync(root, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    entries[path.slice(root.length + 1)] = entry.isFile()
      ? `file ${fs.readFileSync(path, 'utf8')}`
      : entry.isSymbolicLink()
        ? `link ${fs.readlinkSync(path)}`
        : entry.isDirectory()
          ? 'directory'
          : 'special';
  }
  return entries;
}

const temporaryOf = (directory: string): string[] =>
  fs.readdirSync(directory).filter((name) => parseTemporaryName(name) !== undefined);

// ---------------------------------------------------------------------------------------------------------------------

const HAS_FIFO = spawnSync('mkfifo', ['--version']).error === undefined;

/** A directory with everything in it that must not be followed, opened or written over, and canaries around it. */
function surroundings(): { root: string; directory: string } {
  const root = freshDirectory();
  const directory = join(root, 'in');
  fs.mkdirSync(directory);
  fs.mkdirSync(join(root, 'sibling'));
  fs.writeFileSync(join(root, 'sibling', 'canary'), 'sibling');
  fs.writeFileSync(join(root, 'canary'), 'outside');
  fs.writeFileSync(join(root, 'linked'), 'hard link');
  fs.linkSync(join(root, 'linked'), join(directory, 'hard'));
  fs.symlinkSync('../canary', join(directory, 'to-file'));
  fs.symlinkSync('../sibling', join(directory, 'to-directory'));
  fs.symlinkSync('../created-by-following', join(directory, 'dangling'));
  fs.mkdirSync(join(directory, 'directory'));
  fs.writeFileSync(join(directory, 'regular'), 'old');
  if (HAS_FIFO) spawnSync('mkfifo', [join(directory, 'fifo')]);
  return { root, directory };
}

const STANDING = ['regular', 'hard', 'to-file', 'to-directory', 'dangling', 'directory', ...(HAS_FIFO ? ['fifo'] : [])];

t.test('what stands under the name is never followed, opened or lost', async (t) => {
  if (!HAS_FIFO) t.comment('mkfifo is missing: the case of the FIFO is skipped');
  for (const sync of [true, false]) {
    for (const wire of STANDING) {
      const { root, directory } = surroundings();
      const before = snapshot(root);
      const renaming = await DirectoryStorage.open(directory, { sync });
      const stored = await store(renaming, `../sibling/${wire}`, 'new');
      t.equal(stored.name, `${wire} (1)`);
      t.strictSame(snapshot(root), { ...before, [`in/${wire} (1)`]: 'file new' }, `rename: ${wire}`);

      fs.rmSync(join(directory, `${wire} (1)`));
      const refusing = await DirectoryStorage.open(directory, { sync, onConflict: 'refuse' });
      await t.rejects(store(refusing, wire, 'new'), { code: 'NAME_TAKEN' });
      t.strictSame(snapshot(root), before, `refuse: ${wire}`);

      const replacing = await DirectoryStorage.open(directory, { sync, onConflict: 'replace' });
      if (wire === 'directory' || wire === 'fifo') {
        await t.rejects(store(replacing, wire, 'new'), { code: 'NAME_TAKEN', actual: /^a (directory|special file)$/ });
        t.strictSame(snapshot(root), before, `replace: ${wire}`);
      } else {
        t.equal((await store(replacing, wire, 'new')).path, join(directory, wire));
        t.strictSame(snapshot(root), { ...before, [`in/${wire}`]: 'file new' }, `replace: ${wire}`);
      }
    }
  }
});

t.test('what comes to stand under the name while the upload runs', async (t) => {
  for (const wire of STANDING) {
    const { root, directory } = surroundings();
    const [hidden, visible] = [join(root, 'hidden'), join(directory, wire)];
    fs.renameSync(visible, hidden);
    for (const onConflict of ['refuse', 'replace'] as const) {
      const upload = await begin(await DirectoryStorage.open(directory, { onConflict }), wire, 1);
      await upload.write(Buffer.from('n'));
      fs.renameSync(hidden, visible);
      const before = snapshot(root);
      if (onConflict === 'replace' && wire !== 'directory' && wire !== 'fifo') {
        await upload.commit();
        t.equal(snapshot(root)[`in/${wire}`], 'file n');
        t.equal(snapshot(root)['canary'], 'file outside');
        t.notOk('created-by-following' in snapshot(root));
        continue;
      }
      await t.rejects(async () => upload.commit(), { code: 'NAME_TAKEN' }, `${onConflict}: ${wire}`);
      const temporary = Object.keys(before).filter((path) => parseTemporaryName(basename(path)) !== undefined);
      t.strictSame(snapshot(root), without(before, temporary));
      fs.renameSync(visible, hidden);
    }
  }
});

t.test('hostile names stay inside, whatever the storage makes of them', async (t) => {
  const { root, directory } = surroundings();
  const storage = await DirectoryStorage.open(directory, { sync: false });
  const outside = (): Record<string, string> =>
    Object.fromEntries(Object.entries(snapshot(root)).filter(([path]) => !path.startsWith('in/')));
  const before = outside();
  const names = ['../x', '/etc/x', 'a\\..\\b', '..', '~/x', '../sibling/canary', 'to-directory/canary', '../canary'];
  const literal = ['%2e%2e%2fcanary', '-rf', '.bashrc', '\ufeffx', '\u202ecod.exe', 'e\u0301', '\u00e9', 'C:x', 'f:s'];
  for (const name of [...names, ...literal]) {
    try {
      const { name: stored } = await store(storage, name, 'x');
      t.ok(fs.lstatSync(join(directory, stored)).isFile(), stored);
      if (literal.includes(name)) t.ok(fs.readdirSync(directory).includes(name), 'byte by byte as it came');
    } catch (reason) {
      t.match(reason, { code: 'NAME_UNSAFE' }, name);
    }
  }
  t.strictSame(outside(), before);
});

t.test('a name that the filesystem refuses is refused before the transfer', async (t) => {
  for (const code of ['ENAMETOOLONG', 'EILSEQ', 'EINVAL']) {
    const directory = freshDirectory();
    const fileSystem = withHook(({ name, form, args }) => {
      if (name === 'lstat' && form === 'direct' && String(args[0]).endsWith('/öd')) throw systemError(code, name);
    });
    const storage = await DirectoryStorage.open(directory, { fileSystem: local(fileSystem), now: () => 0 });
    await t.rejects(store(storage, 'öd', ''), { code: 'NAME_UNSAFE', clause: '4.6', cause: { code } });
    t.strictSame(fs.readdirSync(directory), []);
  }
});

t.test('a harmless name needs no question, and an odd one has one', async (t) => {
  for (const [name, wanted] of [
    ['report-1_final.tar.gz', 0],
    ['a'.repeat(100), 0],
    ['a'.repeat(101), 1],
    ['ä', 1],
    ['a b', 1],
    ['a:b', 1],
  ] as const) {
    let asked = 0;
    const fileSystem = withHook((call) => {
      if (call.name === 'lstat') asked += 1;
    });
    const storage = await DirectoryStorage.open(freshDirectory(), { fileSystem, portableNames: false, sync: false });
    asked = 0;
    await store(storage, name, '');
    t.equal(asked, wanted, name);
  }
});

t.test('permissions are those of any new file', async (t) => {
  const directory = freshDirectory();
  const before = process.umask(0o027);
  const { path } = await store(await DirectoryStorage.open(directory, { sync: false }), 'x', 'x');
  process.umask(before);
  t.equal(fs.statSync(path ?? '').mode & 0o777, 0o640);
  t.equal(fs.statSync(path ?? '').nlink, 1);
});

// ---------------------------------------------------------------------------------------------------------------------

t.test('directories that cannot be used', async (t) => {
  const root = freshDirectory();
  fs.writeFileSync(join(root, 'file'), '');
  fs.symlinkSync('nothing', join(root, 'dangling'));
  const table: readonly (readonly [string, RegExp, (FileSystem | undefined)?])[] = [
    ['missing', /does not exist/],
    ['file', /is a file/],
    ['file/x', /not a directory/],
    ['dangling', /does not exist/],
    ['', /permission is denied/, withHook(failing('checkAccess', 'EACCES'))],
    ['', /permission is denied/, withHook(failing('checkAccess', 'EPERM'))],
    ['', /read-only/, withHook(failing('checkAccess', 'EROFS'))],
    ['', /EIO/, withHook(failing('statfs', 'EIO'))],
    ['', /EIO/, withHook(failing('readdir', 'EIO'))],
    ['', /is a missing one/, withMissing()],
  ];
  for (const [name, actual, fileSystem] of table) {
    const opened = DirectoryStorage.open(join(root, name), { fileSystem });
    await t.rejects(opened, { code: 'DIRECTORY_INVALID', side: 'local', actual }, `${name} ${actual}`);
  }
  const bad = { synchronous: 'always' as 'never' };
  await t.rejects(DirectoryStorage.open(root, bad), { code: 'OPTION_INVALID' });
});

function failing(name: CallName, code: string): (call: Call) => void {
  return (call) => {
    if (call.name === name) throw systemError(code, name);
  };
}

function withMissing(): FileSystem {
  const pool = { ...NODE_FILE_SYSTEM.pool, lstat: async () => undefined };
  return { ...NODE_FILE_SYSTEM, pool };
}

t.test('a directory that is removed while the server runs, and comes back', async (t) => {
  const directory = join(freshDirectory(), 'gone');
  fs.mkdirSync(directory);
  for (const synchronous of ['adaptive', 'never'] as const) {
    const storage = await DirectoryStorage.open(directory, { synchronous });
    const upload = await begin(storage, 'x', 1);
    await upload.write(Buffer.from('x'));
    fs.rmSync(directory, { recursive: true });
    await t.rejects(async () => upload.commit(), { code: 'STORAGE_FAILED', cause: { code: 'ENOENT' } });
    await t.rejects(begin(storage, 'x', 1), { code: 'STORAGE_FAILED', message: /removed by somebody else/ });
    fs.mkdirSync(directory);
    t.equal((await store(storage, 'x', 'x')).name, 'x');
    fs.rmSync(join(directory, 'x'));
  }
});

// ---------------------------------------------------------------------------------------------------------------------

const ERRORS = ['ENOSPC', 'EIO', 'EDQUOT', 'EACCES', 'EMFILE'];

interface Scenario {
  readonly onConflict: ConflictPolicy;
  readonly existing: boolean;
  readonly hardLinks: boolean;
}

const SCENARIOS: readonly Scenario[] = [
  { onConflict: 'rename', existing: false, hardLinks: true },
  { onConflict: 'rename', existing: true, hardLinks: true },
  { onConflict: 'rename', existing: true, hardLinks: false },
  { onConflict: 'refuse', existing: false, hardLinks: true },
  { onConflict: 'refuse', existing: false, hardLinks: false },
  { onConflict: 'replace', existing: false, hardLinks: true },
  { onConflict: 'replace', existing: true, hardLinks: true },
];

/** A local filesystem of which one call fails. */
class BrokenFileSystem {
  readonly calls: Call[] = [];
  /** What failed; empty when the upload was over before its turn. */
  readonly failures: CallName[] = [];
  /** The call that is to fail, by its position from now on; -1 for none. */
  failAt = -1;
  readonly fileSystem: FileSystem;

  constructor(code: string, hardLinks: boolean) {
    const fileSystem = withHook((call) => {
      this.calls.push(call);
      if (this.failAt-- === 0) {
        this.failures.push(call.name);
        throw systemError(code, call.name);
      }
      if (call.name === 'link' && !hardLinks) throw systemError('EPERM', 'link');
    }, withoutSync(NODE_FILE_SYSTEM));
    this.fileSystem = local(fileSystem);
  }
}

const without = (entries: Record<string, string>, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(entries).filter(([name]) => !names.includes(name)));

for (const synchronous of ['adaptive', 'never'] as const) {
  t.test(`every system call fails in turn, ${synchronous}`, async (t) => {
    for (const { onConflict, existing, hardLinks } of SCENARIOS) {
      const seen = new Set<string>();
      for (const code of hardLinks ? ERRORS : ERRORS.slice(0, 2)) {
        for (let failAt = 0; ; failAt++) {
          const directory = freshDirectory();
          if (existing) fs.writeFileSync(join(directory, 'x.txt'), 'old');
          const before = snapshot(directory);
          const faulty = new BrokenFileSystem(code, hardLinks);
          const { fileSystem } = faulty;
          const storage = await DirectoryStorage.open(directory, { onConflict, synchronous, fileSystem, now: () => 0 });
          faulty.calls.length = 0;
          faulty.failAt = failAt;
          let failure: unknown;
          try {
            await store(storage, 'x.txt', 'new bytes');
          } catch (reason) {
            failure = reason;
          }
          const reached = faulty.failures.length > 0;
          faulty.failAt = -1;
          if (!reached) {
            t.equal(failure, undefined, `no call ${failAt}`);
            break;
          }
          const [failed] = faulty.failures;
          seen.add(failed ?? '');
          const goAheadCode = systemCode(failure);
          const { message, cause } = failure instanceof GoAheadError ? failure : new Error('not a GoAheadError');
          const left = temporaryOf(directory);
          const after = without(snapshot(directory), left);
          const { promised } = freeSpaceOf(fileSystem, fs.statSync(directory, { bigint: true }).dev);
          const open = openFiles(directory);
          const next = await store(storage, 'next', 'next');
          const form = synchronous === 'adaptive' ? 'direct' : 'pool';
          const pooledAnyway = ['fsync', 'syncDirectory'];
          const got = {
            goAheadCode,
            cause: systemCode(cause),
            says: message.startsWith('Cannot ') && message.includes(code),
            // The one case where the temporary file cannot be gone is that its removal is what fails.
            temporary: failed === 'unlink' ? 0 : left.length,
            after,
            promised,
            open,
            next: fs.readFileSync(next.path ?? '', 'utf8'),
            otherForm: faulty.calls.filter((call) => call.form !== form && !pooledAnyway.includes(call.name)),
          };
          const wanted = {
            goAheadCode: 'STORAGE_FAILED',
            cause: code,
            says: true,
            temporary: 0,
            after: before,
            promised: 0n,
            open: [],
            next: 'next',
            otherForm: [],
          };
          t.strictSame(got, wanted, `${code} from ${failed} (call ${failAt}), ${onConflict}, existing: ${existing}`);
        }
      }
      const expected = ['statfs', 'open', 'write', 'fsync', 'close', 'syncDirectory'];
      if (onConflict !== 'rename' || !hardLinks) expected.push('lstat');
      expected.push(...(onConflict === 'replace' || !hardLinks ? ['rename'] : ['link', 'unlink']));
      for (const name of expected) t.ok(seen.has(name), `${onConflict}: ${name} has failed`);
    }
  });
}

/** Descriptors of this process for files in a directory; where /proc tells. */
function openFiles(directory: string): string[] {
  if (!fs.existsSync('/proc/self/fd')) return [];
  return fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return [];
    }
  });
}

t.test('the order of the calls, on which durability rests', async (t) => {
  const table = [
    { onConflict: 'rename', sync: true, end: ['fsync', 'close', 'link', 'syncDirectory', 'unlink'] },
    { onConflict: 'rename', sync: false, end: ['close', 'link', 'unlink'] },
    { onConflict: 'refuse', sync: true, end: ['fsync', 'close', 'link', 'syncDirectory', 'unlink'] },
    { onConflict: 'replace', sync: false, end: ['close', 'lstat', 'rename'] },
    { onConflict: 'replace', sync: true, end: ['fsync', 'close', 'lstat', 'lstat', 'rename', 'syncDirectory'] },
  ] as const;
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
  for (const { onConflict, sync, end } of table) {
    const calls: Call[] = [];
    const fileSystem = withHook((call) => {
      calls.push(call);
    });
    const storage = await DirectoryStorage.open(freshDirectory(), { fileSystem, onConflict, sync });
    calls.length = 0;
    await store(storage, 'x', 'text');
    const names = calls.map(({ name }) => name);
    // With `rename` a name that is taken has a way out.
    const begin = onConflict === 'rename' ? ['statfs', 'open'] : ['lstat', 'statfs', 'open'];
    t.strictSame(names, [...begin, 'write', ...end], `${onConflict}, sync: ${sync}`);
    t.match(calls[begin.length - 1]?.args, [/\.part$/, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666]);
  }
});

t.test('a write that fails later fails the upload, whatever the others did', async (t) => {
  const directory = freshDirectory();
  let writes = 0;
  const fileSystem = withHook(({ name }) => {
    if (name === 'write' && ++writes === 2) throw systemError('ENOSPC', 'write');
  });
  const storage = await DirectoryStorage.open(directory, { fileSystem, synchronous: 'never' });
  const upload = await begin(storage, 'x', 3);
  const results = await Promise.allSettled(['a', 'b', 'c'].map(async (text) => upload.write(Buffer.from(text))));
  t.strictSame(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  await t.rejects(async () => upload.write(Buffer.from('d')), { code: 'STORAGE_FAILED', cause: { code: 'ENOSPC' } });
  await t.rejects(async () => upload.commit(), { code: 'STORAGE_FAILED', message: /write.*ENOSPC.*free some space/ });
  t.strictSame(fs.readdirSync(directory), []);
});

t.test('a close that fails on the way out of another failure is not reported', async (t) => {
  const directory = freshDirectory();
  const fileSystem = withHook(({ name }) => {
    if (name === 'fsync' || name === 'close') throw systemError('EIO', name);
  });
  const storage = await DirectoryStorage.open(directory, { fileSystem });
  await t.rejects(store(storage, 'x', 'x'), { code: 'STORAGE_FAILED', cause: { syscall: 'fsync' } });
  const upload = await begin(storage, 'x', 1);
  await upload.abort();
  t.strictSame(fs.readdirSync(directory), []);
  t.strictSame(openFiles(directory), []);
});

t.test('short writes are continued, and no progress is a failure', async (t) => {
  for (const synchronous of ['adaptive', 'never'] as const) {
    const directory = freshDirectory();
    let most = 3;
    const real = local(NODE_FILE_SYSTEM);
    const fileSystem: FileSystem = {
      direct: {
        ...real.direct,
        write: (fd, chunk, offset, length, position) =>
          real.direct.write(fd, chunk, offset, Math.min(length, most), position),
      },
      pool: {
        ...real.pool,
        write: (fd, chunk, offset, length, position) =>
          real.pool.write(fd, chunk, offset, Math.min(length, most), position),
      },
    };
    const storage = await DirectoryStorage.open(directory, { fileSystem, synchronous, now: () => 0 });
    const upload = await begin(storage, 'x', 20);
    const writes = [upload.write(Buffer.from('0123456789')), upload.write(Buffer.from('abcdefghij'))];
    for (const write of writes) await write;
    await upload.commit();
    t.equal(fs.readFileSync(join(directory, 'x'), 'utf8'), '0123456789abcdefghij');
    most = 0;
    await t.rejects(store(storage, 'y', 'text'), { code: 'STORAGE_FAILED', message: /0 of 4 bytes/ });
    t.strictSame(fs.readdirSync(directory), ['x']);
  }
});

t.test('abort and commit wait for the writes in the pool before they close', async (t) => {
  for (const end of ['abort', 'commit'] as const) {
    const directory = freshDirectory();
    const order: string[] = [];
    const { pool, direct } = NODE_FILE_SYSTEM;
    const fileSystem: FileSystem = {
      direct,
      pool: {
        ...pool,
        write: async (...args) => {
          await new Promise(setImmediate);
          const written = await pool.write(...args);
          order.push('written');
          return written;
        },
        close: (fd) => {
          order.push('closed');
          return pool.close(fd);
        },
      },
    };
    const storage = await DirectoryStorage.open(directory, { fileSystem, synchronous: 'never', sync: false });
    const upload = await begin(storage, 'x', 2);
    const writes = [upload.write(Buffer.from('1')), upload.write(Buffer.from('2'))];
    await upload[end]();
    t.strictSame(order, ['written', 'written', 'closed'], end);
    for (const write of writes) await write;
    t.strictSame(fs.readdirSync(directory), end === 'commit' ? ['x'] : []);
  }
});

t.test('a chunk that was not to be retained is not, though the disk turns slow in the midst of it', async (t) => {
  const directory = freshDirectory();
  const clock = { time: 0 };
  const forms: string[] = [];
  const hooked = withHook(({ name, form }) => {
    if (name !== 'write') return;
    forms.push(form);
    if (form === 'direct') clock.time += 10;
  });
  const fileSystem = local({
    ...hooked,
    direct: {
      ...hooked.direct,
      write: (fd, chunk, offset, length, position) =>
        hooked.direct.write(fd, chunk, offset, Math.min(length, 2), position),
    },
  });
  const storage = await DirectoryStorage.open(directory, { fileSystem, now: () => clock.time, sync: false });
  const upload = await begin(storage, 'x', 10);
  t.equal(upload.retainsChunk, false);
  const first = Buffer.from('01234');
  t.equal(upload.write(first), undefined);
  first.fill('!');
  t.strictSame(forms, ['direct', 'direct', 'direct']);
  t.equal(upload.retainsChunk, true, 'now it is known to be slow');
  const second = Buffer.from('56789');
  const written = upload.write(second);
  t.type(written, Promise);
  await written;
  t.equal(forms.at(-1), 'pool');
  await upload.commit();
  t.equal(fs.readFileSync(join(directory, 'x'), 'utf8'), '0123456789');
});

t.test('bytes keep their order when calls change between the pool and the event loop', async (t) => {
  const directory = freshDirectory();
  const clock = { time: 0 };
  let slow = false;
  const forms = new Set<string>();
  const fileSystem = local(
    withHook(({ name, form }) => {
      if (name === 'write') forms.add(form);
      if (slow && form === 'direct') clock.time += 10;
    }),
  );
  const storage = await DirectoryStorage.open(directory, { fileSystem, now: () => clock.time, sync: false });
  const chunks = Array.from({ length: 200 }, (_, i) => String(i).padStart(4, '0'));
  const upload = await begin(storage, 'x', 800);
  for (const [index, chunk] of chunks.entries()) {
    slow = index % 50 === 20;
    const write = upload.write(Buffer.from(chunk));
    if (index % 7 === 0) await write;
    if (index % 50 === 45) {
      await new Promise(setImmediate);
      clock.time += 300;
    }
  }
  await upload.commit();
  t.equal(fs.readFileSync(join(directory, 'x'), 'utf8'), chunks.join(''));
  t.strictSame([...forms].sort(), ['direct', 'pool']);
});

// ---------------------------------------------------------------------------------------------------------------------

t.test('without hard links', async (t) => {
  for (const code of ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']) {
    const directory = freshDirectory();
    const fileSystem = withHook(failing('link', code));
    const storage = await DirectoryStorage.open(directory, { fileSystem });
    await store(storage, 'x', 'first');
    await store(storage, 'x', 'second');
    t.strictSame(snapshot(directory), { x: 'file first', 'x (1)': 'file second' }, code);
    const refusing = await DirectoryStorage.open(directory, { fileSystem, onConflict: 'refuse' });
    const late = await begin(refusing, 'y', 0);
    await store(refusing, 'y', 'first');
    await t.rejects(async () => late.commit(), { code: 'NAME_TAKEN' });
    const replacing = await DirectoryStorage.open(directory, { fileSystem, onConflict: 'replace' });
    await store(replacing, 'y', 'new');
    t.strictSame(snapshot(directory), { x: 'file first', 'x (1)': 'file second', y: 'file new' });
  }
});

t.test('a placeholder that somebody else has written to is not removed', async (t) => {
  const directory = freshDirectory();
  const fileSystem = withHook(({ name, args }) => {
    if (name === 'link') throw systemError('EPERM', name);
    if (name !== 'rename') return;
    fs.writeFileSync(String(args[1]), 'not ours');
    throw systemError('EIO', name);
  });
  const storage = await DirectoryStorage.open(directory, { fileSystem });
  await t.rejects(store(storage, 'x', 'new'), { code: 'STORAGE_FAILED' });
  t.strictSame(snapshot(directory), { x: 'file not ours' });
});

t.test('when the sync of the directory fails, only what is still ours is taken back', async (t) => {
  for (const onConflict of ['rename', 'refuse', 'replace'] as const) {
    const directory = freshDirectory();
    if (onConflict === 'replace') fs.writeFileSync(join(directory, 'x'), 'old');
    const fileSystem = withHook(({ name }) => {
      if (name !== 'syncDirectory') return;
      fs.writeFileSync(join(directory, 'other'), 'not ours');
      fs.renameSync(join(directory, 'other'), join(directory, 'x'));
      throw systemError('EIO', name);
    });
    const storage = await DirectoryStorage.open(directory, { fileSystem, onConflict });
    await t.rejects(store(storage, 'x', 'new'), { code: 'STORAGE_FAILED', message: /sync the directory/ });
    const after = snapshot(directory);
    t.equal(after['x'], 'file not ours', onConflict);
  }
});

t.test('what cannot be taken back stays whole, and the first failure is reported', async (t) => {
  for (const onConflict of ['rename', 'replace'] as const) {
    const directory = freshDirectory();
    let broken = false;
    const fileSystem = withHook(({ name }) => {
      broken ||= name === 'syncDirectory';
      if (broken) throw systemError(name === 'syncDirectory' ? 'EIO' : 'EROFS', name);
    });
    const storage = await DirectoryStorage.open(directory, { fileSystem, onConflict });
    await t.rejects(store(storage, 'x', 'new'), { code: 'STORAGE_FAILED', cause: { code: 'EIO' } });
    t.equal(fs.readFileSync(join(directory, 'x'), 'utf8'), 'new');
  }
});

t.test('uploads that replace one file wait for each other', async (t) => {
  const directory = freshDirectory();
  fs.writeFileSync(join(directory, 'x'), 'old');
  let syncs = 0;
  const fileSystem = withHook(({ name }) => {
    if (name === 'syncDirectory' && ++syncs === 1) throw systemError('EIO', name);
  });
  const storage = await DirectoryStorage.open(directory, { fileSystem, onConflict: 'replace', synchronous: 'never' });
  const results = await Promise.allSettled(['one', 'two', 'three'].map((text) => store(storage, 'x', text)));
  const stored = results.filter(({ status }) => status === 'fulfilled');
  t.equal(stored.length, 2, 'one failed, and put back what it replaced');
  t.match(fs.readFileSync(join(directory, 'x'), 'utf8'), /^(one|two|three)$/);
  t.strictSame(fs.readdirSync(directory), ['x']);
});

t.test('a number is found in few calls among a thousand', async (t) => {
  const directory = freshDirectory();
  const names = ['x.txt', ...Array.from({ length: 1000 }, (_, i) => `x (${i + 1}).txt`)];
  fs.writeFileSync(join(directory, 'one'), '');
  for (const name of names) fs.linkSync(join(directory, 'one'), join(directory, name));
  let calls = 0;
  const fileSystem = withHook(() => {
    calls += 1;
  });
  const storage = await DirectoryStorage.open(directory, { fileSystem, sync: false });
  calls = 0;
  t.equal((await store(storage, 'x.txt', '')).name, 'x (1001).txt');
  t.ok(calls < 50, `${calls} calls for the first`);
  calls = 0;
  t.equal((await store(storage, 'x.txt', '')).name, 'x (1002).txt');
  t.ok(calls < 12, `${calls} calls for the next`);
});

t.test('the search for a number ends', async (t) => {
  const entry = await NODE_FILE_SYSTEM.pool.lstat(base);
  const taken = (mostCalls: number): FileSystem => {
    const all = withHook(({ name }) => {
      if (name === 'link') throw systemError('EEXIST', name);
    });
    let calls = 0;
    const lstat = async (path: string): ReturnType<FileSystem['pool']['lstat']> => {
      const numbered = basename(path).startsWith('x (');
      return numbered && ++calls <= mostCalls ? entry : NODE_FILE_SYSTEM.pool.lstat(path);
    };
    return { direct: all.direct, pool: { ...all.pool, lstat } };
  };
  for (const mostCalls of [0, Infinity]) {
    const options: DirectoryStorageOptions = { fileSystem: taken(mostCalls), synchronous: 'never', sync: false };
    const directory = freshDirectory();
    const storage = await DirectoryStorage.open(directory, options);
    await t.rejects(store(storage, 'x', ''), { code: 'NAME_TAKEN' }, mostCalls === 0 ? 'by attempts' : 'by number');
    t.strictSame(fs.readdirSync(directory), []);
  }
});

t.test('a search for a number that fails', async (t) => {
  const directory = freshDirectory();
  for (const name of ['x', 'x (1)']) fs.writeFileSync(join(directory, name), '');
  const fileSystem = withHook(({ name, args }) => {
    if (name === 'lstat' && String(args[0]).endsWith('x (2)')) throw systemError('EIO', name);
  });
  const storage = await DirectoryStorage.open(directory, { fileSystem });
  await t.rejects(store(storage, 'x', ''), { code: 'STORAGE_FAILED', message: /look at .*x \(2\)/ });
});

// ---------------------------------------------------------------------------------------------------------------------

/** A volume with so many free bytes, of which writes take their part. */
function volumeOf(free: { bytes: bigint; blocks?: bigint }): FileSystem {
  const volume = (): { type: bigint; bsize: bigint; bavail: bigint; blocks: bigint } => ({
    type: 0xef53n,
    bsize: 1n,
    bavail: free.bytes,
    blocks: free.blocks ?? 2n ** 64n,
  });
  const { direct, pool } = withHook(({ name, args }) => {
    if (name === 'write') free.bytes -= BigInt(Number(args[3]));
  });
  return { direct: { ...direct, statfs: volume }, pool: { ...pool, statfs: async () => volume() } };
}

t.test('free space is promised once', async (t) => {
  const free = { bytes: 100n };
  const fileSystem = volumeOf(free);
  const options: DirectoryStorageOptions = { fileSystem, sync: false, now: () => 0 };
  const one = await DirectoryStorage.open(freshDirectory(), options);
  const other = await DirectoryStorage.open(freshDirectory(), options);
  await t.rejects(begin(one, 'a', 101), { code: 'NO_SPACE', expected: 'at most 100 bytes', actual: '101 bytes' });
  const a = await begin(one, 'a', 60);
  await t.rejects(begin(other, 'b', 41), { code: 'NO_SPACE', expected: 'at most 40 bytes' }, 'also by other storages');
  const b = await begin(other, 'b', 40);
  await t.rejects(begin(one, 'c', 1), { code: 'NO_SPACE', expected: 'at most 0 bytes' });
  await (await begin(one, 'empty', 0)).commit();
  await a.write(Buffer.alloc(30));
  await t.rejects(
    begin(one, 'c', 1),
    { code: 'NO_SPACE' },
    'what is written is no longer promised, and no longer free',
  );
  await b.abort();
  await b.abort();
  await t.rejects(begin(one, 'c', 41), { code: 'NO_SPACE' });
  await a.write(Buffer.alloc(30));
  await a.commit();
  const c = await begin(one, 'c', 40);
  await c.abort();
  free.bytes = -1n;
  await t.rejects(begin(one, 'c', 1), { code: 'NO_SPACE', expected: 'at most 0 bytes' });
});

t.test('for small files the disk is asked for its free space only now and then, while there is plenty', async (t) => {
  const [mebibyte, gibibyte] = [2 ** 20, 2n ** 30n];
  const free = { bytes: 4n * gibibyte };
  let asked = 0;
  let now = 0;
  const fileSystem = withHook(({ name }) => (asked += name === 'statfs' ? 1 : 0), volumeOf(free));
  const options: DirectoryStorageOptions = { fileSystem, sync: false, now: () => now };
  const storage = await DirectoryStorage.open(freshDirectory(), options);
  const other = await DirectoryStorage.open(freshDirectory(), options);
  const asks = async (work: () => Promise<unknown>): Promise<number> => {
    const before = asked;
    await work();
    return asked - before;
  };
  const small = () => begin(storage, 'small', mebibyte);
  const large = (size: bigint) => asks(() => begin(storage, 'large', Number(size)));

  t.equal(await asks(small), 1, 'the first time');
  const written = await begin(storage, 'written', 8);
  now = 100;
  t.equal(await asks(small), 0, 'a moment later');
  now = 101;
  t.equal(await asks(small), 1, 'after that moment');
  t.equal(await asks(() => begin(storage, 'more', mebibyte + 1)), 1, 'a larger file');
  t.equal(await asks(() => begin(other, 'small', 1)), 1, 'another directory, which may have a quota');
  t.equal(await asks(small), 1, 'back here');

  const room = free.bytes - freeSpaceOf(fileSystem, fs.statSync(storage.directory, { bigint: true }).dev).promised;
  const rest = await begin(storage, 'rest', Number(room - gibibyte));
  now = 200;
  t.equal(await large(0n), 0, 'a gibibyte is plenty');
  await written.write(Buffer.alloc(8));
  t.equal(await large(0n), 0, 'what is written is no longer promised');
  const one = await begin(storage, 'one', 1);
  t.equal(await large(0n), 1, 'less than a gibibyte is not, with all that is promised');
  await one.abort();
  t.equal(await large(0n), 0, 'what is given back counts again');

  free.bytes = 0n;
  await rest.abort();
  await t.rejects(begin(storage, 'full', mebibyte + 1), { code: 'NO_SPACE' }, 'what does not fit');
  await t.rejects(begin(storage, 'full', 1), { code: 'NO_SPACE' }, 'and by then small files are refused too');
});

t.test('sizes are exact up to 2^64 - 1', async (t) => {
  const free = { bytes: 2n ** 60n };
  const storage = await DirectoryStorage.open(freshDirectory(), { fileSystem: volumeOf(free), now: () => 0 });
  const largest = 2n ** 53n - 1n;
  const upload = await storage.create({ name: 'x', size: largest });
  await upload.abort();
  for (const size of [largest + 1n, 2n ** 53n + 1n, 2n ** 60n, 2n ** 64n - 1n])
    await t.rejects(async () => storage.create({ name: 'x', size }), { code: 'NO_SPACE' }, `${size}`);
  free.bytes = 2n ** 53n - 2n;
  await t.rejects(async () => storage.create({ name: 'x', size: largest }), { code: 'NO_SPACE' });
});

t.test('a volume that does not tell its size is not full', async (t) => {
  const fileSystem = volumeOf({ bytes: 0n, blocks: 0n });
  const storage = await DirectoryStorage.open(freshDirectory(), { fileSystem, sync: false });
  t.equal((await store(storage, 'x', 'x')).name, 'x');
});

t.test('bytes that are written while the question is under way are not counted as free', async (t) => {
  const free = { bytes: 100n };
  const real = volumeOf(free);
  let answer = (): void => undefined;
  const pool: FileSystem['pool'] = {
    ...real.pool,
    statfs: async (path) => {
      const volume = await real.pool.statfs(path);
      await new Promise<void>((resolve) => (answer = resolve));
      return volume;
    },
  };
  const options: DirectoryStorageOptions = { fileSystem: { ...real, pool }, sync: false, synchronous: 'never' };
  const answered = async <T>(work: Promise<T>): Promise<T> => {
    const timer = setInterval(() => answer(), 1);
    return work.finally(() => clearInterval(timer));
  };
  const storage = await answered(DirectoryStorage.open(freshDirectory(), options));
  const a = await answered(begin(storage, 'a', 50));
  answer = () => undefined;
  const waiting = begin(storage, 'b', 51);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await a.write(Buffer.alloc(50));
  answer();
  await t.rejects(waiting, { code: 'NO_SPACE', expected: 'at most 50 bytes' });
  await a.commit();
});

t.test('more bytes than were promised give back no more', async (t) => {
  const directory = freshDirectory();
  const fileSystem = volumeOf({ bytes: 100n });
  const storage = await DirectoryStorage.open(directory, { fileSystem, sync: false });
  const space = freeSpaceOf(fileSystem, fs.statSync(directory, { bigint: true }).dev);
  const [one, other] = [await begin(storage, 'x', 2), await begin(storage, 'y', 7)];
  t.equal(space.promised, 9n);
  await one.write(Buffer.alloc(5));
  t.equal(space.promised, 7n);
  await one.abort();
  t.equal(space.promised, 7n);
  await other.abort();
  t.equal(space.promised, 0n);
});

// ---------------------------------------------------------------------------------------------------------------------

const self: RunIdentity = { host: 'here', boot: 'now', pidNamespace: 'pid:[1]', pid: 100, startTime: 1000 };
const ALIVE = new Map([
  [100, 1000],
  [200, 2000],
]);
const processes: Processes = {
  self,
  user: process.geteuid?.(),
  isAlive: (pid, startTime) => ALIVE.get(pid) === startTime,
};
const NOW = 1_700_000_000_000;
const uid = process.geteuid?.() ?? 0;

t.test('what is swept at the start', async (t) => {
  const dead: RunIdentity = { ...self, pid: 300, startTime: 3000 };
  const table: readonly (readonly [title: string, swept: boolean, run: Partial<RunIdentity>, boot?: string])[] = [
    ['a dead process', true, {}],
    ['a reused pid', true, { pid: 200, startTime: 1999 }],
    ['a run before the machine was started', true, { boot: 'earlier' }],
    ['... whose pid is used again, with the same start time', true, { boot: 'earlier', pid: 200, startTime: 2000 }],
    ['... in another container', true, { boot: 'earlier', pidNamespace: 'pid:[2]' }],
    ['another live server on this directory', false, { pid: 200, startTime: 2000 }],
    ['this process', false, { pid: 100, startTime: 1000 }],
    ['another host', false, { host: 'there' }],
    ['another host, before it was started', false, { host: 'there', boot: 'earlier' }],
    ['another container on this host', false, { pidNamespace: 'pid:[2]' }],
    ['a machine that does not tell when it was started', false, { boot: 'earlier' }, ''],
  ];
  for (const [title, swept, run, boot = self.boot] of table) {
    const directory = freshDirectory();
    const identity = fs.statSync(directory, { bigint: true });
    const leftover = new TemporaryNames({ ...dead, boot, ...run }, identity, () => Date.now()).next();
    fs.writeFileSync(join(directory, leftover), 'leftover');
    await DirectoryStorage.open(directory, { processes: { ...processes, self: { ...self, boot } } });
    t.strictSame(fs.readdirSync(directory), swept ? [] : [leftover], title);
  }
});

t.test('decoys of a dead run are not swept', async (t) => {
  const root = freshDirectory();
  const [directory, other] = [join(root, 'a'), join(root, 'b')];
  fs.mkdirSync(directory);
  fs.mkdirSync(other);
  const dead: RunIdentity = { ...self, pid: 300, startTime: 3000 };
  const identity = fs.statSync(directory, { bigint: true });
  const names = new TemporaryNames(dead, identity, () => Date.now());
  const late = new TemporaryNames(dead, identity, () => NOW);
  const write = (name: string): void => fs.writeFileSync(join(directory, name), 'decoy');

  const good = names.next();
  for (let at = 0; at < good.length; at++) {
    const replacement = good[at] === 'a' ? 'b' : 'a';
    write(good.slice(0, at) + replacement + good.slice(at + 1));
  }
  for (const name of [good.slice(0, -1), `${good}x`, `x${good}`, good.toUpperCase(), '.go-ahead-.part']) write(name);
  write(new TemporaryNames(dead, fs.statSync(other, { bigint: true }), () => Date.now()).next());
  write(new TemporaryNames(dead, { dev: identity.dev + 1n, ino: identity.ino }, () => Date.now()).next());
  fs.mkdirSync(join(directory, names.next()));
  fs.symlinkSync('../b', join(directory, names.next()));
  fs.symlinkSync('nothing', join(directory, names.next()));
  if (HAS_FIFO) spawnSync('mkfifo', [join(directory, names.next())]);
  write('.go-ahead-notes.part');
  write('report.pdf');
  // Made now, with a name that says long ago.
  const birthtimes = fs.statSync(join(directory, 'report.pdf')).birthtimeMs > 0;
  if (birthtimes) write(late.next());

  const before = snapshot(directory);
  await DirectoryStorage.open(directory, { processes });
  t.strictSame(snapshot(directory), before);
  write(good);
  await DirectoryStorage.open(directory, { processes });
  t.strictSame(snapshot(directory), before, 'while the real one is');
});

t.test('files of another user, and those that cannot be removed or are gone, are left', async (t) => {
  const dead: RunIdentity = { ...self, pid: 300, startTime: 3000 };
  const entry = await NODE_FILE_SYSTEM.pool.lstat(base);
  const broken: readonly (readonly [string, Partial<FileSystem['pool']>])[] = [
    ['another user', { lstat: lstatOf({ uid: uid + 1 }) }],
    ['gone meanwhile', { lstat: async (path) => (parseTemporaryName(basename(path)) ? undefined : entryOf(path)) }],
    ['not to be removed', { unlink: () => Promise.reject(systemError('EACCES', 'unlink')) }],
  ];
  t.equal(entry?.kind, 'directory');
  for (const [title, calls] of broken) {
    const directory = freshDirectory();
    const identity = fs.statSync(directory, { bigint: true });
    const names = new TemporaryNames(dead, identity, () => Date.now());
    const leftover = names.next();
    fs.writeFileSync(join(directory, leftover), '');
    const fileSystem = { ...NODE_FILE_SYSTEM, pool: { ...NODE_FILE_SYSTEM.pool, ...calls } };
    const storage = await DirectoryStorage.open(directory, { processes, fileSystem });
    t.strictSame(fs.readdirSync(directory), [leftover], title);
    await DirectoryStorage.open(directory, { processes });
    t.strictSame(fs.readdirSync(directory), [], 'but for that it would be swept');
    t.equal(storage.directory, fs.realpathSync(directory));
  }
});

t.test('where files have no owner, the name alone decides', async (t) => {
  const directory = freshDirectory();
  const dead: RunIdentity = { ...self, pid: 300, startTime: 3000 };
  const names = new TemporaryNames(dead, fs.statSync(directory, { bigint: true }), () => Date.now());
  fs.writeFileSync(join(directory, names.next()), '');
  await DirectoryStorage.open(directory, { processes: { ...processes, user: undefined } });
  t.strictSame(fs.readdirSync(directory), []);
});

const entryOf = async (path: string): ReturnType<FileSystem['pool']['lstat']> => NODE_FILE_SYSTEM.pool.lstat(path);

function lstatOf(changes: { uid: number }): FileSystem['pool']['lstat'] {
  return async (path) => {
    const entry = await entryOf(path);
    return entry === undefined ? undefined : { ...entry, ...changes };
  };
}

t.test('storages of one process, and of two, do not sweep each other', async (t) => {
  const directory = freshDirectory();
  const first = await begin(await DirectoryStorage.open(directory), 'x', 1);
  const second = await begin(await DirectoryStorage.open(directory), 'x', 1);
  t.equal(temporaryOf(directory).length, 2);
  await first.write(Buffer.from('1'));
  await second.write(Buffer.from('2'));
  t.equal((await first.commit()).name, 'x');
  t.equal((await second.commit()).name, 'x (1)');
  t.strictSame(fs.readdirSync(directory).sort(), ['x', 'x (1)']);

  const running = await begin(await DirectoryStorage.open(directory), 'y', 1);
  const child = spawnSync('sleep', ['0']).pid;
  const real = processesOf();
  const seenFromThere: Processes = { ...real, self: { ...real.self, pid: child, startTime: real.self.startTime + 1 } };
  await DirectoryStorage.open(directory, { processes: seenFromThere });
  t.equal(temporaryOf(directory).length, 1, 'a live process keeps its files, seen from another one');
  await running.abort();
  t.strictSame(fs.readdirSync(directory).sort(), ['x', 'x (1)']);
});

const NO_PROCFS = !fs.existsSync('/proc/self/stat') && 'procfs is missing';

t.test('a killed process leaves what the next one sweeps', { skip: NO_PROCFS }, async (t) => {
  const directory = freshDirectory();
  // A child that has ended, with the identity that it would have had.
  const { pid } = spawnSync('true');
  const names = new TemporaryNames(
    { ...processesOf().self, pid, startTime: 1 },
    fs.statSync(directory, { bigint: true }),
    () => Date.now(),
  );
  const leftover = names.next();
  const stored = join(directory, 'stored');
  fs.writeFileSync(stored, 'whole');
  fs.linkSync(stored, join(directory, leftover));
  fs.writeFileSync(join(directory, names.next()), 'half');
  await DirectoryStorage.open(directory);
  // Killed between the link and the unlink: the final name stays.
  t.strictSame(snapshot(directory), { stored: 'file whole' });
});

t.test('temporary names', async (t) => {
  const identity = { dev: 2n ** 64n - 1n, ino: 2n ** 64n - 1n };
  const run: RunIdentity = { host: 'h', boot: 'b', pidNamespace: 'n', pid: 2 ** 22, startTime: 2 ** 45 };
  const [one, other] = [
    new TemporaryNames(run, identity, () => NOW + 0.7),
    new TemporaryNames(run, identity, () => NOW),
  ];
  const names = Array.from({ length: 100 }, () => [one.next(), other.next()]).flat();
  t.equal(new Set(names).size, 200);
  for (const name of names) {
    t.ok(Buffer.byteLength(name) <= 143, 'fits NAME_MAX of eCryptfs');
    t.match(parseTemporaryName(name), { pid: 2 ** 22, startTime: 2 ** 45, createdAt: NOW });
  }
});

t.test('processes', async (t) => {
  const root = freshDirectory();
  const proc = join(root, 'proc');
  const stat = (pid: string, state: string, startTime: number | string): void => {
    fs.mkdirSync(join(proc, pid), { recursive: true });
    const middle = Array.from({ length: 18 }, (_, i) => i).join(' ');
    // A command with spaces and brackets, as anybody can give a process.
    fs.writeFileSync(join(proc, pid, 'stat'), `${pid} (a) R 1) b) ${state} ${middle} ${startTime} 0 0\n`);
  };
  stat('self', 'R', 77);
  stat('1', 'S', 500);
  stat('2', 'Z', 500);
  stat('3', 'X', 500);
  stat('4', 'S', 'unknown');
  stat('5', 'S', 500);
  fs.mkdirSync(join(proc, 'sys/kernel/random'), { recursive: true });
  fs.writeFileSync(join(proc, 'sys/kernel/random/boot_id'), 'boot\n');
  fs.mkdirSync(join(proc, 'self/ns'));
  fs.symlinkSync('pid:[42]', join(proc, 'self/ns/pid'));
  fs.writeFileSync(join(root, 'machine-id'), 'machine\n');
  const probe = (pid: number): void => {
    if (pid === 5) throw systemError('EPERM', 'kill');
    if (pid > 9) throw systemError('ESRCH', 'kill');
  };
  const found = processesOf({ proc, machineIdFile: join(root, 'machine-id'), pid: 9, probe });
  t.match(found.self, { host: / machine$/, boot: 'boot', pidNamespace: 'pid:[42]', pid: 9, startTime: 77 });
  const table: readonly (readonly [pid: number, startTime: number, alive: boolean, title: string])[] = [
    [1, 500, true, 'runs'],
    [1, 499, false, 'reused'],
    [2, 500, false, 'a zombie'],
    [3, 500, false, 'dead'],
    [4, 500, true, 'in doubt: it does not tell'],
    [5, 500, true, "another user's"],
    [5, 499, false, "another user's, reused"],
    [6, 500, true, 'in doubt: hidden'],
    [1, 0, true, 'in doubt: the file does not tell'],
    [10, 500, false, 'there is none'],
  ];
  for (const [pid, startTime, alive, title] of table) t.equal(found.isAlive(pid, startTime), alive, title);

  const nothing = processesOf({ proc: join(root, 'none'), machineIdFile: join(root, 'none'), pid: 9, probe });
  t.match(nothing.self, { boot: '', pidNamespace: '', startTime: 0 });
  t.equal(nothing.isAlive(1, 500), true, 'without procfs the signal decides');
  t.equal(nothing.isAlive(10, 500), false);

  const real = processesOf();
  t.equal(real.self.pid, process.pid);
  t.equal(real.isAlive(process.pid, real.self.startTime), true);
  t.equal(real.isAlive(spawnSync('true').pid, 1), false);
});

// ---------------------------------------------------------------------------------------------------------------------

t.test('both forms of each call do the same', async (t) => {
  const { direct, pool } = nodeFileSystem();
  const directory = freshDirectory();
  const path = (name: string): string => join(directory, name);
  const flags = fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_WRONLY;
  for (const [index, calls] of [direct, pool].entries()) {
    const [one, two, three] = ['one', 'two', 'three'].map((name) => path(`${name}${index}`)) as [
      string,
      string,
      string,
    ];
    const fd = await calls.open(one, flags, 0o600);
    t.equal(await calls.write(fd, Buffer.from('-hello'), 1, 5, 2), 5);
    await calls.close(fd);
    t.equal(fs.readFileSync(one, 'latin1'), '\0\0hello');
    await calls.link(one, two);
    await calls.rename(two, three);
    t.match(await calls.lstat(one), { kind: 'file', size: 7n, uid });
    await calls.unlink(three);
    t.equal(await calls.lstat(three), undefined);
    t.match(await calls.statfs(directory), { bsize: direct.statfs(directory).bsize });
    const code = 'EEXIST';
    await t.rejects(async () => calls.open(one, flags, 0o600), { code });
    await t.rejects(async () => calls.link(one, one), { code });
    await t.rejects(async () => calls.lstat(`${one}/x`), { code: 'ENOTDIR' });
  }
  await pool.syncDirectory(directory);
  await t.rejects(pool.syncDirectory(path('missing')), { code: 'ENOENT' });
  await nodeFileSystem('win32').pool.syncDirectory(path('missing'));
});

t.test('what storage failures say', async (t) => {
  t.match(storageFailed('write', '/d/\u001b[2J', systemError('EMFILE', 'open')), {
    code: 'STORAGE_FAILED',
    message:
      'Cannot write /d/\\u001b[2J: EMFILE: injected, open; raise the limit of open files (`ulimit -n`), or serve fewer connections at once',
  });
  t.equal(storageFailed('write', '/d', 'what').message, 'Cannot write /d: what');
  t.equal(storageFailed('write', '/d', systemError('EXDEV', 'x')).message, 'Cannot write /d: EXDEV: injected, x');
});
