import { hex, join, random, repeat, text } from '../../model/bytes.js';
import { ACCEPTED, REFUSED, type ServerCase, type Step } from '../../model/case.js';
import { body, ended, finish, header, hushed, reply, reset, send, silence } from '../../model/steps.js';
import { FULL, WHOLE } from './rows.js';

/** 64 bytes. */
const file = { size: hex('00 00 00 00 00 00 00 40'), name: text('{t}header.bin'), body: random(64) };
const REST: readonly Step[] = [reply, body(), finish, ended];

/** Cut inside the size, and nothing may come before the rest. */
function splitInSize(at: number): ServerCase {
  return {
    id: `server/header/split-after-${at}`,
    title: `the header cut after ${at} byte${at === 1 ? '' : 's'}, with a silence between`,
    clause: '3.7',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    exchange: { file, steps: [hushed({ at: [at] }), ...REST], expect: [ACCEPTED] },
  };
}

/** In several pieces, of which a valid name could be read too early; a busy machine can stretch a gap. */
function pieces(what: string, title: string, first: Step, quick: boolean): ServerCase {
  return {
    id: `server/header/${what}`,
    title,
    clause: '3.10',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    tries: 4,
    ...(quick && { quick }),
    exchange: { file, steps: [first, ...REST], expect: [ACCEPTED] },
  };
}

/** The stream ends, and what came is no header. Nothing that is left behind could be told from another case's. */
function incomplete(what: string, title: string, sent: readonly Step[]): ServerCase {
  return {
    id: `server/header/${what}`,
    title,
    clause: '3.13',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    alone: true,
    exchange: { file, steps: sent, expect: [REFUSED] },
    twin: { steps: WHOLE },
  };
}

/** A path of 996 bytes before the name, which ends at the 1,024th byte of the header, or one later. */
const longest = join(repeat('64 2f', 996), text('{t}edge.bin'));
const tooLong = join(text('d'), longest);
const over = (name: typeof longest): typeof file => ({ ...file, name });

function refusedAsTooLong(what: string, title: string, name: typeof longest, steps: readonly Step[]): ServerCase {
  return {
    id: `server/header/${what}`,
    title,
    clause: '3.11',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    exchange: { file: over(name), steps, expect: [REFUSED] },
    twin: { file: { name: file.name }, steps: WHOLE },
  };
}

/** Header and body in one segment: what comes before the reply is header (3.6), so the name is another one, or none. */
const early = (what: string, title: string, glued: { size: typeof longest; body: typeof longest }): ServerCase => ({
  id: `server/header/${what}`,
  title,
  clause: '3.6',
  role: 'server',
  profiles: FULL,
  needs: 'dir',
  exchange: {
    file: { ...glued, name: file.name },
    steps: [send(join(glued.size, file.name, glued.body)), finish, ended],
    expect: [
      { reply: 'none', closed: ['fin', 'rst'], disk: 'nothing' },
      { reply: 'go ahead', closed: ['rst', 'fin'], disk: 'nothing' },
    ],
  },
  twin: { steps: WHOLE },
});

export const HEADER_CASES: readonly ServerCase[] = [
  splitInSize(1),
  splitInSize(2),
  {
    id: 'server/header/split-in-size',
    title: 'the header cut after 3 bytes',
    clause: '3.7',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    quick: true,
    exchange: { file, steps: [header({ at: [3] }), ...REST], expect: [ACCEPTED] },
  },
  splitInSize(4),
  splitInSize(5),
  splitInSize(6),
  splitInSize(7),
  splitInSize(8),
  {
    id: 'server/header/size-in-single-bytes',
    title: 'the size in eight segments, then the name',
    clause: '3.7',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    exchange: { file, steps: [header({ at: [1, 2, 3, 4, 5, 6, 7, 8] }), ...REST], expect: [ACCEPTED] },
  },
  pieces('split-in-name', 'cut after 4 bytes, and again inside the name', header({ at: [4, 14] }), false),
  pieces('split-before-last-byte', 'cut after 4 bytes, and before the last byte', header({ at: [4, 29] }), false),
  pieces('single-bytes', 'the header in single bytes: the quiet counts from the last one', header({ every: 1 }), true),
  {
    id: 'server/header/at-once',
    title: 'a header in one piece: the reply does not wait for a quiet',
    clause: '3.9',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    tries: 4,
    exchange: { file, steps: WHOLE, expect: [{ ...ACCEPTED, within: { to: 'reply', ms: 40 } }] },
  },
  {
    id: 'server/header/shortest',
    title: 'the shortest header: a name of one letter',
    clause: '3.1',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    alone: true,
    exchange: { file: { ...file, name: text('z') }, steps: WHOLE, expect: [ACCEPTED] },
  },
  {
    id: 'server/header/longest',
    title: 'a header of 1,024 bytes: stored, or refused for the path in it',
    clause: '3.1',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    exchange: { file: over(longest), steps: WHOLE, expect: [REFUSED, { ...ACCEPTED, as: text('{t}edge.bin') }] },
    twin: { file: { name: file.name } },
  },
  {
    id: 'server/header/longest-stored',
    title: 'a header of 1,024 bytes with a path: stored by who stores other paths',
    clause: '4.8',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { paths: ['last component'] },
    exchange: { file: over(longest), steps: WHOLE, expect: [{ ...ACCEPTED, as: text('{t}edge.bin') }] },
  },
  refusedAsTooLong('too-long', 'a header of 1,025 bytes', tooLong, [header(), ended]),
  refusedAsTooLong('too-long-in-pieces', 'a header of 1,025 bytes, 4 of them first', tooLong, [
    hushed({ at: [4] }),
    ended,
  ]),
  refusedAsTooLong(
    'endless',
    'a header of 256 KiB: refused before all of it has come',
    join(text('{t}endless/'), repeat('61', 262_144)),
    [header({ at: [1000, 2000] }), ended],
  ),
  early('glued-text', 'header and body in one segment; both together are a valid name', {
    size: hex('00 00 00 00 00 00 00 05'),
    body: text('hello'),
  }),
  early('glued-binary', 'header and body in one segment; together they are no UTF-8', {
    size: hex('00 00 00 00 00 00 00 40'),
    body: repeat('ff 00 c3 28', 64),
  }),
  early('glued-long', 'header and body in one segment of more than 1,024 bytes', {
    size: hex('00 00 00 00 00 00 08 00'),
    body: repeat('62', 2048),
  }),
  {
    id: 'server/header/nothing',
    title: 'not one byte, then FIN',
    clause: '3.13',
    role: 'server',
    profiles: ['classic', 'full'],
    needs: 'dir',
    alone: true,
    exchange: { file, steps: [finish, ended], expect: [REFUSED] },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/header/silence-first',
    title: 'a receiver does not speak first',
    clause: '5.2',
    role: 'server',
    profiles: ['classic', 'full'],
    needs: 'wire',
    quick: true,
    exchange: { file, steps: [silence, ...WHOLE], expect: [ACCEPTED] },
  },
  incomplete('fin-in-size', 'FIN after 3 bytes', [send(hex('00 00 00')), finish, ended]),
  incomplete('fin-in-size-of-seven', 'FIN after 7 bytes', [send(hex('00 00 00 00 00 00 00')), finish, ended]),
  incomplete('reset-in-size', 'RST after 3 bytes', [send(hex('00 00 00')), reset]),
  incomplete('fin-in-character', 'FIN while the name ends inside a UTF-8 sequence', [
    send(join(file.size, text('{t}cut-'), hex('e2 82'))),
    silence,
    finish,
    ended,
  ]),
  {
    id: 'server/header/fin-after-size',
    title: 'FIN after the size, without a name',
    clause: '3.13',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    // Nothing that the server left behind could be told from another case's.
    alone: true,
    exchange: { file: { ...file, name: hex('') }, steps: [header(), silence, finish, ended], expect: [REFUSED] },
    twin: { file: { name: file.name }, steps: WHOLE },
  },
  {
    id: 'server/header/reset-after-header',
    title: 'RST directly after the header: nothing is stored',
    clause: '6.4',
    role: 'server',
    profiles: ['classic', 'full'],
    needs: 'dir',
    exchange: {
      file,
      steps: [header(), reset],
      expect: [{ reply: 'any', closed: ['fin', 'rst'], disk: 'nothing' }],
    },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/header/fin-after-header',
    title: 'FIN directly after the header of a file that has bytes: nothing is stored',
    clause: '6.4',
    role: 'server',
    profiles: ['classic', 'full'],
    needs: 'dir',
    exchange: {
      file,
      steps: [header(), finish, ended],
      expect: [
        { reply: 'none', closed: ['fin', 'rst'], disk: 'nothing' },
        { reply: 'go ahead', closed: ['fin', 'rst'], disk: 'nothing' },
      ],
    },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/header/fin-after-header-of-empty',
    title: 'FIN directly after the header of an empty file: stored, or nothing',
    clause: '5.3',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    exchange: {
      file: { size: hex('00 00 00 00 00 00 00 00'), name: file.name, body: hex('') },
      steps: [header(), finish, ended],
      expect: [ACCEPTED, REFUSED, { reply: 'go ahead', closed: ['rst'], disk: 'nothing' }],
    },
    twin: { steps: [header(), reply, finish, ended] },
  },
];
