/** Where clients connect: a listener for one of them, a port on which nobody listens, and the addresses for both. */
import { randomInt } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { messageOf, systemCode } from '../../cause.js';
import { GoAheadError } from '../../errors.js';

export interface Address {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
}

const HOST = '127.0.0.1';
/** On Linux all of 127.0.0.0/8 is this machine, so that many can have one port. */
const HOSTS = 24;

/** Lends addresses. With a fixed port one at a time, or where the client is told a host as many as there are hosts. */
export class Addresses {
  readonly #port: number;
  readonly #free: string[] | null;
  readonly #waiting: ((host: string) => void)[] = [];

  constructor(port: number | undefined, hosts: boolean) {
    this.#port = port ?? 0;
    const count = hosts && process.platform === 'linux' ? HOSTS : 1;
    this.#free = port === undefined ? null : Array.from({ length: count }, (_, i) => `127.0.0.${i + 1}`);
  }

  async take(): Promise<Address> {
    if (this.#free === null) return { host: HOST, port: 0 };
    const host = this.#free.shift() ?? (await new Promise<string>((resolve) => this.#waiting.push(resolve)));
    return { host, port: this.#port };
  }

  giveBack({ host }: Address): void {
    if (this.#free === null) return;
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.unshift(host);
    else next(host);
  }
}

/** Takes the first connection of a client; further ones are counted and reset. */
export class Listener {
  readonly port: number;
  /** Connections after the first. */
  further = 0;
  onFurther: (() => void) | null = null;
  readonly #server: Server;
  readonly #first: Promise<Socket | null>;
  #settle: ((socket: Socket | null) => void) | null = null;

  private constructor(server: Server) {
    this.#server = server;
    this.port = portOf(server);
    this.#first = new Promise((resolve) => {
      this.#settle = resolve;
    });
    let taken = false;
    server.on('connection', (socket) => {
      if (taken) {
        this.further += 1;
        this.onFurther?.();
        socket.on('error', () => undefined);
        socket.resetAndDestroy();
      } else this.#settle?.(socket);
      taken = true;
    });
  }

  static async open(address: Address): Promise<Listener> {
    return new Listener(await listen(address));
  }

  /** Null when none has come by `stopWaiting`. */
  connection(): Promise<Socket | null> {
    return this.#first;
  }

  stopWaiting(): void {
    // A connection that the kernel has already made must still reach us.
    setTimeout(() => this.#settle?.(null), 50);
  }

  async close(): Promise<void> {
    await closed(this.#server);
  }
}

/**
 * A port on which nobody listens and nobody will: it is kept by an outgoing connection, so that no other listener of
 * this run is given it.
 */
export class ClosedPort {
  readonly port: number;
  readonly #free: () => Promise<void>;

  private constructor(port: number, free: () => Promise<void>) {
    this.port = port;
    this.#free = free;
  }

  static async open({ host, port }: Address): Promise<ClosedPort> {
    if (port !== 0) return new ClosedPort(port, () => Promise.resolve());
    const server = await listen({ host, port: 0 });
    const inside = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const outgoing = connect(portOf(server), host);
    const ends = [await inside, outgoing];
    return new ClosedPort(portOf(outgoing), async () => {
      for (const end of ends) end.destroy();
      await closed(server);
    });
  }

  async close(): Promise<void> {
    await this.#free();
  }
}

/** Of a server or a connection of ours; nothing here goes through a pipe, whose address would be a path. */
export function portOf(ours: { address(): AddressInfo | object | string | null }): number {
  const address = ours.address();
  if (typeof address === 'object' && address !== null && 'port' in address) return address.port;
  throw new TypeError('no TCP port');
}

/**
 * Below the ports that Linux (32768 and up) and others (49152 and up) give to outgoing connections, which could take
 * a port of theirs before the target listens on it: see ip_local_port_range in ip(7).
 */
const BELOW_EPHEMERAL = { from: 20_000, to: 32_000 };
const TRIES = 50;

/** One on which nobody listened just now, and that no outgoing connection is given meanwhile. */
export async function freePort(host: string, pick: () => number = anyPort, tries = TRIES): Promise<number> {
  const port = pick();
  try {
    await closed(await listen({ host, port }));
    return port;
  } catch (taken) {
    if (tries === 1 || !(taken instanceof GoAheadError && systemCode(taken.cause) === 'EADDRINUSE')) throw taken;
    return freePort(host, pick, tries - 1);
  }
}

function anyPort(): number {
  return randomInt(BELOW_EPHEMERAL.from, BELOW_EPHEMERAL.to);
}

function listen({ host, port }: Address): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new GoAheadError('LISTEN_FAILED', `The suite cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
          expected: 'a free port',
          cause,
        }),
      ),
    );
    server.listen(port, host, () => resolve(server));
  });
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}
