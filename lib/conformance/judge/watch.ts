/** What a case watches beside its connections: the process of the target, or what the whole run left on disk. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Watch } from '../model/case.js';
import type { Memory } from '../target/child.js';
import type { Axis } from '../report/report.js';
import type { Directory } from '../target/directory.js';
import { showEntry } from '../target/disk-entry.js';
import { RUN_MARK } from '../model/select.js';
import type { ServerTarget } from '../target/server-target.js';
import type { Times } from '../exchange/times.js';

const MIB = 2 ** 20;
/** Well above what a collector of garbage lets pile up, well below the body that is sent. */
const RESIDENT = 64 * MIB;
/** Above the stack and the heap of a few threads, below the size that is announced. */
const RESERVED = 256 * MIB;
const SAMPLE = 20;

/** What is watched. */
export interface Watched {
  readonly target: Pick<ServerTarget, 'descriptors' | 'memory'>;
  readonly directory: Pick<Directory, 'residue'> | null;
  readonly times: Pick<Times, 'patience'>;
}

/** Starts to watch; what it gives ends the watch and tells what was seen. */
export async function startWatch(watch: Watch, ground: Watched, token: string): Promise<() => Promise<Axis[]>> {
  switch (watch) {
    case 'descriptors': {
      const before = await ground.target.descriptors();
      return async () => [await descriptorsReturned(ground, before)];
    }
    case 'resident memory':
      return watchMemory(ground, 'resident', RESIDENT);
    case 'reserved memory':
      return watchMemory(ground, 'reserved', RESERVED);
    case 'residue':
      return async () => [await nothingLeft(ground, token.slice(0, RUN_MARK))];
  }
}

function unseen(expected: string): Axis {
  return { axis: 'resources', ok: null, expected, actual: 'this system does not tell' };
}

async function descriptorsReturned(ground: Watched, before: number | null): Promise<Axis> {
  const expected = `${before ?? '?'} descriptors open, as before`;
  const until = performance.now() + ground.times.patience;
  for (;;) {
    const now = await ground.target.descriptors();
    if (before === null || now === null) return unseen(expected);
    const ok = now <= before;
    if (ok || performance.now() > until) return { axis: 'resources', ok, expected, actual: `${now}` };
    await sleep(SAMPLE);
  }
}

async function watchMemory(ground: Watched, kind: keyof Memory, limit: number): Promise<() => Promise<Axis[]>> {
  const expected = `${kind} memory grows by less than ${limit / MIB} MiB`;
  const before = await ground.target.memory();
  if (before === null) return () => Promise.resolve([unseen(expected)]);
  let most = before[kind];
  const over = new AbortController();
  const sampling = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      most = Math.max(most, (await ground.target.memory())?.[kind] ?? 0);
      await sleep(SAMPLE, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    over.abort();
    await sampling;
    const growth = most - before[kind];
    return [{ axis: 'resources', ok: growth < limit, expected, actual: `${Math.round(growth / MIB)} MiB` }];
  };
}

async function nothingLeft({ directory, times }: Watched, mark: string): Promise<Axis> {
  const expected = 'nothing left of the whole run that no case accounts for';
  if (directory === null) return { axis: 'disk', ok: null, expected, actual: 'no directory to look at' };
  const until = performance.now() + times.patience;
  for (;;) {
    const left = await directory.residue(mark);
    const ok = left.length === 0;
    const shown = left.slice(0, 4).map(showEntry);
    if (ok || performance.now() > until)
      return { axis: 'disk', ok, expected, actual: ok ? 'nothing' : `${left.length}: ${shown.join(', ')}` };
    await sleep(SAMPLE);
  }
}
