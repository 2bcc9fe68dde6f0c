import { random } from '../../model/bytes.js';
import {
  FAILED,
  SENT,
  type ClientCase,
  type ClientOutcome,
  type FileChange,
  type LocalFile,
  type Some,
} from '../../model/case.js';
import { changeFile, ended, request, resumeReading, send, stopReading, take, finish } from '../../model/steps.js';
import { GO, LARGE, NOT_EVEN_CONNECTED, row, SMALL, WHOLE } from './common.js';

/** What cannot be sent: the client fails and does not connect. */
function unsendable(what: LocalFile['kind'], title: string): ClientCase {
  return row({
    id: `client/file/${what.replaceAll(' ', '-')}`,
    title,
    clause: '8.7',
    exchange: { file: { ...SMALL, kind: what }, steps: WHOLE, expect: [NOT_EVEN_CONNECTED] },
    twin: { file: { kind: 'file' } },
  });
}

/** What a client may do whose file is another in mid-body: fail, or send what it announced. */
const EITHER: Some<ClientOutcome> = [FAILED, SENT];

/**
 * The receiver has 64 KiB and reads no more, so a client that reads as it sends is in the first half of the file when
 * it changes.
 */
function changed(
  what: string,
  title: string,
  how: FileChange,
  clause: '6.1' | '6.2' = '6.2',
  expect: Some<ClientOutcome> = EITHER,
): ClientCase {
  return row({
    id: `client/file/${what}`,
    title,
    clause,
    exchange: {
      file: LARGE,
      steps: [request, send(GO), take(65_536), stopReading, changeFile(how), resumeReading, take(), finish, ended],
      expect,
    },
    twin: { steps: WHOLE },
  });
}

export const FILE_CASES: readonly ClientCase[] = [
  { ...unsendable('missing', 'a file that does not exist'), quick: true },
  unsendable('directory', 'a directory'),
  unsendable('fifo', 'a FIFO that nobody writes to'),
  unsendable('device', 'a symbolic link to /dev/null'),
  unsendable('dangling link', 'a symbolic link to nothing'),
  unsendable('link loop', 'a symbolic link to itself'),
  unsendable('unreadable', 'a file that the client may not read'),
  changed(
    'appended',
    'the file grows in mid-body: not one byte more than announced, and a failure',
    { kind: 'append', bytes: random(4096, 'more') },
    '6.2',
    [FAILED],
  ),
  changed('truncated', 'the file is cut to a half in mid-body: neither padded nor cut', {
    kind: 'truncate',
    to: 8_388_608,
  }),
  changed(
    'rewritten',
    'bytes of the file change in mid-body: no mixture is sent as a success',
    { kind: 'rewrite', at: 12_582_912, bytes: random(4096, 'other') },
    '6.1',
    [{ ...FAILED, body: 'any' }, SENT],
  ),
  changed(
    'replaced',
    'another file takes its place in mid-body: no mixture is sent as a success',
    { kind: 'replace', bytes: random(16_777_216, 'other') },
    '6.1',
  ),
  changed('removed', 'the file is removed in mid-body', { kind: 'remove' }, '6.1'),
  row({
    id: 'client/file/emptied-before-reply',
    title: 'the file is emptied while the client waits for the reply',
    clause: '6.2',
    exchange: {
      file: SMALL,
      steps: [request, changeFile({ kind: 'truncate', to: 0 }), send(GO), take(), finish, ended],
      expect: EITHER,
    },
    twin: { steps: WHOLE },
  }),
];
