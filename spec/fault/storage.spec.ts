import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { GoAheadError } from '../../lib/errors.js';
import { send } from '../../lib/net/client.js';
import { createServer } from '../../lib/net/create-server.js';
import type { ConflictPolicy } from '../../lib/storage/final-name.js';
import type { FileSystem } from '../../lib/storage/file-system.js';
import { local, systemError, withHook, type CallName } from '../storage/broken-file-system.js';
import { until } from '../support/until.js';
import { figure, listing, LONG, NO_PROCFS, Serving, sha256, temporaryFiles } from './rig.js';

/*
 * Every call that stores a file fails in turn, between a real sender and a real server: in this process by a filesystem that
 * is injected, and in the installed program by a library put before libc, so that it is the system call itself that fails.
 */

/** What can fail, with the numbers of `failing-calls.c`. */
const CALLS = {
  statfs: 1,
  open: 2,
  write: 4,
  'short write': 8,
  fsync: 16,
  close: 32,
  link: 64,
  rename: 128,
  unlink: 256,
  'open of the directory': 512,
  'sync of the directory': 1024,
} as const;
type Failing = keyof typeof CALLS;

const ERRORS = ['ENOSPC', 'EIO', 'EDQUOT', 'EACCES', 'EMFILE'] as const;
type ErrorName = (typeof ERRORS)[number];

/** `always` is as often as the call is made, and not only the first time. */
type Times = 'once' | 'always';

/** What the sender sees: a close without a reply, a reset, or the receipt. */
type Seen = 'REFUSED' | 'CONNECTION_RESET' | 'confirmed';

interface Row {
  readonly call: Failing;
  readonly policy: ConflictPolicy;
  readonly sees: Seen;
}

const ROWS: readonly Row[] = (['rename', 'replace'] as const).flatMap((policy): Row[] => [
  { call: 'statfs', policy, sees: 'REFUSED' },
  { call: 'open', policy, sees: 'REFUSED' },
  { call: 'write', policy, sees: 'CONNECTION_RESET' },
  { call: 'short write', policy, sees: 'confirmed' },
  { call: 'fsync', policy, sees: 'CONNECTION_RESET' },
  { call: 'close', policy, sees: 'CONNECTION_RESET' },
  { call: 'link', policy, sees: 'CONNECTION_RESET' },
  ...(policy === 'replace' ? [{ call: 'rename', policy, sees: 'CONNECTION_RESET' } as const] : []),
  { call: 'unlink', policy, sees: 'CONNECTION_RESET' },
  { call: 'open of the directory', policy, sees: 'CONNECTION_RESET' },
  { call: 'sync of the directory', policy, sees: 'CONNECTION_RESET' },
]);

/** A server whose disk can be made to fail. */
interface Faulty {
  readonly times: readonly Times[];
  readonly port: number;
  readonly directory: string;
  readonly can: (call: Failing) => boolean;
  arm(calls: readonly Failing[], error: ErrorName, times: Times): void;
  /** Back to a disk in order; how often a call has failed. */
  disarm(): number;
  /** The code of the last failure that the server told of, once it has told of so many. */
  failure(count: number): Promise<unknown>;
  close(): Promise<void>;
}

const BODY = Buffer.alloc(100_000, 'new');
/** The free space is asked for anew, and not remembered from the file before. */
const LARGE = Buffer.alloc(2_000_000, 'new');

async function outcome(port: number, name: string, body: Buffer): Promise<unknown> {
  try {
    await send(body, { port, name });
    return 'confirmed';
  } catch (reason) {
    return reason instanceof GoAheadError ? reason.code : reason;
  }
}

/** All rows with all errors: who sees what, what is left, and who is served then. */
async function everyCall(t: Test, server: Faulty, policy: ConflictPolicy): Promise<void> {
  const { port, directory } = server;
  writeFileSync(join(directory, 'x.txt'), 'old');
  const before = Object.fromEntries(listing(directory));
  let failures = 0;
  for (const { call, sees } of ROWS.filter((row) => row.policy === policy && server.can(row.call))) {
    for (const error of ERRORS) {
      // With no call to remove anything nothing can be taken back: that is the next test.
      for (const times of call === 'unlink' ? (['once'] as const) : server.times) {
        // Without a number, which would go up with each of them.
        const name = sees === 'confirmed' ? `${error}-${times}.txt` : 'x.txt';
        server.arm([call], error, times);
        const seen = await outcome(port, name, call === 'statfs' ? LARGE : BODY);
        const hits = server.disarm();
        const after = Object.fromEntries(listing(directory));
        const next = await outcome(port, `${call}-${error}-${times}`, Buffer.from('next'));
        const failed = seen !== 'confirmed';
        if (failed) failures += 1;
        t.strictSame(
          { seen, hit: hits > 0, after, next, failure: failed && (await server.failure(failures)) },
          {
            seen: sees,
            hit: true,
            after: sees === 'confirmed' ? { ...before, [name]: sha256(BODY) } : before,
            next: 'confirmed',
            failure: sees === 'confirmed' ? false : 'STORAGE_FAILED',
          },
          `${error} from ${call}, ${times}`,
        );
        for (const added of listing(directory).keys()) if (added !== 'x.txt') unlinkSync(join(directory, added));
      }
    }
  }
}

/** What cannot be removed stays, under a name of ours; the final name is not touched. */
async function leftovers(t: Test, server: Faulty, policy: ConflictPolicy): Promise<void> {
  const calls = ['write', 'fsync', 'close', policy === 'replace' ? 'rename' : 'link'] as const;
  for (const error of ERRORS) {
    for (const call of calls) {
      server.arm([call, 'unlink'], error, 'always');
      t.equal(
        await outcome(server.port, 'left.txt', BODY),
        'CONNECTION_RESET',
        `${error} from ${call}, then from unlink`,
      );
      t.ok(server.disarm() > 1);
    }
  }
  t.equal(temporaryFiles(server.directory).length, ERRORS.length * calls.length, 'as many temporary files are left');
  t.equal(await outcome(server.port, 'next.txt', BODY), 'confirmed', 'and the server still serves');
  t.strictSame([...listing(server.directory).keys()].filter((name) => !name.startsWith('.')).sort(), [
    'next.txt',
    'x.txt',
  ]);
}

// ------------------------------------------------------------------------------------------------- in this process

async function inProcess(t: Test, policy: ConflictPolicy, synchronous: 'adaptive' | 'never'): Promise<Faulty> {
  const directory = t.testdir({});
  let armed = { calls: [] as readonly Failing[], error: 'EIO' as ErrorName, left: 0 };
  let hits = 0;
  const fails = (call: Failing): boolean => {
    if (!armed.calls.includes(call) || armed.left-- <= 0) return false;
    hits += 1;
    return true;
  };
  const names: Partial<Record<CallName, Failing>> = { syncDirectory: 'sync of the directory' };
  const hooked = withHook(({ name }) => {
    const call = names[name] ?? (name in CALLS ? (name as Failing) : undefined);
    if (call !== undefined && fails(call)) throw systemError(armed.error, name);
  });
  const length = (whole: number): number => (fails('short write') ? Math.ceil(whole / 2) : whole);
  const { direct, pool } = local(hooked);
  const fileSystem: FileSystem = {
    direct: { ...direct, write: (fd, chunk, offset, whole, at) => direct.write(fd, chunk, offset, length(whole), at) },
    pool: { ...pool, write: (fd, chunk, offset, whole, at) => pool.write(fd, chunk, offset, length(whole), at) },
  };
  const server = createServer({ directory, onConflict: policy, synchronous, fileSystem });
  const codes: string[] = [];
  server.on('failed', (_, { code }) => codes.push(code));
  const { port } = await server.listen({ port: 0 });
  return {
    times: ['once', 'always'],
    port,
    directory,
    can: (call) => call !== 'open of the directory',
    arm: (calls, error, times) => {
      hits = 0;
      armed = { calls, error, left: times === 'once' ? 1 : Infinity };
    },
    disarm: () => {
      armed = { ...armed, calls: [] };
      return hits;
    },
    failure: async (count) => {
      await until(() => codes.length >= count);
      return codes[count - 1];
    },
    close: () => server.close(),
  };
}

for (const synchronous of ['adaptive', 'never'] as const) {
  for (const policy of ['rename', 'replace'] as const) {
    // The short form has each side of both choices.
    if ((policy === 'rename') !== (synchronous === 'never') && !LONG) continue;
    t.test(
      `every call fails in turn: ${policy}, ${synchronous === 'never' ? 'in the pool' : 'directly'}`,
      async (t) => {
        const server = await inProcess(t, policy, synchronous);
        await everyCall(t, server, policy);
        await server.close();
      },
    );
  }
}

// ------------------------------------------------------------------------------------------------- in the program

const SOURCE = fileURLToPath(new URL('failing-calls.c', import.meta.url));

function noShim(): string | false {
  if (process.platform !== 'linux' || NO_PROCFS) return NO_PROCFS || 'LD_PRELOAD is of Linux';
  return spawnSync('gcc', ['--version']).error !== undefined && 'gcc cannot be run here';
}

async function program(
  t: Test,
  policy: ConflictPolicy,
  argv: readonly string[] = [],
): Promise<Faulty & { server: Serving }> {
  const base = t.testdir({ inbox: {}, control: Buffer.alloc(4096) });
  const [library, control, directory] = [join(base, 'failing.so'), join(base, 'control'), join(base, 'inbox')];
  const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl']);
  if (status !== 0) throw new Error(`gcc: ${String(stderr)}`);
  const shim = ['env', `LD_PRELOAD=${library}`, `GO_AHEAD_FAULTS=${control}`, `GO_AHEAD_FAULTS_IN=${directory}`];
  const server = await Serving.start(t, directory, ['--on-conflict', policy, ...argv], shim);
  const fd = openSync(control, 'r+');
  t.teardown(() => closeSync(fd));
  const write = (...fields: readonly number[]): void =>
    void writeSync(fd, Int32Array.from(fields), 0, 4 * fields.length, 0);
  return {
    server,
    times: LONG ? ['once', 'always'] : ['once'],
    port: server.port,
    directory,
    can: () => true,
    arm: (calls, error, times) => {
      const mask = calls.reduce((all, call) => all | CALLS[call], 0);
      write(mask, constants.errno[error], times === 'once' ? 1 : 2 ** 30, 0);
    },
    disarm: () => {
      const fields = new Int32Array(4);
      readSync(fd, fields, 0, 16, 0);
      write(0, 0, 0, 0);
      return fields[3] ?? 0;
    },
    failure: async (count) => {
      await server.until(() => server.count('failed') >= count);
      return server.events.filter(({ event }) => event === 'failed')[count - 1]?.['code'];
    },
    close: async () => {
      server.kill('SIGTERM');
      t.equal(await server.exit, 0);
    },
  };
}

for (const workers of [undefined, 2]) {
  for (const policy of ['rename', 'replace'] as const) {
    if (workers !== undefined && !LONG) continue;
    const who = workers === undefined ? 'the program' : `${workers} workers`;
    t.test(`every system call of ${who} fails in turn: ${policy}`, { skip: noShim() }, async (t) => {
      const faulty = await program(t, policy, workers === undefined ? [] : ['--workers', String(workers)]);
      await everyCall(t, faulty, policy);
      await leftovers(t, faulty, policy);
      await faulty.close();
      const again = await Serving.start(t, faulty.directory);
      t.strictSame(temporaryFiles(faulty.directory), [], 'the next start sweeps them');
      again.kill('SIGTERM');
      t.equal(await again.exit, 0);
      figure(
        t,
        `every system call of ${who} failing, ${policy}`,
        `${ERRORS.join(', ')} from each of ${ROWS.filter((row) => row.policy === policy).length} calls: as it must be`,
      );
    });
  }
}
