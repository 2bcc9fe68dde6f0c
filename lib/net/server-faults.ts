import type * as TE from 'typed-emitter';
import { toGoAheadError } from '../errors.js';
import type { ServerEvents } from './server-events.js';

type ServerEmitter = TE.default<ServerEvents>;

/** Tells of a fault that ends no server: as its event `error` where somebody listens, else as a warning of the process. */
export function reportFault(server: ServerEmitter, cause: unknown): void {
  const error = toGoAheadError(cause, 'INTERNAL', 'the server goes on after an unexpected error');
  if (server.listenerCount('error') > 0) server.emit('error', error);
  else process.emitWarning(error);
}

/** Emits. A listener that throws must not break what it hears of, and least of all the others. */
export function emitSafely(server: ServerEmitter, emit: () => void): void {
  try {
    emit();
  } catch (cause) {
    reportFault(server, cause);
  }
}
