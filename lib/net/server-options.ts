import type { Clock } from '../session/clock.js';
import type { ReceiveOptions } from '../session/options.js';
import type { DirectoryStorageOptions } from '../storage/directory-storage.js';
import type { Storage } from '../storage/storage.js';
import type { ConnectionSlots } from './connection-slots.js';
import type { ServerTlsOptions } from './secure-stream.js';

/** Times in milliseconds, up to 2^31 - 1; sizes in bytes. Why each default is what it is: `docs/security.md`. */
export interface ServerOptions extends ReceiveOptions, DirectoryStorageOptions {
  /** Where to store; this or `storage`. */
  readonly directory?: string | undefined;
  /** Another place to store in. The options of the directory do not apply to it. */
  readonly storage?: Storage | undefined;
  /**
   * Connections served at once; those above it are closed without a reply (2.4), and told of as `failed` with the code
   * `TOO_MANY_CONNECTIONS`. Of a flood of them, where more than 100 are being closed, nothing is told. Default 10,000.
   */
  readonly maxConnections?: number | undefined;
  /** Connections served at once of one address. Default as many as in all: behind one address there may be a whole school. */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** Speaks TLS on every connection. Default plain TCP. */
  readonly tls?: ServerTlsOptions | undefined;
  /** How long `close` waits for running uploads, in milliseconds, before it resets them. Default 10,000. */
  readonly drain?: number | undefined;
  /** Closes the server, at once, when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Whether to read into buffers of our own where Node allows it (see `direct-accept.ts`). Default true. */
  readonly directReads?: boolean | undefined;
  /** Whether direct reads leave out `net.Socket` where Node allows it (see `handle-connection.ts`). Default true. @internal */
  readonly bareHandles?: boolean | undefined;
  /**
   * Whether the kernel shall reset the connections, in the place of closing them, when this process is killed: a close would
   * seem to confirm what was not stored yet (7.5). On Linux and plain TCP; it starts a process of Node for a moment when the
   * server begins to listen. A cut TLS stream is no receipt anyway. Default true.
   */
  readonly resetIfKilled?: boolean | undefined;
  /** For every deadline; `systemClock` but in tests. */
  readonly clock?: Clock | undefined;
  /** See `ClusterServerOptions`. */
  readonly workers?: undefined;
  /** Shared with other processes; then `maxConnections` does not apply. @internal */
  readonly slots?: ConnectionSlots | undefined;
}

/** Where a server listens. */
export interface ListenOptions {
  /** Default 127.0.0.1: who wants to be reached from elsewhere says so. */
  readonly host?: string | undefined;
  /** 0 to 65,535; 0 picks a free one. Default 12000. */
  readonly port?: number | undefined;
}
