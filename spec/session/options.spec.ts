import { once } from 'node:events';
import { connect, createServer as createNetServer, type AddressInfo, type Socket } from 'node:net';
import t from 'tap';
import { createServer } from '../../lib/net/create-server.js';
import { send } from '../../lib/net/client.js';
import { systemClock } from '../../lib/net/system-clock.js';
import { receiveOptions, RECEIVE_DEFAULTS, sendSessionOptions, SEND_DEFAULTS } from '../../lib/session/options.js';
import { chain, isLater, settle } from '../../lib/maybe-promise.js';
import { MemoryStorage } from '../../lib/storage/memory-storage.js';

const TIMES = ['settle', 'grace', 'headerDeadline', 'bodyDeadline'] as const;
const SEND_TIMES = ['replyTimeout', 'sendTimeout', 'confirmTimeout', 'pause'] as const;
const NO_TIME = [-1, NaN, Infinity, 2 ** 31];

t.test('an option that is undefined has its default', async (t) => {
  for (const option of [...TIMES, 'maxSize', 'maxPendingBytes', 'settleAlways']) {
    t.strictSame(receiveOptions({ [option]: undefined }), RECEIVE_DEFAULTS, option);
  }
  for (const option of SEND_TIMES) t.strictSame(sendSessionOptions({ [option]: undefined }), SEND_DEFAULTS, option);
});

t.test('a value out of its range is refused where it is given', async (t) => {
  const refused = { name: 'GoAheadError', code: 'OPTION_INVALID', side: 'local' };
  const storage = new MemoryStorage();
  for (const value of NO_TIME) {
    for (const option of TIMES)
      t.throws(() => createServer({ storage, [option]: value }), refused, `${option} ${value}`);
    for (const option of [...SEND_TIMES, 'connectTimeout', 'retryDelay']) {
      await t.rejects(send('x', { port: 1, [option]: value }), refused, `${option} ${value}`);
    }
  }
  for (const [option, values] of Object.entries({
    maxPendingBytes: [0, NaN],
    maxSize: [-1n, 5],
    maxConnections: [0, NaN, 1.5, Infinity],
    maxConnectionsPerAddress: [0, NaN, 1.5, Infinity],
    drain: [-1, 2 ** 31],
  })) {
    for (const value of values)
      t.throws(() => createServer({ storage, [option]: value }), refused, `${option} ${value}`);
  }
  t.ok(createServer({ storage, maxConnections: Number.MAX_SAFE_INTEGER }));
  // As callers without types would.
  for (const given of [[], [{ directory: '.', onConflict: 'foo' }]]) {
    t.throws(() => void Reflect.apply(createServer, undefined, given), refused, JSON.stringify(given));
  }
  await t.rejects(send('x', { port: 1, retries: -1 }), refused);
  t.strictSame(receiveOptions({ settle: 0, bodyDeadline: 2 ** 31 - 1 }).bodyDeadline, 2 ** 31 - 1);
});

t.test('a thenable of any make is waited for', async (t) => {
  const order: string[] = [];
  const foreign = {
    then: (done: (value: number) => void) => setImmediate(() => done(7)),
  } as unknown as Promise<number>;
  t.equal(isLater(foreign), true);
  for (const value of [undefined, null, 7, 'then', {}, { then: 7 }])
    t.equal(isLater(value), false, JSON.stringify(value));
  await new Promise<void>((resolve) => {
    settle(
      () => foreign,
      (value) => {
        order.push(`done ${value}`);
        resolve();
      },
      () => order.push('failed'),
    );
    order.push('returned');
  });
  t.strictSame(order, ['returned', 'done 7']);
  t.equal(
    chain(7, (value) => value + 1),
    8,
  );
});

t.test('the clock lets what has arrived speak before a deadline', async (t) => {
  const listener = createNetServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const near = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(listener, 'connection')) as [Socket];
  const order: string[] = [];
  const both = new Promise<void>((resolve) => {
    const tell = (what: string): void => {
      if (order.push(what) === 2) resolve();
    };
    far.on('data', () => tell('bytes'));
    // In one turn of the loop: the bytes are in the kernel and the deadline has passed when it goes on.
    setImmediate(() => {
      near.write('x');
      systemClock.schedule(1, () => tell('deadline'));
      const cancelled = systemClock.schedule(1, () => tell('cancelled'));
      const busy = performance.now() + 20;
      while (performance.now() < busy);
      cancelled.cancel();
    });
  });
  await both;
  t.strictSame(order, ['bytes', 'deadline']);
  near.destroy();
  listener.close();
});

t.test('what arrives after a stall moves a deadline that has passed meanwhile', async (t) => {
  const listener = createNetServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const near = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(listener, 'connection')) as [Socket];
  const [ms, order]: [number, string[]] = [20, []];
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      near.write('x');
      let moved = Infinity;
      const refreshed = systemClock.schedule(ms, () => {
        order.push(systemClock.now() - moved >= ms - 1 ? 'the full time later' : 'too early');
        resolve();
      });
      const cancelled = systemClock.schedule(ms, () => order.push('cancelled'));
      far.on('data', () => {
        order.push('bytes');
        moved = systemClock.now();
        refreshed.refresh();
        cancelled.cancel();
        cancelled.refresh();
      });
      const busy = performance.now() + 2 * ms;
      while (performance.now() < busy);
    });
  });
  t.strictSame(order, ['bytes', 'the full time later']);
  near.destroy();
  listener.close();
});

t.test('a timer that was cancelled stays so', async (t) => {
  const timer = systemClock.schedule(0, () => t.fail('it was cancelled'));
  timer.cancel();
  timer.refresh();
  await new Promise<void>((resolve) => void systemClock.schedule(2, resolve));
});

t.test('a timer that has passed does nothing more', async (t) => {
  let expired = 0;
  const timer = systemClock.schedule(0, () => (expired += 1));
  await new Promise<void>((resolve) => void systemClock.schedule(2, resolve));
  timer.refresh();
  timer.cancel();
  await new Promise<void>((resolve) => void systemClock.schedule(2, resolve));
  t.equal(expired, 1);
});

t.test('a refreshed timer starts again', async (t) => {
  // Timers begin at the time that the event loop read last, in whole milliseconds.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise<void>((resolve) => {
    const start = systemClock.now();
    const timer = systemClock.schedule(20, () => {
      t.ok(systemClock.now() - start >= 19);
      resolve();
    });
    timer.refresh();
  });
});

t.test('options that were checked are not checked again: a server has one set for all its sessions', async (t) => {
  const checked = receiveOptions({ grace: 1 });
  t.equal(receiveOptions(checked), checked);
  t.ok(Object.isFrozen(checked));
  t.not(receiveOptions({ ...checked }), checked, 'a copy may have been changed');
});
