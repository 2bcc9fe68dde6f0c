import { hex, random, text } from '../../bytes.js';
import { ACCEPTED, REFUSED, type ServerCase } from '../../case.js';
import { body, ended, finish, header, reply, silence } from '../../steps.js';

const WHOLE = [header(), reply, body(), finish, ended];
/** 64 bytes. */
const file = { size: hex('00 00 00 00 00 00 00 40'), name: text('{t}header.bin'), body: random(64) };

export const HEADER_CASES: readonly ServerCase[] = [
  {
    id: 'server/header/split-in-size',
    title: 'the header cut after 3 bytes',
    clause: '3.7',
    role: 'server',
    profiles: ['full'],
    needs: 'dir',
    quick: true,
    exchange: { file, steps: [header({ at: [3] }), reply, body(), finish, ended], expect: [ACCEPTED] },
  },
  {
    id: 'server/header/fin-after-size',
    title: 'FIN after the size, without a name',
    clause: '3.13',
    role: 'server',
    profiles: ['full'],
    needs: 'dir',
    // Nothing that the server left behind could be told from another case's.
    alone: true,
    exchange: { file: { ...file, name: hex('') }, steps: [header(), silence, finish, ended], expect: [REFUSED] },
    twin: { file: { name: file.name }, steps: WHOLE },
  },
];
