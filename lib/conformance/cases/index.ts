import type { Case } from '../model/case.js';
import { CLIENT_CASES } from './client/index.js';
import { SERVER_CASES } from './server/index.js';

export { CLIENT_CASES } from './client/index.js';
export { SERVER_CASES } from './server/index.js';

export const CASES: readonly Case[] = [...SERVER_CASES, ...CLIENT_CASES];
