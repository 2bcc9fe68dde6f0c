import type { ClientCase } from '../../case.js';
import { FILE_CASES } from './file.js';
import { FINISH_CASES } from './finish.js';
import { REPLY_CASES } from './reply.js';

export const CLIENT_CASES: readonly ClientCase[] = [...REPLY_CASES, ...FINISH_CASES, ...FILE_CASES];
