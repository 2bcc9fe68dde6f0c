import { Server } from './server.js';
import type { ServerOptions } from './server-options.js';
import { ClusterServer, type ClusterServerOptions } from './workers/cluster-server.js';

/**
 * A server for `directory` or `storage`; it accepts nobody before `listen`. With `workers` it is one of several processes.
 *
 * @throws GoAheadError `OPTION_INVALID`
 */
export function createServer(options: ClusterServerOptions): ClusterServer;
export function createServer(options: ServerOptions): Server;
// Callers without types may leave them out.
export function createServer(options: ServerOptions | ClusterServerOptions = {}): Server | ClusterServer {
  return options.workers === undefined ? new Server(options) : new ClusterServer(options);
}
