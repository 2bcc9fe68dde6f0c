/*
 * The entry of a worker process. Ctrl-C reaches every process of a terminal's group, and a service manager may signal all
 * processes of a service: only the primary follows, and the workers follow the primary. So signals are ignored before anything
 * else is loaded.
 */
import cluster from 'node:cluster';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
const { ServingWorker } = await import('./serving-worker.js');
// Only node:cluster runs this file.
if (cluster.worker !== undefined) new ServingWorker(cluster.worker, (code) => process.exit(code));
