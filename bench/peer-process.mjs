/** A contender's process: started, listened to line by line, measured, and always ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { usage } from './process-tree.mjs';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** For the end of the run, whatever ended it. */
export function killAll() {
  for (const child of running) child.kill('SIGKILL');
}

/** @typedef {{ readonly event: string } & Record<string, any>} PeerEvent */

/** The events that the benchmarks act on. Everything else that a contender prints is read and dropped. */
const EVENTS = new Set(['listening', 'ready', 'held', 'done']);

export class PeerProcess {
  #child;
  #timeout;
  #errors = '';
  #ended = false;
  /** @type {Map<string, PeerEvent>} */
  #events = new Map();
  #wake = () => {};

  /**
   * @param {readonly string[]} command
   * @param {number} timeout milliseconds for each thing that is waited for
   */
  constructor([program = '', ...args], timeout) {
    this.#timeout = timeout;
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(this.#child);
    this.#child.once('close', () => {
      running.delete(this.#child);
      this.#ended = true;
      this.#wake();
    });
    this.#child.once('error', (error) => (this.#errors += String(error)));
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.#errors = (this.#errors + text).slice(-2000)));
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const event = parse(line);
      if (event === undefined || !EVENTS.has(event.event)) return;
      this.#events.set(event.event, event);
      this.#wake();
    });
  }

  get pid() {
    if (this.#child.pid === undefined) throw new Error(`could not be started: ${this.#errors}`);
    return this.#child.pid;
  }

  usage() {
    return usage(this.pid);
  }

  /** Waits for an event of this name. @param {string} name @returns {Promise<PeerEvent>} */
  async event(name) {
    const timer = setTimeout(() => {
      this.#errors += `no '${name}' within ${this.#timeout / 1000} s`;
      this.#child.kill('SIGKILL');
    }, this.#timeout);
    try {
      for (;;) {
        const event = this.#events.get(name);
        if (event !== undefined) return event;
        if (this.#ended) throw new Error(`ended before '${name}': ${this.#why()}`);
        await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #why() {
    const line = /^.*Error: .*$/m.exec(this.#errors)?.[0] ?? this.#errors.trim().split('\n').at(-1);
    return line || `exit ${this.#child.exitCode ?? this.#child.signalCode}`;
  }

  /** One line on its standard input: the signal to go on. */
  signal() {
    this.#child.stdin.write('\n');
  }

  /** Ends it: by the end of its standard input or SIGTERM, and after two seconds by SIGKILL. */
  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const exit = once(this.#child, 'exit');
    this.#child.stdin.end();
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await exit;
    clearTimeout(timer);
  }
}

/** @param {string} line @returns {PeerEvent | undefined} */
function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
