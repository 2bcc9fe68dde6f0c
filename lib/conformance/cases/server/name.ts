import { hex, join, random, text } from '../../bytes.js';
import { ACCEPTED, REFUSED, type ServerCase } from '../../case.js';
import { body, ended, finish, header, reply } from '../../steps.js';

const WHOLE = [header(), reply, body(), finish, ended];
/** 64 bytes. */
const file = { size: hex('00 00 00 00 00 00 00 40'), body: random(64) };

export const NAME_CASES: readonly ServerCase[] = [
  {
    id: 'server/name/parent',
    title: 'the name ../x: refused, or stored under x',
    clause: '4.1',
    role: 'server',
    profiles: ['full'],
    needs: 'dir',
    quick: true,
    exchange: {
      file: { ...file, name: text('../{t}parent.bin') },
      steps: WHOLE,
      expect: [REFUSED, { ...ACCEPTED, as: text('{t}parent.bin') }],
    },
    twin: { file: { name: text('{t}parent-twin.bin') } },
  },
  {
    id: 'server/name/invalid-utf8',
    title: 'a name that is not UTF-8 (C3 28)',
    clause: '3.12',
    role: 'server',
    profiles: ['full'],
    needs: 'dir',
    exchange: {
      file: { ...file, name: join(text('{t}bad-'), hex('c3 28')) },
      steps: [header(), ended],
      expect: [REFUSED],
    },
    // é
    twin: { file: { name: join(text('{t}good-'), hex('c3 a9')) }, steps: WHOLE },
  },
];
