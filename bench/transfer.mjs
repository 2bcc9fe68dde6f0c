/** One measured transfer: a fresh receiver (or one that has had some), a fresh sender, and nothing left afterwards. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { verify, warmPages } from './files.mjs';
import { PeerProcess } from './peer-process.mjs';
import { resetPeak } from './process-tree.mjs';
import { median } from './statistics.mjs';

/**
 * @typedef {object} Plan
 * @property {readonly string[]} receiver its command; the directory is appended in the place of `{}`
 * @property {readonly string[]} sender its command
 * @property {readonly string[]} files
 * @property {string} directory where the receiver's directory is made
 * @property {number} [bytes] that land in all, to warm as much memory before
 * @property {number} [concurrency]
 * @property {number} [copies] of each file, under numbered names (the C sender only)
 * @property {readonly string[]} [before] sent in the same way before anything is measured, by a sender of their own
 * @property {boolean} [hold] measure the memory while all connections wait after `go ahead` (the C sender only)
 * @property {boolean} [check] compare the hashes
 * @property {boolean} [tolerant] failed transfers are a result, not an error
 * @property {number} [timeout] milliseconds
 */

/**
 * @typedef {object} Side
 * @property {number} cpu seconds, user and system
 * @property {number} idle resident bytes before
 * @property {number} peak resident bytes; NaN, and null in the results, where it is unknown
 */

/**
 * @typedef {object} Run
 * @property {number} seconds from the start signal until the sender had its last receipt
 * @property {Side} receiver
 * @property {Side} sender
 * @property {number} [failed] transfers
 * @property {string} [failure] the last reason
 * @property {number} [fairness] the slowest transfer's time over the median's
 * @property {number} [held] the receiver's resident bytes over idle while all connections waited
 */

/** @param {Plan} plan @returns {Promise<Run>} */
export async function transfer(plan) {
  const { files, before: earlier = [], concurrency = 1, copies = 1, timeout = 180_000 } = plan;
  const directory = join(plan.directory, 'received');
  mkdirSync(directory);
  const receiver = new PeerProcess(
    plan.receiver.map((word) => (word === '{}' ? directory : word)),
    timeout,
  );
  /** @type {PeerProcess | undefined} */
  let sender;
  try {
    const { port } = await receiver.event('listening');
    const flags = ['--to', `127.0.0.1:${port}`, '--concurrency', String(concurrency)];
    if (earlier.length > 0) {
      sender = new PeerProcess([...plan.sender, ...flags, ...earlier], timeout);
      await sender.event('ready');
      sender.signal();
      const { failed, failure } = await sender.event('done');
      if (failed > 0) throw new Error(`${failed} transfers failed: ${failure}`);
      await sender.stop();
    }
    if (copies > 1) flags.push('--copies', String(copies));
    if (plan.hold) flags.push('--hold');
    sender = new PeerProcess([...plan.sender, ...flags, ...files], timeout);
    await sender.event('ready');
    warmPages(plan.directory, plan.bytes ?? 0);
    // What Node still does after its first line (compiling, collecting) is not part of a transfer.
    await delay(100);

    const before = { receiver: receiver.usage(), sender: sender.usage() };
    resetPeak(receiver.pid);
    resetPeak(sender.pid);
    const began = performance.now();
    sender.signal();
    let held;
    if (plan.hold) {
      await sender.event('held');
      held = receiver.usage().resident - before.receiver.resident;
      sender.signal();
    }
    const done = await sender.event('done');
    const seconds = (performance.now() - began) / 1000;
    const after = { receiver: receiver.usage(), sender: sender.usage() };

    if (done.failed > 0 && !plan.tolerant) throw new Error(`${done.failed} transfers failed: ${done.failure}`);
    if (plan.check) await verify(directory, [...earlier, ...files], copies, done.failed);
    return {
      seconds,
      receiver: side(before.receiver, after.receiver),
      sender: { ...side(before.sender, after.sender), ...(done.memory === 'unknown' && { peak: NaN }) },
      ...(done.failed > 0 && { failed: done.failed, failure: done.failure }),
      ...(copies > 1 && !plan.hold && { fairness: fairness(done.seconds) }),
      ...(held !== undefined && { held }),
    };
  } finally {
    await sender?.stop();
    await receiver.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param {import('./process-tree.mjs').Usage} before
 * @param {import('./process-tree.mjs').Usage} after
 * @returns {Side}
 */
function side(before, after) {
  return { cpu: after.cpu - before.cpu, idle: before.resident, peak: after.peak };
}

/** @param {readonly number[]} seconds of each transfer, -1 where it failed */
function fairness(seconds) {
  const completed = seconds.filter((value) => value >= 0);
  return completed.length === 0 ? 0 : Math.max(...completed) / median(completed);
}
