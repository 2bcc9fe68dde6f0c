/** What one would write by hand: the same events, the same strictness, no library. The baseline of the cell `framer`. */

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @param {Buffer} bytes */
export function decodeHeader(bytes) {
  if (bytes.length < 9 || bytes.length > 1024) throw new RangeError(`a header of ${bytes.length} bytes`);
  return { size: bytes.readBigUInt64BE(0), name: strictUtf8.decode(bytes.subarray(8)) };
}

export class HandDecoder {
  /** @type {Buffer[]} */
  #pieces = [];
  #left = -1;

  /**
   * @param {(header: { size: bigint, name: string }) => void} onHeader
   * @param {(chunk: Buffer) => void} onBody
   * @param {() => void} onEnd
   */
  constructor(onHeader, onBody, onEnd) {
    this.onHeader = onHeader;
    this.onBody = onBody;
    this.onEnd = onEnd;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    if (this.#left < 0) {
      this.#pieces.push(chunk);
      return;
    }
    if (chunk.length > this.#left) throw new RangeError('more bytes than announced');
    this.#left -= chunk.length;
    this.onBody(chunk);
    if (this.#left === 0) this.onEnd();
  }

  endHeader() {
    const header = decodeHeader(this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces));
    this.#pieces = [];
    this.#left = Number(header.size);
    this.onHeader(header);
    if (this.#left === 0) this.onEnd();
  }
}
