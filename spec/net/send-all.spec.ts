import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Synchronous } from '../../lib/disk/call-policy.js';
import type { Sendable } from '../../lib/net/client.js';
import { sendAll, type SendAllOptions, type SendEvent } from '../../lib/net/send-all.js';
import type * as sendAllModule from '../../lib/net/send-all.js';
import { FileOpener } from '../../lib/sources/file-opener.js';
import { all, EXT4, frozen, OPEN, OPEN_DIRECT, recordedCalls, SEND } from '../sources/recorded-calls.js';
import { GO_AHEAD, pattern, scriptedServer, turns, type Peer } from './support.js';
import { until } from '../support/until.js';
import { ManualClock } from '../support/manual-clock.js';

async function storing(peer: Peer): Promise<void> {
  await peer.has(9);
  await peer.write(GO_AHEAD);
  await peer.ended;
  peer.fin();
}

t.test('sends each file on a connection of its own, and gives the results in the order of the files', async (t) => {
  const directory = t.testdir({});
  const path = join(directory, 'path');
  writeFileSync(path, pattern(10));
  const server = await scriptedServer(t, storing);
  const events: SendEvent[] = [];
  const results = await sendAll(
    [
      path,
      { file: path, name: 'another' },
      join(directory, 'missing'),
      { file: pattern(3), name: 'bytes' },
      pattern(3),
      {
        file: (async function* () {
          yield pattern(4);
        })(),
        name: 'stream',
        size: 4n,
      },
      { file: '', name: 'x' },
    ],
    { port: server.port, clock: new ManualClock(), onEvent: (event) => events.push(event) },
  );
  t.match(results, [
    { kind: 'confirmed', receipt: { name: 'path', size: 10n, attempts: 1 } },
    { kind: 'confirmed', receipt: { name: 'another', size: 10n } },
    { kind: 'failed', error: { code: 'SOURCE_INVALID' } },
    { kind: 'confirmed', receipt: { name: 'bytes', size: 3n } },
    { kind: 'failed', error: { code: 'OPTION_INVALID' } },
    { kind: 'confirmed', receipt: { name: 'stream', size: 4n } },
    { kind: 'failed', error: { code: 'SOURCE_INVALID' } },
  ]);
  t.equal(results.length, 7);
  t.equal(server.peers.length, 4);
  for (const [index, result] of results.entries()) {
    const mine = events.filter((event) => event.index === index);
    t.same(mine.at(-1), { index, ...result }, 'the last event is the result');
    if (result.kind === 'confirmed') {
      const { size } = result.receipt;
      t.same(
        mine.slice(0, -1),
        [0n, size].map((sent) => ({ kind: 'progress', index, sent, size })),
      );
    } else t.equal(mine.length, 1);
  }
});

t.test('never has more transfers under way than it may', async (t) => {
  const cases: [number | undefined, number, number][] = [
    [undefined, 12, 4],
    [1, 4, 1],
    [3, 12, 3],
    [32, 12, 12],
    [1.5, 3, 1],
    [Infinity, 5, 5],
  ];
  for (const [concurrency, files, most] of cases) {
    const expected = Math.min(most, files);
    const gates: (() => void)[] = [];
    const server = await scriptedServer(t, async (peer) => {
      // Nobody is served before as many are here as may come.
      await new Promise<void>((resolve) => gates.push(resolve));
      await storing(peer);
    });
    const controller = new AbortController();
    const sending = sendAll(
      Array.from({ length: files }, (_, index) => ({ file: pattern(index), name: `n${index}` })),
      {
        port: server.port,
        clock: new ManualClock(),
        signal: controller.signal,
        ...(concurrency === undefined ? {} : { concurrency }),
      },
    );
    let done = false;
    void sending.then(() => (done = true));
    await until(() => gates.length >= expected || done);
    await turns();
    t.equal(server.peers.length, expected, `${concurrency} of ${files}: as many as it may`);
    await until(() => {
      for (const open of gates.splice(0)) open();
      return done;
    });
    t.ok(server.mostOpen <= expected, `${server.mostOpen} at once`);
    const results = await sending;
    t.same(
      results.map((result) => (result.kind === 'confirmed' ? result.receipt.name : result.error)),
      Array.from({ length: files }, (_, index) => `n${index}`),
    );
  }
  t.same(await sendAll([]), []);
});

t.test('tells of retries, and goes on with the others after a failure', async (t) => {
  const server = await scriptedServer(t, async (peer, index) => {
    await peer.has(9);
    if (index === 0) peer.reset();
    else if (index === 2) peer.fin();
    else await storing(peer);
  });
  const clock = new ManualClock();
  const events: SendEvent[] = [];
  const results = await sendAll(
    ['a', 'b', 'c'].map((name) => ({ file: pattern(2), name })),
    {
      port: server.port,
      clock,
      concurrency: 1,
      retries: 1,
      onEvent: (event) => {
        events.push(event);
        if (event.kind === 'retrying') setImmediate(() => clock.advance(30_000));
      },
    },
  );
  t.match(results, [
    { kind: 'confirmed', receipt: { attempts: 2 } },
    { kind: 'failed', error: { code: 'REFUSED' } },
    { kind: 'confirmed' },
  ]);
  t.match(
    events.filter(({ kind }) => kind === 'retrying'),
    [{ index: 0, attempt: 1, error: { code: 'CONNECTION_RESET' } }],
  );
});

t.test('a signal ends all of them', async (t) => {
  const abort = new AbortController();
  const server = await scriptedServer(t, () => undefined);
  const sending = sendAll(
    Array.from({ length: 5 }, (_, index) => ({ file: pattern(2), name: `n${index}` })),
    { port: server.port, clock: new ManualClock(), concurrency: 2, signal: abort.signal },
  );
  await until(() => server.peers.length === 2);
  abort.abort();
  t.match(await sending, Array(5).fill({ kind: 'failed', error: { code: 'ABORTED' } }));
  t.equal(server.peers.length, 2, 'nobody else connects');
});

t.test('a callback that throws ends its transfer or is a warning, and never the others', async (t) => {
  const server = await scriptedServer(t, storing);
  const fault = new Error('the caller has a bug');
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const results = await sendAll(
    ['a', 'b', 'c'].map((name) => ({ file: pattern(2), name })),
    {
      port: server.port,
      clock: new ManualClock(),
      onEvent: (event) => {
        if (event.index === 0 || (event.index === 1 && event.kind === 'confirmed')) throw fault;
      },
    },
  );
  t.match(results, [
    { kind: 'failed', error: { code: 'INTERNAL', cause: fault } },
    { kind: 'confirmed' },
    { kind: 'confirmed' },
  ]);
  await turns();
  t.match(warnings, Array(2).fill({ code: 'INTERNAL', cause: fault }));
});

t.test('a signal takes any number of files at once, without a warning of Node', async (t) => {
  const server = await scriptedServer(t, async (peer) => {
    await until(() => server.peers.length === 20);
    await storing(peer);
  });
  const warnings: Error[] = [];
  const onWarning = (warning: Error): number => warnings.push(warning);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const files = Array.from({ length: 20 }, (_, index) => ({ file: pattern(3), name: `${index}` }));
  const { signal } = new AbortController();
  const results = await sendAll(files, { port: server.port, concurrency: 20, signal });
  t.equal(results.filter(({ kind }) => kind === 'confirmed').length, 20);
  await turns();
  t.strictSame(warnings, []);
});

t.test('the calls for many small files are made on this thread, unless that is turned off', async (t) => {
  const folder = t.testdir({});
  const files = Array.from({ length: 12 }, (_, index) => join(folder, `file ${index}`));
  for (const file of files) writeFileSync(file, pattern(100));
  const server = await scriptedServer(t, storing);
  const pooled = all('pool', ...OPEN, ...SEND);
  const direct = all('direct', ...OPEN_DIRECT, ...SEND);
  const table = [
    { count: 12, synchronous: undefined, looks: all('pool', 'stat', 'volumeType'), each: direct },
    { count: 12, synchronous: 'never', looks: [], each: pooled },
    // To look at the directory would only take time.
    { count: 1, synchronous: undefined, looks: [], each: pooled },
  ] as const;
  for (const { count, synchronous, looks, each } of table) {
    const calls = recordedCalls(EXT4);
    const Recording = class extends FileOpener {
      constructor(synchronous: Synchronous) {
        super(synchronous, calls.direct, calls.pool, frozen);
      }
    };
    const mocked = await t.mockImport<typeof sendAllModule>('../../lib/net/send-all.js', {
      '../../lib/sources/file-opener.js': { FileOpener: Recording },
    });
    const results = await mocked.sendAll(files.slice(0, count), { port: server.port, synchronous });
    t.ok(results.every(({ kind }) => kind === 'confirmed'));
    // Several at once: their calls come in any order.
    const expected = [...looks, ...Array.from({ length: count }, () => each).flat()];
    t.strictSame(calls.made.toSorted(), expected.toSorted(), `${count} files, ${synchronous}`);
  }
});

/** As a caller without types may give them. */
const untyped = (options: object): SendAllOptions => options;

t.test('a wrong option is a failure of each file: sendAll never rejects', async (t) => {
  for (const [options, message] of [
    [{ synchronous: 'always' }, /synchronous must be/],
    [{ concurrency: 0 }, /`concurrency` must be a number from 1 to Infinity, not 0$/],
    [{ concurrency: -5 }, /not -5$/],
    [{ concurrency: NaN }, /not NaN$/],
    [{ concurrency: 'x' }, /not x$/],
  ] as const) {
    const results = await sendAll(['x', 'y'], untyped(options));
    t.match(results, Array(2).fill({ kind: 'failed', error: { code: 'OPTION_INVALID', message } }), String(message));
  }
  t.same(await sendAll([], { concurrency: 0 }), []);
});

t.test('what is no file is a failure of its own', async (t) => {
  const files: Sendable[] = JSON.parse('[null, 7]');
  t.match(
    await sendAll(files),
    ['Null', 'Number'].map((actual) => ({ kind: 'failed', error: { code: 'OPTION_INVALID', actual } })),
  );
});
