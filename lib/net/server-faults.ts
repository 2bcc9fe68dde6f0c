import type * as TE from 'typed-emitter';
import { toGoAheadError } from '../errors.js';
import type { ServerEvents } from './server-events.js';

type ServerEmitter = TE.default<ServerEvents>;

/**
 * Tells of a fault that ends no server: as its event `error` where somebody listens, else as a warning of the process. What a
 * listener of `error` throws is an uncaught exception, but of its own: who tells of the fault has its work to finish.
 */
export function reportFault(server: ServerEmitter, cause: unknown): void {
  const error = toGoAheadError(cause, 'INTERNAL', 'the server goes on after an unexpected error');
  if (server.listenerCount('error') === 0) {
    process.emitWarning(error);
    return;
  }
  try {
    server.emit('error', error);
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
  }
}

/** Emits. A listener that throws must not break what it hears of, and least of all the others. */
export function emitSafely(server: ServerEmitter, emit: () => void): void {
  try {
    emit();
  } catch (cause) {
    reportFault(server, cause);
  }
}
