// binary-parser 2.3.0 has no "types" in its exports map, so its own declarations do not resolve from ESM (TS7016).
declare module 'binary-parser' {
  export { Parser } from 'binary-parser/dist/binary_parser.js';
}
