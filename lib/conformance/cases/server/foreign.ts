import { hex, join, random, repeat, text, type Bytes } from '../../model/bytes.js';
import { REFUSED, type ServerCase } from '../../model/case.js';
import type { ClauseId } from '../../model/clause.js';
import { ended, header } from '../../model/steps.js';
import { FULL, WHOLE } from './rows.js';

/** What other protocols send first: the first 8 bytes read as a size, the rest as a name. */
type Foreign = readonly [what: string, title: string, clause: ClauseId, size: string, rest: Bytes];

const FOREIGN: readonly Foreign[] = [
  // "GET / HT" "TP/1.1 ..."
  ['http', 'a request of HTTP', '9.2', '47 45 54 20 2f 20 48 54', text('TP/1.1\r\nHost: {t}\r\n\r\n')],
  // "PUT /upl" "oad ..."
  ['http-put', 'a PUT of HTTP with a path that looks like a name', '9.2', '50 55 54 20 2f 75 70 6c', text('oad-{t}')],
  // record header, handshake header, version and the first bytes of the random
  [
    'tls',
    'a ClientHello of TLS',
    '9.2',
    '16 03 01 00 f8 01 00 00',
    join(hex('f4 03 03'), text('{t}'), repeat('5a', 20)),
  ],
  // "SSH-2.0-"
  ['ssh', 'the banner of SSH', '9.2', '53 53 48 2d 32 2e 30 2d', text('OpenSSH_9.6 {t}\r\n')],
  // "EHLO mai"
  ['smtp', 'a greeting of SMTP', '9.2', '45 48 4c 4f 20 6d 61 69', text('l.{t}.example\r\n')],
  // NetBIOS length, FF "SMB", command: a size that a large disk may have
  ['smb', 'a negotiation of SMB', '4.4', '00 00 00 85 ff 53 4d 42', join(hex('72 00 00 00 00 18'), text('{t}'))],
  // length, id, flags, one question
  ['dns', 'a question of DNS over TCP', '4.4', '00 1d ab cd 01 00 00 01', join(hex('00 00 00 00 00 00'), text('{t}'))],
  [
    'proxy',
    'the line of the PROXY protocol before the header',
    '9.2',
    '50 52 4f 58 59 20 54 43',
    text('P4 192.0.2.1 192.0.2.2 {t} 12000\r\n'),
  ],
  ['reply', 'a peer that says go ahead itself', '9.2', '67 6f 20 61 68 65 61 64', text('{t}')],
  ['all-ones', 'nothing but FF', '3.12', 'ff ff ff ff ff ff ff ff', join(repeat('ff', 24), text('{t}'))],
  ['all-zeros', 'nothing but 00', '4.4', '00 00 00 00 00 00 00 00', join(repeat('00', 24), text('{t}'))],
  // U+FEFF and the digits of a size as text, as a terminal would send them
  ['terminal', 'somebody who types into a terminal', '9.2', '68 65 6c 6c 6f 20 61 6e', text('ybody {t}?\r\n')],
];

export const FOREIGN_CASES: readonly ServerCase[] = FOREIGN.map(([what, title, clause, size, rest]) => ({
  id: `server/foreign/${what}`,
  title,
  clause,
  role: 'server',
  profiles: FULL,
  needs: 'wire',
  ...(what === 'http' && { quick: true }),
  exchange: { file: { size: hex(size), name: rest, body: random(16) }, steps: [header(), ended], expect: [REFUSED] },
  twin: { file: { size: hex('00 00 00 00 00 00 00 10'), name: text('{t}native.bin') }, steps: WHOLE },
}));
