/** The public face of go-ahead: names only. */
export { ERROR_CODES, GoAheadError } from './errors.js';
export type { ErrorCode, ErrorDetails } from './errors.js';
