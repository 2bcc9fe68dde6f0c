import type { Case, ClientCase } from '../case.js';
import { FILE_CASES } from './client/file.js';
import { FINISH_CASES } from './client/finish.js';
import { REPLY_CASES } from './client/reply.js';
import { SERVER_CASES } from './server/index.js';

export { SERVER_CASES } from './server/index.js';

export const CLIENT_CASES: readonly ClientCase[] = [...REPLY_CASES, ...FINISH_CASES, ...FILE_CASES];

export const CASES: readonly Case[] = [...SERVER_CASES, ...CLIENT_CASES];
