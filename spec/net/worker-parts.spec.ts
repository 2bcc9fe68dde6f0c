import type { Cluster, ClusterSettings, Worker } from 'node:cluster';
import { EventEmitter, getEventListeners, once } from 'node:events';
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { freePort } from '../../lib/conformance/target/listener.js';
import { GoAheadError } from '../../lib/errors.js';
import type { IncomingUpload } from '../../lib/net/server-events.js';
import { ClusterServer, type ClusterParts, type ClusterServerOptions } from '../../lib/net/workers/cluster-server.js';
import { forkWorker, workerArguments } from '../../lib/net/workers/fork-worker.js';
import { Lease, type Denial } from '../../lib/net/workers/lease.js';
import { LeasedSpace } from '../../lib/net/workers/leased.js';
import { Ledger, RECALL_MS, SlotPool } from '../../lib/net/workers/ledger.js';
import { fromPlainError, toPlainError, type ToPrimary, type ToWorker } from '../../lib/net/workers/messages.js';
import { Reports } from '../../lib/net/workers/reports.js';
import { MOST_DEATHS, RestartPolicy, STABLE_MS } from '../../lib/net/workers/restart-policy.js';
import { ServingWorker, type WorkerChannel } from '../../lib/net/workers/serving-worker.js';
import { Disk } from '../../lib/storage/disk.js';
import { NODE_FILE_SYSTEM } from '../../lib/storage/file-system.js';
import type { SpacePromise } from '../../lib/storage/free-space.js';
import { run } from '../../lib/storage/task.js';
import { connectPeer, headerBytes, turns } from './support.js';
import { until } from '../support/until.js';
import { ManualClock, quiescence } from '../support/manual-clock.js';

/** A worker process that is none: it keeps to the messages, and the spec decides the rest. */
class FakeWorker extends EventEmitter {
  readonly process: { pid: number | undefined } = { pid: 1 };
  readonly heard: ToWorker[] = [];
  connected = true;

  isConnected(): boolean {
    return this.connected;
  }

  send(message: ToWorker): void {
    this.heard.push(message);
    this.emit('heard', message);
  }

  say(message: ToPrimary): void {
    this.emit('message', message);
  }

  end(code: number | null, signal: string | null = null): void {
    this.connected = false;
    this.emit('exit', code, signal);
    this.emit('disconnect');
  }

  /** Does what it is told, and ends when asked. */
  obey(): this {
    setImmediate(() => this.say({ type: 'ready' }));
    return this.on('heard', ({ type }: ToWorker) => {
      if (type === 'start') this.say({ type: 'listening' });
      else if (type === 'close') this.end(0);
    });
  }
}

/** A server whose workers are these. */
function fakeCluster(t: Test, parts: ClusterParts & { next: () => FakeWorker }, options: object = {}) {
  const workers: FakeWorker[] = [];
  const { next, ...others } = parts;
  const fork = (): Worker => {
    const worker = next();
    workers.push(worker);
    return worker as unknown as Worker;
  };
  const given: ClusterServerOptions = { directory: t.testdir({}), workers: 1, ...options };
  const server = new ClusterServer(given, { fork, ...others });
  return { server, workers };
}

function startFailed(code: 'LISTEN_FAILED' | 'DIRECTORY_INVALID'): ToPrimary {
  return { type: 'start failed', error: toPlainError(new GoAheadError(code, 'it cannot')) };
}

const UPLOAD: IncomingUpload = { id: 1, peer: '127.0.0.1:1', name: 'x', size: 1n, received: 0n, ms: 1 };

t.test('a worker that cannot listen', async (t) => {
  const failing = (): FakeWorker => {
    const worker = new FakeWorker().obey();
    worker.prependListener('heard', ({ type }: ToWorker) => {
      if (type === 'start') worker.removeAllListeners('heard').on('heard', () => worker.end(1));
      if (type === 'start') worker.say(startFailed('LISTEN_FAILED'));
    });
    return worker;
  };
  let failures = 2;
  const lucky = fakeCluster(t, { next: () => (failures-- > 0 ? failing() : new FakeWorker().obey()) });
  await lucky.server.listen({ port: 0 });
  t.equal(lucky.workers.length, 3, 'another free port is tried when somebody was quicker');
  const ports = lucky.workers.flatMap(({ heard }) =>
    heard.flatMap((message) => ('port' in message ? message.port : [])),
  );
  t.equal(lucky.server.address().port, ports.at(-1));
  await lucky.server.close();

  const unlucky = fakeCluster(t, { next: failing });
  await t.rejects(unlucky.server.listen({ port: 0 }), { code: 'LISTEN_FAILED', message: 'it cannot' });
  t.equal(unlucky.workers.length, 5, 'but not without end');

  const [port = 0] = ports;
  const fixed = fakeCluster(t, { next: failing });
  await t.rejects(fixed.server.listen({ port }), { code: 'LISTEN_FAILED' });
  t.equal(fixed.workers.length, 1, 'a port that was asked for is the only one');
});

t.test('what cannot start leaves nothing behind', async (t) => {
  const abort = new AbortController();
  const { signal } = abort;
  const missing = fakeCluster(t, { next: () => new FakeWorker() }, { directory: '/no/such/directory', signal });
  await t.rejects(missing.server.listen({ port: 0 }), { code: 'DIRECTORY_INVALID' });
  t.equal(getEventListeners(signal, 'abort').length, 0);
  t.equal(missing.workers.length, 0);

  const worker = new FakeWorker();
  const failing = fakeCluster(t, { next: () => worker }, { signal });
  worker.on('heard', ({ type }: ToWorker) => {
    if (type === 'close') worker.end(1);
  });
  const listening = failing.server.listen({ port: 0 });
  await until(() => failing.workers.length === 1);
  worker.say(startFailed('DIRECTORY_INVALID'));
  await t.rejects(listening, { code: 'DIRECTORY_INVALID', message: 'it cannot' });
  t.equal(getEventListeners(signal, 'abort').length, 0);
});

t.test('a process that is not there', async (t) => {
  const clock = new ManualClock();
  const next = (): FakeWorker => {
    const worker = new FakeWorker();
    worker.process.pid = undefined;
    setImmediate(() => worker.emit('error', new Error('spawn EAGAIN')));
    return worker;
  };
  const { server } = fakeCluster(t, { next, clock });
  const errors: GoAheadError[] = [];
  server.on('error', (error) => errors.push(error));
  const listening = server.listen({ port: 0 });
  let over = false;
  void listening.catch(() => undefined).finally(() => (over = true));
  await until(() => {
    clock.advance(10_000);
    return over;
  });
  await t.rejects(listening, { code: 'WORKER_LOST', message: /6 times in a row: the worker process spawn EAGAIN/ });
  t.match(errors[0], { message: 'the worker process spawn EAGAIN' });

  const known = new FakeWorker();
  const other = fakeCluster(t, { next: () => known.obey() });
  await other.server.listen({ port: 0 });
  known.emit('error', new Error('EPIPE'));
  await turns(3);
  t.equal(other.workers.length, 1, 'an error of a process that runs is not its end');
  await other.server.close();
});

t.test('closing while workers start', async (t) => {
  const worker = new FakeWorker();
  const { server } = fakeCluster(t, { next: () => worker });
  const listening = t.rejects(server.listen({ port: 0 }), { code: 'ABORTED' });
  await until(() => worker.listenerCount('message') > 0);
  worker.connected = false;
  const closing = server.close();
  t.same(worker.heard, [], 'nothing is said to a process that does not hear');
  worker.connected = true;
  worker.say({ type: 'ready' });
  t.same(worker.heard, [{ type: 'close', drain: 0 }], 'but at once when it does');
  worker.end(0);
  await closing;
  await listening;
});

t.test('closing with a time that is none', async (t) => {
  const worker = new FakeWorker();
  const { server } = fakeCluster(t, { next: () => worker.obey() });
  const { port } = await server.listen({ port: 0 });
  for (const drain of [-1, NaN, Infinity, 2 ** 31]) {
    await t.rejects(server.close({ drain }), { code: 'OPTION_INVALID', message: /`drain`/ }, `${drain}`);
  }
  t.equal(server.address().port, port, 'it serves on');
  t.notOk(worker.heard.some(({ type }) => type === 'close'));
  await server.close();
});

t.test('what workers say', async (t) => {
  const worker = new FakeWorker();
  const { pool } = NODE_FILE_SYSTEM;
  // A directory that is removed the moment after it was opened.
  const fileSystem = { ...NODE_FILE_SYSTEM, pool: { ...pool, lstat: async () => undefined } };
  const { server } = fakeCluster(t, { next: () => worker.obey(), fileSystem });
  await server.listen({ port: 0 });
  server.on('begun', () => {
    throw new Error('a listener of the user');
  });
  const warned = once(process, 'warning') as Promise<[Error]>;
  worker.say({ type: 'report', events: [{ kind: 'begun', upload: UPLOAD }], connections: 3, bufferedBytes: 7 });
  t.match((await warned)[0], { code: 'INTERNAL', message: /a listener of the user/ }, 'nobody listens to errors');
  t.same([server.connections, server.bufferedBytes], [3, 7]);
  const errors: GoAheadError[] = [];
  server.on('error', (error) => errors.push(error));
  const told = toPlainError(new GoAheadError('INTERNAL', 'in the worker'));
  worker.say({ type: 'report', events: [{ kind: 'error', error: told }], connections: 0, bufferedBytes: 0 });
  t.match(errors, [{ message: 'in the worker' }]);
  worker.say({ type: 'lease', resource: 'connections', need: 1n, held: 0n, granted: 0n });
  await until(() => worker.heard.some(({ type }) => type === 'granted'));
  worker.say({ type: 'held', resource: 'connections', held: 0n, granted: 1n, recalled: false });
  worker.end(null, 'SIGKILL');
  t.match(errors.at(-1), { code: 'WORKER_LOST', message: 'the worker process 1 was ended by SIGKILL' });
  await server[Symbol.asyncDispose]();
  t.throws(() => server.address(), { code: 'LISTEN_FAILED' });
});

t.test('a cluster of the program itself', async (t) => {
  const worker: unknown = { isPrimary: false };
  t.throws(() => forkWorker('worker.js', worker as Cluster), { code: 'OPTION_INVALID', message: /itself a worker/ });

  const { argv } = process;
  t.teardown(() => (process.argv = argv));
  for (const [script, args] of [
    [[], []],
    [['program.js', '--flag'], ['--flag']],
  ] as const) {
    process.argv = ['node', ...script];
    const setups: ClusterSettings[] = [];
    const fresh: unknown = {
      isPrimary: true,
      settings: {},
      setupPrimary: (settings: ClusterSettings) => setups.push(settings),
      fork: () => 'forked',
    };
    t.equal(forkWorker('worker.js', fresh as Cluster), 'forked');
    t.match(setups, [
      { exec: 'worker.js', serialization: 'advanced' },
      { args, serialization: 'json' },
    ]);
    t.equal(setups[1]?.exec, script[0], 'and as it was before');
  }
});

/** The worker's side, in this process. */
class FakeChannel extends EventEmitter implements WorkerChannel {
  readonly said: ToPrimary[] = [];
  connected = true;
  exitedAfterDisconnect = false;
  /** What the primary says of a question; without it, whoever asks gets it at once. */
  answer = (message: ToWorker): void => this.tell(message);

  isConnected(): boolean {
    return this.connected;
  }

  send(message: ToPrimary, sent: () => void): void {
    this.said.push(message);
    // Space and connections for whoever asks.
    if (message.type === 'lease') this.answer({ type: 'granted', resource: message.resource, amount: message.need });
    setImmediate(sent);
  }

  tell(message: ToWorker): void {
    this.emit('message', message);
  }

  kinds(): string[] {
    return this.said.flatMap((message) => (message.type === 'report' ? message.events.map(({ kind }) => kind) : []));
  }
}

function servingWorker(t: Test, progress = false) {
  const directory = t.testdir({});
  const channel = new FakeChannel();
  const exits: number[] = [];
  new ServingWorker(channel, (code) => exits.push(code));
  const tellStart = (port: number): void =>
    channel.tell({ type: 'start', options: { directory, sync: false }, host: '127.0.0.1', port, progress });
  const start = async (port: number): Promise<void> => {
    tellStart(port);
    await until(() => channel.said.some(({ type }) => type === 'listening' || type === 'start failed'));
  };
  return { directory, channel, exits, tellStart, start };
}

t.test('in the worker', async (t) => {
  const { directory, channel, exits, start } = servingWorker(t);
  t.same(channel.said, [{ type: 'ready' }], 'it speaks first');
  channel.tell({ type: 'progress', wanted: false });
  const port = await freePort('127.0.0.1');
  await start(port);
  channel.tell({ type: 'progress', wanted: true });
  channel.tell({ type: 'progress', wanted: true });
  const peer = await connectPeer(t, port);
  await peer.write(headerBytes(3, 'a'));
  await peer.has(8);
  await peer.write('abc');
  peer.fin();
  t.equal(await peer.ended, 'FIN');
  await until(() => channel.kinds().includes('stored'));
  t.ok(channel.kinds().includes('progress'), 'progress is told when somebody listens');
  channel.tell({ type: 'progress', wanted: false });
  const refused = await connectPeer(t, port);
  await refused.write(headerBytes(3, '..'));
  t.equal(await refused.ended, 'FIN');
  await until(() => channel.kinds().includes('failed'));
  t.same(readdirSync(directory), ['a']);

  for (const resource of ['space', 'connections'] as const) channel.tell({ type: 'recall', resource });
  t.match(channel.said.slice(-2), [
    { type: 'held', resource: 'space', held: 0n, recalled: true },
    { type: 'held', resource: 'connections', recalled: true },
  ]);
  const denial = toPlainError(new GoAheadError('NO_SPACE', 'none'));
  channel.tell({ type: 'denied', resource: 'space', error: denial });
  channel.tell({ type: 'denied', resource: 'connections', error: undefined });
  t.same(exits, [], 'an answer that nobody waits for is nothing');

  channel.tell({ type: 'close', drain: 1_000 });
  channel.tell({ type: 'close', drain: 0 });
  await until(() => exits.length > 0);
  await turns();
  t.same(exits, [0], 'it ends once');
});

t.test('a worker tells of a connection whose slot comes later', async (t) => {
  const { channel, exits, start } = servingWorker(t);
  const port = await freePort('127.0.0.1');
  await start(port);
  const answers: ToWorker[] = [];
  channel.answer = (message) => answers.push(message);
  await connectPeer(t, port);
  await until(() => answers.length === 1);
  await turns();
  for (const answer of answers) channel.tell(answer);
  await turns();
  t.match(channel.said.at(-1), { type: 'report', connections: 1 });
  channel.tell({ type: 'close', drain: 0 });
  await until(() => exits.length > 0);
});

t.test('the entry of a worker leaves signals to the primary', async (t) => {
  const built: [channel: unknown, exit: (code: number) => void][] = [];
  function Recorded(...parts: (typeof built)[number]): void {
    built.push(parts);
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const before = new Set<unknown>(signals.flatMap((signal) => process.listeners(signal)));
  const channel = new FakeChannel();
  for (const worker of [channel, undefined]) {
    await t.mockImport('../../lib/net/workers/worker.js', {
      'node:cluster': { default: { worker } },
      '../../lib/net/workers/serving-worker.js': { ServingWorker: Recorded },
    });
  }
  t.same(
    built.map(([given]) => given),
    [channel],
    'only in a worker',
  );
  for (const signal of signals) {
    const added = process.listeners(signal).filter((listener) => !before.has(listener));
    t.equal(added.length, 2, `${signal} is heard by each`);
    for (const listener of added) {
      listener(signal);
      process.off(signal, listener);
    }
  }
  const exits = t.capture(process, 'exit', () => undefined as never);
  built[0]?.[1](7);
  t.match(exits(), [{ args: [7] }]);
});

t.test('a worker whose primary is gone resets, removes and ends', async (t) => {
  const { directory, channel, exits, start } = servingWorker(t, true);
  const port = await freePort('127.0.0.1');
  await start(port);
  const peer = await connectPeer(t, port);
  await peer.write(headerBytes(3, 'a'));
  await peer.has(8);
  channel.connected = false;
  channel.emit('disconnect');
  t.equal(channel.exitedAfterDisconnect, true, 'so that node:cluster does not end it first');
  t.equal(await peer.ended, 'RST');
  await until(() => exits.length > 0);
  t.same([exits, readdirSync(directory)], [[0], []]);
});

t.test('a worker that cannot start says why, unless it is to leave anyway', async (t) => {
  const { channel, exits, start } = servingWorker(t);
  await start(70_000);
  t.match(channel.said.at(-1), { type: 'start failed', error: { code: 'LISTEN_FAILED' } });
  await until(() => exits.length > 0);
  t.same(exits, [1]);

  const early = servingWorker(t);
  early.channel.tell({ type: 'close', drain: 0 });
  await until(() => early.exits.length > 0);
  t.same(early.exits, [0], 'before it was told to serve');

  const leaving = servingWorker(t);
  leaving.tellStart(70_000);
  leaving.channel.tell({ type: 'close', drain: 0 });
  await until(() => leaving.exits.length > 0);
  await turns();
  t.same(leaving.exits, [0]);
});

t.test('arguments of a worker', async (t) => {
  for (const [given, kept] of [
    [[], []],
    [['-e', 'code'], []],
    [['--eval=code', '--enable-source-maps'], ['--enable-source-maps']],
    [['--input-type=module', '-p', 'code'], []],
    [
      ['--import=./a.js', '--require', './b.cjs', '--test', '--watch'],
      ['--import=./a.js', '--require', './b.cjs'],
    ],
    [['--max-old-space-size=100'], ['--max-old-space-size=100']],
    [['--watch-path', './lib', '--conditions=x=y'], ['--conditions=x=y']],
  ]) {
    t.same(workerArguments(given ?? []), kept);
  }
});

t.test('when to replace', async (t) => {
  const policy = new RestartPolicy();
  const waits = Array.from({ length: MOST_DEATHS + 1 }, () => policy.died(0));
  t.same(waits, [0, 100, 200, 400, 800, undefined]);
  const well = new RestartPolicy();
  for (let death = 0; death < 100; death++) t.equal(well.died(STABLE_MS), 0);
  t.equal(well.died(STABLE_MS - 1), 100);
});

t.test('errors as data', async (t) => {
  const cause = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  const error = new GoAheadError('STORAGE_FAILED', 'no', { clause: '1.2', expected: 'a', actual: 'b', cause });
  const back = fromPlainError(structuredClone(toPlainError(error)));
  t.type(back, GoAheadError);
  t.match(back, {
    code: error.code,
    side: error.side,
    clause: error.clause,
    expected: error.expected,
    actual: error.actual,
    mayBeStored: error.mayBeStored,
    message: 'no',
    stack: error.stack ?? '',
    cause: { message: 'EIO: i/o error', code: 'EIO' },
  });
  t.equal(
    fromPlainError(toPlainError(new GoAheadError('ABORTED', 'x', { cause: 'why' }))).cause instanceof Error,
    true,
  );
  t.equal('cause' in fromPlainError(toPlainError(new GoAheadError('ABORTED', 'x'))), false);
  const { cause: plain } = fromPlainError(toPlainError(new GoAheadError('INTERNAL', 'x', { cause: new Error('why') })));
  t.match(plain, new Error('why'));
  t.equal('code' in Object(plain), false, 'no code is made up');
});

t.test('leases: never more than there is, and nobody is refused what is idle elsewhere', async () => {
  const total = 20;
  const step = fc.record({ worker: fc.nat(2), amount: fc.integer({ min: 1, max: 12 }), give: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, crash) => {
      // Each direction of each channel keeps its order, and takes its time.
      const channel = (): ((deliver: () => void) => void) => {
        const queue: (() => void)[] = [];
        return (deliver) => {
          queue.push(deliver);
          setImmediate(() => queue.shift()?.());
        };
      };
      const [down, up] = [
        [channel(), channel(), channel()],
        [channel(), channel(), channel()],
      ];
      const gone = new Set<number>();
      const ledger = new Ledger<number>(new SlotPool(total, 1), {
        granted: (worker, amount) => down[worker]?.(() => leases[worker]?.granted(amount)),
        denied: (worker, error) => down[worker]?.(() => leases[worker]?.denied({ error })),
        recall: (worker) => down[worker]?.(() => leases[worker]?.recall()),
      });
      const used = [0, 0, 0];
      const sum = (): number => used.reduce((a, b) => a + b, 0);
      const leases = used.map((_, worker) => {
        ledger.open(worker);
        return new Lease(
          {
            ask: (need, held) =>
              up[worker]?.(() => {
                ledger.held(worker, held, false);
                ledger.ask(worker, need);
              }),
            returned: (held, recalled) => up[worker]?.(() => ledger.held(worker, held, recalled)),
          },
          4n,
        );
      });
      const pending: Promise<void>[] = [];
      let most = 0;
      for (const { worker, amount, give } of steps) {
        const lease = leases[worker];
        if (lease === undefined || gone.has(worker)) continue;
        if (give) {
          lease.give(BigInt(used[worker] ?? 0));
          used[worker] = 0;
          continue;
        }
        const answer = Promise.resolve(lease.take(BigInt(amount)));
        pending.push(
          answer.then((denial) => {
            if (denial === undefined) used[worker] = (used[worker] ?? 0) + amount;
            most = Math.max(most, sum());
          }),
        );
        if (amount % 3 === 0) await turns(3);
      }
      await Promise.all(pending);
      if (most > total) throw new Error(`${most} of ${total} in use`);
      for (const [worker, lease] of leases.entries()) {
        lease.give(BigInt(used[worker] ?? 0));
        used[worker] = 0;
      }
      if (crash) ledger.close(1);
      // All of it can be had by one, however much is idle at the others.
      if ((await leases[0]?.take(BigInt(total))) !== undefined) throw new Error('refused, though all is idle');
    }),
    { numRuns: 60 },
  );
});

t.test('a lease alone', async (t) => {
  const told: string[] = [];
  const lease = new Lease(
    {
      ask: (need, { held, granted }) => told.push(`ask ${need}, held ${held} of ${granted}`),
      returned: ({ held, granted }, recalled) => told.push(`held ${held} of ${granted}${recalled ? ', recalled' : ''}`),
    },
    10n,
  );
  const answers: (Denial | undefined)[] = [];
  const take = (amount: bigint): unknown => Promise.resolve(lease.take(amount)).then((answer) => answers.push(answer));
  void take(4n);
  void take(3n);
  t.same(told, ['ask 4, held 0 of 0'], 'one question at a time');
  lease.give(0n);
  lease.granted(20n);
  await turns(1);
  t.same(answers, [undefined, undefined]);
  lease.spend(2n);
  lease.give(2n);
  t.same(told.at(-1), 'held 13 of 20', 'what is idle above the most goes back; what is spent is gone for good');
  lease.recall();
  t.same(told.at(-1), 'held 3 of 20, recalled');
  lease.denied({ error: undefined });
  t.same(answers.length, 2, 'nobody waits');
  void take(1n);
  const error = new GoAheadError('ABORTED', 'the end');
  lease.end({ error });
  void take(1n);
  await turns(1);
  t.same(answers.slice(2), [{ error }, { error }], 'neither who waits nor who comes later waits for ever');
});

t.test('one report for all that changes in a turn', async (t) => {
  let sent = 0;
  const reports = new Reports(() => Promise.resolve(void (sent += 1)));
  reports.changed();
  reports.changed();
  await reports.flush();
  await turns(1);
  t.equal(sent, 1);
});

t.test('space that the primary denies, or grants', async (t) => {
  const disk = new Disk(NODE_FILE_SYSTEM, 0n, 'never', () => 0);
  const said: string[] = [];
  const account = (answer: (lease: Lease) => void): LeasedSpace => {
    const lease: Lease = new Lease(
      {
        ask: (need) => {
          said.push(`ask ${need}`);
          setImmediate(() => answer(lease));
        },
        returned: ({ held }) => said.push(`held ${held}`),
      },
      0n,
    );
    return new LeasedSpace(lease);
  };
  const promise = async (space: LeasedSpace): Promise<SpacePromise> => run(space.promise(disk, '.', 10n));
  const error = new GoAheadError('STORAGE_FAILED', 'no answer of the disk');
  await t.rejects(promise(account((lease) => lease.denied({ error }))), { code: 'STORAGE_FAILED' });
  await t.rejects(promise(account((lease) => lease.denied({ error: undefined }))), { code: 'NO_SPACE' });
  const granted = await promise(account((lease) => lease.granted(10n)));
  granted.wrote(4);
  granted.wrote(7);
  granted.release();
  t.same(said, ['ask 10', 'ask 10', 'ask 10'], 'all of it was written, so nothing goes back');
  const kept = await promise(account((lease) => lease.granted(10n)));
  kept.wrote(4);
  kept.release();
  t.same(said.slice(3), ['ask 10', 'held 0'], 'what is written is spent, and the rest goes back');
});

t.test('a ledger whose holder goes while it asks', async (t) => {
  const pool = new SlotPool(10, 1);
  const granted: [string, bigint][] = [];
  const ledger = new Ledger<string>(pool, {
    granted: (holder, amount) => granted.push([holder, amount]),
    denied: () => t.fail('there is enough'),
    recall: () => t.fail('there is enough'),
  });
  ledger.open('gone');
  ledger.ask('gone', 10n);
  ledger.close('gone');
  ledger.close('gone');
  ledger.open('other');
  ledger.ask('other', 10n);
  await until(() => granted.length > 0);
  t.same(granted, [['other', 10n]], 'what it would have got is free again');
});

/** A ledger of two connections, with what it says. `answer` is what a holder does that is asked to give back. */
function toldLedger(answer: (ledger: Ledger<string>, holder: string) => void = () => undefined) {
  const said: string[] = [];
  const clock = new ManualClock();
  const ledger = new Ledger<string>(
    new SlotPool(2, 1),
    {
      granted: (holder, amount) => said.push(`${holder} got ${amount}`),
      denied: (holder) => said.push(`${holder} denied`),
      recall(holder) {
        said.push(`recall ${holder}`);
        answer(ledger, holder);
      },
    },
    clock,
  );
  return { ledger, said, clock };
}

t.test('a ledger recalls only from those who hold something: who has still to start never answers', async (t) => {
  const { ledger, said, clock } = toldLedger((ledger, holder) => ledger.held(holder, { held: 2n, granted: 2n }, true));
  for (const holder of ['starting', 'full', 'asking']) ledger.open(holder);
  ledger.ask('full', 2n);
  ledger.ask('asking', 1n);
  await until(() => said.length === 3);
  t.same(said, ['full got 2', 'recall full', 'asking denied']);
  t.equal(clock.armed(), 0, 'and no timer is left');
});

t.test(
  'a worker that does not answer a recall stops nobody for longer than its time, and keeps what it has',
  async (t) => {
    const { ledger, said, clock } = toldLedger();
    ledger.open('hanging');
    ledger.open('asking');
    ledger.ask('hanging', 2n);
    ledger.ask('asking', 1n);
    await until(() => said.length === 2);
    clock.advance(RECALL_MS - 1);
    await quiescence();
    t.same(said, ['hanging got 2', 'recall hanging']);
    clock.advance(1);
    await until(() => said.length === 3);
    t.equal(said[2], 'asking denied');
    // Its answer comes after all.
    ledger.held('hanging', { held: 1n, granted: 2n }, true);
    ledger.ask('asking', 1n);
    await until(() => said.length === 4);
    t.equal(said[3], 'asking got 1');
  },
);

t.test('a figure from before a grant takes nothing of it back: the worker hung', async (t) => {
  const { ledger, said, clock } = toldLedger((ledger, holder) => {
    if (holder === 'other') ledger.held('other', { held: 0n, granted: 1n }, true);
  });
  ledger.open('hanging');
  ledger.open('other');
  for (const holder of ['hanging', 'other', 'hanging']) ledger.ask(holder, 1n);
  await until(() => said.length === 4);
  clock.advance(RECALL_MS);
  await until(() => said.length === 5);
  t.strictSame(said.splice(0), ['hanging got 1', 'other got 1', 'recall hanging', 'recall other', 'hanging got 1']);
  // It goes on, and reads the recall before the grant.
  ledger.held('hanging', { held: 1n, granted: 1n }, true);
  ledger.ask('other', 1n);
  await until(() => said.length === 1);
  ledger.held('hanging', { held: 2n, granted: 2n }, true);
  await until(() => said.length === 2);
  t.strictSame(said, ['recall hanging', 'other denied'], 'both are in use');
});
