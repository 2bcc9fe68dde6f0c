import { BODY_DEFECTS } from './body.mjs';
import { FINISH_DEFECTS } from './finish.mjs';
import { HEADER_DEFECTS } from './header.mjs';
import { REPLY_DEFECTS } from './reply.mjs';

export const CLIENT_DEFECTS = {
  ...HEADER_DEFECTS,
  ...REPLY_DEFECTS,
  ...BODY_DEFECTS,
  ...FINISH_DEFECTS,
};
