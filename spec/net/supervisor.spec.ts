import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import t from 'tap';
import { CHANNEL_MS, Supervisor } from '../../lib/net/workers/supervisor.js';
import { ManualClock, quiescence } from '../support/manual-clock.js';

/** A worker process that is none. */
class FakeWorker extends EventEmitter {
  readonly process = { pid: 1 };

  isConnected(): boolean {
    return false;
  }
}

function supervised(): { worker: FakeWorker; clock: ManualClock; gone: string[]; supervisor: Supervisor } {
  const worker = new FakeWorker();
  const clock = new ManualClock();
  const gone: string[] = [];
  const supervisor = new Supervisor({
    count: 1,
    clock,
    fork: () => worker as unknown as Worker,
    start: () => ({ type: 'close', drain: 0 }),
    opened: () => ({ message: () => undefined, gone: ({ message }) => gone.push(message) }),
    gaveUp: () => undefined,
  });
  supervisor.start().catch(() => undefined);
  return { worker, clock, gone, supervisor };
}

t.test('a process is gone when it has ended and its last messages are read, in whatever order', async (t) => {
  for (const events of [
    ['exit', 'disconnect'],
    ['disconnect', 'exit'],
  ]) {
    const { worker, clock, gone, supervisor } = supervised();
    const stopped = supervisor.stop(0);
    for (const event of events) {
      t.strictSame(gone, [], `before ${event}`);
      worker.emit(event, 0, null);
    }
    await stopped;
    t.strictSame(gone, ['the worker process 1 exited with 0']);
    t.equal(clock.armed(), 0);
  }
});

t.test('of one that ended in the midst of a message, Node never tells that its channel has ended', async (t) => {
  const { worker, clock, gone, supervisor } = supervised();
  let over = false;
  const stopped = supervisor.stop(0).then(() => (over = true));
  worker.emit('exit', null, 'SIGKILL');
  clock.advance(CHANNEL_MS - 1);
  await quiescence();
  t.notOk(over, 'its last messages may still come');
  clock.advance(1);
  await stopped;
  worker.emit('disconnect');
  t.strictSame(gone, ['the worker process 1 was ended by SIGKILL'], 'once');
});
