import { hex, random, shareOfFreeSpace, text, type Bytes } from '../../model/bytes.js';
import { ACCEPTED, DISCARDED, REFUSED, type Profile, type ServerCase, type ServerExchange } from '../../model/case.js';
import { awaiting, body, ended, finish, header, reply, reset, signal } from '../../model/steps.js';
import { BOTH, FULL, WHOLE } from './rows.js';

/** A file of this size is stored byte for byte: the name of the case, why this size, the size field, the bytes. */
type Whole = readonly [what: string, title: string, size: string, length: number, profiles: readonly Profile[]];

const WHOLE_SIZES: readonly Whole[] = [
  ['128', 'a file of 128 bytes: negative in a signed byte', '00 00 00 00 00 00 00 80', 128, BOTH],
  ['300', 'a file of 300 bytes: 44 in a single byte', '00 00 00 00 00 00 01 2c', 300, BOTH],
  ['1023', 'a file one byte shorter than the customary buffer', '00 00 00 00 00 00 03 ff', 1023, BOTH],
  ['1024', 'a file as long as the customary buffer', '00 00 00 00 00 00 04 00', 1024, BOTH],
  ['2048', 'a file of exactly two customary buffers', '00 00 00 00 00 00 08 00', 2048, BOTH],
  ['2600', 'a file of two customary buffers and a part', '00 00 00 00 00 00 0a 28', 2600, BOTH],
  ['4096', 'a file of exactly one page', '00 00 00 00 00 00 10 00', 4096, BOTH],
  ['32768', 'a file of 32,768 bytes: negative in 16 bits', '00 00 00 00 00 00 80 00', 32_768, BOTH],
  ['65535', 'a file of 65,535 bytes', '00 00 00 00 00 00 ff ff', 65_535, BOTH],
  ['65536', 'a file of 65,536 bytes: 0 in 16 bits', '00 00 00 00 00 01 00 00', 65_536, BOTH],
  ['66536', 'a file of 66,536 bytes: 1,000 in 16 bits', '00 00 00 00 00 01 03 e8', 66_536, BOTH],
  ['1-mib', 'a file of 1 MiB', '00 00 00 00 00 10 00 00', 2 ** 20, BOTH],
  ['1-mib-and-1', 'a file of 1 MiB and one byte', '00 00 00 00 00 10 00 01', 2 ** 20 + 1, BOTH],
  [
    '16-mib-and-1000',
    'a file of 16 MiB and 1,000 bytes: 1,000 in 24 bits',
    '00 00 00 00 01 00 03 e8',
    16_778_216,
    FULL,
  ],
];

function whole([what, title, size, length, profiles]: Whole): ServerCase {
  const exchange: ServerExchange = {
    file: { size: hex(size), name: text(`{t}size-${what}.bin`), body: random(length) },
    steps: WHOLE,
    expect: [ACCEPTED],
  };
  return { id: `server/size/${what}`, title, clause: '6.3', role: 'server', profiles, needs: 'dir', exchange };
}

/**
 * Announced so large that nobody sends it, then FIN after what a reader that gets the number wrong takes for all of it.
 * The twin announces that number rightly.
 */
type Misread = readonly [what: string, title: string, size: string, sent: number, right: string];

const MISREAD: readonly Misread[] = [
  ['2-31', 'the size 2^31, and FIN: negative in 32 bits', '00 00 00 00 80 00 00 00', 0, '00 00 00 00 00 00 00 00'],
  ['2-32', 'the size 2^32, and FIN: 0 in 32 bits', '00 00 00 01 00 00 00 00', 0, '00 00 00 00 00 00 00 00'],
  [
    '2-32-and-1000',
    'the size 2^32 + 1,000: 1,000 in 32 bits',
    '00 00 00 01 00 00 03 e8',
    1000,
    '00 00 00 00 00 00 03 e8',
  ],
  [
    '2-40-and-1000',
    'the size 2^40 + 1,000: 1,000 in 40 bits',
    '00 00 01 00 00 00 03 e8',
    1000,
    '00 00 00 00 00 00 03 e8',
  ],
  [
    '2-48-and-1000',
    'the size 2^48 + 1,000: 1,000 in 48 bits',
    '00 01 00 00 00 00 03 e8',
    1000,
    '00 00 00 00 00 00 03 e8',
  ],
  [
    '2-53-and-1',
    'the size 2^53 + 1, which no double holds',
    '00 20 00 00 00 00 00 01',
    1000,
    '00 00 00 00 00 00 03 e8',
  ],
  ['2-56', 'the size 2^56: 1 in the wrong byte order', '01 00 00 00 00 00 00 00', 1, '00 00 00 00 00 00 00 01'],
  [
    '1000-times-2-32',
    'the size 1,000 x 2^32: 1,000 with its halves exchanged',
    '00 00 03 e8 00 00 00 00',
    1000,
    '00 00 00 00 00 00 03 e8',
  ],
  [
    '2-63',
    'the size 2^63, and FIN: negative in 64 signed bits',
    '80 00 00 00 00 00 00 00',
    0,
    '00 00 00 00 00 00 00 00',
  ],
  [
    '2-63-and-1000',
    'the size 2^63 + 1,000: 1,000 without the sign bit',
    '80 00 00 00 00 00 03 e8',
    1000,
    '00 00 00 00 00 00 03 e8',
  ],
  [
    '2-64-less-1000',
    'the size 2^64 - 1,000: -1,000 when signed',
    'ff ff ff ff ff ff fc 18',
    1000,
    '00 00 00 00 00 00 03 e8',
  ],
  // 00000010 in ASCII.
  [
    'decimal',
    'a size in decimal digits is a size all the same, a large one',
    '30 30 30 30 30 30 31 30',
    10,
    '00 00 00 00 00 00 00 0a',
  ],
];

/** Who reads half of the size reads small files right: the course's text alone shows that it is wrong. */
const HALF_READ: ReadonlySet<string> = new Set(['2-32-and-1000', '1000-times-2-32']);

function misread([what, title, size, sent, right]: Misread): ServerCase {
  const file = { size: hex(size), name: text(`{t}size-${what}.bin`), body: sent === 0 ? hex('') : random(sent) };
  return {
    id: `server/size/${what}`,
    title,
    clause: '9.1',
    role: 'server',
    profiles: HALF_READ.has(what) ? BOTH : FULL,
    needs: 'dir',
    exchange: { file, steps: WHOLE, expect: [REFUSED, DISCARDED] },
    twin: { file: { size: hex(right) } },
  };
}

const promised = (label: string): { size: Bytes; name: Bytes; body: Bytes } => ({
  size: shareOfFreeSpace(70),
  name: text(`{t}${label}.bin`),
  body: hex(''),
});

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
    id: 'server/size/256',
    title: 'a file of 256 bytes: in the wrong byte order 2^48',
    clause: '3.2',
    role: 'server',
    profiles: BOTH,
    needs: 'dir',
    quick: true,
    exchange: {
      file: { size: hex('00 00 00 00 00 00 01 00'), name: text('{t}256.bin'), body: random(256) },
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
  ...WHOLE_SIZES.map(whole),
  {
    id: 'server/size/largest',
    title: 'a size of 2^64 - 1, and a FIN after 1,000 bytes: refused, or discarded',
    clause: '9.1',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    quick: true,
    exchange: {
      file: { size: hex('ff ff ff ff ff ff ff ff'), name: text('{t}largest.bin'), body: random(1000) },
      steps: [header(), reply, body(), finish, ended],
      expect: [REFUSED, DISCARDED],
    },
    twin: { file: { size: hex('00 00 00 00 00 00 03 e8') } },
  },
  ...MISREAD.map(misread),
  {
    id: 'server/size/above-free-space',
    title: 'a size of 2^62, more than any disk has: refused before the reply',
    clause: '9.2',
    role: 'server',
    profiles: FULL,
    needs: 'wire',
    quick: true,
    exchange: {
      file: { size: hex('40 00 00 00 00 00 00 00'), name: text('{t}above.bin'), body: random(1000) },
      steps: [header(), ended],
      expect: [REFUSED],
    },
    twin: { file: { size: hex('00 00 00 00 00 00 03 e8') }, steps: WHOLE },
  },
  {
    id: 'server/size/promised-space',
    title: 'two uploads of 70 % of the free space: the second is refused',
    clause: '9.2',
    role: 'server',
    profiles: FULL,
    needs: 'dir',
    requires: { concurrent: ['yes'] },
    // While the space is promised other uploads may be refused.
    alone: true,
    exchange: [
      {
        label: 'first',
        file: promised('first'),
        steps: [header(), reply, signal('promised'), awaiting('second'), reset],
        expect: [{ reply: 'go ahead', closed: ['rst'], disk: 'nothing' }, REFUSED],
      },
      {
        label: 'second',
        file: promised('second'),
        steps: [awaiting('promised'), header(), ended],
        expect: [REFUSED],
      },
    ],
    twin: { file: { size: hex('00 00 00 00 00 00 00 00') }, steps: [header(), reply, finish, ended] },
  },
];
