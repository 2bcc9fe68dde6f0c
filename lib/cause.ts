/** What can be told of an exception, whoever threw it. */

/** The `code` that Node gives the errors of system calls, such as `ENOSPC`; else empty. */
export function systemCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

/** For a fault of our own: where it came from. */
export function traceOf(cause: unknown): string {
  return cause instanceof Error && cause.stack !== undefined ? cause.stack : String(cause);
}

/** For what is told shortly: its code, or its own words where it has none. */
export function codeOf(cause: Error): string {
  return systemCode(cause) || cause.message;
}

/** In its own words. Where Node has none, for a host with several addresses that cannot be reached, its code. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message || systemCode(cause) : String(cause);
}
