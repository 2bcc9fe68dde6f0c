import { hex, random, text } from '../../bytes.js';
import { ACCEPTED, DISCARDED, type ServerCase } from '../../case.js';
import { awaiting, body, ended, finish, header, reply } from '../../steps.js';

const WHOLE = [header(), reply, body(), finish, ended];

export const TAKEN_CASES: readonly ServerCase[] = [
  {
    id: 'server/taken/twice-numbered',
    title: 'the same name twice, one after the other: both are kept',
    clause: '10.3',
    role: 'server',
    profiles: ['full'],
    needs: 'dir',
    requires: { conflict: ['numbered', 'other'] },
    exchange: [
      {
        label: 'first',
        file: { size: hex('00 00 00 00 00 00 00 64'), name: text('{t}twice.bin'), body: random(100, 'first') },
        steps: WHOLE,
        expect: [ACCEPTED],
      },
      {
        label: 'second',
        file: { size: hex('00 00 00 00 00 00 00 32'), name: text('{t}twice.bin'), body: random(50, 'second') },
        steps: [awaiting('first'), ...WHOLE],
        expect: [{ ...ACCEPTED, as: 'any' }],
      },
    ],
  },
  {
    id: 'server/taken/kept-when-the-upload-fails',
    title: 'an upload under a name that is taken fails half-way: the old file stays',
    clause: '8.4',
    role: 'server',
    profiles: ['full'],
    needs: 'dir',
    requires: { naming: ['kept'] },
    plant: [{ kind: 'file', at: '{t}old.bin{suffix}', bytes: text('the old content of {t}') }],
    exchange: {
      file: { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}old.bin'), body: random(2048) },
      steps: [header(), reply, body({ to: 1024 }), finish, ended],
      expect: [DISCARDED, { reply: 'none', closed: ['fin', 'rst'], disk: 'nothing' }],
    },
    twin: { steps: WHOLE },
  },
];
