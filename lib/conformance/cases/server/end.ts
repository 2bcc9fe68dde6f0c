import { hex, join, random, repeat, text, type Bytes } from '../../model/bytes.js';
import { ACCEPTED, DISCARDED, REFUSED, type Profile, type ServerCase, type Step } from '../../model/case.js';
import type { ClauseId } from '../../model/clause.js';
import { body, close, ended, finish, header, look, pause, reply, reset, send, silence } from '../../model/steps.js';
import { BOTH, FULL, WHOLE } from './rows.js';

/** 2,048 bytes. */
const file = { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}end.bin'), body: random(2048) };

/** The stream ends too early: nothing of the file may stay. */
function underrun(
  what: string,
  title: string,
  profiles: readonly Profile[],
  quick: boolean,
  ...steps: readonly Step[]
): ServerCase {
  return {
    id: `server/end/${what}`,
    title,
    clause: '6.4',
    role: 'server',
    profiles,
    needs: 'dir',
    ...(quick && { quick }),
    exchange: { file, steps: [header(), reply, ...steps], expect: [DISCARDED] },
    twin: { steps: WHOLE },
  };
}

/** After a failure the connection is reset; what is on disk is the matter of other cases. */
function answeredWithReset(
  what: string,
  title: string,
  more: Partial<typeof file>,
  ...steps: readonly Step[]
): ServerCase {
  return {
    id: `server/end/${what}`,
    title,
    clause: '8.2',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    exchange: {
      file: { ...file, ...more },
      steps: [header(), reply, ...steps],
      expect: [{ reply: 'go ahead', closed: ['rst'], disk: 'any' }],
    },
    twin: { file, steps: WHOLE },
  };
}

/** More than was announced, in the segment of the last byte, so that it is there before any commit. */
function overrun(what: string, title: string, extra: Bytes, quick: boolean): ServerCase {
  return {
    id: `server/end/${what}`,
    title,
    clause: '6.5',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    ...(quick && { quick }),
    exchange: {
      file: { ...file, body: join(file.body, extra) },
      steps: [header(), reply, body(), finish, ended],
      expect: [DISCARDED],
    },
    twin: { file: { body: file.body } },
  };
}

/** Every byte has come: stored, however the sender ends. */
function stored(
  what: string,
  title: string,
  clause: ClauseId,
  profiles: readonly Profile[],
  ...steps: readonly Step[]
): ServerCase {
  return {
    id: `server/end/${what}`,
    title,
    clause,
    role: 'server',
    profiles,
    needs: clause === '7.2' ? 'dir' : 'wire',
    exchange: { file, steps: [header(), reply, ...steps], expect: [ACCEPTED] },
  };
}

const HALF = body({ to: 1024 });

export const END_CASES: readonly ServerCase[] = [
  underrun('fin-mid-body', 'FIN after half of the body', BOTH, true, HALF, finish, ended),
  underrun('fin-before-last-byte', 'FIN one byte before the end', BOTH, false, body({ to: -1 }), finish, ended),
  underrun('fin-before-first-byte', 'FIN after the reply, without one byte', BOTH, false, finish, ended),
  underrun('fin-after-first-byte', 'FIN after the first byte', BOTH, false, body({ to: 1 }), finish, ended),
  underrun('fin-after-pause', 'FIN after half of the body and a pause', BOTH, false, HALF, silence, finish, ended),
  underrun('reset-mid-body', 'RST after half of the body', BOTH, true, HALF, reset),
  underrun('reset-before-first-byte', 'RST after the reply, without one byte', BOTH, false, reset),
  underrun('reset-before-last-byte', 'RST one byte before the end', BOTH, false, body({ to: -1 }), pause(), reset),
  underrun('closed-mid-body', 'closed in both directions after half of the body', BOTH, false, HALF, close),
  {
    ...underrun('fin-after-customary-buffer', 'FIN after 1,024 of 2,049 bytes', BOTH, false, HALF, finish, ended),
    exchange: {
      // The last piece of a full buffer is no sign of the end.
      file: { ...file, size: hex('00 00 00 00 00 00 08 01'), body: random(2049) },
      steps: [header(), reply, HALF, finish, ended],
      expect: [DISCARDED],
    },
  },
  {
    id: 'server/end/reset-after-last-byte',
    title: 'RST directly after the last byte: whole or nothing, never a part',
    clause: '8.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: {
      file,
      steps: [header(), reply, body(), reset],
      expect: [{ reply: 'go ahead', closed: ['fin', 'rst'], disk: 'either' }],
    },
    twin: { steps: WHOLE },
  },
  answeredWithReset('fin-mid-body-reset', 'FIN after half of the body: answered with a reset', {}, HALF, finish, ended),
  answeredWithReset('fin-before-first-byte-reset', 'FIN without one byte: answered with a reset', {}, finish, ended),
  answeredWithReset(
    'fin-before-last-byte-reset',
    'FIN one byte too early: answered with a reset',
    {},
    body({ to: -1 }),
    finish,
    ended,
  ),
  answeredWithReset(
    'overrun-reset',
    'one byte after the last one: answered with a reset',
    { body: random(2049) },
    body(),
    finish,
    ended,
  ),
  answeredWithReset(
    'overrun-open-reset',
    'one byte after the last one, and the sender stays: answered with a reset',
    { body: random(2049) },
    body(),
    ended,
  ),
  overrun('overrun', 'one byte after the last one', hex('21'), true),
  overrun('overrun-newline', 'a newline after the last byte', hex('0a'), false),
  overrun(
    'second-header',
    'a second header after the last byte: there is one file a connection',
    join(hex('00 00 00 00 00 00 00 05'), text('{t}second.txt')),
    false,
  ),
  overrun('overrun-mib', '1 MiB after the last byte', repeat('78', 2 ** 20), false),
  {
    id: 'server/end/overrun-of-nothing',
    title: 'one byte after the reply to a size of zero',
    clause: '6.5',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    exchange: {
      file: { size: hex('00 00 00 00 00 00 00 00'), name: text('{t}empty.bin'), body: hex('21') },
      // A receiver that has no grace may have stored the empty file before the byte came.
      steps: [header(), reply, body(), finish, ended],
      expect: [
        { reply: 'go ahead', closed: ['rst'], disk: 'nothing' },
        { reply: 'go ahead', closed: ['fin'], disk: 'any' },
      ],
    },
    twin: { file: { size: hex('00 00 00 00 00 00 00 01') } },
  },
  {
    ...stored(
      'sender-stays',
      'the sender keeps its side open: stored, and closed by the receiver',
      '7.6',
      BOTH,
      body(),
      ended,
    ),
    quick: true,
  },
  stored(
    'sender-stays-silent',
    'the last byte, then silence from the sender: stored',
    '7.3',
    FULL,
    body({ cut: { at: [2047] } }),
    ended,
  ),
  {
    id: 'server/end/sender-stays-after-nothing',
    title: 'an empty file, and the sender keeps its side open: stored',
    clause: '7.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: {
      file: { size: hex('00 00 00 00 00 00 00 00'), name: text('{t}stays.txt'), body: hex('') },
      steps: [header(), reply, ended],
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/end/within-a-second',
    title: 'the sender keeps its side open: closed within a second of the last byte',
    clause: '7.4',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    tries: 4,
    exchange: {
      file,
      steps: [header(), reply, body(), ended],
      expect: [{ ...ACCEPTED, within: { to: 'close', ms: 1000 } }],
    },
  },
  stored('fin-after-last-byte', 'FIN directly after the last byte', '7.2', BOTH, body(), finish, ended),
  {
    ...stored(
      'closed-after-last-byte',
      'closed without waiting, as the classic sender does',
      '7.2',
      BOTH,
      body(),
      close,
    ),
    exchange: {
      file,
      steps: [header(), reply, body(), close],
      // How the receiver closes cannot be seen then.
      expect: [{ reply: 'go ahead', closed: ['fin'], disk: 'whole' }],
    },
  },
  {
    id: 'server/end/close-is-the-receipt',
    title: 'the file stands when the FIN comes',
    clause: '7.5',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    exchange: { file, steps: WHOLE, expect: [{ ...ACCEPTED, atClose: true }] },
  },
  {
    id: 'server/end/close-is-the-receipt-of-mib',
    title: '8 MiB stand when the FIN comes',
    clause: '7.5',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    exchange: {
      file: { size: hex('00 00 00 00 00 80 00 00'), name: text('{t}receipt.bin'), body: random(2 ** 23) },
      steps: WHOLE,
      expect: [{ ...ACCEPTED, atClose: true }],
    },
  },
  {
    id: 'server/end/close-is-the-receipt-to-stayer',
    title: 'the file stands when the FIN comes to a sender that stays',
    clause: '7.5',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    exchange: { file, steps: [header(), reply, body(), ended], expect: [{ ...ACCEPTED, atClose: true }] },
  },
  {
    id: 'server/end/waits-for-the-last-byte',
    title: 'the last byte is withheld: the connection stays open until it comes',
    clause: '7.5',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    exchange: {
      file,
      steps: [header(), reply, body({ to: -1 }), silence, body({ from: -1 }), finish, ended],
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/end/not-seen-early',
    title: 'in mid-body nothing stands under the final name',
    clause: '7.8',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { naming: ['kept'] },
    quick: true,
    exchange: {
      file: { size: hex('00 00 00 00 00 04 00 00'), name: text('{t}early.bin'), body: random(262_144) },
      steps: [header(), reply, look, body({ to: 131_072 }), silence, look, body({ from: 131_072 }), finish, ended],
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/end/reply-only',
    title: 'nothing but the reply comes: no second one, no progress, no goodbye',
    clause: '5.2',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    exchange: {
      file,
      steps: [header(), reply, silence, body({ to: 1024 }), silence, body({ from: 1024 }), finish, ended],
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/end/reply-exact',
    title: 'the reply is the 8 bytes go ahead, in small letters and with one space',
    clause: '5.1',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    quick: true,
    exchange: { file, steps: [header(), reply, silence, body(), finish, ended], expect: [ACCEPTED] },
  },
  {
    id: 'server/end/refusal-says-nothing',
    title: 'a refusal is a close without a byte',
    clause: '8.1',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    quick: true,
    exchange: {
      file: { ...file, name: join(text('{t}refused'), hex('00')) },
      steps: [header(), ended],
      expect: [{ ...REFUSED, disk: 'any' }],
    },
    twin: { file: { name: text('{t}accepted') }, steps: WHOLE },
  },
  {
    id: 'server/end/body-after-refusal',
    title: 'a sender that sends its body to a receiver that refused: nothing is stored',
    clause: '8.1',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    exchange: {
      file: { ...file, name: join(text('{t}refused'), hex('00')) },
      steps: [header(), ended, send(hex('41 42 43'))],
      expect: [REFUSED],
    },
    twin: { file: { name: text('{t}accepted') }, steps: WHOLE },
  },
  {
    id: 'server/end/nothing-else-removed',
    title: 'an upload that fails takes nothing else with it, whatever the names beside it',
    clause: '8.3',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    plant: [
      { kind: 'file', at: '{t}end.bin.temp', bytes: text('temp') },
      { kind: 'file', at: '{t}end.bin.tmp', bytes: text('tmp') },
      { kind: 'file', at: '{t}end.bin.part', bytes: text('part') },
      { kind: 'file', at: '{t}end.bin.partial', bytes: text('partial') },
      { kind: 'file', at: '{t}end.bin~', bytes: text('tilde') },
      { kind: 'file', at: '.{t}end.bin.swp', bytes: text('swp') },
      { kind: 'file', at: '{t}end', bytes: text('stem') },
    ],
    exchange: {
      file: { ...file, name: text('{t}end.bin') },
      steps: [header(), reply, HALF, finish, ended],
      expect: [DISCARDED],
    },
    twin: { steps: WHOLE },
  },
];
