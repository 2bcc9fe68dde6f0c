import type { ServerCase } from '../../case.js';
import { END_CASES } from './end.js';
import { HEADER_CASES } from './header.js';
import { MANY_CASES } from './many.js';
import { NAME_CASES } from './name.js';
import { SIZE_CASES } from './size.js';
import { TAKEN_CASES } from './taken.js';

export const SERVER_CASES: readonly ServerCase[] = [
  ...SIZE_CASES,
  ...HEADER_CASES,
  ...NAME_CASES,
  ...END_CASES,
  ...TAKEN_CASES,
  ...MANY_CASES,
];
