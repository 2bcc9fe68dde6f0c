/** What the rows of the server cases have in common. */
import type { Profile, Step } from '../../model/case.js';
import { body, ended, finish, header, reply } from '../../model/steps.js';

export const BOTH: readonly Profile[] = ['classic', 'full'];
export const FULL: readonly Profile[] = ['full'];

/** A transfer as the protocol draws it. */
export const WHOLE: readonly Step[] = [header(), reply, body(), finish, ended];
