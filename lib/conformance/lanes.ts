export interface Width {
  /** So many at a time that work. */
  readonly busy: number;
  /** So many at a time with those that only wait. */
  readonly all: number;
  /** No further one begins when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` on every item. An item that calls `idle` from then on only waits and gives its place to another: who
 * hangs costs little more than one lane.
 */
export async function lanes<T>(
  items: readonly T[],
  width: Width,
  work: (item: T, idle: () => void) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  let busy = 0;
  let running = 0;
  return new Promise((resolve, reject) => {
    const start = (item: T): void => {
      busy += 1;
      running += 1;
      let counted = true;
      const idle = (): void => {
        if (!counted) return;
        counted = false;
        busy -= 1;
        fill();
      };
      work(item, idle)
        .catch(reject)
        .finally(() => {
          running -= 1;
          idle();
          fill();
        });
    };
    const fill = (): void => {
      while (width.signal?.aborted !== true && busy < width.busy && running < width.all) {
        const item = queue.shift();
        if (item === undefined) break;
        start(item);
      }
      if (running === 0) resolve();
    };
    fill();
  });
}
