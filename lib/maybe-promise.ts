/**
 * A result that is there now or comes later. Promises cost a turn of the microtask queue even when the work is done,
 * and on the path of a small file that is a good part of the price; so storages and sources may answer at once.
 */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Whether the result comes later. Any thenable counts, of another realm or library too: one that was taken for a result would
 * be a file that counts as stored before it is.
 */
export function isLater<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

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
  if (isLater(value)) value.then(done, failed);
  else done(value);
}

/** `await value`, then `next`, without the wait where there is nothing to wait for. */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isLater(value) ? value.then(next) : next(value);
}
