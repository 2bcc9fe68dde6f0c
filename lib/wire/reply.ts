/** The reply, all of it (clause 5.1). */
export const REPLY: Uint8Array = Buffer.from('go ahead');

/** How far the reply has come. */
export type ReplyMatch =
  | { readonly kind: 'partial' }
  | { readonly kind: 'whole' }
  /** `received` is what came, up to and with the first byte that does not belong there. */
  | { readonly kind: 'wrong'; readonly received: Buffer };

/** Matches the reply as it comes, in pieces of any size (5.4), and gives up at the first wrong byte (5.5), for good. */
export class ReplyMatcher {
  #matched = 0;
  #wrong: Buffer | undefined;

  /** How many bytes of the reply have come. */
  get matched(): number {
    return this.#matched;
  }

  /** Takes bytes as they come; never throws. A byte after the whole reply is a wrong one (5.2). */
  push(chunk: Uint8Array): ReplyMatch {
    if (this.#wrong !== undefined) return { kind: 'wrong', received: this.#wrong };
    for (const byte of chunk) {
      // Also after the whole reply: REPLY[8] is undefined, and equal to no byte.
      if (byte !== REPLY[this.#matched]) {
        this.#wrong = Buffer.concat([REPLY.subarray(0, this.#matched), Uint8Array.of(byte)]);
        return { kind: 'wrong', received: this.#wrong };
      }
      this.#matched += 1;
    }
    return { kind: this.#matched === REPLY.length ? 'whole' : 'partial' };
  }
}
