import type { MaybePromise } from '../maybe-promise.js';

/**
 * A sequence of steps, each of which may be done at once or later: what an async function is, but one that comes to its
 * end before it returns when no step has to wait. Written as a generator; `yield* wait(step)` is its `await`.
 */
export type Task<T> = Generator<Promise<void>, T, void>;

function unsettled(): never {
  throw new Error('The task was resumed before its step had settled');
}

/** The result of a step. */
export function* wait<T>(step: MaybePromise<T>): Task<T> {
  if (!(step instanceof Promise)) return step;
  let result: () => T = unsettled;
  yield step.then((value) => {
    result = () => value;
  });
  return result();
}

/** Runs a task as far as it goes without waiting, and the rest when its steps settle. */
export function run<T>(task: Task<T>): MaybePromise<T> {
  const first = task.next();
  return first.done === true ? first.value : finish(task, first.value);
}

async function finish<T>(task: Task<T>, first: Promise<void>): Promise<T> {
  for (let step = first; ;) {
    const result = await step.then(
      () => task.next(),
      (reason: unknown) => task.throw(reason),
    );
    if (result.done === true) return result.value;
    step = result.value;
  }
}
