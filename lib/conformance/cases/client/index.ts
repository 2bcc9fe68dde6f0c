import type { ClientCase } from '../../model/case.js';
import { BODY_CASES } from './body.js';
import { END_CASES } from './end.js';
import { FAILURE_CASES } from './failure.js';
import { FILE_CASES } from './file.js';
import { HEADER_CASES } from './header.js';
import { NAME_CASES } from './name.js';
import { REPLY_CASES } from './reply.js';
import { SIZE_CASES } from './size.js';
import { TIME_CASES } from './time.js';

export const CLIENT_CASES: readonly ClientCase[] = [
  ...HEADER_CASES,
  ...SIZE_CASES,
  ...NAME_CASES,
  ...REPLY_CASES,
  ...BODY_CASES,
  ...END_CASES,
  ...FILE_CASES,
  ...FAILURE_CASES,
  ...TIME_CASES,
];
