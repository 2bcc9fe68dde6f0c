import type { Socket } from 'node:net';
import type { Clock, Timer } from '../session/clock.js';

// A FIN that is lost is sent again after 0.2 s and the round trip, then 0.4, 0.8, 1.6 s later (RFC 6298; TCP_RTO_MIN of Linux).
const LONGEST = 5_000;
const FIRST_LOOK = 5;

/**
 * Closes sockets only when TCP is through with them. For those that the kernel resets on a close (`reset-if-killed.ts`): there,
 * a close forgets a FIN that is still on its way, and takes the receipt from a sender whose network has lost it.
 */
export class DeliveredClose {
  readonly #clock: Clock;
  /** What closes each socket that waits. */
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on, a close after the socket's FIN waits until the peer has it, for five seconds at most. */
  watch(socket: Socket): void {
    const close = socket._destroy.bind(socket);
    socket._destroy = (error, callback) => {
      if (error !== null || !socket.writableFinished || isThrough(socket)) close(error, callback);
      else this.#wait(socket, () => close(error, callback));
    };
  }

  /** Closes what still waits. */
  cut(): void {
    for (const close of this.#waiting) close();
  }

  #wait(socket: Socket, close: () => void): void {
    let timer: Timer | undefined;
    const finish = (): void => {
      this.#waiting.delete(finish);
      timer?.cancel();
      close();
    };
    const look = (ms: number, waited: number): void => {
      timer = this.#clock.schedule(ms, () => {
        if (isThrough(socket) || waited + ms >= LONGEST) finish();
        else look(Math.min(2 * ms, LONGEST - waited - ms), waited + ms);
      });
    };
    this.#waiting.add(finish);
    look(FIRST_LOOK, 0);
  }
}

/**
 * Whether both ends have sent their FIN and have that of the other, or the connection was reset: a socket whose TCP is over has no
 * peer any more (getpeername(2), ENOTCONN). `remoteAddress` remembers the answer of earlier, so the handle is asked; it is
 * not documented, and without it the close does not wait.
 */
function isThrough(socket: Socket): boolean {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return true;
  const getpeername: unknown = Reflect.get(handle, 'getpeername');
  return typeof getpeername !== 'function' || Reflect.apply(getpeername, handle, [{}]) !== 0;
}
