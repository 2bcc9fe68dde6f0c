import { hex, random, text } from '../../bytes.js';
import { ACCEPTED, type ServerCase } from '../../case.js';
import { awaiting, body, ended, finish, header, reply, signal } from '../../steps.js';

const BOTH = ['classic', 'full'] as const;

export const MANY_CASES: readonly ServerCase[] = [
  {
    id: 'server/many/second-while-first-is-open',
    title: 'a second client is served while the first one waits in mid-body',
    clause: '2.2',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    quick: true,
    exchange: [
      {
        label: 'slow',
        file: { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}slow.bin'), body: random(2048) },
        steps: [
          header(),
          reply,
          body({ to: 1024 }),
          signal('half'),
          awaiting('fast'),
          body({ from: 1024 }),
          finish,
          ended,
        ],
        expect: [ACCEPTED],
      },
      {
        label: 'fast',
        file: { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}fast.bin'), body: random(2048) },
        steps: [awaiting('half'), header(), reply, body(), finish, ended],
        expect: [ACCEPTED],
      },
    ],
  },
  {
    id: 'server/many/eight',
    title: 'eight clients at once, each in pieces',
    clause: '2.2',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    requires: { concurrent: ['yes'] },
    exchange: {
      label: 'client',
      copies: 8,
      file: { size: hex('00 00 00 00 00 00 10 00'), name: text('{t}eight-{i}.bin'), body: random(4096) },
      steps: [header(), reply, body({ cut: { every: 512 } }), finish, ended],
      expect: [ACCEPTED],
    },
  },
];
