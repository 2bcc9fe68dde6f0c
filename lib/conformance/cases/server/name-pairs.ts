import { hex, join, random, repeat, repeatLessSuffix, text, type Bytes } from '../../model/bytes.js';
import { ACCEPTED, REFUSED, type ServerCase } from '../../model/case.js';
import { awaiting, ended, header } from '../../model/steps.js';
import { FULL, WHOLE } from './rows.js';

/** 64 bytes. */
const file = { size: hex('00 00 00 00 00 00 00 40'), body: random(64) };

/** Two names that some systems take for one: two files. */
function pair(what: string, title: string, one: Bytes, other: Bytes): ServerCase {
  return {
    id: `server/name/${what}`,
    title,
    clause: '4.7',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    exchange: [
      {
        label: 'one',
        file: { ...file, name: join(text('{t}'), one), body: random(64, 'one') },
        steps: WHOLE,
        expect: [ACCEPTED],
      },
      {
        label: 'other',
        file: { ...file, name: join(text('{t}'), other), body: random(64, 'other') },
        steps: [awaiting('one'), ...WHOLE],
        expect: [ACCEPTED],
      },
    ],
  };
}

/** The token has 12 bytes. */
const TOKEN = 12;

export const NAME_PAIR_CASES: readonly ServerCase[] = [
  pair('pair-case', 'readme and README are two files', text('readme'), text('README')),
  pair('pair-normalization', 'e acute in one code point and in two are two files', hex('c3 a9'), hex('65 cc 81')),
  pair('pair-ligature', 'fi and its ligature are two files', text('fi'), hex('ef ac 81')),
  pair('pair-trailing', 'x.bin and x.bin~ are two files', text('x.bin'), text('x.bin~')),
  {
    id: 'server/name/long',
    title: 'a name of 200 bytes',
    clause: '4.8',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    exchange: {
      file: { ...file, name: join(text('{t}'), repeat('6c', 200 - TOKEN)) },
      steps: WHOLE,
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/name/longest',
    title: 'the longest name that fits: 255 bytes with the suffix',
    clause: '4.8',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    quick: true,
    exchange: {
      file: { ...file, name: join(text('{t}'), repeatLessSuffix('6c', 255 - TOKEN)) },
      steps: WHOLE,
      expect: [ACCEPTED],
    },
  },
  {
    id: 'server/name/too-long',
    title: 'one byte more than fits: refused, not cut short',
    clause: '4.6',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    quick: true,
    exchange: {
      file: { ...file, name: join(text('{t}'), repeatLessSuffix('6c', 256 - TOKEN)) },
      steps: [header(), ended],
      expect: [REFUSED],
    },
    twin: { file: { name: join(text('{t}'), repeatLessSuffix('6c', 255 - TOKEN)) }, steps: WHOLE },
  },
  {
    id: 'server/name/too-long-by-far',
    title: 'a name of 1,000 bytes: refused, not cut short',
    clause: '4.6',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    exchange: {
      file: { ...file, name: join(text('{t}'), repeat('6c', 1000 - TOKEN)) },
      steps: [header(), ended],
      expect: [REFUSED],
    },
    twin: { file: { name: join(text('{t}'), repeat('6c', 100)) }, steps: WHOLE },
  },
  {
    id: 'server/name/too-long-in-characters',
    title: 'a name of 97 characters in 352 bytes: bytes count',
    clause: '4.6',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    exchange: {
      file: { ...file, name: join(text('{t}'), repeat('f0 9f 98 80', 340)) },
      steps: [header(), ended],
      expect: [REFUSED],
    },
    twin: { file: { name: join(text('{t}'), repeat('f0 9f 98 80', 200)) }, steps: WHOLE },
  },
  {
    id: 'server/name/long-path',
    title: 'a path longer than any name may be, before a short name',
    clause: '4.2',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    exchange: {
      file: { ...file, name: join(repeat('6c', 500), text('/{t}short')) },
      steps: WHOLE,
      expect: [REFUSED, { ...ACCEPTED, as: text('{t}short') }],
    },
    twin: { file: { name: text('{t}short') } },
  },
];
