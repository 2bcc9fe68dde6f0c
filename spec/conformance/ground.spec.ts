/** What the engine stands on: files, processes, ports and sockets, each by itself. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hex, repeat, shareOfFreeSpace, text } from '../../lib/conformance/model/bytes.js';
import { ACCEPTED, type LocalFile, type Plant, type Step } from '../../lib/conformance/model/case.js';
import { Child, memoryOf } from '../../lib/conformance/target/child.js';
import { Directory } from '../../lib/conformance/target/directory.js';
import { entryAt, list, remember } from '../../lib/conformance/target/disk-entry.js';
import { lanes } from '../../lib/conformance/lanes.js';
import { Addresses, ClosedPort, freePort, Listener, portOf } from '../../lib/conformance/target/listener.js';
import { firstPossible, placeFile, whyImpossible, type Impossible } from '../../lib/conformance/target/local-file.js';
import { runExchange } from '../../lib/conformance/run-exchange.js';
import { Board, declaredMs, runScript, type ScriptContext } from '../../lib/conformance/exchange/script.js';
import { segmentsReceived } from '../../lib/conformance/target/segments.js';
import { ServerTarget } from '../../lib/conformance/target/server-target.js';
import { startWatch, type Watched } from '../../lib/conformance/judge/watch.js';
import { Wire, WireLog } from '../../lib/conformance/exchange/wire.js';
import { listen } from './support/null-servers.mjs';

const LINUX = process.platform === 'linux';
const TOKEN = 'abcd12340001';
const variables = { t: TOKEN, i: 0 };
const path = (...names: string[]): Buffer => Buffer.from(join(...names));

// ---- the disk

t.test('what a run leaves is told from what was there', async (t) => {
  const folder = t.testdir({ 'mine.txt': '', [`${TOKEN}a`]: 'left', 'stranger.txt': '' });
  const directory = Directory.existing(folder);
  rmSync(join(folder, 'stranger.txt'));
  await directory.begin();
  const residue = async (): Promise<string[]> => (await directory.residue(TOKEN.slice(0, 8))).map((one) => one.path);
  t.strictSame(await residue(), [], 'it was there before');
  writeFileSync(join(folder, 'stranger.txt'), '');
  writeFileSync(join(folder, `${TOKEN}b`), '');
  t.strictSame(await residue(), ['stranger.txt'], 'what has a mark belongs to a case');
  await directory.tidy(TOKEN, [], [], [], true);
  t.strictSame((await residue()).sort(), [`${TOKEN}b`, 'stranger.txt'], 'unless that case is over');
  await directory.clean(TOKEN.slice(0, 8));
  await directory.remove();
  t.strictSame(readdirSync(folder).sort(), ['mine.txt', 'stranger.txt'], 'a directory of the user stays');
});

t.test(
  'what others put into a directory of the user while a case runs alone is not removed with what the case left',
  async (t) => {
    const files = { [`${TOKEN}a`]: 'left', ' ': 'left', 'another-run': 'theirs' };
    const parent = t.testdir({ mine: files });
    const left = Object.keys(files).map((path) => ({ path, kind: 'file' as const, size: 4 }));
    const mine = join(parent, 'mine');
    await Directory.existing(mine).tidy(TOKEN, left, [], [Buffer.from(' ')], false);
    t.strictSame(readdirSync(mine), ['another-run']);

    const sandbox = await Directory.sandbox(parent);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(sandbox.path, name), content);
    await sandbox.tidy(TOKEN, left, [], [], false);
    t.strictSame(readdirSync(sandbox.path), [], 'nobody else uses one of ours');
  },
);

t.test('a server that stores below its directory leaves nothing of the run there', async (t) => {
  const folder = t.testdir({
    'mine.txt': '',
    [`${TOKEN}a`]: 'abc',
    [`${TOKEN}b.temp`]: 'de',
    deep: { [`${TOKEN}c`]: '', 'mine.txt': '', 2: { 3: { [`x ${TOKEN}d`]: '', 4: { [`${TOKEN}e`]: '' } } } },
  });
  const outside = join(folder, 'deep', '2', '3', '4');
  symlinkSync(outside, join(folder, 'elsewhere'));
  const directory = Directory.existing(folder);
  t.equal(directory.stored(TOKEN), 5);
  t.equal(directory.stored('another'), 0);
  await directory.clean(TOKEN.slice(0, 8));
  t.strictSame(readdirSync(folder).sort(), ['deep', 'elsewhere', 'mine.txt']);
  t.strictSame(readdirSync(join(folder, 'deep')).sort(), ['2', 'mine.txt']);
  t.strictSame(readdirSync(join(folder, 'deep', '2', '3')), ['4']);
  t.strictSame(readdirSync(outside), [`${TOKEN}e`], 'deeper than a look goes, and behind a link');
});

t.test('what stands outside, and far away', async (t) => {
  const parent = t.testdir({ inbox: {}, [`${TOKEN}x`]: 'x', 'other.txt': '', cwd: { [`a ${TOKEN}`]: 'far' } });
  const directory = Directory.existing(join(parent, 'inbox'));
  t.strictSame(
    (await directory.outside(TOKEN)).map((one) => one.path),
    [`../${TOKEN}x`],
  );
  t.strictSame(await directory.outside(null), []);
  const far = await directory.elsewhere(TOKEN, join(parent, 'cwd'));
  t.match(far, [{ kind: 'file', size: 3 }]);
  t.strictSame(readdirSync(join(parent, 'cwd')), [], 'it is removed');
  t.strictSame(await directory.elsewhere(TOKEN, null), []);

  const sandbox = await Directory.sandbox(parent);
  t.teardown(() => sandbox.remove());
  writeFileSync(join(sandbox.beside, `${TOKEN}y`), '');
  writeFileSync(join(sandbox.beside, `${TOKEN.slice(0, 8)}0002`), '');
  const beside = (token: string | null): Promise<string[]> =>
    sandbox.outside(token).then((all) => all.map((one) => one.path.replace('../', '')));
  t.strictSame(
    (await beside(TOKEN)).sort(),
    ['outside.txt', 'sibling', `sibling/${TOKEN}y`, 'sibling/canary.txt'].sort(),
  );
  t.equal((await beside(null)).length, 5, 'without a token those of all cases');
});

t.test('what was planted, and what has become of it', async (t) => {
  const folder = t.testdir({});
  const directory = Directory.existing(folder);
  const at = (name: string): string => join(folder, name);
  const put = (name: string, bytes: string) => () => writeFileSync(at(name), bytes);
  const again = (name: string, how: () => void) => () => {
    rmSync(at(name), { recursive: true });
    how();
  };
  const table: [Plant, (() => void) | null, RegExp | null][] = [
    [{ kind: 'file', at: 'f', bytes: text('a') }, null, null],
    [
      { kind: 'file', at: 'f', bytes: text('a'), mode: 0o600 },
      put('f', 'b'),
      /^f has other bytes than before \(1 now\)$/,
    ],
    [{ kind: 'file', at: 'f', bytes: text('a') }, () => rmSync(at('f')), /^f stood there before and is gone$/],
    [{ kind: 'file', at: 'f', bytes: text('a'), mayChange: true }, put('f', 'b'), null],
    [{ kind: 'directory', at: 'd' }, null, null],
    [{ kind: 'directory', at: 'd' }, again('d', put('d', 'x')), /^d was a directory and is now a file$/],
    [{ kind: 'symlink', at: 'l', to: '{t}{suffix}{beside}' }, null, null],
    [{ kind: 'symlink', at: 'l', to: '{tmp}' }, again('l', () => symlinkSync('no', at('l'))), /^l points elsewhere$/],
    [{ kind: 'nothing', at: 'n{suffix}' }, null, null],
    [{ kind: 'nothing', at: 'n' }, put('n', 'xy'), /^n appeared \(file, 2 bytes\)$/],
  ];
  for (const [plant, change, problem] of table) {
    await directory.plant([plant], variables);
    change?.();
    const found = await directory.unchanged([plant], variables);
    if (problem === null) t.equal(found, null, plant.kind);
    else t.match(found, problem, plant.kind);
    for (const name of readdirSync(folder)) rmSync(at(name), { recursive: true });
  }
  await directory.plant(
    [
      { kind: 'file', at: 'f', bytes: text('a') },
      { kind: 'hard link', at: 'h', to: 'f' },
    ],
    variables,
  );
  t.equal(readFileSync(at('h'), 'utf8'), 'a');
});

t.test('what is not there, or cannot be looked at', async (t) => {
  const folder = t.testdir({ file: 'a' });
  t.strictSame(list(path(folder, 'none')), []);
  t.equal(await entryAt(path(folder, 'none'), 'none'), null);
  const stat = await import('node:fs').then((fs) => fs.lstatSync(join(folder, 'file'), { bigint: true }));
  t.equal(await entryAt(path(folder, 'none'), 'gone since', stat), null);
});

t.test('what is hashed once', async (t) => {
  // Not changed just now, and one of them is read in pieces.
  for (const name of ['../../package.json', '../../package-lock.json']) {
    const file = Buffer.from(new URL(name, import.meta.url).pathname);
    const expected = createHash('sha256').update(readFileSync(file)).digest('hex');
    for (const look of ['first', 'second']) t.equal((await entryAt(file, name))?.sha256, expected, look);
  }
  const fresh = path(t.testdir({ file: 'a' }), 'file');
  const first = await entryAt(fresh, 'file');
  writeFileSync(fresh, 'b');
  t.not((await entryAt(fresh, 'file'))?.sha256, first?.sha256);
  const known = new Map<string, number>();
  for (const key of ['a', 'b', 'c']) remember(known, key, 1, 2);
  t.strictSame([...known.keys()], ['c']);
});

// ---- the files of clients

const FILE: LocalFile = { kind: 'file', size: hex(''), name: text('{t}'), body: text('a') };

/** As on a system without the programs that Node needs for what it cannot do itself. */
async function withoutPrograms<T>(work: () => Promise<T>): Promise<T> {
  const { PATH } = process.env;
  process.env['PATH'] = '';
  try {
    return await work();
  } finally {
    process.env['PATH'] = PATH;
  }
}

t.test('why a file cannot be made', async (t) => {
  const table: [string, string | null][] = [
    ['EEXIST', 'needs another --cwd: "a\\"b" stands there'],
    ['EFBIG', 'needs a file system for files of 7 bytes (EFBIG)'],
    ['EINVAL', 'needs a file system for files of 7 bytes (EINVAL)'],
    ['EILSEQ', 'needs a file system for names that are not UTF-8'],
    ['EIO', null],
  ];
  for (const [code, why] of table) t.equal(whyImpossible(code, 'a"b', 7n), why);

  const folder = t.testdir({});
  const ground = { folder, shared: null };
  await t.rejects(placeFile(ground, { ...FILE, name: repeat('61', 300) }, variables), { code: 'ENAMETOOLONG' });
  const without = (file: Partial<LocalFile>): Promise<unknown> =>
    withoutPrograms(() => placeFile(ground, { ...FILE, ...file }, variables));
  t.strictSame(await without({ kind: 'fifo' }), { impossible: 'needs mkfifo' });
  t.match(await without({ kind: 'unreadable' }), { impossible: /^needs another user than root, or setpriv/ });
  t.match(await without({ kind: 'sparse', body: repeat('00', 2n ** 60n) }), { impossible: /, and truncate\(1\)$/ });
  t.strictSame(readdirSync(folder), [], 'nothing is left');
});

t.test('the first place where a file can be made', async (t) => {
  const no = (impossible: string) => (): Promise<Impossible> => Promise.resolve({ impossible });
  const yes = (): Promise<{ made: true }> => Promise.resolve({ made: true });
  t.strictSame(await firstPossible(yes, no('b')), { made: true });
  t.strictSame(await firstPossible<{ made: true }>(no('a'), no('b'), yes), { made: true });
  t.strictSame(await firstPossible(no('a'), no('b')), { impossible: 'a' });
});

t.test('a FIFO, and what only others may read', { skip: !LINUX && 'needs mkfifo and setpriv' }, async (t) => {
  const ground = { folder: t.testdir({}), shared: null };
  for (const kind of ['fifo', 'unreadable'] as const) {
    const placed = await placeFile(ground, { ...FILE, kind }, variables);
    if ('impossible' in placed) throw new Error(placed.impossible);
    t.ok(existsSync(placed.path), kind);
    await placed.remove();
  }
});

// ---- ports and processes

t.test('a port that is taken, and one on which nobody listens', async (t) => {
  const listener = await Listener.open({ host: '127.0.0.1', port: 0 });
  t.teardown(() => listener.close());
  await t.rejects(Listener.open({ host: '127.0.0.1', port: listener.port }), { code: 'LISTEN_FAILED' });
  for (const port of [0, await freePort('127.0.0.1')]) {
    const closed = await ClosedPort.open({ host: '127.0.0.1', port });
    const code = await new Promise((resolve) => connect(closed.port, '127.0.0.1').on('error', resolve));
    t.match(code, { code: 'ECONNREFUSED' });
    if (port !== 0) t.equal(closed.port, port);
    await closed.close();
  }
  for (const address of ['/a/pipe', null, {}])
    t.throws(() => portOf({ address: () => address }), { message: 'no TCP port' });
});

t.test('a free port is none that is taken, nor one that an outgoing connection may be given', async (t) => {
  const listener = await Listener.open({ host: '127.0.0.1', port: await freePort('127.0.0.1') });
  t.teardown(() => listener.close());
  t.ok(listener.port < 32_768, String(listener.port));
  const other = await freePort('127.0.0.1');
  const picks = [listener.port, other];
  t.equal(await freePort('127.0.0.1', () => picks.shift() ?? 0), other);
  await t.rejects(
    freePort('127.0.0.1', () => listener.port),
    { code: 'LISTEN_FAILED' },
  );
});

t.test('connections after the first are counted and reset', async (t) => {
  const listener = await Listener.open({ host: '127.0.0.1', port: 0 });
  let further = 0;
  listener.onFurther = () => (further += 1);
  const ended = (socket: Socket): Promise<string> =>
    new Promise((resolve) =>
      socket.on('error', (error) => resolve(error.message)).on('close', () => resolve('closed')),
    );
  const first = connect(listener.port, '127.0.0.1');
  const taken = await listener.connection();
  t.match(await ended(connect(listener.port, '127.0.0.1')), /ECONNRESET|closed/);
  t.strictSame([further, listener.further], [1, 1]);
  for (const socket of [first, taken]) socket?.destroy();
  await listener.close();

  const lonely = await Listener.open({ host: '127.0.0.1', port: 0 });
  lonely.stopWaiting();
  t.equal(await lonely.connection(), null);
  await lonely.close();
});

t.test('addresses of any port are not lent', async (t) => {
  const addresses = new Addresses(undefined, true);
  const address = await addresses.take();
  t.strictSame(address, { host: '127.0.0.1', port: 0 });
  addresses.giveBack(address);
});

t.test('memory, as proc(5) tells it', async (t) => {
  const status = 'Name:\tx\nVmRSS:\t    3 kB\nVmData:\t   12 kB\n';
  t.strictSame(memoryOf(status), { resident: 3072, reserved: 12_288 });
  t.strictSame(memoryOf('Name:\tx\nState:\tZ (zombie)\n'), { resident: 0, reserved: 0 });
});

t.test('a program that cannot be started has no files and no memory', async (t) => {
  const child = new Child(['/no/such/program'], null);
  t.equal(await child.descriptors(), null);
  t.equal(await child.memory(), null);
  child.signal('SIGTERM');
  t.match(await child.exited(), { failedToStart: /ENOENT/, killed: false });
  child.kill();
});

t.test('a program is ended, with its group or by itself', { skip: !LINUX && 'needs sleep' }, async (t) => {
  const sleep = ['sleep', '60'];
  const group = new Child(sleep, null);
  t.type(await group.descriptors(), 'number');
  const memory = await group.memory();
  t.ok(memory && memory.resident > 0 && memory.reserved >= 0);
  group.signal('SIGTERM');
  t.match(await group.exited(), { signal: 'SIGTERM' });
  t.equal(await group.descriptors(), null);

  const single = new Child(sleep, null);
  // As on Windows, which has no process groups.
  const kill = t.capture(process, 'kill', () => {
    throw new Error('no groups');
  });
  single.signal('SIGTERM');
  t.equal(kill.args().length, 1);
  kill.restore();
  t.match(await single.exited(), { signal: 'SIGTERM' });

  const late = new Child(sleep, null, 'closed');
  t.match(await late.ended(1), { killed: true, signal: 'SIGKILL' });
});

t.test('what a program leaves behind ends with it', { skip: !LINUX && 'needs sh' }, async (t) => {
  // It holds the pipe, so it is known to be gone when that is closed; else its end would be told a second late.
  const child = new Child(['sh', '-c', 'sleep 60 & echo $! >&2'], null);
  const { code, stderr } = await child.exited();
  t.equal(code, 0);
  const state = async (): Promise<string | undefined> =>
    (await readFile(`/proc/${stderr.trim()}/stat`, 'latin1').catch(() => ') X')).split(') ')[1]?.[0];
  let last = await state();
  // Its files are closed a moment before it is dead.
  for (let looks = 0; looks < 1000 && !/[XZ]/.test(last ?? ''); looks += 1) last = await state();
  t.match(last, /[XZ]/, 'gone, or dead and not yet buried');
});

t.test('what a program says is UTF-8, and its end counts', async (t) => {
  const said = async (text: string): Promise<string> => {
    const child = new Child([process.execPath, '-e', `process.stderr.write(${text})`], null);
    return (await child.exited()).stderr;
  };
  t.equal(await said(`Buffer.from('Fehler: ungültig 日本')`), 'Fehler: ungültig 日本');
  t.equal(await said(`Buffer.from([0x61, 0xff, 0x62])`), 'a\ufffdb');
  t.equal(await said(`'x' + '日'.repeat(1000)`), '日'.repeat(666), '2,000 bytes, from the first whole character on');
  t.equal(await said(`Buffer.alloc(3000, 0x80)`), '\ufffd'.repeat(2000), 'no text at all');
});

t.test('what still runs when the suite ends is killed', { skip: !LINUX && 'needs sleep' }, async (t) => {
  const child = new Child(['sleep', '60'], null);
  const guard = process.listeners('exit').filter((listener) => String(listener).includes('SIGKILL'));
  t.equal(guard.length, 1, 'one for all of them');
  for (const listener of guard) listener(0);
  t.match(await child.exited(), { signal: 'SIGKILL' });
});

t.test('a server that is not ours', async (t) => {
  const target = await ServerTarget.open({ host: '127.0.0.1', port: null, exec: null, cwd: null, dir: null });
  t.equal(target.port, 12_000);
  t.strictSame(
    [await target.descriptors(), await target.memory(), target.exit, target.restartable],
    [null, null, null, false],
  );
  await target.restart();
  await target.stop();
  t.equal(target.exit, null);
  t.equal(target.whyUnreachable('ETIMEDOUT'), '127.0.0.1:12000 cannot be connected to: ETIMEDOUT');
});

t.test('a connection that was made while the suite itself stalled', async (t) => {
  const server = await listen((socket) => socket.resume());
  t.teardown(server.close);
  const target = await ServerTarget.open({ host: '127.0.0.1', port: server.port, exec: null, cwd: null, dir: null });
  const patience = 5;
  const connecting = target.connect(new WireLog(), patience);
  const end = performance.now() + 10 * patience;
  process.nextTick(() => {
    while (performance.now() < end);
  });
  const wire = await connecting;
  t.ok(wire instanceof Wire, 'is a connection, though the time for it was over before it was looked at');
  if (wire instanceof Wire) wire.dispose();
});

t.test('a server that does not end when it is asked to', { skip: !LINUX && 'needs sh' }, async (t) => {
  const exec = `sh -c 'trap "" TERM; echo here >&2; while :; do sleep 60; done' {port}`;
  const target = await ServerTarget.open({ host: '127.0.0.1', port: null, exec, cwd: null, dir: null });
  t.match(target.whyUnreachable('ECONNREFUSED'), /runs, but nothing listened/);
  t.type(await target.descriptors(), 'number');
  await target.stop();
  t.match(target.exit, { signal: /SIG(KILL|TERM)/ });
});

t.test('a program that holds no segments to count', async (t) => {
  const server = await listen((socket) => socket.resume());
  t.teardown(server.close);
  const socket = connect(server.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  t.equal(await withoutPrograms(() => segmentsReceived(socket)), null);
  t.intercept(process, 'platform', { value: 'plan9' });
  t.equal(await segmentsReceived(socket), null);
});

t.test('no lane goes on when the run is ended', async (t) => {
  const abort = new AbortController();
  const begun: number[] = [];
  await lanes([1, 2, 3, 4], { busy: 2, all: 2, signal: abort.signal }, async (one) => {
    begun.push(one);
    await Promise.resolve();
    abort.abort();
  });
  t.strictSame(begun, [1, 2]);
});

// ---- connections

function wireOf(): { socket: Socket; wire: Wire } {
  const socket = new Socket();
  return { socket, wire: new Wire(socket, new WireLog()) };
}

t.test('how a connection ended, by what the system says', async (t) => {
  const table: [NodeJS.ErrnoException, string][] = [
    [Object.assign(new Error('x'), { code: 'EPIPE' }), 'fin'],
    [Object.assign(new Error('x'), { code: 'ECONNRESET' }), 'rst'],
    [new Error('odd'), 'rst'],
  ];
  for (const [error, ending] of table) {
    const { socket, wire } = wireOf();
    socket.emit('error', error);
    t.equal(wire.ending, ending);
    t.match(wire.log.entries, [{ event: 'received RST', note: error.code ?? 'odd' }]);
    socket.emit('error', Object.assign(new Error('x'), { code: 'EPIPE' }));
    t.equal(wire.ending, ending, 'the first one counts');
    // Nothing is left to be done to it.
    wire.finish();
    wire.reset();
    wire.close();
    wire.dispose();
    t.equal(await wire.send(Buffer.from('a'), 5), false);
    t.equal(wire.log.entries.length, 2);
  }
});

t.test('what we have ended ourselves is left alone', async (t) => {
  for (const end of ['reset', 'close'] as const) {
    const { wire } = wireOf();
    wire[end]();
    wire.finish();
    wire.reset();
    wire.close();
    t.equal(await wire.send(Buffer.from('a'), 5), false);
    t.strictSame(
      wire.log.entries.map(({ event }) => event),
      [end === 'reset' ? 'sent RST' : 'closed'],
    );
  }
});

t.test('a peer that takes no more bytes', async (t) => {
  class Full extends Socket {
    override _write(): void {
      // It never tells that there is room again.
    }
  }
  const wire = new Wire(new Full(), new WireLog());
  t.equal(await wire.send(Buffer.from('a'), 1), false);
  t.match(wire.log.entries, [{ event: 'sent' }, { event: 'time-out', note: /takes no more bytes/ }]);
  wire.dispose();
});

const TIMES = { roundTrip: 0, turnaround: 0, gap: 1, quiet: 5, patience: 1000, cap: 2000 };

function contextOf(change: Partial<ScriptContext> = {}): ScriptContext {
  const file = { size: hex('00 00 00 00 00 00 00 02'), name: text('{t}'), body: text('ab') };
  const clientStep = (): Promise<boolean> => Promise.resolve(true);
  return {
    label: 'c',
    file,
    variables,
    times: TIMES,
    declared: {},
    board: new Board(),
    headers: [],
    clientStep,
    ...change,
  };
}

async function played(
  t: Test,
  behaviour: (socket: Socket) => void,
  steps: readonly Step[],
  change: Partial<ScriptContext> = {},
) {
  const server = await listen(behaviour);
  t.teardown(server.close);
  const target = await ServerTarget.open({ host: '127.0.0.1', port: server.port, exec: null, cwd: null, dir: null });
  const wire = await target.connect(new WireLog(), 1000);
  if ('error' in wire) throw new Error(wire.error);
  t.teardown(() => wire.dispose());
  return runScript(wire, steps, contextOf(change));
}

t.test('steps that few cases have', async (t) => {
  const ends = (socket: Socket): unknown => socket.resume().end();
  t.match(await played(t, ends, [{ do: 'ended', after: 'idleTimeout' }], { declared: { idleTimeout: 5 } }), {
    ending: 'fin',
    stoppedAt: null,
  });
  t.match(await played(t, ends, [{ do: 'reset' }, { do: 'body' }]), { stoppedAt: 'body', endedEarly: true });
  const pace = { of: 'headerTimeout', share: 0.1 } as const;
  t.match(await played(t, ends, [{ do: 'header', pace }, { do: 'close' }]), { endedByUs: true });
  t.match(await played(t, ends, [{ do: 'meet' }, { do: 'look' }]), { stoppedAt: null, seenEarly: null });
  const look = (seen: string | null) => (): Promise<string | null> => Promise.resolve(seen);
  t.match(await played(t, ends, [{ do: 'look' }], { look: look('a file') }), {
    stoppedAt: 'look',
    seenEarly: 'a file',
  });
  t.match(await played(t, ends, [{ do: 'look' }], { look: look(null) }), { stoppedAt: null });
  t.match(await played(t, (socket) => socket.write('abcd'), [{ do: 'take', to: 2 }]), {
    receivedLength: 4,
    stoppedAt: null,
  });
  t.match(await played(t, (socket) => socket.write('a'), [{ do: 'request' }], { times: { ...TIMES, patience: 5 } }), {
    stoppedAt: 'request',
  });
  t.match(await played(t, (socket) => socket.write('a'.repeat(12)), [{ do: 'request' }, { do: 'pause', ms: 1 }]), {
    receivedLength: 12,
    stoppedAt: null,
  });
  t.equal(declaredMs({ declared: { sendTimeout: 7 } }, 'sendTimeout'), 7);
  t.equal(declaredMs({ declared: {} }, 'sendTimeout'), 0);
  t.equal(declaredMs({ declared: {} }, undefined), 0);
});

// ---- what is watched

function watched(change: Partial<Watched> & { readings?: readonly (number | null)[] }): Watched {
  const left = [...(change.readings ?? [])];
  const next = (): number | null => (left.length > 1 ? (left.shift() ?? null) : (left[0] ?? null));
  const target: Watched['target'] = {
    descriptors: () => Promise.resolve(next()),
    memory: () =>
      Promise.resolve(next()).then((bytes) => (bytes === null ? null : { resident: bytes, reserved: bytes })),
  };
  return { target, directory: null, times: { patience: 1000 }, ...change };
}

t.test('what a case watches', async (t) => {
  const MIB = 2 ** 20;
  const left = [{ path: 'a', kind: 'file', size: 1 }] as const;
  const residues = (...all: (readonly (typeof left)[number][])[]): Watched['directory'] => ({
    residue: () => Promise.resolve((all.length > 1 ? all.shift() : all[0]) ?? []),
  });
  const impatient = { times: { patience: -1 } };
  const table: [Parameters<typeof startWatch>[0], Watched, boolean | null, RegExp][] = [
    ['descriptors', watched({ readings: [9, 9] }), true, /^9$/],
    ['descriptors', watched({ readings: [9, 10, 8] }), true, /^8$/],
    ['descriptors', watched({ readings: [9, 10], ...impatient }), false, /^10$/],
    ['descriptors', watched({ readings: [null, 10] }), null, /does not tell/],
    ['descriptors', watched({ readings: [9, null] }), null, /does not tell/],
    ['resident memory', watched({ readings: [MIB, 3 * MIB] }), true, /^2 MiB$/],
    ['resident memory', watched({ readings: [MIB, 65 * MIB] }), false, /^64 MiB$/],
    ['resident memory', watched({ readings: [null] }), null, /does not tell/],
    ['reserved memory', watched({ readings: [MIB, null] }), true, /^0 MiB$/],
    ['residue', watched({}), null, /no directory/],
    ['residue', watched({ directory: residues([]) }), true, /^nothing$/],
    ['residue', watched({ directory: residues(left, []) }), true, /^nothing$/],
    ['residue', watched({ directory: residues(left), ...impatient }), false, /^1: a \(file, 1 byte\)$/],
  ];
  for (const [what, ground, ok, actual] of table) {
    const over = await startWatch(what, ground, TOKEN);
    await new Promise((resolve) => setImmediate(resolve));
    const [axis] = await over();
    t.equal(axis?.ok, ok, `${what}: ${String(axis?.actual)}`);
    t.match(axis?.actual, actual);
  }
});

// ---- an exchange

t.test('what is seen under the final name while the upload goes on', async (t) => {
  const folder = t.testdir({});
  const server = await listen((socket) => {
    socket.once('data', () => {
      const [how, name] = queue.shift() ?? ['', ''];
      if (how === 'write') writeFileSync(join(folder, name), 'early');
      if (how === 'remove') rmSync(join(folder, name));
      if (how === 'folder') mkdirSync(join(folder, name));
      socket.end();
    });
  });
  const queue: [string, string][] = [];
  t.teardown(server.close);
  const target = await ServerTarget.open({ host: '127.0.0.1', port: server.port, exec: null, cwd: null, dir: null });
  const directory = Directory.existing(folder);
  const ground = {
    target,
    directory,
    times: { ...TIMES, patience: 50 },
    declared: {},
    suffix: '',
    naming: 'kept',
  } as const;
  const file = { size: shareOfFreeSpace(0), name: text('{t}'), body: text('ab') };
  // A step that is for clients does nothing to a server.
  const steps: readonly Step[] = [{ do: 'header' }, { do: 'still running' }, { do: 'ended' }, { do: 'look' }];
  const seen = async (how: string, plant: readonly Plant[]): Promise<unknown> => {
    queue.push([how, TOKEN]);
    const { judged } = await runExchange(ground, [{ file, steps, expect: [ACCEPTED] }], TOKEN, { alone: false, plant });
    return judged[0]?.run.observed.seenEarly;
  };
  const there: readonly Plant[] = [{ kind: 'file', at: '{t}', bytes: text('old') }];
  t.equal(await seen('', []), null);
  t.equal(await seen('', there), null, 'what stood there');
  t.equal(await seen('write', []), `${TOKEN} (file, 5 bytes)`);
  t.equal(await seen('write', there), `${TOKEN} (file, 5 bytes)`);
  t.equal(await seen('remove', there), 'what stood there is gone');
  t.equal(await seen('folder', []), `${TOKEN} (directory, ${(await entryAt(path(folder), 'x'))?.size ?? 0} bytes)`);
  t.strictSame(readdirSync(folder), [], 'it is tidied up');
});
