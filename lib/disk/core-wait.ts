import { openSync, readSync } from 'node:fs';

/**
 * How long this thread has been ready to run and had no core, in milliseconds: the second number of `/proc/thread-self/schedstat`
 * (Documentation/scheduler/sched-stats.rst of Linux). With it, a call that took long because another process had the core is
 * told from one that waited for the disk. 0 where it is not known.
 */
export type CoreWait = () => number;

/** A fraction of a microsecond for the kernel, two or three for us, on a file that stays open. */
export function openCoreWait(path = '/proc/thread-self/schedstat'): CoreWait {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return () => 0;
  }
  const text = Buffer.alloc(128);
  return () => {
    try {
      const length = readSync(fd, text, 0, text.length, 0);
      const nanoseconds = Number(text.toString('latin1', 0, length).split(' ')[1]);
      return Number.isFinite(nanoseconds) ? nanoseconds / 1e6 : 0;
    } catch {
      return 0;
    }
  };
}

let opened: CoreWait | undefined;

/** Of this thread; one open file for all that ask. */
export const coreWait: CoreWait = () => (opened ??= openCoreWait())();
