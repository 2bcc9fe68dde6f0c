import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCode } from '../cause.js';

/** Who a process is, as far as another one can tell later. Empty or 0 where the system does not say. */
export interface RunIdentity {
  readonly host: string;
  /** Changes with every start of the machine. */
  readonly boot: string;
  /** Process ids mean nothing outside the namespace (container) that gave them. */
  readonly pidNamespace: string;
  readonly pid: number;
  /** In clock ticks since the machine started. */
  readonly startTime: number;
}

/** The processes of this machine. Injected, so that specs can have dead and reused ones. */
export interface Processes {
  readonly self: RunIdentity;
  /** The user to whom the files of this process belong; undefined where files have no such owner. */
  readonly user: number | undefined;
  /** Whether the process that had this id and this start time still runs. In doubt it does. */
  isAlive(pid: number, startTime: number): boolean;
}

function orEmpty(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}

interface ProcessStat {
  readonly state: string;
  readonly startTime: number;
}

/** `/proc/PID/stat`, proc_pid_stat(5). The second field is the command, which may itself hold spaces and brackets. */
function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], Number(fields[22 - 3])];
  return state !== undefined && Number.isSafeInteger(startTime) ? { state, startTime } : undefined;
}

/** What `processesOf` asks of the system. */
export interface ProcessSources {
  /** Where procfs is mounted, if anywhere. */
  readonly proc: string;
  readonly machineIdFile: string;
  readonly pid: number;
  /** Throws ESRCH when there is no such process; kill(2) with the signal 0. */
  probe(pid: number): void;
}

const NODE_SOURCES: ProcessSources = {
  proc: '/proc',
  machineIdFile: '/etc/machine-id',
  pid: process.pid,
  probe: (pid) => process.kill(pid, 0),
};

export function processesOf(sources: ProcessSources = NODE_SOURCES): Processes {
  const { proc } = sources;
  const statOf = (pid: number | 'self'): ProcessStat | undefined =>
    parseStat(orEmpty(() => readFileSync(`${proc}/${pid}/stat`, 'latin1')));
  const machine = orEmpty(() => readFileSync(sources.machineIdFile, 'latin1'));
  return {
    user: process.geteuid?.(),
    self: {
      host: `${hostname()} ${machine}`,
      boot: orEmpty(() => readFileSync(`${proc}/sys/kernel/random/boot_id`, 'latin1')),
      pidNamespace: orEmpty(() => readlinkSync(`${proc}/self/ns/pid`)),
      pid: sources.pid,
      startTime: statOf('self')?.startTime ?? 0,
    },
    isAlive(pid, startTime) {
      try {
        sources.probe(pid);
      } catch (reason) {
        // EPERM: it lives and is not ours to signal.
        if (systemCode(reason) === 'ESRCH') return false;
      }
      const stat = statOf(pid);
      if (stat === undefined || startTime === 0) return true;
      // A zombie (Z, X) writes no more; another start time is another process under a reused id.
      return stat.startTime === startTime && stat.state !== 'Z' && stat.state !== 'X';
    },
  };
}
