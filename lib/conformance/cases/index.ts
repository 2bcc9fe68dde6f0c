import type { Case, ClientCase, ServerCase } from '../case.js';
import { FILE_CASES } from './client/file.js';
import { FINISH_CASES } from './client/finish.js';
import { REPLY_CASES } from './client/reply.js';
import { END_CASES } from './server/end.js';
import { HEADER_CASES } from './server/header.js';
import { MANY_CASES } from './server/many.js';
import { NAME_CASES } from './server/name.js';
import { SIZE_CASES } from './server/size.js';
import { TAKEN_CASES } from './server/taken.js';

export const SERVER_CASES: readonly ServerCase[] = [
  ...SIZE_CASES,
  ...HEADER_CASES,
  ...NAME_CASES,
  ...END_CASES,
  ...TAKEN_CASES,
  ...MANY_CASES,
];

export const CLIENT_CASES: readonly ClientCase[] = [...REPLY_CASES, ...FINISH_CASES, ...FILE_CASES];

export const CASES: readonly Case[] = [...SERVER_CASES, ...CLIENT_CASES];
