import { hex, random, repeat, text } from '../../model/bytes.js';
import {
  ACCEPTED,
  DISCARDED,
  REFUSED,
  type Plant,
  type ServerCase,
  type ServerOutcome,
  type Some,
  type Step,
} from '../../model/case.js';
import type { ClauseId } from '../../model/clause.js';
import { body, ended, finish, header, look, reply, reset, silence } from '../../model/steps.js';
import { FULL, WHOLE } from './rows.js';

/** 2,048 bytes. */
const file = { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}on'), body: random(2048) };
const AT = '{t}on{suffix}';

/** Stored, under whatever name; or refused; or found out too late, and discarded. Never through what stands there. */
const ANY_SAFE_WAY: Some<ServerOutcome> = [
  { ...ACCEPTED, as: 'any' },
  REFUSED,
  { reply: 'go ahead', closed: ['rst'], disk: 'nothing' },
];

function under(what: string, title: string, clause: ClauseId, ...plant: readonly Plant[]): ServerCase {
  return {
    id: `server/standing/${what}`,
    title,
    clause,
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { naming: ['kept'] },
    escapes: true,
    plant,
    exchange: { file, steps: WHOLE, expect: ANY_SAFE_WAY },
    twin: { plant: [] },
  };
}

/** A server that is wrong stands still in it, and what ran beside it would have to be tried again. */
function hanging(one: ServerCase): ServerCase {
  return { ...one, alone: true };
}

/** A file stands under the name, and the upload fails: it stays as it was. */
function kept(what: string, title: string, more: Partial<typeof file>, ...steps: readonly Step[]): ServerCase {
  return {
    id: `server/standing/${what}`,
    title,
    clause: '8.4',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { naming: ['kept'] },
    plant: [{ kind: 'file', at: AT, bytes: text('the old content of {t}') }],
    exchange: {
      file: { ...file, ...more },
      steps,
      expect: [DISCARDED, REFUSED],
    },
    twin: { file, steps: WHOLE, plant: [] },
  };
}

const HALF = body({ to: 1024 });

export const STANDING_CASES: readonly ServerCase[] = [
  under(
    'link-to-file',
    'the name is a symbolic link to another file: not written through',
    '4.9',
    { kind: 'file', at: '{t}victim', bytes: text('the victim of {t}') },
    { kind: 'symlink', at: AT, to: '{t}victim', mayChange: true },
  ),
  under(
    'link-to-outside',
    'the name is a symbolic link to a file beside the directory',
    '4.9',
    { kind: 'file', at: '../{t}victim', bytes: text('the victim of {t}') },
    { kind: 'symlink', at: AT, to: '../{t}victim', mayChange: true },
  ),
  under(
    'link-dangling',
    'the name is a symbolic link to nothing: nothing is created there',
    '4.9',
    { kind: 'nothing', at: '{t}target' },
    { kind: 'symlink', at: AT, to: '{t}target', mayChange: true },
  ),
  under('link-dangling-outside', 'the name is a symbolic link to nothing, beside the directory', '4.1', {
    kind: 'symlink',
    at: AT,
    to: '../{t}outside',
    mayChange: true,
  }),
  under('link-dangling-absolute', 'the name is a symbolic link to nothing, in the temporary directory', '4.1', {
    kind: 'symlink',
    at: AT,
    to: '{tmp}/{t}absolute',
    mayChange: true,
  }),
  under('link-to-itself', 'the name is a symbolic link to itself', '4.9', {
    kind: 'symlink',
    at: AT,
    to: AT,
    mayChange: true,
  }),
  under(
    'link-to-directory',
    'the name is a symbolic link to a directory: nothing is stored in it',
    '4.9',
    { kind: 'directory', at: '{t}place' },
    { kind: 'symlink', at: AT, to: '{t}place', mayChange: true },
  ),
  under(
    'hard-link',
    'the name is a hard link: the other name keeps its content',
    '10.4',
    { kind: 'file', at: '{t}first-name', bytes: text('the content of {t}') },
    { kind: 'hard link', at: AT, to: '{t}first-name', mayChange: true },
  ),
  under('directory', 'the name is a directory: it stays, and stays empty', '4.10', { kind: 'directory', at: AT }),
  hanging(under('fifo', 'the name is a FIFO: not opened, which would wait for ever', '4.10', { kind: 'fifo', at: AT })),
  hanging(
    under(
      'link-to-fifo',
      'the name is a symbolic link to a FIFO: not opened',
      '4.10',
      { kind: 'fifo', at: '{t}pipe' },
      { kind: 'symlink', at: AT, to: '{t}pipe', mayChange: true },
    ),
  ),
  kept(
    'kept-on-fin',
    'a file stands there, FIN after half of the body: it stays',
    {},
    header(),
    reply,
    HALF,
    finish,
    ended,
  ),
  kept('kept-on-reset', 'a file stands there, RST after half of the body: it stays', {}, header(), reply, HALF, reset),
  kept('kept-on-fin-at-once', 'a file stands there, FIN after the reply: it stays', {}, header(), reply, finish, ended),
  kept(
    'kept-on-overrun',
    'a file stands there, one byte too many comes: it stays',
    { body: random(2049) },
    header(),
    reply,
    body(),
    finish,
    ended,
  ),
  kept(
    'kept-on-refusal',
    'a file stands there, a size that no disk holds: it stays',
    { size: hex('40 00 00 00 00 00 00 00') },
    header(),
    finish,
    ended,
  ),
  kept('kept-on-reset-header', 'a file stands there, RST directly after the header: it stays', {}, header(), reset),
  {
    id: 'server/standing/old-until-whole',
    title: 'a file stands there: until the new one is whole it is seen as it was',
    clause: '10.4',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { naming: ['kept'], conflict: ['numbered', 'replaced', 'other'] },
    plant: [{ kind: 'file', at: AT, bytes: text('the old content of {t}'), mayChange: true }],
    exchange: {
      file,
      steps: [header(), reply, look, HALF, silence, look, body({ from: 1024 }), finish, ended],
      expect: [{ ...ACCEPTED, as: 'any' }],
    },
  },
  {
    id: 'server/standing/never-lost',
    title: 'a file stands there, a whole upload comes: the old one is kept',
    clause: '10.1',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    quick: true,
    requires: { naming: ['kept'] },
    unlessDeclared: { conflict: ['replaced'] },
    plant: [{ kind: 'file', at: AT, bytes: text('the old content of {t}') }],
    exchange: { file, steps: WHOLE, expect: ANY_SAFE_WAY },
    twin: { plant: [] },
  },
  {
    id: 'server/standing/never-lost-empty',
    title: 'a file stands there, an empty one comes: the old one is kept',
    clause: '10.1',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { naming: ['kept'] },
    unlessDeclared: { conflict: ['replaced'] },
    plant: [{ kind: 'file', at: AT, bytes: text('the old content of {t}') }],
    exchange: {
      file: { size: hex('00 00 00 00 00 00 00 00'), name: file.name, body: hex('') },
      steps: [header(), reply, finish, ended],
      expect: ANY_SAFE_WAY,
    },
    twin: { plant: [] },
  },
  {
    id: 'server/standing/stale-bytes',
    title: 'a longer file stands there and is replaced: nothing of it stays',
    clause: '6.3',
    role: 'server',
    profiles: ['classic', 'full'],
    needs: 'dir',
    quick: true,
    requires: { naming: ['kept'], conflict: ['replaced'] },
    plant: [{ kind: 'file', at: AT, bytes: repeat('6f', 5000), mayChange: true }],
    exchange: { file, steps: WHOLE, expect: [ACCEPTED] },
  },
  {
    id: 'server/standing/stale-bytes-empty',
    title: 'a file stands there and is replaced by an empty one: nothing of it stays',
    clause: '6.3',
    role: 'server',
    profiles: ['classic', 'full'],
    needs: 'dir',
    requires: { naming: ['kept'], conflict: ['replaced'] },
    plant: [{ kind: 'file', at: AT, bytes: repeat('6f', 5000), mayChange: true }],
    exchange: {
      file: { size: hex('00 00 00 00 00 00 00 00'), name: file.name, body: hex('') },
      steps: [header(), reply, finish, ended],
      expect: [ACCEPTED],
    },
  },
];
