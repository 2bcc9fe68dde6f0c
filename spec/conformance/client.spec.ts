/** The engine for clients: the judge, the stage and its properties. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync, readFileSync, statSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { bufferOf, hex, lengthOf, random, repeat, text } from '../../lib/conformance/model/bytes.js';
import { CLIENT_CASES } from '../../lib/conformance/cases/client/index.js';
import { CLAUSES } from '../../lib/conformance/model/clauses.js';
import {
  FAILED,
  SENT,
  type ClientExchange,
  type ClientOutcome,
  type LocalFile,
  type Step,
} from '../../lib/conformance/model/case.js';
import { spawnable, wordOf } from '../../lib/conformance/target/command.js';
import { judgeClient, type ClientRun } from '../../lib/conformance/judge/judge-client.js';
import { HeldBack } from '../../lib/conformance/judge/held-back.js';
import { lanes } from '../../lib/conformance/lanes.js';
import { Addresses } from '../../lib/conformance/target/listener.js';
import { placeFile } from '../../lib/conformance/target/local-file.js';
import { notConnected, type Observed } from '../../lib/conformance/exchange/script.js';

// ---- the judge

const variables = { t: 'tok', i: 0 };
const HEADER = Buffer.from('0000000000000003746f6b', 'hex');
const exchange = (expect: ClientOutcome, steps: readonly Step[] = []): ClientExchange => ({
  file: { kind: 'file', size: hex('00 00 00 00 00 00 00 03'), name: text('{t}'), body: hex('61 62 63') },
  steps,
  expect: [expect],
});
const ENDED = { code: 0, signal: null, stderr: '', stdout: '', killed: false };

function observed(after: string, change: Partial<Observed> = {}): Observed {
  const received = Buffer.concat([HEADER, Buffer.from(after)]);
  return {
    ...notConnected('c', '', []),
    connectError: null,
    received,
    receivedLength: received.length,
    receivedBeforeSending: HEADER.length,
    pieces: [HEADER.length, after.length],
    ending: 'fin',
    ...change,
  };
}

t.test('clients are judged', async (t) => {
  const steps: readonly Step[] = [{ do: 'signal client', signal: 'SIGINT' }];
  const table: [string, ClientOutcome, Partial<ClientRun>, string[]][] = [
    ['a whole transfer', SENT, {}, []],
    ['a byte changed', SENT, { observed: observed('abd') }, ['wire']],
    ['a byte less', SENT, { observed: observed('ab') }, ['wire']],
    ['a byte more', SENT, { observed: observed('abcd') }, ['wire']],
    ['a body in silence', SENT, { observed: observed('abc', { brokeSilence: true }) }, ['wire']],
    [
      'a terminator',
      SENT,
      { observed: observed('abc', { receivedBeforeSending: HEADER.length + 1 }) },
      ['wire', 'wire'],
    ],
    ['a reset', SENT, { observed: observed('abc', { ending: 'rst' }) }, ['close']],
    ['status 1', SENT, { exit: { ...ENDED, code: 1 } }, ['exit']],
    ['killed', SENT, { exit: { ...ENDED, code: null, signal: 'SIGKILL', killed: true } }, ['exit']],
    ['ended too early', SENT, { observed: observed('abc', { stoppedAt: 'still running' }) }, ['exit']],
    [
      'failed too late',
      FAILED,
      { exit: { ...ENDED, code: 1 }, observed: observed('abc', { stoppedAt: 'exited' }) },
      ['exit'],
    ],
    ['no connection', SENT, { observed: null }, ['wire']],
    ['a connection where none is allowed', { ...SENT, connects: false }, {}, ['wire']],
    ['no failure', FAILED, {}, ['exit']],
    ['a failure', FAILED, { exit: { ...ENDED, code: 3 } }, []],
    ['a failure after too much', FAILED, { exit: { ...ENDED, code: 3 }, observed: observed('abcd') }, ['wire']],
    ['a failure without a word', { ...FAILED, message: 'some' }, { exit: { ...ENDED, code: 3 } }, ['message']],
    ['one on stdout', { ...FAILED, message: 'some' }, { exit: { ...ENDED, code: 3, stdout: 'no' } }, []],
    ['a crash', FAILED, { exit: { ...ENDED, code: null, signal: 'SIGSEGV' } }, ['exit']],
    ['all of it for a part', { ...SENT, body: 'part' }, {}, ['wire']],
    ['the whole path', { ...SENT, header: 'last component' }, { headers: [Buffer.from('x'), HEADER] }, ['wire']],
    ['the whole path where it may be', SENT, { headers: [Buffer.from('x'), HEADER] }, []],
    ['two connections', { ...SENT, connections: 'one' }, { further: 1 }, ['wire']],
    ['one segment', { ...SENT, header: 'one piece' }, { segments: [1, 2] }, []],
    ['one segment, where only the first count was made', { ...SENT, header: 'one piece' }, { segments: [1, null] }, []],
    ['two segments', { ...SENT, header: 'one piece' }, { segments: [2, 2] }, ['wire']],
    [
      'two reads, nobody to count',
      { ...SENT, header: 'one piece' },
      { observed: observed('abc', { pieces: [8, 3] }) },
      ['wire'],
    ],
  ];
  const fails = (run: Partial<ClientRun>, outcome: ClientOutcome): string[] =>
    judgeClient({
      exchange: exchange(outcome, steps),
      variables,
      observed: observed('abc'),
      further: 0,
      segments: [],
      exit: ENDED,
      headers: [HEADER],
      ...run,
    }).flatMap(({ axis, ok }) => (ok === false ? [axis] : []));
  for (const [what, outcome, run, broken] of table) t.strictSame(fails(run, outcome), broken, what);
  // What a shell shows as 141 is no success: C programs end so when they write to a connection that was reset.
  const broken = { exit: { ...ENDED, code: null, signal: 'SIGPIPE' } };
  t.strictSame(fails(broken, FAILED), []);
  t.strictSame(fails(broken, SENT), ['exit']);
  const signalled = { exit: { ...ENDED, code: null, signal: 'SIGINT' } };
  t.strictSame(fails(signalled, { ...FAILED, exit: 'not zero or signal' }), []);
  t.strictSame(
    fails({ exit: { ...ENDED, code: null, signal: 'SIGSEGV' } }, { ...FAILED, exit: 'not zero or signal' }),
    ['exit'],
  );
});

t.test('what cannot be known is not claimed: one read may be two segments', async (t) => {
  const pieces = { ...SENT, header: 'one piece' } as const;
  const base = { variables, further: 0, exit: ENDED, headers: [HEADER] } as const;
  const unknown = judgeClient({
    ...base,
    exchange: exchange(pieces),
    observed: observed('abc'),
    segments: [null, null],
  });
  t.equal(unknown.find(({ axis }) => axis === 'wire')?.ok, null);
  const crumbs = judgeClient({ ...base, exchange: exchange(pieces), observed: observed('abc'), segments: [11, 14] });
  t.equal(crumbs.find(({ axis }) => axis === 'wire')?.ok, null, 'a path that cuts everything');
});

t.test('bodies larger than memory are compared', async (t) => {
  const huge: ClientExchange = { ...exchange({ ...SENT, body: 'part' }) };
  const file = { ...huge.file, body: repeat('00', 2n ** 63n) };
  const run = {
    exchange: { ...huge, file },
    variables,
    further: 0,
    segments: [],
    exit: ENDED,
    headers: [HEADER],
  } as const;
  t.strictSame(
    ['\0\0', '\0x'].map((body) => judgeClient({ ...run, observed: observed(body) })[1]?.ok),
    [true, false],
  );
});

// ---- the stage

t.test('lanes keep their width, and who waits gives its place to others', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      async (items, width) => {
        let busy = 0;
        let running = 0;
        let done = 0;
        await lanes(items, { busy: width, all: 2 * width }, async (waits, idle) => {
          busy += 1;
          running += 1;
          if (busy > width || running > 2 * width) throw new Error('too many');
          await Promise.resolve();
          busy -= 1;
          if (waits) {
            idle();
            await new Promise((resolve) => setImmediate(resolve));
          }
          running -= 1;
          done += 1;
        });
        return done === items.length;
      },
    ),
  );
  await t.rejects(
    lanes([1], { busy: 1, all: 1 }, () => Promise.reject(new Error('work'))),
    { message: 'work' },
  );
});

t.test('what is held back is told a little later, or at once, or never', async (t) => {
  const told: string[] = [];
  let keep = true;
  let asked: () => void = () => undefined;
  const later = new HeldBack<string>(
    1,
    (item) => told.push(item),
    () => {
      asked();
      return keep;
    },
  );
  const due = async (): Promise<void> => new Promise((resolve) => (asked = resolve));
  later.add('kept when it is due');
  await due();
  t.strictSame(told, []);
  later.add('b');
  later.tellAll();
  t.strictSame(told, ['kept when it is due', 'b'], 'in their order');
  keep = false;
  later.add('c');
  await due();
  t.strictSame(told.slice(2), ['c'], 'by itself');
  later.add('d');
  t.strictSame(later.take(), ['d']);
  later.tellAll();
  t.strictSame(told, ['kept when it is due', 'b', 'c']);
});

t.test('addresses: a fixed port is lent once for each host', async (t) => {
  const one = new Addresses(12000, false);
  const first = await one.take();
  t.strictSame(first, { host: '127.0.0.1', port: 12000 });
  let second: unknown = null;
  const waiting = one.take().then((address) => (second = address));
  t.equal(second, null);
  one.giveBack(first);
  t.strictSame(await waiting, first);
  if (process.platform === 'linux') {
    const many = new Addresses(12000, true);
    t.not((await many.take()).host, (await many.take()).host);
  }
});

t.test('any bytes reach a process as they are', { skip: process.platform === 'win32' }, async (t) => {
  const print = [process.execPath, '-e', 'process.stdout.write(require("fs").readFileSync("/proc/self/cmdline"))'];
  for (const bytes of ['ff', '2d', '61 0a', 'c3 28 27 22 24 5c 0a', 'c3 a9', 'f0 9f 93 a6'].map((digits) =>
    Buffer.from(digits.replaceAll(' ', ''), 'hex'),
  )) {
    const [command = '', ...args] = spawnable([...print, '--', wordOf(bytes)]);
    if (!existsSync('/proc/self/cmdline')) return;
    const printed = execFileSync(command, args);
    t.strictSame(printed.subarray(-bytes.length - 2), Buffer.concat([Buffer.of(0), bytes, Buffer.of(0)]));
  }
});

t.test('files are made as the cases say, and removed', async (t) => {
  const folder = t.testdir();
  const shared = t.testdir();
  const file = { size: hex(''), name: text('{t}a'), body: random(10) };
  const kinds = ['file', 'sparse', 'link', 'missing', 'dangling link', 'link loop', 'directory', 'device'] as const;
  for (const kind of kinds) {
    const body = kind === 'sparse' ? repeat('00', 2n ** 33n + 1n) : file.body;
    for (const ground of [
      { folder, shared: null },
      { folder, shared },
    ]) {
      const placed = await placeFile(ground, { ...file, kind, body }, variables);
      if ('impossible' in placed) throw new Error(placed.impossible);
      const stats = kind === 'link loop' ? undefined : statSync(placed.path, { throwIfNoEntry: false, bigint: true });
      const seen = kind === 'sparse' ? 2n ** 33n + 1n : kind === 'file' || kind === 'link' ? 10n : undefined;
      if (seen !== undefined) t.equal(stats?.size, seen, kind);
      if (kind === 'directory') t.ok(stats?.isDirectory());
      if (kind === 'device') t.equal(readlinkSync(placed.path), '/dev/null');
      if (kind === 'missing' || kind === 'dangling link') t.equal(stats, undefined, kind);
      await placed.remove();
      t.strictSame([...readdirSync(folder), ...readdirSync(shared)], [], `nothing of ${kind} is left`);
    }
  }
  const deep = await placeFile({ folder, shared: null }, { ...file, kind: 'file', deep: true }, variables);
  t.ok('path' in deep && deep.path.length > 1016);
  t.match(await placeFile({ folder, shared }, { ...file, kind: 'file', deep: true }, variables), {
    impossible: String,
  });
});

t.test('a file changes as the cases say', async (t) => {
  const ground = { folder: t.testdir(), shared: null };
  const file: LocalFile = { kind: 'file', size: hex(''), name: text('{t}'), body: hex('61 62 63') };
  const after = async (
    how: Parameters<Extract<Awaited<ReturnType<typeof placeFile>>, { change: unknown }>['change']>[0],
  ) => {
    const placed = await placeFile(ground, file, variables);
    if ('impossible' in placed) throw new Error(placed.impossible);
    await placed.change(how);
    return existsSync(placed.path) ? readFileSync(placed.path, 'latin1') : null;
  };
  t.equal(await after({ kind: 'append', bytes: hex('64') }), 'abcd');
  t.equal(await after({ kind: 'truncate', to: 1 }), 'a');
  t.equal(await after({ kind: 'rewrite', at: 1, bytes: hex('78') }), 'axc');
  t.equal(await after({ kind: 'replace', bytes: hex('78') }), 'x');
  t.equal(await after({ kind: 'remove' }), null);
});

t.test('what stands in a folder of the user is not touched', async (t) => {
  const shared = t.testdir({ tok: 'mine' });
  const file: LocalFile = { kind: 'file', size: hex(''), name: text('{t}'), body: hex('61') };
  t.match(await placeFile({ folder: shared, shared }, file, variables), { impossible: /stands there/ });
  t.equal(readFileSync(`${shared}/tok`, 'utf8'), 'mine');
});

// ---- the rows

t.test('every row announces the size of its file', async (t) => {
  for (const { id, exchange, twin } of CLIENT_CASES) {
    for (const file of [exchange.file, { ...exchange.file, ...twin?.file }]) {
      const size = bufferOf(file.size, variables);
      t.equal(size.length === 8 && size.readBigUInt64BE(), lengthOf(file.body, variables), id);
    }
  }
});

t.test('every clause for senders has a case', async (t) => {
  const header = ['3.1', '3.2', '3.3'];
  const clauses = Object.entries(CLAUSES).flatMap(([id, sentence]) =>
    sentence.startsWith('A sender') || header.includes(id) ? [id] : [],
  );
  t.equal(clauses.length, 24);
  const covered = new Set<string>(CLIENT_CASES.map(({ clause }) => clause));
  t.strictSame(
    clauses.filter((id) => !covered.has(id)),
    [],
  );
});
