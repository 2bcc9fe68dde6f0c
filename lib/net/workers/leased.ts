import type { MaybePromise } from '../../maybe-promise.js';
import { chain } from '../../maybe-promise.js';
import { GoAheadError } from '../../errors.js';
import type { Disk } from '../../storage/disk.js';
import { FreeSpace, type SpaceAccount, type SpacePromise } from '../../storage/free-space.js';
import type { Task } from '../../storage/task.js';
import { wait } from '../../storage/task.js';
import type { ConnectionSlots } from '../connection-slots.js';
import type { Lease } from './lease.js';

/** Space that is promised once among all workers: to what this process sees of the disk comes the lease. */
export class LeasedSpace implements SpaceAccount {
  readonly #lease: Lease;
  /** Notices what other programs took from the disk since the lease was granted. */
  readonly #own = new FreeSpace();

  constructor(lease: Lease) {
    this.#lease = lease;
  }

  *promise(disk: Disk, directory: string, size: bigint): Task<SpacePromise> {
    const own = yield* this.#own.promise(disk, directory, size);
    const lease = this.#lease;
    const denial = yield* wait(lease.take(size));
    if (denial !== undefined) {
      own.release();
      throw denial.error ?? new GoAheadError('NO_SPACE', 'no space was promised to this process');
    }
    let left = size;
    return {
      wrote(bytes) {
        own.wrote(bytes);
        const written = BigInt(bytes) < left ? BigInt(bytes) : left;
        left -= written;
        lease.spend(written);
      },
      release() {
        own.release();
        lease.give(left);
        left = 0n;
      },
    };
  }
}

/** Connections of which all workers together serve at most so many. */
export class LeasedSlots implements ConnectionSlots {
  readonly #lease: Lease;
  readonly #changed: () => void;

  constructor(lease: Lease, changed: () => void) {
    this.#lease = lease;
    this.#changed = changed;
  }

  take(): MaybePromise<boolean> {
    return chain(this.#lease.take(1n), (denial) => {
      // The server counts it next, and what is reported is what holds at the end of the turn.
      this.#changed();
      return denial === undefined;
    });
  }

  give(): void {
    this.#lease.give(1n);
    this.#changed();
  }
}
