import { hex, random, text, type Bytes } from '../../bytes.js';
import { FAILED, SENT, type ClientCase } from '../../case.js';
import { ended, finish, pause, request, reset, send, silence, take } from '../../steps.js';

const BOTH = ['classic', 'full'] as const;
/** `go ahead` */
const GO = hex('67 6f 20 61 68 65 61 64');
const REST = [take(), finish, ended];
/** 3,000 bytes. */
const file = {
  kind: 'file',
  size: hex('00 00 00 00 00 00 0b b8'),
  name: text('{t}reply.bin'),
  body: random(3000),
} as const;
const NOTHING_SENT = { ...FAILED, body: 'none' } as const;

function wrong(what: string, title: string, bytes: Bytes): ClientCase {
  return {
    id: `client/reply/${what}`,
    title: `the reply is ${title}`,
    clause: '5.5',
    role: 'client',
    profiles: BOTH,
    needs: 'exec',
    exchange: { file, steps: [request, send(bytes), ended], expect: [NOTHING_SENT] },
    twin: { steps: [request, send(GO), ...REST] },
  };
}

export const REPLY_CASES: readonly ClientCase[] = [
  {
    id: 'client/reply/awaited',
    title: 'the reply comes late: the header in silence, then the whole file',
    clause: '3.5',
    role: 'client',
    profiles: BOTH,
    needs: 'exec',
    quick: true,
    exchange: { file, steps: [request, silence, send(GO), ...REST], expect: [SENT] },
  },
  {
    id: 'client/reply/split',
    title: 'the reply in two pieces, `go` and ` ahead`',
    clause: '5.4',
    role: 'client',
    profiles: ['full'],
    needs: 'exec',
    exchange: { file, steps: [request, send(GO, { at: [2] }), ...REST], expect: [SENT] },
  },
  { ...wrong('capital', '`Go ahead`', hex('47 6f 20 61 68 65 61 64')), quick: true },
  wrong('other', '`go home!`', text('go home!')),
  wrong('prefix', ' `> go ahead`', text('> go ahead')),
  {
    id: 'client/reply/fin',
    title: 'FIN instead of the reply',
    clause: '5.6',
    role: 'client',
    profiles: BOTH,
    needs: 'exec',
    exchange: { file, steps: [request, finish, ended], expect: [NOTHING_SENT] },
    twin: { steps: [request, send(GO), ...REST] },
  },
  {
    id: 'client/reply/reset',
    title: 'RST instead of the reply',
    clause: '7.10',
    role: 'client',
    profiles: BOTH,
    needs: 'exec',
    exchange: { file, steps: [request, pause(0), reset], expect: [NOTHING_SENT] },
    twin: { steps: [request, send(GO), ...REST] },
  },
];
