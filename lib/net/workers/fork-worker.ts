import thisCluster, { type Cluster, type ClusterSettings, type Worker } from 'node:cluster';
import { GoAheadError } from '../../errors.js';

/** Options of node that say what to run, with the number of values that follow each. A worker runs our file. */
const WHAT_TO_RUN = new Map([
  ['-e', 1],
  ['--eval', 1],
  ['-p', 1],
  ['--print', 1],
  ['-pe', 1],
  ['-c', 0],
  ['--check', 0],
  ['-i', 0],
  ['--interactive', 0],
  ['--input-type', 1],
  ['--test', 0],
  ['--watch', 0],
  ['--watch-path', 1],
]);

/** The options of this process's node for a worker's: without its script, which must not run once more. */
export function workerArguments(execArgv: readonly string[]): string[] {
  let values = 0;
  return execArgv.filter((argument) => {
    if (values > 0) {
      values -= 1;
      return false;
    }
    const at = argument.indexOf('=');
    const following = WHAT_TO_RUN.get(at < 0 ? argument : argument.slice(0, at));
    if (following !== undefined && at < 0) values = following;
    return following === undefined;
  });
}

/**
 * Starts a process of node:cluster that runs `file`.
 *
 * Its settings belong to the whole program, which may use node:cluster for itself: they are put back at once. The scheduling
 * policy cannot be: node takes it over with the first settings. We let the workers accept for themselves (`SCHED_NONE`) unless
 * the program was there first, or NODE_CLUSTER_SCHED_POLICY says otherwise; all works with both.
 *
 * @throws GoAheadError `OPTION_INVALID` in a worker of node:cluster, which can have none of its own
 */
export function forkWorker(file: string, cluster: Cluster = thisCluster): Worker {
  if (!cluster.isPrimary) {
    throw new GoAheadError('OPTION_INVALID', 'a process that is itself a worker of node:cluster cannot have workers', {
      expected: 'the primary process',
      actual: 'a worker',
    });
  }
  const before = cluster.settings;
  if (Object.keys(before).length === 0 && process.env['NODE_CLUSTER_SCHED_POLICY'] === undefined) {
    cluster.schedulingPolicy = cluster.SCHED_NONE;
  }
  cluster.setupPrimary({
    exec: file,
    args: [],
    execArgv: workerArguments(process.execArgv),
    silent: false,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  try {
    return cluster.fork();
  } finally {
    cluster.setupPrimary({ ...defaultSettings(), ...before });
  }
}

/** What node:cluster begins with. */
function defaultSettings(): ClusterSettings {
  const [, exec] = process.argv;
  return {
    ...(exec === undefined ? {} : { exec }),
    args: process.argv.slice(2),
    execArgv: process.execArgv,
    silent: false,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    serialization: 'json',
  };
}
