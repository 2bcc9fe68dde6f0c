import type { GoAheadError } from '../errors.js';
import { plural } from '../plural.js';
import { formatAddress } from '../net/address.js';
import { Server } from '../net/server.js';
import type { IncomingUpload } from '../net/server-events.js';
import type { ServerOptions } from '../net/server-options.js';
import { ClusterServer } from '../net/workers/cluster-server.js';
import { printable } from '../printable.js';
import { DirectoryStorage } from '../storage/directory-storage.js';
import type { Stored } from '../storage/storage.js';
import type { Environment, Signals } from './environment.js';
import { EXIT, EXIT_BY_SIGNAL } from './exit-code.js';
import { Printer, printableMessage } from './printer.js';
import { onSignals } from './signals.js';
import { readServerTls, type TlsFlags } from './tls.js';
import { formatRate, formatSize, formatTime } from './units.js';

/** The options of the command; where they have the name of a server's option they are passed on as they are. */
export interface ServeFlags
  extends
    TlsFlags,
    Pick<
      ServerOptions,
      | 'suffix'
      | 'onConflict'
      | 'sync'
      | 'portableNames'
      | 'maxSize'
      | 'maxConnections'
      | 'maxConnectionsPerAddress'
      | 'minRate'
      | 'headerDeadline'
      | 'bodyDeadline'
      | 'settle'
      | 'grace'
      | 'drain'
    > {
  readonly host: string;
  readonly port: number;
  readonly workers?: number;
  readonly json?: boolean;
}

/** What the command prints, in one of its two forms. */
interface Log {
  listening(host: string, port: number, directory: string): void;
  stored(upload: IncomingUpload, stored: Stored): void;
  failed(upload: IncomingUpload, error: GoAheadError): void;
}

/**
 * Serves until a signal comes.
 *
 * @returns the exit code
 * @throws GoAheadError when it cannot listen or store
 */
export async function serve(path: string, flags: ServeFlags, environment: Environment): Promise<number> {
  const { host, port, workers, json = false, ...options } = flags;
  const out = new Printer(environment.stdout, environment.variables);
  const err = new Printer(environment.stderr, environment.variables);
  const log = json ? jsonLog(out) : plainLog(out, environment.now);

  const tls = await readServerTls(flags);
  const storage = await DirectoryStorage.open(path, options);
  const server =
    workers === undefined
      ? new Server({ ...options, tls, storage })
      : new ClusterServer({ ...options, tls, directory: storage.directory, workers });
  server.on('stored', (upload, stored) => log.stored(upload, stored));
  server.on('failed', (upload, error) => log.failed(upload, error));
  server.on('error', (error) => err.line(err.paint('red', `go-ahead: ${printableMessage(error.message)}`)));
  const address = await server.listen({ host, port });
  const stopped = untilStopped(server, environment.signals, err);
  log.listening(address.address, address.port, storage.directory);
  return stopped;
}

/** The first signal drains, the second resets, and workers that die again and again end it; either way the disk is as it will be when this settles. */
function untilStopped(server: Server | ClusterServer, signals: Signals, err: Printer): Promise<number> {
  return new Promise((stopped, failed) => {
    let exitCode: number = EXIT.ok;
    // Its reason came as an error before.
    server.on('ended', () => {
      off();
      stopped(EXIT.failed);
    });
    const off = onSignals(
      signals,
      (signal) => {
        const { connections } = server;
        if (err.isTerminal) {
          const what = connections === 0 ? '' : `, waiting for ${plural(connections, 'upload')}; again to reset`;
          err.line(`go-ahead: ${signal}${what}`);
        }
        server
          .close()
          .finally(off)
          .then(() => stopped(exitCode), failed);
      },
      (signal) => {
        exitCode = EXIT_BY_SIGNAL[signal];
        if (err.isTerminal) err.line(`go-ahead: ${signal}, resetting`);
        void server.close({ drain: 0 });
      },
    );
  });
}

function jsonLog(out: Printer): Log {
  return {
    listening(host, port, directory) {
      out.json({ event: 'listening', host, port, directory });
    },
    stored({ name, ms, peer }, { size, path }) {
      out.json({ event: 'stored', name, size, path, ms: Math.round(ms), peer });
    },
    failed({ name = null, received, peer }, { code, message }) {
      out.json({ event: 'failed', name, code, message, received, peer });
    },
  };
}

function plainLog(out: Printer, now: () => Date): Log {
  const line = (text: string): void => out.line(`${out.paint('dim', timeOfDay(now()))} ${text}`);
  return {
    listening(host, port, directory) {
      out.line(`listening on ${formatAddress(host, port)}, storing in ${printable(directory)}`);
    },
    stored({ name = '', ms, peer }, stored) {
      const figures = `${formatSize(stored.size)} in ${formatTime(ms)} (${formatRate(stored.size, ms)})`;
      const as = name === stored.name ? '' : `, announced as "${printable(name)}"`;
      line(`${out.paint('green', 'stored')} ${printable(stored.name)}: ${figures} from ${peer}${as}`);
    },
    failed({ name, size, received, peer }, { code, message }) {
      const what = name === undefined ? 'a connection' : `"${printable(name)}"`;
      const progress =
        size === undefined || received === 0n ? '' : ` at ${formatSize(received)} of ${formatSize(size)}`;
      line(`${out.paint('red', 'failed')} ${what} from ${peer}${progress}: ${printableMessage(message)} (${code})`);
    },
  };
}

function timeOfDay(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
