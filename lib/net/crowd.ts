/** What a {@link Crowd} holds. */
export interface Member {
  /** Where it stands; for the crowd only. */
  place: number;
}

/**
 * What comes and goes by the thousand. A `Map` would do, but for the garbage collector: V8 links the old table of a `Map` to the
 * new one at each rehash, so one table that has grown old keeps all that follow through every small collection, and with
 * them each connection that ever stood in one.
 */
export class Crowd<T extends Member> implements Iterable<T> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    member.place = this.#members.length;
    this.#members.push(member);
  }

  /** Of one that is in the crowd: the last one takes its place. */
  remove(member: T): void {
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    last.place = member.place;
    this.#members[member.place] = last;
  }

  /** Those of now, whoever leaves meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return [...this.#members].values();
  }
}
