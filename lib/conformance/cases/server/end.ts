import { hex, random, text } from '../../bytes.js';
import { ACCEPTED, DISCARDED, type ServerCase } from '../../case.js';
import { body, ended, finish, header, reply, reset, send, silence } from '../../steps.js';

const BOTH = ['classic', 'full'] as const;
const WHOLE = [header(), reply, body(), finish, ended];
/** 2,048 bytes. */
const file = { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}end.bin'), body: random(2048) };

export const END_CASES: readonly ServerCase[] = [
  {
    id: 'server/end/fin-mid-body',
    title: 'FIN after half of the body',
    clause: '6.4',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    quick: true,
    exchange: { file, steps: [header(), reply, body({ to: 1024 }), finish, ended], expect: [DISCARDED] },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/end/fin-before-last-byte',
    title: 'FIN one byte before the end',
    clause: '6.4',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: { file, steps: [header(), reply, body({ to: -1 }), finish, ended], expect: [DISCARDED] },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/end/fin-mid-body-reset',
    title: 'FIN after half of the body: answered with a reset',
    clause: '8.2',
    role: 'server',
    profiles: ['full'],
    needs: 'wire',
    exchange: {
      file,
      steps: [header(), reply, body({ to: 1024 }), finish, ended],
      expect: [{ reply: 'go ahead', closed: ['rst'], disk: 'any' }],
    },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/end/reset-mid-body',
    title: 'RST after half of the body',
    clause: '6.4',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    exchange: { file, steps: [header(), reply, body({ to: 1024 }), reset], expect: [DISCARDED] },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/end/overrun',
    title: 'one byte after the last one',
    clause: '6.5',
    role: 'server',
    profiles: ['full'],
    needs: 'dir',
    quick: true,
    exchange: {
      file,
      steps: [header(), reply, body(), send(hex('21')), finish, ended],
      expect: [DISCARDED],
    },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/end/sender-stays',
    title: 'the sender keeps its side open: stored, and closed by the receiver',
    clause: '7.6',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    quick: true,
    exchange: { file, steps: [header(), reply, body(), ended], expect: [ACCEPTED] },
  },
  {
    id: 'server/end/close-is-the-receipt',
    title: 'the file stands when the FIN comes',
    clause: '7.5',
    role: 'server',
    profiles: ['full'],
    needs: 'dir',
    exchange: { file, steps: WHOLE, expect: [{ ...ACCEPTED, atClose: true }] },
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
];
