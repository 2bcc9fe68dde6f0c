import { BODY_DEFECTS } from './body.mjs';
import { CONNECTION_DEFECTS } from './connection.mjs';
import { END_DEFECTS } from './end.mjs';
import { HEADER_DEFECTS } from './header.mjs';
import { NAME_DEFECTS } from './name.mjs';
import { REPLY_DEFECTS } from './reply.mjs';
import { TAKEN_DEFECTS } from './taken.mjs';

export const SERVER_DEFECTS = {
  ...CONNECTION_DEFECTS,
  ...HEADER_DEFECTS,
  ...NAME_DEFECTS,
  ...REPLY_DEFECTS,
  ...BODY_DEFECTS,
  ...END_DEFECTS,
  ...TAKEN_DEFECTS,
};
