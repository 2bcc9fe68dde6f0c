import cluster from 'node:cluster';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createNetServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { GoAheadError } from '../../lib/errors.js';
import { createServer } from '../../lib/net/create-server.js';
import type { IncomingUpload } from '../../lib/net/server-events.js';
import { ClusterServer, type ClusterParts, type ClusterServerOptions } from '../../lib/net/workers/cluster-server.js';
import { NODE_FILE_SYSTEM, type FileSystem } from '../../lib/storage/file-system.js';
import { MemoryStorage } from '../../lib/storage/memory-storage.js';
import { parseTemporaryName } from '../../lib/storage/temporary-name.js';
import { connectPeer, headerBytes, pattern, type Peer } from './support.js';
import { untilElsewhere } from '../support/until.js';
import { ManualClock } from '../support/manual-clock.js';

// The workers run what `npm run build` made, without tap's loader: it would take seconds in each of them.
const WORKER_FILE = fileURLToPath(new URL('../../dist/net/workers/worker.js', import.meta.url));
process.execArgv.length = 0;

interface Failure {
  readonly upload: IncomingUpload;
  readonly error: GoAheadError;
}

async function clusterRig(t: Test, options: Partial<ClusterServerOptions> = {}, parts: ClusterParts = {}) {
  const directory = t.testdir({});
  const server = new ClusterServer(
    { directory, workers: 2, sync: false, ...options },
    { workerFile: WORKER_FILE, ...parts },
  );
  t.teardown(() => server.close({ drain: 0 }));
  const [begun, stored, failed, errors]: [number[], IncomingUpload[], Failure[], GoAheadError[]] = [[], [], [], []];
  const told = new Set<string>();
  server.on('begun', ({ id, peer }) => {
    begun.push(id);
    told.add(peer);
  });
  server.on('stored', (upload) => stored.push(upload));
  server.on('failed', (upload, error) => failed.push({ upload, error }));
  server.on('error', (error) => errors.push(error));
  const { port } = await server.listen({ port: 0 });
  /** Which workers have temporary files, by process id. */
  const writing = (): number[] => readdirSync(directory).flatMap((name) => parseTemporaryName(name)?.pid ?? []);
  /** Announces a file; settles with the reply or the refusal. */
  const announce = async (size: number | bigint, name: string): Promise<Peer> => {
    const peer = await connectPeer(t, port);
    await peer.write(headerBytes(size, name));
    await peer.has(8);
    return peer;
  };
  /** Leaves an upload running on each of so many workers, and nothing else. */
  const occupy = async (workers: number): Promise<Map<number, Peer>> => {
    const byProcess = new Map<number, Peer>();
    const before = writing().length;
    while (byProcess.size < workers) {
      const names = new Set(readdirSync(directory));
      const peer = await announce(10, 'running');
      // The worker tells of it a moment after the reply; killed before, it never would.
      await untilElsewhere(() => told.has(`127.0.0.1:${peer.socket.localPort}`));
      const pid = parseTemporaryName(readdirSync(directory).find((name) => !names.has(name)) ?? '')?.pid ?? 0;
      // Who accepts is up to the kernel.
      if (byProcess.has(pid)) peer.reset();
      else byProcess.set(pid, peer);
    }
    await untilElsewhere(() => writing().length === before + workers);
    return byProcess;
  };
  return { server, port, directory, begun, stored, failed, errors, writing, announce, occupy };
}

/** The processes of all servers of this spec. */
function workerProcesses(): number[] {
  return Object.values(cluster.workers ?? {}).flatMap((worker) => worker?.process.pid ?? []);
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

t.test('two workers', async (t) => {
  const rig = await clusterRig(t);
  const { server, directory } = rig;
  t.match(server.address(), { address: '127.0.0.1', port: rig.port });
  t.equal(new Set(workerProcesses()).size, 2);

  await t.test('64 clients with one name: every file is there, under a name of its own', async (t) => {
    const progress: IncomingUpload[] = [];
    const listener = (upload: IncomingUpload): unknown => progress.push(upload);
    server.on('progress', listener);
    const bodies = Array.from({ length: 64 }, (_, index) => pattern(1_000 + index));
    await Promise.all(
      bodies.map(async (body) => {
        const peer = await rig.announce(body.length, 'same.bin');
        await peer.write(body);
        peer.fin();
        t.equal(await peer.ended, 'FIN');
      }),
    );
    await untilElsewhere(() => rig.stored.length === 64);
    server.off('progress', listener);
    const names = Array.from({ length: 64 }, (_, index) => (index === 0 ? 'same.bin' : `same (${index}).bin`));
    t.same(readdirSync(directory).sort(), names.sort());
    const lengths = names.map((name) => readFileSync(join(directory, name)));
    t.same(lengths.map(({ length }) => length).sort(), bodies.map(({ length }) => length).sort());
    t.ok(lengths.every((bytes) => bytes.equals(pattern(bytes.length))));
    t.same(
      [...rig.begun].sort((a, b) => a - b),
      Array.from({ length: 64 }, (_, index) => index + 1),
      'ids count from 1, and none comes twice',
    );
    t.same(new Set(rig.stored.map(({ id }) => id)), new Set(rig.begun));
    t.match(rig.stored[0], { name: 'same.bin', peer: /^127\.0\.0\.1:\d+$/, ms: Number });
    t.type(rig.stored[0]?.size, 'bigint');
    t.ok(progress.length >= 64 && progress.every(({ id, received }) => rig.begun.includes(id) && received > 0n));
    await untilElsewhere(() => server.connections === 0 && server.bufferedBytes === 0);
  });

  await t.test('a worker that is killed takes its own uploads with it, and nothing else', async (t) => {
    const running = await rig.occupy(2);
    t.ok(server.connections >= 2);
    const [[victim, lost], [, kept]] = [...running] as [[number, Peer], [number, Peer]];
    process.kill(victim, 'SIGKILL');
    t.match(await lost.ended, /FIN|RST/);
    t.equal(lost.receivedLength, 8, 'the reply, and no more');
    await untilElsewhere(() => rig.errors.length > 0);
    t.match(rig.errors[0], { code: 'WORKER_LOST', message: new RegExp(`${victim} was ended by SIGKILL`) });
    const failure = rig.failed.find(({ error }) => error.code === 'WORKER_LOST');
    t.match(failure, { upload: { name: 'running', received: 0n } });
    // Swept when the next one opens the directory.
    await untilElsewhere(() => !rig.writing().includes(victim));
    await untilElsewhere(() => workerProcesses().length === 2);
    t.notOk(existsSync(join(directory, 'running')));
    await kept.write(pattern(10));
    kept.fin();
    t.equal(await kept.ended, 'FIN');
    t.equal(readFileSync(join(directory, 'running')).length, 10);
    const both = await rig.occupy(2);
    t.notOk(both.has(victim));
    for (const peer of both.values()) peer.reset();
    await untilElsewhere(() => rig.writing().length === 0);
  });

  await t.test('drains, and resets when it is told to', async (t) => {
    const [drained, stuck] = [...(await rig.occupy(2)).values()];
    await untilElsewhere(() => server.connections >= 2);
    const closing = server.close();
    t.throws(() => server.address(), { code: 'LISTEN_FAILED' });
    const late = await connectPeer(t, rig.port).catch((error: unknown) => error);
    // In the queue of a listener that is closed, or refused by one that is about to be: the kernel resets either.
    if (!(late instanceof Error)) {
      await (late as Peer).ended;
      t.equal((late as Peer).receivedLength, 0, 'nobody new is served');
    }
    await drained?.write(pattern(10));
    drained?.fin();
    t.equal(await drained?.ended, 'FIN');
    t.equal(stuck?.ending, undefined);
    const pids = workerProcesses();
    t.equal(server.close({ drain: 0 }), closing);
    t.equal(await stuck?.ended, 'RST');
    await closing;
    t.same([rig.writing(), server.connections, pids.filter((pid) => !isGone(pid))], [[], 0, []]);
    t.equal(rig.stored.at(-1)?.name, 'running', 'all was told before it is closed');
    t.match(rig.failed.at(-1), { error: { code: 'ABORTED' } });
    await t.rejects(server.listen({ port: 0 }), { code: 'ABORTED' }, 'once closed it stays so');
  });
});

function withFree(bytes: bigint): FileSystem {
  const { pool } = NODE_FILE_SYSTEM;
  const statfs: typeof pool.statfs = async (path) => ({
    ...(await pool.statfs(path)),
    blocks: bytes,
    bavail: bytes,
    bsize: 1n,
  });
  return { ...NODE_FILE_SYSTEM, pool: { ...pool, statfs } };
}

t.test('space is promised once among the workers, and connections are counted once', async (t) => {
  const MiB = 2n ** 20n;
  // Room for 10 files. Blocks are lent as long as there is plenty, and recalled when there is not.
  const rig = await clusterRig(t, { maxConnections: 12 }, { fileSystem: withFree(1_000n * MiB) });
  for (const round of [1, 2]) {
    const peers = await Promise.all(Array.from({ length: 12 }, () => rig.announce(100n * MiB, 'big')));
    const accepted = peers.filter(({ receivedLength }) => receivedLength === 8);
    t.equal(accepted.length, 10, `round ${round}`);
    t.equal(rig.writing().length, 10);
    await untilElsewhere(() => rig.failed.filter(({ error }) => error.code === 'NO_SPACE').length === 2 * round);
    t.match(rig.failed.at(-1), { error: { side: 'local', expected: /at most \d/, message: /does not fit/ } });
    for (const peer of peers) peer.reset();
    await untilElsewhere(() => rig.server.connections === 0);
  }
  t.ok((await rig.announce(1_000n * MiB, 'all')).receivedLength, 'all of it is free again');
  const more = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const peer = await connectPeer(t, rig.port);
      await peer.write(headerBytes(0, 'empty'));
      return peer;
    }),
  );
  await Promise.all(more.map((peer) => peer.has(8)));
  const served = more.filter(({ receivedLength }) => receivedLength === 8);
  t.ok(served.length >= 11, 'at least as many as have room at once');
  for (const peer of more) peer.fin();
  await rig.server.close({ drain: 0 });

  const few = await clusterRig(t, { maxConnections: 5 });
  const peers = await Promise.all(Array.from({ length: 20 }, () => few.announce(10, 'x')));
  t.equal(peers.filter(({ receivedLength }) => receivedLength === 8).length, 5, 'exactly as many as are allowed');
  t.ok(peers.every(({ receivedLength, ending }) => receivedLength === 8 || ending === 'FIN'));
  await untilElsewhere(() => few.failed.length === 15);
  t.ok(
    few.failed.every(
      ({ error: { code, message } }) => code === 'TOO_MANY_CONNECTIONS' && message.includes('of 5 connections at'),
    ),
  );
  for (const peer of peers) peer.reset();
  await untilElsewhere(() => few.server.connections === 0);
  const again = await Promise.all(Array.from({ length: 5 }, () => few.announce(10, 'x')));
  t.ok(again.every(({ receivedLength }) => receivedLength === 8));
  // What a killed worker held is free again.
  const [victim = 0] = few.writing();
  process.kill(victim, 'SIGKILL');
  await untilElsewhere(() => few.errors.length > 0 && few.writing().every((pid) => pid !== victim));
  for (const peer of again) peer.reset();
  await untilElsewhere(() => few.server.connections === 0);
  const last = await Promise.all(Array.from({ length: 5 }, () => few.announce(10, 'x')));
  t.ok(last.every(({ receivedLength }) => receivedLength === 8));
});

t.test('replace and refuse hold among workers', async (t) => {
  for (const onConflict of ['replace', 'refuse'] as const) {
    const rig = await clusterRig(t, { onConflict });
    const running = await Promise.all(Array.from({ length: 16 }, (_, index) => rig.announce(index + 1, 'one')));
    for (const [index, peer] of running.entries()) await peer.write(pattern(index + 1));
    for (const peer of running) peer.fin();
    const endings = await Promise.all(running.map(({ ended }) => ended));
    const bytes = readFileSync(join(rig.directory, 'one'));
    t.ok(bytes.equals(pattern(bytes.length)), 'a whole file');
    t.equal(endings.filter((ending) => ending === 'FIN').length, onConflict === 'replace' ? 16 : 1);
    t.same(readdirSync(rig.directory), ['one']);
    await rig.server.close();
    t.equal(rig.failed.filter(({ error }) => error.code === 'NAME_TAKEN').length, onConflict === 'replace' ? 0 : 15);
  }
});

t.test('workers that die again and again', async (t) => {
  const clock = new ManualClock();
  const dying = join(t.testdir({ 'dying.mjs': 'process.exit(3)' }), 'dying.mjs');
  const never = new ClusterServer({ directory: t.testdirName, workers: 1 }, { workerFile: dying, clock });
  never.on('error', () => undefined);
  const listening = never.listen({ port: 0 });
  let settled = false;
  listening.catch(() => undefined).finally(() => (settled = true));
  await untilElsewhere(() => {
    clock.advance(10_000);
    return settled;
  });
  await t.rejects(listening, { code: 'WORKER_LOST', message: /died 6 times in a row: .* exited with 3/ });
  t.same(clock.asked, [0, 100, 200, 400, 800]);
  await never.close();

  // One that serves, and whose successors cannot.
  const once = join(t.testdirName, 'once.mjs');
  const flag = join(t.testdirName, 'flag');
  writeFileSync(
    once,
    `import fs from 'node:fs'; if (fs.existsSync(${JSON.stringify(flag)})) process.exit(4);
    await import(${JSON.stringify(WORKER_FILE)});`,
  );
  t.test('end the server', async (t) => {
    const rig = await clusterRig(t, { workers: 1 }, { workerFile: once, clock });
    let ended: GoAheadError | undefined;
    rig.server.on('ended', (error) => (ended = error));
    writeFileSync(flag, '');
    const [[victim]] = [...(await rig.occupy(1))] as [[number, Peer]];
    process.kill(victim, 'SIGKILL');
    await untilElsewhere(() => {
      clock.advance(1_000);
      return ended !== undefined;
    });
    t.match(ended, { code: 'WORKER_LOST', message: /exited with 4/ });
    t.equal(rig.errors.at(-1), ended);
    t.equal(rig.failed.length, 1);
    t.same(rig.writing(), [], 'what the last one left is swept all the same');
    t.throws(() => rig.server.address());
  });
});

t.test('listening', async (t) => {
  const directory = t.testdir({ file: '' });
  const cluster = (options: Partial<ClusterServerOptions> = {}): ClusterServer =>
    new ClusterServer({ directory, workers: 1, ...options }, { workerFile: WORKER_FILE });
  const taken = createNetServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const [one, two] = [cluster(), cluster()];
  t.throws(() => one.address(), { code: 'LISTEN_FAILED' });
  await t.rejects(one.listen({ port }), { code: 'LISTEN_FAILED', message: /the port is in use/ });
  await t.rejects(one.listen({ port: 70_000 }), { code: 'LISTEN_FAILED' });
  await t.rejects(one.listen({ port: 0, host: '' }), { code: 'OPTION_INVALID' });
  await Promise.all([one.listen({ port: 0 }), two.listen({ port: 0 })]);
  t.not(one.address().port, two.address().port, 'each has a port of its own');
  await t.rejects(two.listen(one.address()), { code: 'LISTEN_FAILED' }, 'it listens already');
  await t.rejects(cluster().listen({ port: one.address().port }), { code: 'LISTEN_FAILED', message: /in use/ });
  await Promise.all([one.close(), two.close()]);
  await t.rejects(cluster({ directory: join(directory, 'file') }).listen({ port: 0 }), { code: 'DIRECTORY_INVALID' });

  const early = cluster();
  const listening = early.listen({ port: 0 });
  await early.close();
  await t.rejects(listening, { code: 'ABORTED' });
  const abort = new AbortController();
  const aborted = cluster({ signal: abort.signal });
  await aborted.listen({ port: 0 });
  abort.abort();
  await aborted.close();
  await untilElsewhere(() => workerProcesses().length === 0);
  await t.rejects(cluster({ signal: abort.signal }).listen({ port: 0 }), { code: 'ABORTED' });
});

t.test('options', async (t) => {
  const storage = new MemoryStorage();
  const valid = { directory: '.', workers: 2 };
  t.type(createServer(valid), ClusterServer);
  for (const [options, option] of [
    [{ storage }, 'storage'],
    [{ clock: new ManualClock() }, 'clock'],
    [{ directory: undefined }, 'directory'],
    [{ workers: 0 }, 'workers'],
    [{ workers: 1.5 }, 'workers'],
    [{ workers: 2_000 }, 'workers'],
    [{ maxConnections: 0 }, 'maxConnections'],
    [{ maxConnections: 1.5 }, 'maxConnections'],
    [{ maxConnectionsPerAddress: 1.5 }, 'maxConnectionsPerAddress'],
    [{ drain: -1 }, 'drain'],
    [{ grace: NaN }, 'grace'],
    [{ suffix: '/' }, 'suffix'],
  ] as const) {
    // As callers without types would.
    const given = { ...valid };
    Object.assign(given, options);
    t.throws(() => createServer(given), { code: 'OPTION_INVALID', message: new RegExp(option) }, option);
  }
});

t.test("the program's own script is not run once more, and round-robin scheduling works too", async (t) => {
  const directory = t.testdir({});
  const index = new URL('../../dist/index.js', import.meta.url).href;
  const script = `
    import cluster from 'node:cluster';
    import { createServer, send } from ${JSON.stringify(index)};
    console.log('run');
    const server = createServer({ directory: ${JSON.stringify(directory)}, workers: 2, sync: false, synchronous: 'never' });
    let buffered = 0;
    server.on('progress', () => { buffered = Math.max(buffered, server.bufferedBytes); });
    const { port } = await server.listen({ port: 0 });
    await Promise.all(Array.from({ length: 8 }, () => send(Buffer.alloc(3e6, 'x'), { port, name: 'a' })));
    await server.close();
    console.log(cluster.schedulingPolicy === cluster.SCHED_RR, buffered > 0, cluster.settings.serialization);`;
  for (const policy of ['rr', 'none']) {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, NODE_CLUSTER_SCHED_POLICY: policy },
    });
    t.equal(stdout, `run\n${policy === 'rr'} true json\n`, policy);
    // Where another process accepts, the workers cannot have the kernel reset their connections, and say so.
    if (policy === 'rr') t.match(stderr, /KILL_UNGUARDED/);
    else t.equal(stderr, '');
  }
  t.equal(readdirSync(directory).length, 16);
});
