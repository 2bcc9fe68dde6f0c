import type { ServerCase } from '../../model/case.js';
import { BODY_CASES } from './body.js';
import { END_CASES } from './end.js';
import { FOREIGN_CASES } from './foreign.js';
import { HEADER_CASES } from './header.js';
import { MANY_CASES } from './many.js';
import { NAME_CASES } from './name.js';
import { NAME_PAIR_CASES } from './name-pairs.js';
import { RESOURCE_CASES } from './resources.js';
import { SIZE_CASES } from './size.js';
import { STANDING_CASES } from './standing.js';
import { TAKEN_CASES } from './taken.js';
import { TIME_CASES } from './time.js';
import { UTF8_CASES } from './utf8.js';

export const SERVER_CASES: readonly ServerCase[] = [
  ...SIZE_CASES,
  ...HEADER_CASES,
  ...UTF8_CASES,
  ...NAME_CASES,
  ...NAME_PAIR_CASES,
  ...BODY_CASES,
  ...END_CASES,
  ...STANDING_CASES,
  ...TAKEN_CASES,
  ...MANY_CASES,
  ...FOREIGN_CASES,
  ...TIME_CASES,
  ...RESOURCE_CASES,
];
