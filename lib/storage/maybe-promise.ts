/**
 * A result that is there now or comes later. Promises cost a turn of the microtask queue even when the work is done,
 * and on the path of a small file that is a good part of the price; so storages may answer at once.
 */
export type MaybePromise<T> = T | Promise<T>;

/** Calls `work`; then `done` with its result or `failed` with what it threw, now or when its promise settles. */
export function settle<T>(
  work: () => MaybePromise<T>,
  done: (value: T) => void,
  failed: (reason: unknown) => void,
): void {
  let value: MaybePromise<T>;
  try {
    value = work();
  } catch (reason) {
    failed(reason);
    return;
  }
  if (value instanceof Promise) value.then(done, failed);
  else done(value);
}

/** `await value`, then `next`, without the wait where there is nothing to wait for. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
