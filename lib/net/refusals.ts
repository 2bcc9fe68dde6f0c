import { Socket } from 'node:net';
import { GoAheadError } from '../errors.js';
import { plural } from '../plural.js';
import type { Clock } from '../session/clock.js';
import { DeliveredClose } from './delivered-close.js';
import type { HandleConnection } from './handle-connection.js';
import { SocketTransport } from './socket-transport.js';

/** Connections that are being refused at once; each has a descriptor until its sender has closed, and a flood shall have none. */
export const MOST_REFUSALS = 100;

const LIMITS = {
  maxConnections: { of: '', flag: '--max-connections' },
  maxConnectionsPerAddress: { of: ' of one address', flag: '--max-connections-per-address' },
} as const;

/** Closes the connections that nobody has room for, unheard. */
export class Refusals {
  readonly #deliveredClose: DeliveredClose;
  #open = 0;

  constructor(clock: Clock) {
    this.#deliveredClose = new DeliveredClose(clock);
  }

  /**
   * Closes it in an orderly way (8.1), and only when the sender has, or has had its time: with a header that nobody has read, a
   * close of the kernel would be a reset.
   *
   * @returns whether it was done so: where too many are under way, it is closed at once
   */
  refuse(connection: Socket | HandleConnection): boolean {
    if (this.#open >= MOST_REFUSALS) {
      connection.destroy();
      return false;
    }
    this.#open += 1;
    connection.once('close', () => (this.#open -= 1));
    if (connection instanceof Socket) {
      // A reset is as good an end as any.
      connection.on('error', () => undefined);
      this.#deliveredClose.watch(connection);
      new SocketTransport(connection).close();
    } else {
      connection.close(this.#deliveredClose);
    }
    return true;
  }

  /** Waits for no sender any more. */
  cut(): void {
    this.#deliveredClose.cut();
  }
}

/** Of a connection above the limit that the option sets. */
export function tooManyConnections(option: keyof typeof LIMITS, most: number): GoAheadError {
  const { of, flag } = LIMITS[option];
  const served = plural(most, 'connection') + of;
  return new GoAheadError(
    'TOO_MANY_CONNECTIONS',
    `the limit of ${served} at once is reached; \`${option}\` (${flag}) raises it`,
    { expected: `at most ${served} at once`, actual: 'one more' },
  );
}
