import { hex, random, text } from '../../bytes.js';
import { SENT, type ClientCase } from '../../case.js';
import { ended, finish, request, send, take } from '../../steps.js';

/** `go ahead` */
const GO = hex('67 6f 20 61 68 65 61 64');
const WHOLE = [request, send(GO), take(), finish, ended];

export const FILE_CASES: readonly ClientCase[] = [
  {
    id: 'client/file/missing',
    title: 'a file that does not exist',
    clause: '8.7',
    role: 'client',
    profiles: ['full'],
    needs: 'exec',
    exchange: {
      file: { kind: 'missing', size: hex('00 00 00 00 00 00 00 40'), name: text('{t}missing.bin'), body: random(64) },
      steps: WHOLE,
      expect: [
        { connects: false, header: 'none', body: 'none', closed: ['fin', 'rst'], exit: 'not zero', stderr: 'some' },
      ],
    },
    twin: { file: { kind: 'file', name: text('{t}there.bin') } },
  },
  {
    id: 'client/file/empty',
    title: 'an empty file: the reply is awaited all the same',
    clause: '5.7',
    role: 'client',
    profiles: ['classic', 'full'],
    needs: 'exec',
    exchange: {
      file: { kind: 'file', size: hex('00 00 00 00 00 00 00 00'), name: text('{t}empty.txt'), body: hex('') },
      steps: WHOLE,
      expect: [SENT],
    },
  },
];
