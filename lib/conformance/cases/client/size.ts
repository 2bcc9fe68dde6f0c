import { hex, random, repeat, text, type Bytes } from '../../model/bytes.js';
import { FAILED, SENT, type ClientCase } from '../../model/case.js';
import { ended, finish, request, send, silence } from '../../model/steps.js';
import { BOTH, GO, row, sent, SMALL, WHOLE } from './common.js';

/** More than fits on most disks: zeros that take no space. The receiver refuses, so nothing of them is sent. */
function sparse(what: string, title: string, size: Bytes, length: bigint): ClientCase {
  return row({
    id: `client/size/${what}`,
    title,
    clause: '3.2',
    exchange: {
      file: { kind: 'sparse', size, name: text('{t}sparse.bin'), body: repeat('00', length) },
      steps: [request, silence, finish, ended],
      expect: [{ ...FAILED, body: 'none' }],
    },
    twin: { file: SMALL, steps: WHOLE },
  });
}

function small(what: string, title: string, size: Bytes, length: number): ClientCase {
  return sent({
    id: `client/size/${what}`,
    title,
    clause: '6.1',
    profiles: BOTH,
    file: { kind: 'file', size, name: text('{t}size.bin'), body: random(length) },
  });
}

export const SIZE_CASES: readonly ClientCase[] = [
  row({
    id: 'client/size/zero',
    title: 'an empty file: the reply is awaited all the same',
    clause: '5.7',
    profiles: BOTH,
    quick: true,
    exchange: {
      file: { kind: 'file', size: hex('00 00 00 00 00 00 00 00'), name: text('{t}empty.txt'), body: hex('') },
      steps: [request, silence, send(GO), finish, ended],
      expect: [SENT],
    },
  }),
  small('one', 'a file of one byte', hex('00 00 00 00 00 00 00 01'), 1),
  small('255', 'a file of 255 bytes: a size byte above 127', hex('00 00 00 00 00 00 00 ff'), 255),
  small('1023', 'a file of 1,023 bytes: one short of a buffer', hex('00 00 00 00 00 00 03 ff'), 1023),
  small('1024', 'a file of 1,024 bytes: exactly one buffer', hex('00 00 00 00 00 00 04 00'), 1024),
  small('1025', 'a file of 1,025 bytes: one more than a buffer', hex('00 00 00 00 00 00 04 01'), 1025),
  small('65535', 'a file of 65,535 bytes', hex('00 00 00 00 00 00 ff ff'), 65_535),
  small('65536', 'a file of 65,536 bytes: the third byte of the size', hex('00 00 00 00 00 01 00 00'), 65_536),
  small('1048577', 'a file of 1 MiB and one byte', hex('00 00 00 00 00 10 00 01'), 1_048_577),
  sparse('2-31', 'a file of 2^31 bytes: no sign', hex('00 00 00 00 80 00 00 00'), 2n ** 31n),
  sparse('2-32-less-1', 'a file of 2^32 - 1 bytes', hex('00 00 00 00 ff ff ff ff'), 2n ** 32n - 1n),
  sparse('2-32', 'a file of 2^32 bytes: the upper half of the size', hex('00 00 00 01 00 00 00 00'), 2n ** 32n),
  sparse('2-40', 'a file of 2^40 + 3 bytes: more than fits in memory', hex('00 00 01 00 00 00 00 03'), 2n ** 40n + 3n),
  sparse('2-53', 'a file of 2^53 + 1 bytes: no floating point', hex('00 20 00 00 00 00 00 01'), 2n ** 53n + 1n),
  sparse('2-63-less-1', 'a file of 2^63 - 1 bytes', hex('7f ff ff ff ff ff ff ff'), 2n ** 63n - 1n),
];
