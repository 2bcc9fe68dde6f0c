import type { Socket } from 'node:net';
import type { Clock, Timer } from '../session/clock.js';
import { handleOf, peerIsGone } from './peer-name.js';

// A FIN that is lost is sent again after 0.2 s and the round trip, then 0.4, 0.8, 1.6 s later (RFC 6298; TCP_RTO_MIN of Linux).
const LONGEST = 5_000;
/** What a receipt that is on its way still has when the server must close. */
const LONGEST_AFTER_CUT = 250;
const FIRST_LOOK = 5;

/**
 * Closes connections only when TCP is through with them. For those that the kernel resets on a close (`reset-if-killed.ts`): there,
 * a close forgets a FIN that is still on its way, and takes the receipt from a sender whose network has lost it.
 */
export class DeliveredClose {
  readonly #clock: Clock;
  /** What closes each connection that waits. */
  readonly #waiting = new Set<() => void>();
  #longest = LONGEST;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on, a close after the socket's FIN waits until the peer has it, for five seconds at most. */
  watch(socket: Socket): void {
    const close = socket._destroy.bind(socket);
    socket._destroy = (error, callback) => {
      if (error === null && socket.writableFinished) this.close(socket, () => close(error, callback));
      else close(error, callback);
    };
  }

  /** Closes a connection, a socket or its bare handle, on which FIN was sent: now, or when the peer has it. */
  close(connection: object, close: () => void): void {
    if (!isThrough(connection) && stopReading(connection)) this.#wait(connection, close);
    else close();
  }

  /** Closes what still waits. Who comes later waits for a moment at most. */
  cut(): void {
    this.#longest = LONGEST_AFTER_CUT;
    for (const close of this.#waiting) close();
  }

  #wait(connection: object, close: () => void): void {
    const longest = this.#longest;
    let timer: Timer | undefined;
    const finish = (): void => {
      this.#waiting.delete(finish);
      timer?.cancel();
      close();
    };
    const look = (ms: number, waited: number): void => {
      timer = this.#clock.schedule(ms, () => {
        if (isThrough(connection) || waited + ms >= longest) finish();
        else look(Math.min(2 * ms, longest - waited - ms), waited + ms);
      });
    };
    this.#waiting.add(finish);
    look(FIRST_LOOK, 0);
  }
}

/** Whether TCP is through with a connection; where that cannot be asked, a close does not wait. */
function isThrough(connection: object): boolean {
  return peerIsGone(connection) ?? true;
}

/**
 * What still comes is left to the kernel. Node takes bytes that come for a destroyed socket for an error number, and throws where
 * nobody can catch it (`onStreamRead`, lib/internal/stream_base_commons.js).
 */
function stopReading(connection: object): boolean {
  const handle = handleOf(connection);
  const readStop: unknown = handle && Reflect.get(handle, 'readStop');
  if (typeof readStop !== 'function') return false;
  Reflect.apply(readStop, handle, []);
  return true;
}
