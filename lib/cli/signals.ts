import type { Signal, Signals } from './environment.js';

const HANDLED: readonly Signal[] = ['SIGINT', 'SIGTERM'];

/**
 * Calls `first` on the first signal and `second` on the next. After that, or after the returned function was called,
 * a signal has its default effect again: whoever presses Ctrl-C a third time is not made to wait.
 */
export function onSignals(
  signals: Signals,
  first: (signal: Signal) => void,
  second?: (signal: Signal) => void,
): () => void {
  let count = 0;
  const listener = (signal: Signal): void => {
    count += 1;
    if (count > 1 || second === undefined) stop();
    (count === 1 ? first : second)?.(signal);
  };
  const stop = (): void => {
    for (const signal of HANDLED) signals.off(signal, listener);
  };
  for (const signal of HANDLED) signals.on(signal, listener);
  return stop;
}
