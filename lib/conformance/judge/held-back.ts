/** Results that are told a little later than they are known. */
export class HeldBack<T> {
  readonly #held = new Map<T, NodeJS.Timeout>();
  readonly #ms: number;
  readonly #tell: (item: T) => void;
  readonly #keep: () => boolean;

  /** `ms` later an item is told, unless `keep` says then that it is to stay. */
  constructor(ms: number, tell: (item: T) => void, keep: () => boolean) {
    this.#ms = ms;
    this.#tell = tell;
    this.#keep = keep;
  }

  add(item: T): void {
    const due = (): void => {
      if (!this.#keep()) this.#release(item);
    };
    this.#held.set(item, setTimeout(due, this.#ms));
  }

  /** Tells all that is held, in the order in which it came. */
  tellAll(): void {
    for (const item of [...this.#held.keys()]) this.#release(item);
  }

  /** Takes all that is held: it will not be told. */
  take(): readonly T[] {
    const items = [...this.#held.keys()];
    for (const timer of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
    return items;
  }

  #release(item: T): void {
    clearTimeout(this.#held.get(item));
    this.#held.delete(item);
    this.#tell(item);
  }
}
