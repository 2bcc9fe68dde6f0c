/** What every cell gets: the options, the contenders, a scratch folder, and ways to make contestants of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { contenders } from './contenders.mjs';
import { runSeries } from './series.mjs';
import { findTools } from './tools.mjs';
import { transfer } from './transfer.mjs';

/**
 * @typedef {Omit<import('./transfer.mjs').Plan, 'receiver' | 'sender' | 'directory'> & { directory?: string }} Load
 * what is transferred; the directory is the scratch folder unless it says otherwise
 */

export class Context {
  /** @type {string[]} */
  #scratch = [];

  /** @param {import('./options.mjs').Options} options */
  constructor(options) {
    this.options = options;
    this.sizes = options.sizes;
    this.directory = this.scratch(options.directory);
    this.all = contenders(findTools(this.scratch(options.disk ?? options.directory)));
  }

  /** A folder that is removed at the end. @param {string} parent */
  scratch(parent) {
    const directory = mkdtempSync(join(parent, 'go-ahead-bench-'));
    this.#scratch.push(directory);
    return directory;
  }

  dispose() {
    for (const directory of this.#scratch) rmSync(directory, { recursive: true, force: true });
  }

  /** @param {string} line */
  log(line) {
    process.stderr.write(`${line}\n`);
  }

  /** @param {readonly import('./series.mjs').SeriesPlan[]} plans @param {number} rounds @param {number} quickRounds */
  run(plans, rounds, quickRounds = 3) {
    const count = this.options.rounds ?? (this.options.quick ? quickRounds : rounds);
    return runSeries(plans, count, (line) => this.log(line));
  }

  /** @param {readonly string[]} ids */
  #takePart(ids) {
    const { only } = this.options;
    if (only !== undefined) return ids.filter((id) => id === 'c' || only.includes(id));
    return ids;
  }

  /**
   * One contestant for each receiver, all fed by one sender. Those that do not speak this protocol have the sender
   * of their pair.
   * @param {readonly string[]} ids
   * @param {Load} load
   */
  receivers(ids, load) {
    const common = this.all.senders.c.missing === undefined ? 'c' : 'plain';
    return this.#takePart(ids).map((id) =>
      this.#contestant(id, id, ['http', 'tus', 'ftp'].includes(id) ? id : common, load),
    );
  }

  /** One contestant for each sender, all to one receiver. @param {readonly string[]} ids @param {Load} load */
  senders(ids, load) {
    const common = this.all.receivers.c.missing === undefined ? 'c' : 'plain';
    return this.#takePart(ids).map((id) => {
      const contestant = this.#contestant(id, common, id, load);
      return { ...contestant, label: this.all.senders[id].label };
    });
  }

  /** One contestant for each pair. @param {readonly string[]} ids @param {Load} load */
  pairs(ids, load) {
    return this.#takePart(ids).map((id) => {
      const [receiver, sender] = this.all.pairs[id];
      const labels = [this.all.senders[sender].label, this.all.receivers[receiver].label];
      return { ...this.#contestant(id, receiver, sender, load), label: [...new Set(labels)].join(' to ') };
    });
  }

  /**
   * @param {string} id
   * @param {string} receiver
   * @param {string} sender
   * @param {Load} load
   * @returns {import('./series.mjs').Contestant}
   */
  #contestant(id, receiver, sender, load) {
    const to = this.all.receivers[receiver];
    const from = this.all.senders[sender];
    return {
      id,
      label: to.label,
      missing: to.missing ?? from.missing,
      run: (first) =>
        transfer({ directory: this.directory, ...load, receiver: to.command, sender: from.command, check: first }),
    };
  }
}
