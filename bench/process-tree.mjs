/** What a process and its children have used, from /proc (proc(5)). Linux only. */
import { readFileSync, writeFileSync } from 'node:fs';

// USER_HZ, which is 100 wherever Linux runs Node (sysconf(_SC_CLK_TCK), proc_pid_stat(5)).
const TICKS = 100;

/**
 * @typedef {object} Usage
 * @property {number} cpu user and system seconds, of the living and of the children that were waited for
 * @property {number} resident bytes, the sum over the tree
 * @property {number} peak bytes, the sum of the peaks: with several processes an upper bound
 */

/** @param {number} pid @returns {number[]} */
function tree(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => tree(Number(child))))];
}

/** @param {string} status @param {string} field */
function kibibytes(status, field) {
  const [, value = '0'] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
  return Number(value) * 1024;
}

/** @param {number} pid @returns {Usage} */
export function usage(pid) {
  const sum = { cpu: 0, resident: 0, peak: 0 };
  for (const process of tree(pid)) {
    const stat = readFileSync(`/proc/${process}/stat`, 'utf8');
    // Fields 14 to 17; the second field is the command, which may contain anything but ends with the last `)`.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    for (const ticks of fields.slice(11, 15)) sum.cpu += Number(ticks) / TICKS;
    const status = readFileSync(`/proc/${process}/status`, 'utf8');
    sum.resident += kibibytes(status, 'VmRSS');
    sum.peak += kibibytes(status, 'VmHWM');
  }
  return sum;
}

/** Starts the peaks of memory anew (`5` to clear_refs, proc_pid_clear_refs(5)). @param {number} pid */
export function resetPeak(pid) {
  for (const process of tree(pid)) writeFileSync(`/proc/${process}/clear_refs`, '5');
}
