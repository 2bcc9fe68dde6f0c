import { hex, random, text } from '../../model/bytes.js';
import { ACCEPTED, REFUSED, type ServerCase, type Step } from '../../model/case.js';
import {
  awaiting,
  body,
  close,
  ended,
  finish,
  header,
  meet,
  pause,
  reply,
  reset,
  send,
  signal,
} from '../../model/steps.js';
import { BOTH, FULL, WHOLE } from './rows.js';

const fast = { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}fast-{i}.bin'), body: random(2048) };

/** One connection stands still in some state, and others are served meanwhile. */
function whileOneStands(what: string, title: string, ...before: readonly Step[]): ServerCase {
  return {
    id: `server/many/while-one-${what}`,
    title,
    clause: '11.5',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    // Some of them would block everybody: then it is 2.2 that is broken, and not in every case at once.
    requires: { concurrent: ['yes'] },
    exchange: [
      {
        label: 'standing',
        file: { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}standing.bin'), body: random(2048) },
        steps: [...before, pause(0), signal('stands'), awaiting('fast'), reset],
        expect: [{ reply: 'any', closed: ['fin', 'rst', 'open'], disk: 'nothing' }],
      },
      { label: 'fast', copies: 3, file: fast, steps: [awaiting('stands'), ...WHOLE], expect: [ACCEPTED] },
    ],
  };
}

/** So many connections that come and go at once, then a transfer. */
function storm(what: string, title: string, copies: number, ...steps: readonly Step[]): ServerCase {
  return {
    id: `server/many/${what}`,
    title,
    clause: '2.3',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    requires: { concurrent: ['yes'] },
    exchange: [
      {
        label: 'storm',
        copies,
        file: { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}storm-{i}.bin'), body: random(2048) },
        steps,
        expect: [{ reply: 'any', closed: ['fin', 'rst', 'open'], disk: 'nothing' }],
      },
      { label: 'after', file: fast, steps: [awaiting('storm'), ...WHOLE], expect: [ACCEPTED] },
    ],
  };
}

/** So many at once, all in mid-body at one moment. A receiver may refuse those above a limit (2.4). */
function crowd(what: string, title: string, copies: number): ServerCase {
  return {
    id: `server/many/${what}`,
    title,
    clause: copies > 64 ? '2.4' : '2.2',
    role: 'server',
    profiles: copies > 64 ? FULL : BOTH,
    needs: 'wire',
    alone: true,
    requires: { concurrent: ['yes'] },
    exchange: {
      label: 'client',
      copies,
      file: { size: hex('00 00 00 00 00 00 08 00'), name: text(`{t}${what}-{i}.bin`), body: random(2048) },
      steps: [header(), reply, body({ to: 1000 }), meet, pause(), body({ from: 1000 }), finish, ended],
      expect: [ACCEPTED, REFUSED],
    },
    twin: { steps: WHOLE },
  };
}

export const MANY_CASES: readonly ServerCase[] = [
  {
    id: 'server/many/in-turn',
    title: 'a second connection after the first: the receiver goes on',
    clause: '2.3',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    exchange: [
      { label: 'first', file: fast, steps: WHOLE, expect: [ACCEPTED] },
      {
        label: 'second',
        file: { ...fast, name: text('{t}second.bin') },
        steps: [awaiting('first'), ...WHOLE],
        expect: [ACCEPTED],
      },
    ],
  },
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
  whileOneStands('is-silent', 'others are served while one has sent nothing'),
  whileOneStands('is-in-the-size', 'others are served while one has sent half of a size', send(hex('00 00 00 00'))),
  whileOneStands('has-its-reply', 'others are served while one has its reply and sends nothing', header(), reply),
  whileOneStands(
    'is-in-its-body',
    'others are served while one stands in mid-body',
    header(),
    reply,
    body({ to: 1024 }),
  ),
  {
    id: 'server/many/one-slow-among-fast',
    title: 'one client that sends a byte now and then, eight that are fast',
    clause: '11.5',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    requires: { concurrent: ['yes'] },
    exchange: [
      {
        label: 'slow',
        file: { size: hex('00 00 00 00 00 00 00 0a'), name: text('{t}slow.bin'), body: random(10) },
        steps: [
          header(),
          reply,
          signal('slow'),
          body({ cut: { at: [1, 2, 3, 4, 5, 6, 7, 8, 9] } }),
          awaiting('fast'),
          finish,
          ended,
        ],
        expect: [ACCEPTED],
      },
      { label: 'fast', copies: 8, file: fast, steps: [awaiting('slow'), ...WHOLE], expect: [ACCEPTED] },
    ],
  },
  {
    id: 'server/many/eight',
    title: 'eight clients at once, each in pieces',
    clause: '2.2',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    requires: { concurrent: ['yes'] },
    exchange: {
      label: 'client',
      copies: 8,
      file: { size: hex('00 00 00 00 00 00 10 00'), name: text('{t}eight-{i}.bin'), body: random(4096) },
      steps: [header(), reply, body({ cut: { every: 512 } }), finish, ended],
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/many/eight-interleaved',
    title: 'eight clients, all in mid-body at one moment: no byte goes to another file',
    clause: '6.3',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    quick: true,
    requires: { concurrent: ['yes'] },
    exchange: {
      label: 'client',
      copies: 8,
      file: { size: hex('00 00 00 00 00 00 10 00'), name: text('{t}mixed-{i}.bin'), body: random(4096) },
      steps: [header(), reply, body({ to: 1500 }), meet, body({ from: 1500, cut: { every: 700 } }), finish, ended],
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/many/headers-interleaved',
    title: 'eight clients, each with half of a header at one moment',
    clause: '2.2',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    requires: { concurrent: ['yes'] },
    exchange: {
      label: 'client',
      copies: 8,
      file: { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}halves-{i}.bin'), body: random(2048) },
      steps: [
        send(hex('00 00 00 00')),
        meet,
        { do: 'send', bytes: [...hex('00 00 08 00'), ...text('{t}halves-{i}.bin')] },
        reply,
        body(),
        finish,
        ended,
      ],
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/many/failures-among-good',
    title: 'four clients that break off among four that do not',
    clause: '2.3',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    requires: { concurrent: ['yes'] },
    exchange: [
      {
        label: 'broken',
        copies: 4,
        file: { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}broken-{i}.bin'), body: random(2048) },
        steps: [header(), reply, body({ to: 1024 }), signal('broken begun'), awaiting('good begun'), reset],
        expect: [{ reply: 'go ahead', closed: ['rst'], disk: 'nothing' }],
      },
      {
        label: 'good',
        copies: 4,
        file: { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}good-{i}.bin'), body: random(2048) },
        steps: [
          header(),
          reply,
          body({ to: 1024 }),
          signal('good begun'),
          awaiting('broken'),
          body({ from: 1024 }),
          finish,
          ended,
        ],
        expect: [ACCEPTED],
      },
    ],
  },
  crowd('sixty-four', '64 clients, all in mid-body at one moment, with a pause', 64),
  crowd('five-hundred-twelve', '512 clients, all in mid-body at one moment, with a pause', 512),
  storm('storm-of-resets', '200 connections that are reset at once', 200, reset),
  storm('storm-of-closes', '200 connections that are closed at once', 200, close),
  storm('storm-of-headers', '100 headers, each followed by a reset', 100, header(), reset),
  storm(
    'storm-of-broken-bodies',
    '100 uploads that are reset in mid-body',
    100,
    header(),
    reply,
    body({ to: 1024 }),
    reset,
  ),
  {
    id: 'server/many/idle-crowd',
    title: '100 connections that send nothing: uploads beside them and after them',
    clause: '2.3',
    role: 'server',
    profiles: BOTH,
    needs: 'wire',
    requires: { concurrent: ['yes'] },
    exchange: [
      {
        label: 'idle',
        copies: 100,
        file: { ...fast, name: text('{t}idle-{i}.bin') },
        steps: [meet, signal('all are idle'), awaiting('busy'), close],
        expect: [{ reply: 'none', closed: ['fin', 'rst', 'open'], disk: 'nothing' }],
      },
      // Refused, where the idle ones are as many as it serves (2.4).
      { label: 'busy', file: fast, steps: [awaiting('all are idle'), ...WHOLE], expect: [ACCEPTED, REFUSED] },
      {
        label: 'after',
        file: { ...fast, name: text('{t}after-{i}.bin') },
        steps: [awaiting('idle'), ...WHOLE],
        expect: [ACCEPTED],
      },
    ],
  },
];
