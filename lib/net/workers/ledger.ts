import { toGoAheadError, type GoAheadError } from '../../errors.js';
import type { Disk } from '../../storage/disk.js';
import type { FreeSpace, SpacePromise } from '../../storage/free-space.js';
import { run } from '../../storage/task.js';
import type { Clock } from '../../session/clock.js';
import { systemClock } from '../system-clock.js';
import type { Holding } from './messages.js';

/** How long a worker that is asked to give back has for its answer, in milliseconds. */
export const RECALL_MS = 2000;

/** All that there is of a resource. */
export interface Pool {
  /** Takes `need`, or more where there is plenty. Throws, with the reason, or returns 0 when there is less. */
  take(need: bigint): Promise<bigint>;
  give(amount: bigint): void;
}

/** How the holders of parts of the resource are told. */
export interface Answers<H> {
  granted(holder: H, amount: bigint): void;
  denied(holder: H, error: GoAheadError | undefined): void;
  /** Is to be answered with `Ledger.held(..., recalled: true)`. */
  recall(holder: H): void;
}

interface Account {
  held: bigint;
  /** All that was ever granted. */
  granted: bigint;
  recalled: (() => void) | undefined;
}

/**
 * Who holds how much of a resource. What is recorded for a worker is never less than what it has, so nothing is granted
 * twice, however late its figures come; before anybody is refused, all workers give back what they have idle and say what
 * is left.
 */
export class Ledger<H> {
  readonly #pool: Pool;
  readonly #answers: Answers<H>;
  readonly #clock: Clock;
  readonly #accounts = new Map<H, Account>();
  /** One request at a time: between a recall and its answer nothing may be granted. */
  #queue: Promise<void> = Promise.resolve();

  constructor(pool: Pool, answers: Answers<H>, clock: Clock = systemClock) {
    this.#pool = pool;
    this.#answers = answers;
    this.#clock = clock;
  }

  open(holder: H): void {
    this.#accounts.set(holder, { held: 0n, granted: 0n, recalled: undefined });
  }

  /** The process is gone, and what it held is free. */
  close(holder: H): void {
    const account = this.#accounts.get(holder);
    if (account !== undefined) this.held(holder, { held: 0n, granted: account.granted }, true);
    this.#accounts.delete(holder);
  }

  held(holder: H, { held, granted }: Holding, recalled: boolean): void {
    const account = this.#accounts.get(holder);
    if (account === undefined) return;
    // What was granted since then is on its way, or not heard of by a worker that hangs.
    const recorded = held + account.granted - granted;
    this.#pool.give(account.held - recorded);
    account.held = recorded;
    if (recalled) account.recalled?.();
  }

  ask(holder: H, need: bigint): void {
    this.#queue = this.#queue.then(() => this.#answer(holder, need));
  }

  async #answer(holder: H, need: bigint): Promise<void> {
    let amount = 0n;
    let error: GoAheadError | undefined;
    try {
      amount = await this.#pool.take(need).catch(() => 0n);
      if (amount === 0n) {
        await this.#recallAll();
        amount = await this.#pool.take(need);
      }
    } catch (reason) {
      error = toGoAheadError(reason, 'STORAGE_FAILED', 'the request could not be answered');
    }
    const account = this.#accounts.get(holder);
    if (account === undefined) {
      this.#pool.give(amount);
    } else if (amount === 0n) {
      this.#answers.denied(holder, error);
    } else {
      account.held += amount;
      account.granted += amount;
      this.#answers.granted(holder, amount);
    }
  }

  /** Of those who hold something: a worker that has still to start hears nothing, and would never answer. */
  async #recallAll(): Promise<void> {
    const holders = [...this.#accounts].filter(([, { held }]) => held > 0n);
    await Promise.all(holders.map(([holder, account]) => this.#recall(holder, account)));
  }

  /** Settles after its time too: one worker that hangs must not stop the others, and what it holds stays recorded. */
  #recall(holder: H, account: Account): Promise<void> {
    return new Promise((settled) => {
      const answered = (): void => {
        timer.cancel();
        account.recalled = undefined;
        settled();
      };
      const timer = this.#clock.schedule(RECALL_MS, answered);
      account.recalled = answered;
      this.#answers.recall(holder);
    });
  }
}

/** Connections: a fixed number. */
export class SlotPool implements Pool {
  readonly #block: bigint;
  #free: bigint;

  constructor(count: number, workers: number) {
    this.#free = BigInt(count);
    // A small part of a worker's share, so that few are idle when another worker needs them.
    this.#block = BigInt(Math.min(64, Math.floor(count / (8 * workers)) + 1));
  }

  take(need: bigint): Promise<bigint> {
    if (need > this.#free) return Promise.resolve(0n);
    const amount = need > this.#block ? need : this.#block < this.#free ? this.#block : this.#free;
    this.#free -= amount;
    return Promise.resolve(amount);
  }

  give(amount: bigint): void {
    this.#free += amount;
  }
}

/** What is granted beyond the need, so that not each small file asks. In bytes. */
export const SPACE_BLOCK = 64n * 2n ** 20n;

/** Free space of the volume, less what this process or its workers promised already. In bytes. */
export class SpacePool implements Pool {
  readonly #space: FreeSpace;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #granted: { readonly promise: SpacePromise; left: bigint }[] = [];

  constructor(space: FreeSpace, disk: Disk, directory: string) {
    this.#space = space;
    this.#disk = disk;
    this.#directory = directory;
  }

  async take(need: bigint): Promise<bigint> {
    // A block only where it is a small part of what is free.
    const promise = async (amount: bigint, room: bigint): Promise<bigint> => {
      const whole = await run(this.#space.promise(this.#disk, this.#directory, amount + room));
      whole.release();
      this.#granted.push({
        promise: await run(this.#space.promise(this.#disk, this.#directory, amount)),
        left: amount,
      });
      return amount;
    };
    return promise(need + SPACE_BLOCK, 8n * SPACE_BLOCK).catch(() => promise(need, 0n));
  }

  /** Mostly what was written meanwhile; what was not is freed with it. */
  give(amount: bigint): void {
    let rest = amount;
    for (let first = this.#granted[0]; first !== undefined && rest > 0n; first = this.#granted[0]) {
      const part = rest < first.left ? rest : first.left;
      first.promise.wrote(Number(part));
      first.left -= part;
      rest -= part;
      if (first.left === 0n) this.#granted.shift();
    }
  }
}
