/** What a sender announces. */
export interface Header {
  /** In bytes, 0 to 2^64 - 1 (clause 9.1). */
  readonly size: bigint;
  /** As on the wire: any UTF-8, hostile (clause 4). */
  readonly name: string;
}
