/** A worker that served for so long was well; its death begins a new count. In milliseconds. */
export const STABLE_MS = 10_000;
export const MOST_DEATHS = 5;
const FIRST_DELAY_MS = 100;

/** When a worker that died is replaced: at once the first time, then later and later, and not without end. */
export class RestartPolicy {
  #deaths = 0;

  /**
   * @param servedMs how long the worker served, in milliseconds
   * @returns how long to wait, in milliseconds; undefined when it is time to give up
   */
  died(servedMs: number): number | undefined {
    this.#deaths = servedMs >= STABLE_MS ? 1 : this.#deaths + 1;
    if (this.#deaths > MOST_DEATHS) return undefined;
    return this.#deaths === 1 ? 0 : FIRST_DELAY_MS * 2 ** (this.#deaths - 2);
  }
}
