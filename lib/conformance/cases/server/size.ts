import { hex, random, text } from '../../bytes.js';
import { ACCEPTED, REFUSED, DISCARDED, type ServerCase } from '../../case.js';
import { body, ended, finish, header, reply } from '../../steps.js';

const BOTH = ['classic', 'full'] as const;
const WHOLE = [header(), reply, body(), finish, ended];

export const SIZE_CASES: readonly ServerCase[] = [
  {
    id: 'server/size/zero',
    title: 'an empty file',
    clause: '5.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    quick: true,
    exchange: {
      file: { size: hex('00 00 00 00 00 00 00 00'), name: text('{t}zero.txt'), body: hex('') },
      steps: [header(), reply, finish, ended],
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/size/one',
    title: 'a file of one byte',
    clause: '6.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: {
      file: { size: hex('00 00 00 00 00 00 00 01'), name: text('{t}one.txt'), body: hex('5a') },
      steps: WHOLE,
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/size/1025',
    title: 'a file one byte longer than the customary buffer',
    clause: '6.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    quick: true,
    exchange: {
      file: { size: hex('00 00 00 00 00 00 04 01'), name: text('{t}1025.bin'), body: random(1025) },
      steps: WHOLE,
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/size/largest',
    title: 'a size of 2^64 - 1, and a FIN after 1,000 bytes: refused, or discarded',
    clause: '9.1',
    role: 'server',
    profiles: ['full'],
    needs: 'dir',
    exchange: {
      file: { size: hex('ff ff ff ff ff ff ff ff'), name: text('{t}largest.bin'), body: random(1000) },
      steps: [header(), reply, body(), finish, ended],
      expect: [REFUSED, DISCARDED],
    },
    twin: { file: { size: hex('00 00 00 00 00 00 03 e8') } },
  },
];
