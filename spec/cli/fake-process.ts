import { EventEmitter } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import type { Environment, Signal } from '../../lib/cli/environment.js';
import { run } from '../../lib/cli/run.js';

/** An output that keeps what was written, and lets a spec wait for it; `line` when a line is whole. */
export class Capture extends Writable {
  text = '';
  readonly isTTY: boolean;
  columns = 100;
  rows = 24;
  readonly #waiting = new Set<() => void>();

  constructor({ isTTY = false } = {}) {
    super();
    this.isTTY = isTTY;
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  /** Each line as JSON. */
  get objects(): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    this.text += chunk.toString();
    for (const check of [...this.#waiting]) check();
    if (this.text.endsWith('\n')) this.emit('line');
    written();
  }

  waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((found) => {
      const check = (): void => {
        const match = pattern.exec(this.text);
        if (match === null) return;
        this.#waiting.delete(check);
        found(match);
      };
      this.#waiting.add(check);
      check();
    });
  }
}

export interface FakeProcess extends Environment {
  readonly stdout: Capture;
  readonly stderr: Capture;
  /** Settles with the exit code. */
  readonly exit: Promise<number>;
  kill(signal: Signal): void;
  /** How many listeners for signals are left. */
  listening(): number;
}

export interface FakeProcessOptions {
  readonly stdin?: Iterable<Uint8Array>;
  readonly stdout?: Capture;
  readonly stderr?: Capture;
  readonly variables?: Environment['variables'];
  readonly now?: () => Date;
}

/** The environment of a process that does nothing yet. */
export function fakeEnvironment(argv: readonly string[], options: FakeProcessOptions = {}) {
  return {
    argv,
    stdin: Readable.from(options.stdin ?? []),
    stdout: options.stdout ?? new Capture(),
    stderr: options.stderr ?? new Capture(),
    variables: options.variables ?? {},
    signals: new EventEmitter(),
    now: options.now ?? (() => new Date(2026, 0, 2, 3, 4, 5)),
  };
}

/** Runs a command line in this process. */
export function start(argv: readonly string[], options: FakeProcessOptions = {}): FakeProcess {
  const environment = fakeEnvironment(argv, options);
  return {
    ...environment,
    exit: run(environment),
    kill: (signal) => void environment.signals.emit(signal, signal),
    listening: () =>
      ['SIGHUP', 'SIGINT', 'SIGTERM'].reduce((sum, signal) => sum + environment.signals.listenerCount(signal), 0),
  };
}

export async function portOf(server: FakeProcess): Promise<number> {
  const [, port] = await server.stdout.waitFor(/(?:listening on .*:|"port":)(\d+)/);
  return Number(port);
}

/** Size in 8 bytes, big-endian, then the name (3.1). */
export function header(size: bigint, name: string | Buffer): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(size);
  return Buffer.concat([bytes, Buffer.from(name)]);
}

/** A peer that is driven byte by byte. */
export class RawPeer {
  readonly socket: Socket;
  readonly closed: Promise<'fin' | 'reset'>;
  #received = '';

  constructor(socket: Socket) {
    this.socket = socket;
    let error = false;
    socket.on('data', (chunk: Buffer) => (this.#received += chunk.toString('latin1')));
    socket.on('error', () => (error = true));
    this.closed = new Promise((closed) => socket.on('close', () => closed(error ? 'reset' : 'fin')));
  }

  static connect(port: number): RawPeer {
    return new RawPeer(connect({ host: '127.0.0.1', port }));
  }

  /**
   * Settles when nobody listens any more. Linux drops a connection that stood in the queue of a listener when that
   * was closed, and tells the other end only when it sends something; so each speaks.
   */
  static async refused(port: number): Promise<void> {
    for (let code = ''; code !== 'ECONNREFUSED';) {
      const peer = RawPeer.connect(port);
      peer.socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? ''));
      peer.socket.write('x');
      await peer.closed;
    }
  }

  get received(): string {
    return this.#received;
  }

  async reply(): Promise<string> {
    while (this.#received.length < 8) await new Promise((came) => this.socket.once('data', came));
    return this.#received;
  }
}

export async function upload(port: number, name: string, body: string): Promise<'fin' | 'reset'> {
  const peer = RawPeer.connect(port);
  peer.socket.write(header(BigInt(Buffer.byteLength(body)), name));
  await Promise.race([peer.reply(), peer.closed]);
  peer.socket.end(body);
  return peer.closed;
}

/** A server of the spec's own, on a free port. */
export async function listen(onConnection: (socket: Socket) => void) {
  const server = createServer(onConnection);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return { port, close: () => new Promise((closed) => server.close(closed)) };
}
