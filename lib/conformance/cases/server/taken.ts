import { hex, join, random, repeatLessSuffix, text } from '../../model/bytes.js';
import {
  ACCEPTED,
  DISCARDED,
  REFUSED,
  type ServerCase,
  type ServerExchange,
  type ServerOutcome,
} from '../../model/case.js';
import { awaiting, body, ended, finish, header, meet, reply, reset, signal } from '../../model/steps.js';
import { FULL, WHOLE } from './rows.js';

const UNDER_ANY_NAME: ServerOutcome = { ...ACCEPTED, as: 'any' };
/** Found out at the end that the name is taken. */
const TOO_LATE: ServerOutcome = { reply: 'go ahead', closed: ['rst'], disk: 'nothing' };

/** 100 bytes, and another 50. */
const first = { size: hex('00 00 00 00 00 00 00 64'), name: text('{t}twice.bin'), body: random(100, 'first') };
const second = { size: hex('00 00 00 00 00 00 00 32'), name: text('{t}twice.bin'), body: random(50, 'second') };

/** Eight uploads of 4,096 bytes under one name, all of which have their first half when the second halves come. */
const EIGHT = {
  label: 'upload',
  copies: 8,
  file: { size: hex('00 00 00 00 00 00 10 00'), name: text('{t}same.bin'), body: random(4096) },
  steps: [header(), reply, body({ to: 2048 }), meet, body({ from: 2048 }), finish, ended],
};

/** Two uploads under one name overlap, and one of them fails. */
function oneFails(what: string, title: string, failing: 'earlier' | 'later'): ServerCase {
  const good = [header(), reply, signal('good begun'), awaiting('bad begun'), body(), finish, ended];
  const bad = [header(), reply, signal('bad begun'), body({ to: 25 }), awaiting('good'), reset];
  return {
    id: `server/taken/${what}`,
    title,
    clause: '8.3',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { concurrent: ['yes'] },
    exchange: [
      {
        label: 'good',
        file: first,
        steps: failing === 'earlier' ? [awaiting('bad begun'), ...good] : good,
        expect: [UNDER_ANY_NAME, REFUSED, TOO_LATE],
      },
      {
        label: 'bad',
        file: second,
        steps: failing === 'later' ? [awaiting('good begun'), ...bad] : bad,
        expect: [DISCARDED, REFUSED],
      },
    ],
    twin: { steps: WHOLE },
  };
}

export const TAKEN_CASES: readonly ServerCase[] = [
  {
    id: 'server/taken/twice-numbered',
    title: 'the same name twice, one after the other: both are kept',
    clause: '10.3',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { conflict: ['numbered', 'other'] },
    exchange: [
      { label: 'first', file: first, steps: WHOLE, expect: [ACCEPTED] },
      { label: 'second', file: second, steps: [awaiting('first'), ...WHOLE], expect: [UNDER_ANY_NAME] },
    ],
  },
  {
    id: 'server/taken/three-numbered',
    title: 'the same name three times: the third does not take the number of the second',
    clause: '10.3',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { conflict: ['numbered', 'other'] },
    exchange: [
      { label: 'first', file: first, steps: WHOLE, expect: [ACCEPTED] },
      { label: 'second', file: second, steps: [awaiting('first'), ...WHOLE], expect: [UNDER_ANY_NAME] },
      {
        label: 'third',
        file: { ...second, body: random(50, 'third') },
        steps: [awaiting('second'), ...WHOLE],
        expect: [UNDER_ANY_NAME],
      },
    ],
  },
  {
    id: 'server/taken/same-content',
    title: 'the same name with the same bytes: two uploads, two files',
    clause: '10.3',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { conflict: ['numbered', 'other'] },
    exchange: [
      { label: 'first', file: first, steps: WHOLE, expect: [ACCEPTED] },
      { label: 'second', file: first, steps: [awaiting('first'), ...WHOLE], expect: [UNDER_ANY_NAME] },
    ],
  },
  {
    id: 'server/taken/longest',
    title: 'the longest name twice: the first stays whole, the second finds a name or fails',
    clause: '10.1',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    unlessDeclared: { conflict: ['replaced'] },
    exchange: [
      {
        label: 'first',
        file: { ...first, name: join(text('{t}'), repeatLessSuffix('6c', 243)) },
        steps: WHOLE,
        expect: [ACCEPTED],
      },
      {
        label: 'second',
        file: { ...second, name: join(text('{t}'), repeatLessSuffix('6c', 243)) },
        steps: [awaiting('first'), ...WHOLE],
        expect: [UNDER_ANY_NAME, REFUSED, TOO_LATE],
      },
    ],
  },
  {
    id: 'server/taken/kept-when-the-upload-fails',
    title: 'an upload under a name that is taken fails half-way: the old file stays',
    clause: '8.4',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { naming: ['kept'] },
    plant: [{ kind: 'file', at: '{t}old.bin{suffix}', bytes: text('the old content of {t}') }],
    exchange: {
      file: { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}old.bin'), body: random(2048) },
      steps: [header(), reply, body({ to: 1024 }), finish, ended],
      expect: [DISCARDED, REFUSED],
    },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/taken/at-once-numbered',
    title: 'eight uploads with one name at once: all bytes of all eight are kept',
    clause: '10.2',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    quick: true,
    requires: { concurrent: ['yes'], conflict: ['numbered', 'other'] },
    exchange: { ...EIGHT, expect: [UNDER_ANY_NAME] },
  },
  {
    id: 'server/taken/at-once-replaced',
    title: 'eight uploads with one name at once: one of them is there, whole',
    clause: '10.2',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { concurrent: ['yes'], conflict: ['replaced'] },
    exchange: { ...EIGHT, expect: [{ ...ACCEPTED, disk: 'one' }, { ...TOO_LATE, disk: 'one' }, REFUSED] },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/taken/at-once-refused',
    title: 'eight uploads with one name at once: who gets a FIN is stored, the others not',
    clause: '10.2',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { concurrent: ['yes'], conflict: ['refused'] },
    exchange: { ...EIGHT, expect: [ACCEPTED, TOO_LATE, REFUSED] },
    twin: { steps: WHOLE },
  },
  oneFails('earlier-fails', 'one name, two uploads: the earlier fails after the later is stored', 'earlier'),
  oneFails('later-fails', 'one name, two uploads: the later fails after the earlier is stored', 'later'),
  {
    id: 'server/taken/temporary-names',
    title: 'names that a receiver may use for unfinished files, while one is unfinished',
    clause: '10.2',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { concurrent: ['yes'] },
    exchange: [
      {
        label: 'unfinished',
        file: { ...first, name: text('{t}u.bin') },
        steps: [
          header(),
          reply,
          body({ to: 50 }),
          signal('half'),
          ...['part', 'partial', 'tmp', 'temp', 'upload', 'tilde'].map(awaiting),
          body({ from: 50 }),
          finish,
          ended,
        ],
        expect: [ACCEPTED],
      },
      ...['part', 'partial', 'tmp', 'temp', 'upload'].map((extension): ServerExchange => ({
        label: extension,
        file: { ...second, name: text(`{t}u.bin.${extension}`) },
        steps: [awaiting('half'), ...WHOLE],
        expect: [ACCEPTED],
      })),
      {
        label: 'tilde',
        file: { ...second, name: text('{t}u.bin~') },
        steps: [awaiting('half'), ...WHOLE],
        expect: [ACCEPTED],
      },
    ],
  },
];
