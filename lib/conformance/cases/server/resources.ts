import { hex, random, repeat, text } from '../../model/bytes.js';
import { ACCEPTED, REFUSED, type ServerCase, type ServerOutcome } from '../../model/case.js';
import { awaiting, body, ended, finish, header, pause, reply, reset, send, signal } from '../../model/steps.js';
import { FULL, WHOLE } from './rows.js';

const file = { size: hex('00 00 00 00 00 00 08 00'), name: text('{t}resource-{i}.bin'), body: random(2048) };
const BROKEN: ServerOutcome = { reply: 'any', closed: ['fin', 'rst', 'open'], disk: 'nothing' };

export const RESOURCE_CASES: readonly ServerCase[] = [
  {
    id: 'server/resources/descriptors-after-resets',
    title: '32 uploads reset in mid-body: no descriptor stays open',
    clause: '2.3',
    role: 'server',
    profiles: FULL,
    needs: 'exec',
    alone: true,
    watch: 'descriptors',
    requires: { concurrent: ['yes'] },
    exchange: {
      label: 'broken',
      copies: 32,
      file,
      steps: [header(), reply, body({ to: 1024 }), reset],
      expect: [BROKEN],
    },
    twin: { steps: WHOLE },
  },
  {
    id: 'server/resources/descriptors-after-refusals',
    title: '32 headers that are refused: no descriptor stays open',
    clause: '8.1',
    role: 'server',
    profiles: FULL,
    needs: 'exec',
    alone: true,
    watch: 'descriptors',
    requires: { concurrent: ['yes'] },
    exchange: {
      label: 'refused',
      copies: 32,
      file: { ...file, name: [...text('{t}refused-{i}'), ...hex('00')] },
      steps: [header(), ended],
      expect: [REFUSED],
    },
    twin: { file, steps: WHOLE },
  },
  {
    id: 'server/resources/descriptors-after-transfers',
    title: '32 whole uploads: no descriptor stays open',
    clause: '7.6',
    role: 'server',
    profiles: FULL,
    needs: 'exec',
    alone: true,
    watch: 'descriptors',
    requires: { concurrent: ['yes'] },
    exchange: { label: 'whole', copies: 32, file, steps: WHOLE, expect: [ACCEPTED] },
  },
  {
    id: 'server/resources/memory-for-body',
    title: 'a body of 160 MiB: the process does not grow with it',
    clause: '6.6',
    role: 'server',
    profiles: FULL,
    needs: 'exec',
    alone: true,
    watch: 'resident memory',
    exchange: {
      file: { size: hex('00 00 00 00 0a 00 00 00'), name: text('{t}large.bin'), body: repeat('6d', 167_772_160) },
      steps: WHOLE,
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/resources/memory-for-size',
    title: 'a size of 1 GiB is announced: no memory is set aside for it',
    clause: '9.4',
    role: 'server',
    profiles: FULL,
    needs: 'exec',
    alone: true,
    watch: 'reserved memory',
    exchange: {
      file: { size: hex('00 00 00 00 40 00 00 00'), name: text('{t}announced.bin'), body: random(1000) },
      steps: [header(), reply, body(), pause(), reset],
      expect: [REFUSED, { reply: 'go ahead', closed: ['rst'], disk: 'nothing' }],
    },
    twin: { file: { size: hex('00 00 00 00 00 00 03 e8') }, steps: WHOLE },
  },
  {
    id: 'server/resources/after-failures',
    title: 'uploads that fail in four ways: nothing of any of them stays, under no name',
    clause: '8.3',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    // What has no token can be seen only when nothing else runs.
    alone: true,
    quick: true,
    exchange: [
      {
        label: 'reset',
        file: { ...file, name: text('{t}reset') },
        steps: [header(), reply, body({ to: 1024 }), reset],
        expect: [BROKEN],
      },
      {
        label: 'fin',
        file: { ...file, name: text('{t}fin') },
        steps: [header(), reply, body({ to: 1024 }), finish, ended],
        expect: [BROKEN],
      },
      {
        label: 'overrun',
        file: { ...file, name: text('{t}overrun'), body: random(2049) },
        steps: [header(), reply, body(), finish, ended],
        expect: [BROKEN],
      },
      {
        label: 'no byte',
        file: { ...file, name: text('{t}no-byte') },
        steps: [header(), reply, reset],
        expect: [BROKEN],
      },
    ],
    twin: { file, steps: WHOLE },
  },
  {
    id: 'server/resources/nothing-left-of-the-run',
    title: 'at the end of the run: nothing is left that no case accounts for',
    clause: '8.3',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    alone: true,
    watch: 'residue',
    exchange: [
      {
        label: 'standing',
        file: { ...file, name: text('{t}standing') },
        steps: [header(), reply, send(hex('41')), signal('stands'), awaiting('last'), reset],
        expect: [BROKEN],
      },
      {
        label: 'last',
        file: { ...file, name: text('{t}last') },
        steps: [awaiting('stands'), ...WHOLE],
        expect: [ACCEPTED],
      },
    ],
  },
];
