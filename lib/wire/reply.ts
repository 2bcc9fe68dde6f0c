/** The reply, all of it (clause 5.1). */
export const REPLY: Uint8Array = Buffer.from('go ahead');

export type ReplyMatch =
  | { readonly kind: 'partial' }
  | { readonly kind: 'whole' }
  /** `received` is what came, up to and with the first byte that does not belong there. */
  | { readonly kind: 'wrong'; readonly received: Buffer };

/** Matches the reply as it comes, in pieces of any size (5.4), and gives up at the first wrong byte (5.5). */
export class ReplyMatcher {
  #matched = 0;

  /** How many bytes of the reply have come. */
  get matched(): number {
    return this.#matched;
  }

  push(chunk: Uint8Array): ReplyMatch {
    for (const [index, byte] of chunk.entries()) {
      // Also after the whole reply: REPLY[8] is undefined, and equal to no byte.
      if (byte !== REPLY[this.#matched]) {
        const received = Buffer.concat([REPLY.subarray(0, this.#matched), chunk.subarray(index, index + 1)]);
        return { kind: 'wrong', received };
      }
      this.#matched += 1;
    }
    return { kind: this.#matched === REPLY.length ? 'whole' : 'partial' };
  }
}
