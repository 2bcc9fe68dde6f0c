/** What can be told of an exception, whoever threw it. */

/** The `code` that Node gives the errors of system calls, such as `ENOSPC`; else empty. */
export function systemCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

/** In its own words. Where Node has none, for a host with several addresses that cannot be reached, its code. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message || systemCode(cause) : String(cause);
}
