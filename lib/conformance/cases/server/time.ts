import { hex, random, text } from '../../model/bytes.js';
import { REFUSED, type ServerCase, type ServerOutcome, type Some, type Step } from '../../model/case.js';
import type { ClauseId } from '../../model/clause.js';
import type { DeclaredTime } from '../../model/capabilities.js';
import { body, endedAfter, header, reply, send, slowHeader } from '../../model/steps.js';
import { FULL, WHOLE } from './rows.js';

/** 2,048 bytes. */
const file = { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}time.bin'), body: random(2048) };

/** Nobody can find a deadline of minutes in seconds, so the user declares it. */
function ends(
  what: string,
  title: string,
  clause: ClauseId,
  deadline: DeclaredTime,
  expect: Some<ServerOutcome>,
  ...steps: readonly Step[]
): ServerCase {
  return {
    id: `server/time/${what}`,
    title,
    clause,
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    declared: [deadline],
    exchange: { file, steps, expect },
    twin: { steps: WHOLE },
  };
}

const DISCARDED_BY_RESET: Some<ServerOutcome> = [{ reply: 'go ahead', closed: ['rst'], disk: 'nothing' }];

export const TIME_CASES: readonly ServerCase[] = [
  ends('silent', 'not one byte of a header: ended', '11.1', 'headerTimeout', [REFUSED], endedAfter('headerTimeout')),
  ends(
    'in-the-size',
    'half of a size, then nothing: ended',
    '11.1',
    'headerTimeout',
    [REFUSED],
    send(hex('00 00 00 00')),
    endedAfter('headerTimeout'),
  ),
  {
    id: 'server/time/slow-header',
    title: 'seven bytes of a size, each in time, together not: ended',
    clause: '11.1',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    declared: ['headerTimeout'],
    exchange: {
      // Seven bytes in 2.4 times the deadline; the eighth would make a size, so it never comes.
      file: { ...file, size: hex('00 00 00 00 00 00 08'), name: text('') },
      steps: [slowHeader('headerTimeout', 0.4)],
      expect: [REFUSED],
    },
    twin: { file, steps: WHOLE },
  },
  ends(
    'no-body',
    'a reply, and then no byte of the body: ended',
    '11.2',
    'idleTimeout',
    DISCARDED_BY_RESET,
    header(),
    reply,
    endedAfter('idleTimeout'),
  ),
  ends(
    'in-the-body',
    'half of a body, then nothing: ended, and nothing stays',
    '11.2',
    'idleTimeout',
    DISCARDED_BY_RESET,
    header(),
    reply,
    body({ to: 1024 }),
    endedAfter('idleTimeout'),
  ),
  ends(
    'before-the-last-byte',
    'all but the last byte, then nothing: ended, and nothing stays',
    '11.2',
    'idleTimeout',
    DISCARDED_BY_RESET,
    header(),
    reply,
    body({ to: -1 }),
    endedAfter('idleTimeout'),
  ),
];
