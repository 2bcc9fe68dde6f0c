import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { messageOf } from '../../lib/cause.js';
import { GoAheadError, toGoAheadError } from '../../lib/errors.js';
import { RECEIVE_DEFAULTS } from '../../lib/session/options.js';
import { RECEIVE_TRANSITIONS, type ReceiveState } from '../../lib/session/states.js';
import type { MaybePromise } from '../../lib/maybe-promise.js';
import { DISK_FAULT, REFUSAL, type Answering, type StorageCall } from '../support/fake-storage.js';
import { quiescence } from '../support/manual-clock.js';
import { runSeed } from '../support/random.js';
import { hex, INVALID_UTF8 } from '../wire/bytes.js';
import { EMPTY_HEADER, HEADER, HELLO, NAME, REACH_RECEIVE, Receiving, SIZE_0, SIZE_5 } from './rigs.js';

const seed = runSeed();
t.comment(`SEED=${seed}`);

const { settle: SETTLE, grace: GRACE, headerDeadline: HEADER_DEADLINE, bodyDeadline: BODY_DEADLINE } = RECEIVE_DEFAULTS;
const REPLIED = 'write "go ahead"';
const GOOD = `begun a.txt 5, stored a.txt 5 | ${REPLIED}, close | create, write, commit | a.txt=hello`;

const STATES = Object.keys(RECEIVE_TRANSITIONS) as ReceiveState[];

t.test('every state can be reached', async (t) => {
  for (const state of STATES) t.equal((await REACH_RECEIVE[state]()).session.state, state);
});

t.test('the end of the stream, in every state', async (t) => {
  const outcomes: Readonly<Record<ReceiveState, string>> = {
    header: 'failed HEADER_INCOMPLETE | pause, close |  | ',
    // Nothing of the body can come any more: a refusal.
    settling: 'failed BODY_UNDERRUN | pause, close | create, abort | ',
    opening: 'failed BODY_UNDERRUN | pause, close | create, abort | ',
    body: `begun a.txt 5, failed BODY_UNDERRUN | ${REPLIED}, pause, reset | create, abort | `,
    ending: GOOD,
    flushing: GOOD,
    committing: GOOD,
    stored: GOOD,
    failing: `begun a.txt 5, failed ABORTED | ${REPLIED}, pause, reset | create, abort | `,
    failed: `begun a.txt 5, failed ABORTED | ${REPLIED}, pause, reset | create, abort | `,
  };
  for (const state of STATES) {
    const rig = await REACH_RECEIVE[state]();
    rig.session.end();
    await rig.drain();
    t.equal(rig.summary, outcomes[state], state);
    t.equal(rig.clock.armed(), 0, `${state}: no timer is left`);
    t.equal(rig.storage.open, 0, `${state}: no upload is left`);
  }
});

t.test('a reset, in every state', async (t) => {
  const discarded = `begun a.txt 5, failed CONNECTION_RESET | ${REPLIED}, pause, reset | create, write, abort | `;
  const outcomes: Readonly<Record<ReceiveState, string>> = {
    header: 'failed CONNECTION_RESET | pause, close |  | ',
    settling: 'failed CONNECTION_RESET | pause, close |  | ',
    opening: 'failed CONNECTION_RESET | pause, close | create, abort | ',
    body: `begun a.txt 5, failed CONNECTION_RESET | ${REPLIED}, pause, reset | create, abort | `,
    ending: discarded,
    flushing: discarded,
    // There is no way back from a commit.
    committing: GOOD,
    stored: GOOD,
    failing: `begun a.txt 5, failed ABORTED | ${REPLIED}, pause, reset | create, abort | `,
    failed: `begun a.txt 5, failed ABORTED | ${REPLIED}, pause, reset | create, abort | `,
  };
  for (const state of STATES) {
    const rig = await REACH_RECEIVE[state]();
    const cause = new Error('ECONNRESET');
    rig.session.lost(cause);
    await rig.drain();
    t.equal(rig.summary, outcomes[state], state);
    t.equal(rig.clock.armed(), 0, `${state}: no timer is left`);
    if (rig.error?.code === 'CONNECTION_RESET') t.equal(rig.error.cause, cause);
  }
});

t.test('an abort, in every state', async (t) => {
  const before = new Set<ReceiveState>(['committing', 'stored']);
  for (const state of STATES) {
    const rig = await REACH_RECEIVE[state]();
    rig.session.abort(new GoAheadError('ABORTED', 'enough'));
    await rig.drain();
    t.equal(rig.events.at(-1), before.has(state) ? 'stored a.txt 5' : 'failed ABORTED', state);
  }
});

t.test('bytes, in every state', async (t) => {
  const outcomes: Readonly<Record<ReceiveState, string>> = {
    header: 'begun aaaaa 1, stored aaaaa 1', // the byte below, then the rest of this test's own header
    settling: 'begun a.txta 5, failed CONNECTION_RESET',
    opening: 'failed EARLY_DATA',
    body: 'begun a.txt 5, failed CONNECTION_RESET',
    ending: 'begun a.txt 5, failed BODY_OVERRUN',
    flushing: 'begun a.txt 5, failed BODY_OVERRUN',
    committing: 'begun a.txt 5, stored a.txt 5',
    stored: 'begun a.txt 5, stored a.txt 5',
    failing: 'begun a.txt 5, failed ABORTED',
    failed: 'begun a.txt 5, failed ABORTED',
  };
  for (const state of STATES) {
    const rig = await REACH_RECEIVE[state]();
    if (state === 'header') {
      void rig.session.receive(hex('00 00 00 00 00 00 00 01 61'));
      t.equal(rig.session.state, 'opening');
      continue;
    }
    void rig.session.receive(hex('61'));
    rig.clock.advance(SETTLE);
    await rig.drain();
    rig.session.lost();
    await rig.drain();
    t.equal(rig.events.join(', '), outcomes[state], state);
    t.equal(rig.storage.open, 0);
  }
});

t.test('an empty chunk means nothing, in every state', async (t) => {
  for (const state of STATES) {
    const rig = await REACH_RECEIVE[state]();
    const before = rig.summary;
    t.equal(rig.session.receive(new Uint8Array()), undefined);
    t.equal(rig.session.state, state);
    t.equal(rig.summary, before);
  }
  const rig = new Receiving();
  rig.session.receive(new Uint8Array());
  rig.session.receive(HEADER);
  t.equal(rig.session.state, 'body', 'it is no piece of a header either: no settle');
});

t.test('the classic case', async (t) => {
  for (const answering of ['sync', 'promise'] as const) {
    const rig = new Receiving({ answering });
    t.equal(rig.session.header, undefined);
    rig.session.receive(HEADER);
    await quiescence();
    t.strictSame(rig.transport.calls, [REPLIED], 'the reply costs no wait (3.9)');
    t.equal(rig.clock.now(), 0);
    t.strictSame(rig.session.header, { size: 5n, name: 'a.txt' });
    await rig.session.receive(HELLO.subarray(0, 2));
    t.equal(rig.session.received, 2n);
    await rig.session.receive(HELLO.subarray(2));
    t.strictSame(rig.storage.files, [], 'nothing is committed before the end of the stream is known');
    rig.session.end();
    await quiescence();
    t.equal(
      rig.summary,
      `begun a.txt 5, stored a.txt 5 | ${REPLIED}, close | create, write, write, commit | a.txt=hello`,
    );
    t.equal(rig.clock.armed(), 0);
  }
});

t.test('progress is told where somebody listens', async (t) => {
  const rig = new Receiving();
  const progress: bigint[] = [];
  rig.session.on('progress', (received) => void progress.push(received));
  rig.session.receive(HEADER);
  rig.session.receive(HELLO.subarray(0, 2));
  rig.session.receive(HELLO.subarray(2));
  t.strictSame(progress, [2n, 5n]);
});

t.test('a size of zero', async (t) => {
  const good = `begun a.txt 0, stored a.txt 0 | ${REPLIED}, close | create, commit | a.txt=`;
  for (const answering of ['sync', 'promise'] as const) {
    const fin = new Receiving({ answering });
    fin.session.receive(EMPTY_HEADER);
    await quiescence();
    t.strictSame(fin.transport.calls, [REPLIED], 'the reply is sent for it too (5.3)');
    t.equal(fin.session.state, 'ending');
    fin.session.end();
    await quiescence();
    t.equal(fin.summary, good, `${answering}: FIN`);

    const grace = new Receiving({ answering });
    grace.session.receive(EMPTY_HEADER);
    await quiescence();
    grace.clock.advance(GRACE);
    await quiescence();
    t.equal(grace.summary, good, `${answering}: grace`);

    const early = new Receiving({ answering });
    early.session.receive(EMPTY_HEADER.subarray(0, 4));
    early.session.receive(EMPTY_HEADER.subarray(4));
    early.session.end();
    await quiescence();
    t.equal(early.summary, good, `${answering}: FIN before the reply`);

    const one = new Receiving({ answering });
    one.session.receive(EMPTY_HEADER);
    await quiescence();
    one.session.receive(hex('61'));
    await quiescence();
    t.equal(one.summary, `begun a.txt 0, failed BODY_OVERRUN | ${REPLIED}, pause, reset | create, abort | `, answering);
  }
  const opening = await REACH_RECEIVE.header();
  opening.session.receive(EMPTY_HEADER);
  opening.session.end();
  await opening.drain();
  t.equal(opening.summary, good, 'FIN while the storage is being asked');
});

t.test('what is refused is closed without a byte (8.1)', async (t) => {
  for (const { title, bytes, cut = false } of INVALID_UTF8) {
    const rig = new Receiving();
    rig.session.receive(Buffer.concat([SIZE_5, bytes]));
    if (cut) {
      t.equal(rig.session.state, 'header', `${title}: more must follow (3.8)`);
      rig.session.end();
    }
    t.equal(rig.summary, `failed ${cut ? 'HEADER_INCOMPLETE' : 'NAME_NOT_UTF8'} | pause, close |  | `, title);
  }
  const long = new Receiving();
  long.session.receive(Buffer.alloc(1025, 0x61));
  t.equal(long.summary, 'failed HEADER_TOO_LONG | pause, close |  | ');
  const parts = new Receiving();
  for (let part = 0; part < 256; part++) parts.session.receive(hex('61 61 61 61'));
  t.equal(parts.session.state, 'settling');
  parts.session.receive(hex('61'));
  t.equal(parts.summary, 'failed HEADER_TOO_LONG | pause, close |  | ', 'in parts');
  t.equal(parts.clock.armed(), 0);

  const limit = new Receiving({}, { maxSize: 4n });
  limit.session.receive(HEADER);
  t.equal(limit.summary, 'failed SIZE_OVER_LIMIT | pause, close |  | ', 'before the storage is asked');
  t.match(limit.error, { clause: '9.2', expected: 'at most 4 bytes', actual: '5 bytes' });
  const exact = new Receiving({}, { maxSize: 5n });
  exact.session.receive(HEADER);
  t.equal(exact.session.state, 'body', 'the limit itself is allowed');

  for (const answering of ['sync', 'promise'] as const) {
    const refused = new Receiving({ answering, fail: 'create', failure: REFUSAL });
    refused.session.receive(HEADER);
    await quiescence();
    t.equal(refused.summary, 'failed NO_SPACE | pause, close | create | ', `${answering}: the storage refuses`);
    t.equal(refused.error, REFUSAL, 'its own error is the one that is told');
    t.equal(refused.clock.armed(), 0);
  }
});

t.test('a header in pieces', async (t) => {
  for (let cut = 1; cut < HEADER.length; cut++) {
    const rig = new Receiving();
    rig.session.receive(HEADER.subarray(0, cut));
    const replied = cut > 8;
    t.equal(rig.session.state, replied ? 'body' : 'header', `${cut} bytes`);
    if (replied) continue;
    rig.session.receive(HEADER.subarray(cut));
    t.equal(rig.session.state, 'settling');
    rig.clock.advance(SETTLE - 1);
    t.strictSame(rig.transport.calls, [], 'no reply before the quiet is over (3.10)');
    rig.clock.advance(1);
    t.strictSame(rig.transport.calls, [REPLIED]);
    t.strictSame(rig.session.header, { size: 5n, name: 'a.txt' });
  }
  const bytewise = new Receiving();
  for (const byte of HEADER) {
    bytewise.session.receive(Uint8Array.of(byte));
    bytewise.clock.advance(SETTLE - 1);
  }
  t.equal(bytewise.session.state, 'settling', 'each byte begins the quiet anew');
  bytewise.clock.advance(1);
  t.strictSame(bytewise.session.header, { size: 5n, name: 'a.txt' });
});

t.test('a header in as many pieces as make sense, and in one more', async (t) => {
  // Nine bytes of the size and a name, then the rest of the longest header, byte by byte.
  const bytes = Buffer.concat([SIZE_5, Buffer.alloc(1016, 'n')]);
  for (const [pieces, events] of [
    [512, ['begun ' + 'n'.repeat(512 - 8) + ' 5']],
    [513, ['failed HEADER_TOO_MANY_PIECES']],
  ] as const) {
    const rig = new Receiving();
    for (const byte of bytes.subarray(0, pieces)) rig.session.receive(Uint8Array.of(byte));
    rig.clock.advance(SETTLE);
    t.strictSame(rig.events, events, `${pieces} pieces`);
    t.strictSame(rig.transport.calls.includes('close'), pieces > 512, 'refused (8.1)');
    rig.session.lost();
    t.equal(rig.clock.armed(), 0, 'no timer is left');
  }
});

t.test('settleAlways waits for a header in one piece too', async (t) => {
  const rig = new Receiving({}, { settleAlways: true, settle: 20 });
  rig.session.receive(HEADER.subarray(0, 11));
  rig.clock.advance(19);
  rig.session.receive(HEADER.subarray(11));
  rig.clock.advance(19);
  t.strictSame(rig.transport.calls, []);
  rig.clock.advance(1);
  t.strictSame(rig.transport.calls, [REPLIED]);
  t.strictSame(rig.session.header, { size: 5n, name: 'a.txt' });
});

// "né€😀.b": characters of one to four bytes, so that some cuts fall inside of one and others between two.
const LONG_NAME = hex('6e c3a9 e282ac f09f9880 2e 62');
const INSIDE = new Set([2, 4, 5, 7, 8, 9]);

t.test('a name cut by the network is settled or refused, never stored wrong', async (t) => {
  const name = LONG_NAME.toString();
  const right = `${name}=hello`;
  let tried = 0;
  for (let cut = 1; cut < LONG_NAME.length; cut++) {
    const first = Buffer.concat([SIZE_5, LONG_NAME.subarray(0, cut)]);
    const rest = LONG_NAME.subarray(cut);
    for (const early of ['whole', 'split'] as const) {
      for (const settleAlways of [false, true]) {
        for (const tail of ['before the settle', 'after the settle', 'with the body', 'bytewise'] as const) {
          for (const finish of ['FIN', 'grace', 'FIN after the grace began'] as const) {
            const rig = new Receiving({}, { settleAlways });
            const title = `cut at ${cut}, ${early}, settleAlways ${settleAlways}, tail ${tail}, ${finish}`;
            // A header that already came in pieces, or not.
            if (early === 'split') rig.session.receive(first.subarray(0, 6));
            rig.session.receive(early === 'split' ? first.subarray(6) : first);
            rig.clock.advance(tail === 'before the settle' ? SETTLE - 1 : SETTLE);
            // This sender keeps the rules: its body follows the reply, and the network brings the name's tail first.
            if (tail === 'bytewise') for (const byte of rest) rig.session.receive(Uint8Array.of(byte));
            else if (tail !== 'with the body') rig.session.receive(rest);
            rig.clock.advance(SETTLE);
            const late = Buffer.concat([tail === 'with the body' ? rest : hex(''), HELLO]);
            if (rig.transport.written.length > 0) rig.session.receive(late);
            else if (tail === 'with the body') rig.session.receive(rest);
            rig.clock.advance(SETTLE);
            if (rig.session.state === 'body') rig.session.receive(HELLO);
            if (finish === 'FIN') rig.session.end();
            rig.clock.advance(finish === 'FIN after the grace began' ? GRACE - 1 : GRACE);
            rig.session.end();
            tried += 1;
            const files = rig.storage.files.map(({ name, bytes }) => `${name}=${bytes.toString()}`);
            const settled = INSIDE.has(cut) || (tail === 'before the settle' && (settleAlways || early === 'split'));
            if (settled) t.strictSame(files, [right], title);
            else t.match({ files, code: rig.error?.code }, { files: [], code: 'BODY_OVERRUN' }, title);
            if (settled === (rig.error !== undefined)) t.fail(`${title}: ${rig.summary}`);
          }
        }
      }
    }
  }
  t.equal(tried, (LONG_NAME.length - 1) * 2 * 2 * 4 * 3);
});

t.test('the hole that remains: a surplus that comes later than the grace', async (t) => {
  // A name that was cut, and a sender that rests for longer than the grace just before the surplus (see 7.3).
  const rig = new Receiving();
  rig.session.receive(Buffer.concat([SIZE_5, hex('61')]));
  rig.session.receive(Buffer.concat([hex('2e 62'), HELLO.subarray(0, 3)]));
  rig.clock.advance(GRACE);
  rig.session.receive(HELLO.subarray(3));
  t.equal(rig.events.at(-1), 'stored a 5', 'docs/limitations.md has to say so');
});

t.test('the grace (7.3)', async (t) => {
  const rig = new Receiving({}, { grace: 40 });
  rig.session.receive(HEADER);
  rig.session.receive(HELLO);
  rig.clock.advance(39);
  t.equal(rig.session.state, 'ending');
  rig.clock.advance(1);
  t.equal(rig.summary, GOOD);

  const over = new Receiving({}, { grace: 40 });
  over.session.receive(HEADER);
  over.session.receive(HELLO);
  over.clock.advance(39);
  over.session.receive(hex('61'));
  t.equal(over.summary, `begun a.txt 5, failed BODY_OVERRUN | ${REPLIED}, pause, reset | create, write, abort | `);
  t.equal(over.clock.armed(), 0);
});

t.test('the grace is not spent while nothing is read', async (t) => {
  // The last chunk makes the session pause the connection; a byte too many waits behind it, unread.
  const rig = new Receiving({ answering: 'manual' }, { maxPendingBytes: 5 });
  rig.session.receive(HEADER);
  rig.storage.settle();
  await quiescence();
  void rig.session.receive(HELLO);
  rig.clock.advance(GRACE - 1);
  t.equal(rig.transport.calls.at(-1), 'resume', 'to see the end of the stream one has to read on');
  rig.session.receive(hex('61'));
  await rig.drain();
  t.equal(rig.events.at(-1), 'failed BODY_OVERRUN');
  t.strictSame(rig.storage.files, []);
});

t.test('a byte too many while writes are under way is seen after the grace too (6.5)', async (t) => {
  const rig = await REACH_RECEIVE.flushing();
  rig.session.receive(hex('61'));
  await rig.drain();
  t.equal(rig.summary, `begun a.txt 5, failed BODY_OVERRUN | ${REPLIED}, pause, reset | create, write, abort | `);
});

t.test('bytes during a commit come too late, and no more of them are read', async (t) => {
  const rig = await REACH_RECEIVE.committing();
  t.equal(rig.session.receive(hex('61')), undefined);
  t.equal(rig.transport.calls.at(-1), 'pause', 'however long the commit takes');
  await rig.drain();
  t.equal(rig.summary, GOOD.replace(', close', ', pause, close'));
});

t.test('early data is a fault (3.6)', async (t) => {
  const rig = await REACH_RECEIVE.opening();
  rig.session.receive(HELLO);
  t.match(rig.session.state, 'failing', 'it waits for the storage, to leave nothing behind');
  t.strictSame(rig.transport.calls, ['pause']);
  await rig.drain();
  t.equal(rig.summary, 'failed EARLY_DATA | pause, close | create, abort | ');
  t.match(rig.error, { clause: '3.6', actual: '5 bytes' });

  const both = await REACH_RECEIVE.opening();
  both.session.receive(HELLO);
  both.session.lost();
  await both.drain();
  t.strictSame(both.events, ['failed EARLY_DATA'], 'the first fault is the one that is told');

  const refused = new Receiving({ answering: 'manual', fail: 'create' });
  refused.session.receive(HEADER);
  refused.session.receive(HELLO);
  await refused.drain();
  t.equal(refused.summary, 'failed EARLY_DATA | pause, close | create | ', 'also when the storage then refuses');
});

t.test('the deadline of the header is a total (11.1)', async (t) => {
  const silent = new Receiving();
  silent.clock.advance(HEADER_DEADLINE - 1);
  t.strictSame(silent.events, []);
  silent.clock.advance(1);
  t.equal(silent.summary, 'failed HEADER_TIMEOUT | pause, close |  | ');

  const slow = new Receiving();
  slow.session.receive(hex('00'));
  slow.clock.advance(9_000);
  slow.session.receive(hex('00'));
  slow.clock.advance(999);
  t.strictSame(slow.events, []);
  slow.clock.advance(1);
  t.strictSame(slow.events, ['failed HEADER_TIMEOUT'], 'a byte every nine seconds does not extend it');
  t.match(slow.error, { actual: '2 pieces of it' });

  const steady = new Receiving({}, { settle: 50, headerDeadline: 10_000 });
  steady.session.receive(SIZE_5);
  for (let ms = 0; ms < 10_000; ms += 40) {
    steady.session.receive(hex('61'));
    steady.clock.advance(40);
  }
  t.strictSame(steady.events, ['failed HEADER_TIMEOUT'], 'nor a name that goes on and on');
  t.equal(steady.clock.armed(), 0);
});

t.test('the deadline of the header does not blame the sender for a slow storage', async (t) => {
  const rig = await REACH_RECEIVE.opening();
  rig.clock.advance(HEADER_DEADLINE * 10);
  t.strictSame(rig.events, []);
  t.equal(rig.session.state, 'opening');
  rig.storage.settle();
  await quiescence();
  t.strictSame(rig.transport.calls, [REPLIED]);
});

t.test('the deadline of the body is idle time (11.2)', async (t) => {
  const silent = new Receiving();
  silent.session.receive(HEADER);
  silent.clock.advance(BODY_DEADLINE - 1);
  t.equal(silent.session.state, 'body');
  silent.clock.advance(1);
  t.equal(silent.summary, `begun a.txt 5, failed BODY_TIMEOUT | ${REPLIED}, pause, reset | create, abort | `);
  t.match(silent.error, { clause: '11.2', message: /after 0 of 5 bytes$/ });

  const slow = new Receiving();
  slow.session.receive(HEADER);
  for (const byte of HELLO) {
    slow.clock.advance(BODY_DEADLINE - 1);
    slow.session.receive(Uint8Array.of(byte));
  }
  slow.session.end();
  t.equal(slow.events.at(-1), 'stored a.txt 5', 'every byte extends it');
});

t.test('the deadline of the body is not counted while the storage is what lags', async (t) => {
  const rig = await REACH_RECEIVE.body();
  void rig.session.receive(HELLO.subarray(0, 2));
  rig.clock.advance(BODY_DEADLINE * 3.5);
  t.equal(rig.session.state, 'body', 'a write is under way');
  rig.storage.settle();
  await quiescence();
  rig.clock.advance(BODY_DEADLINE);
  t.strictSame(rig.session.state, 'failing', 'but it is not forgotten for that');
  await rig.drain();
  t.equal(rig.events.at(-1), 'failed BODY_TIMEOUT');

  const paused = new Receiving({ answering: 'manual' }, { maxPendingBytes: 2 });
  paused.session.receive(HEADER);
  paused.storage.settle();
  await quiescence();
  void paused.session.receive(HELLO.subarray(0, 2));
  paused.clock.advance(BODY_DEADLINE * 1.75);
  paused.storage.settle();
  await quiescence();
  t.strictSame(paused.transport.calls, [REPLIED, 'pause', 'resume']);
  paused.clock.advance(BODY_DEADLINE - 1);
  t.equal(paused.session.state, 'body', 'the sender has the whole time from the resume on');
  paused.clock.advance(1);
  t.not(paused.session.state, 'body');
});

t.test('a minimum rate is watched from the reply to the last byte (11.2)', async (t) => {
  const options = { minRate: 2, rateWindow: 1_000, grace: 5_000 };
  const whole = new Receiving({}, options);
  whole.session.receive(HEADER);
  whole.session.receive(hex('68 65'));
  whole.clock.advance(1_000);
  t.equal(whole.session.state, 'body', 'two bytes in a second are enough');
  whole.session.receive(hex('6c 6c 6f'));
  whole.clock.advance(4_000);
  t.equal(whole.session.state, 'ending', 'after the last byte there is nothing to be slow with');
  whole.session.end();
  t.equal(whole.events.at(-1), 'stored a.txt 5');
  t.equal(whole.clock.armed(), 0);

  const slow = new Receiving({}, options);
  slow.session.receive(HEADER);
  slow.session.receive(hex('68'));
  slow.clock.advance(1_000);
  t.match(slow.error, { code: 'BODY_TOO_SLOW', expected: 'at least 2 bytes in 1000 ms', actual: '1 bytes' });
  t.equal(slow.clock.armed(), 0);

  for (const [late, state] of [
    [100, 'failed'],
    [101, 'body'],
  ] as const) {
    const stalled = new Receiving({}, options);
    stalled.session.receive(HEADER);
    stalled.clock.stall(1_000 + late);
    stalled.clock.advance(0);
    t.equal(stalled.session.state, state, `the process itself was busy, and ${late} ms late`);
    stalled.clock.advance(1_000);
    t.match(stalled.error, { code: 'BODY_TOO_SLOW' }, 'the next window has no excuse');
  }

  const held = new Receiving({ answering: 'manual' }, { ...options, maxPendingBytes: 2 });
  held.session.receive(HEADER);
  held.storage.settle();
  await quiescence();
  held.clock.advance(1);
  void held.session.receive(hex('68 65'));
  held.clock.advance(1_000);
  t.equal(held.session.state, 'body', 'in the first window two came');
  held.clock.advance(1_000);
  t.equal(held.session.state, 'body', 'in the second it was not read at all');
  held.clock.advance(500);
  held.storage.settle();
  await quiescence();
  t.strictSame(held.transport.calls, [REPLIED, 'pause', 'resume']);
  held.clock.advance(500);
  t.equal(held.session.state, 'body', 'in the third it was not read half of the time');
  held.clock.advance(1_000);
  await held.drain();
  t.match(held.error, { code: 'BODY_TOO_SLOW' }, 'the fourth has no excuse');
});

t.test('a storage that fails at each of its calls', async (t) => {
  const outcomes: Readonly<Record<StorageCall, string>> = {
    create: 'failed STORAGE_FAILED | pause, close | create | ',
    write: `begun a.txt 5, failed STORAGE_FAILED | ${REPLIED}, pause, reset | create, write, abort | `,
    // A commit that fails has removed the upload itself.
    commit: `begun a.txt 5, failed STORAGE_FAILED | ${REPLIED}, pause, reset | create, write, commit | `,
    // An abort that fails leaves what is left to a sweep; here the overrun is what is told.
    abort: `begun a.txt 5, failed BODY_OVERRUN | ${REPLIED}, pause, reset | create, write, abort | `,
  };
  for (const fail of ['create', 'write', 'commit', 'abort'] as const) {
    for (const answering of ['sync', 'promise', 'manual'] as const) {
      const rig = new Receiving({ answering, fail });
      rig.session.receive(HEADER);
      await rig.drain();
      const written = rig.session.receive(fail === 'abort' ? Buffer.from('hello!') : HELLO);
      if (rig.transport.written.length > 0) rig.session.end();
      await rig.drain();
      await written;
      t.equal(rig.summary, outcomes[fail], `${fail}, ${answering}`);
      t.equal(rig.clock.armed(), 0);
      t.strictSame(rig.storage.breaches, []);
      if (fail === 'abort') continue;
      t.equal(rig.error?.cause, DISK_FAULT, 'the cause is kept');
      t.match(rig.error, { side: 'local', message: 'the storage failed: EIO: i/o error' });
    }
  }
});

t.test('a storage may throw what is no error at all', async (t) => {
  const error = toGoAheadError('pulled out', 'STORAGE_FAILED', 'the storage failed');
  t.match(error, { code: 'STORAGE_FAILED', message: 'the storage failed: pulled out', cause: 'pulled out' });
  // As Node has it for a host with several addresses that cannot be reached.
  t.equal(messageOf(Object.assign(new AggregateError([], ''), { code: 'ETIMEDOUT' })), 'ETIMEDOUT');
});

t.test('a write that fails later than the next has begun', async (t) => {
  const rig = new Receiving({ answering: 'manual', fail: 'write', failAfter: 1 });
  rig.session.receive(HEADER);
  rig.storage.settle();
  await quiescence();
  const chunks = [hex('68'), hex('65'), hex('6c')].map((chunk) => Promise.resolve(rig.session.receive(chunk)));
  rig.storage.settle();
  rig.storage.settle();
  await quiescence();
  t.equal(rig.session.state, 'failing');
  t.strictSame(rig.storage.waiting, ['write'], 'the abort waits for the third write');
  t.notOk(rig.transport.calls.includes('reset'));
  rig.storage.settle();
  await quiescence();
  t.strictSame(rig.storage.waiting, ['abort']);
  t.notOk(rig.transport.calls.includes('reset'), 'the reset waits for the abort');
  rig.storage.settle();
  await quiescence();
  t.strictSame(rig.transport.calls, [REPLIED, 'pause', 'reset']);
  t.strictSame(await Promise.all(chunks), [undefined, undefined, undefined], 'the promises of the chunks never reject');
  t.strictSame(rig.events, ['begun a.txt 5', 'failed STORAGE_FAILED']);
});

t.test('a chunk’s memory is free when its write has settled, and not before', async (t) => {
  const rig = await REACH_RECEIVE.body();
  const memory = Buffer.from(HELLO);
  let free = false;
  const promise = rig.session.receive(memory);
  t.type(promise, Promise);
  void Promise.resolve(promise).then(() => {
    free = true;
    memory.fill(0xee);
  });
  rig.session.lost();
  await quiescence();
  t.equal(free, false, 'also not when the connection is gone');
  rig.storage.settle();
  await quiescence();
  t.equal(free, true);

  const sync = new Receiving();
  sync.session.receive(HEADER);
  t.equal(sync.session.receive(HELLO), undefined, 'a storage that wrote at once has nothing to give back');
});

/** What storages of another realm or library answer with. */
const FOREIGN: Readonly<Record<string, <T>(promise: Promise<T>) => Promise<T>>> = {
  'a promise of another realm': <T>(promise: Promise<T>) =>
    runInNewContext('new Promise((done, failed) => void promise.then(done, failed))', { promise }) as Promise<T>,
  'a thenable that returns nothing': <T>(promise: Promise<T>) => {
    const thenable: unknown = {
      then: (done: (value: T) => void, failed: (reason: unknown) => void) => void promise.then(done, failed),
    };
    return thenable as Promise<T>;
  },
};

for (const [make, wrap] of Object.entries(FOREIGN)) {
  t.test(`a chunk is in use until ${make} has settled`, async (t) => {
    for (const fail of [undefined, 'write'] as const) {
      const rig = new Receiving({ answering: 'manual', wrap, ...(fail && { fail }) });
      rig.session.receive(HEADER);
      rig.storage.settle();
      await quiescence();
      const promise = rig.session.receive(HELLO);
      t.ok(promise instanceof Promise, 'one of our own');
      let free = false;
      void Promise.resolve(promise).then(() => (free = true));
      await quiescence();
      t.equal(free, false);
      rig.storage.settle();
      await quiescence();
      t.equal(free, true);
      rig.session.end();
      await rig.drain();
      t.strictSame(rig.events, ['begun a.txt 5', fail === undefined ? 'stored a.txt 5' : 'failed STORAGE_FAILED']);
    }
  });
}

t.test('what retainsChunk says holds, in every state', async (t) => {
  const retained: readonly ReceiveState[] = ['opening', 'body'];
  for (const state of STATES) {
    const rig = await REACH_RECEIVE[state]();
    t.equal(rig.session.retainsChunk, retained.includes(state), state);
  }

  // Of a storage that needs no chunk for longer, the memory of all of them may be read over at once.
  for (const answering of ['sync', 'manual'] as const) {
    const rig = new Receiving({ answering, retainsChunk: false });
    const memory = Buffer.alloc(16);
    for (const [chunk, wanted] of [
      [HEADER.subarray(0, 3), false],
      [HEADER.subarray(3), false],
      [HELLO.subarray(0, 2), false],
      [HELLO.subarray(2), false],
    ] as const) {
      t.equal(rig.session.retainsChunk, wanted);
      chunk.copy(memory);
      void rig.session.receive(memory.subarray(0, chunk.length));
      memory.fill(0xee);
      rig.clock.advance(SETTLE);
      await rig.drain();
    }
    rig.session.end();
    await rig.drain();
    t.strictSame(rig.storage.files, [{ name: 'a.txt', bytes: HELLO }], answering);
  }
});

t.test('a storage that is slower than the connection (6.6)', async (t) => {
  const rig = new Receiving({ answering: 'manual' }, { maxPendingBytes: 4 });
  rig.session.receive(hex('00 00 00 00 00 00 00 0a', '61'));
  rig.storage.settle();
  await quiescence();
  const calls = (): string[] => rig.transport.calls.slice(1);
  void rig.session.receive(hex('61 61 61'));
  t.strictSame(calls(), [], 'three bytes may wait');
  void rig.session.receive(hex('61'));
  t.strictSame(calls(), ['pause'], 'four may not');
  void rig.session.receive(hex('61 61'));
  t.strictSame(calls(), ['pause'], 'one more chunk may come, and is taken');
  rig.storage.settle();
  await quiescence();
  t.strictSame(calls(), ['pause'], 'three bytes are more than half');
  rig.storage.settle();
  await quiescence();
  t.strictSame(calls(), ['pause', 'resume'], 'two are not');
  void rig.session.receive(hex('61 61'));
  t.strictSame(calls(), ['pause', 'resume', 'pause'], 'and again');
  await rig.drain();
  t.strictSame(calls(), ['pause', 'resume', 'pause', 'resume']);
  void rig.session.receive(hex('61 61'));
  rig.session.end();
  await rig.drain();
  t.equal(rig.events.at(-1), 'stored a 10');
});

t.test('a session that fails while it is paused stays paused', async (t) => {
  const rig = new Receiving({ answering: 'manual' }, { maxPendingBytes: 2 });
  rig.session.receive(HEADER);
  rig.storage.settle();
  await quiescence();
  void rig.session.receive(HELLO.subarray(0, 2));
  rig.session.lost();
  await rig.drain();
  t.notOk(rig.transport.calls.includes('resume'));
});

t.test('a connection that is lost in the midst of a call', async (t) => {
  for (const answering of ['sync', 'promise'] as const) {
    const rig = new Receiving({ answering });
    rig.transport.onCall = (call) => {
      if (call === REPLIED) rig.session.lost();
    };
    rig.session.receive(HEADER);
    await quiescence();
    t.strictSame(
      rig.events,
      ['failed CONNECTION_RESET'],
      `${answering}: nothing has begun, and nothing follows a failure`,
    );
  }
});

t.test('a listener that ends the session', async (t) => {
  const enough = new GoAheadError('ABORTED', 'enough');
  const begun = new Receiving();
  begun.session.on('begun', () => begun.session.abort(enough));
  begun.session.receive(EMPTY_HEADER);
  t.equal(begun.summary, `begun a.txt 0, failed ABORTED | ${REPLIED}, pause, reset | create, abort | `);
  const progress = new Receiving();
  progress.session.on('progress', () => progress.session.abort(enough));
  progress.session.receive(HEADER);
  progress.session.receive(Buffer.from('hello!'));
  t.equal(progress.summary, `begun a.txt 5, failed ABORTED | ${REPLIED}, pause, reset | create, write, abort | `);
  t.equal(progress.clock.armed(), 0);
});

type Step =
  | { readonly do: 'bytes'; readonly count: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'settle' | 'fin' | 'lost' | 'abort' | 'turn' };

t.test('any order of events', async (t) => {
  const stored = { runs: 0, stored: 0 };
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('bytes' as const), count: fc.integer({ min: 0, max: 12 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        ms: fc.constantFrom(1, 1, 49, 49, 50, 50, 250, 10_000, 60_000),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('settle' as const, 'turn' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom('fin' as const, 'fin' as const, 'lost' as const, 'abort' as const) }),
    },
  );
  const property = fc.asyncProperty(
    fc.record({
      size: fc.integer({ min: 0, max: 20 }),
      surplus: fc.constantFrom(0, 0, 0, 0, -1, 1, 2),
      name: fc.constantFrom(NAME, NAME, LONG_NAME, LONG_NAME, hex('61'), hex('ff'), hex('c3')),
      headerInOne: fc.boolean(),
      answering: fc.constantFrom<Answering>('sync', 'promise', 'manual'),
      fail: fc.constantFrom(undefined, undefined, undefined, undefined, 'create', 'write', 'commit', 'abort'),
      failAfter: fc.integer({ min: 0, max: 2 }),
      settleAlways: fc.boolean(),
      maxPendingBytes: fc.constantFrom(1, 8, 1_000),
      steps: fc.array(step, { maxLength: 25 }),
      finish: fc.boolean(),
    }),
    async ({
      size,
      surplus,
      name,
      headerInOne,
      answering,
      fail,
      failAfter,
      settleAlways,
      maxPendingBytes,
      steps,
      finish,
    }) => {
      const head = Buffer.concat([SIZE_0.subarray(1), Uint8Array.of(size), name]);
      const body = Buffer.from(Array.from({ length: Math.max(0, size + surplus) }, (_, at) => 0x41 + at));
      const rest = Buffer.concat([head, body]);
      const storage = fail === undefined ? { answering } : ({ answering, fail, failAfter } as const);
      const rig = new Receiving(storage, { settleAlways, maxPendingBytes });
      const chunks: Promise<void>[] = [];
      const asBody: Buffer[] = [];
      let at = 0;
      let fin = false;
      let surprise: unknown;

      const give = (count: number): void => {
        if (fin) return;
        const bytes = rest.subarray(at, at + count);
        at += bytes.length;
        const memory = Buffer.from(bytes);
        const replied = rig.transport.written.length > 0;
        if (replied && ['body', 'ending', 'flushing'].includes(rig.session.state)) asBody.push(Buffer.from(bytes));
        const inUse: MaybePromise<void> = rig.session.receive(memory);
        // What a reader does with a buffer that is free again.
        if (inUse === undefined) memory.fill(0xee);
        else chunks.push(inUse.then(() => void memory.fill(0xee)));
      };
      const run = async (step: Step): Promise<void> => {
        switch (step.do) {
          case 'bytes':
            give(step.count);
            return;
          case 'wait':
            rig.clock.advance(step.ms);
            return;
          case 'settle':
            if (rig.storage.waiting.length > 0) rig.storage.settle();
            return;
          case 'turn':
            return quiescence();
          case 'fin':
            if (!fin) rig.session.end();
            fin = true;
            return;
          case 'lost':
            rig.session.lost();
            fin = true;
            return;
          case 'abort':
            rig.session.abort(new GoAheadError('ABORTED', 'enough'));
            return;
        }
      };
      try {
        if (headerInOne) give(head.length);
        if (finish) await rig.drain();
        for (const step of steps)
          if (!finish || (step.do !== 'lost' && step.do !== 'abort' && step.do !== 'fin')) await run(step);
        if (finish) {
          await rig.drain();
          give(rest.length);
          rig.session.end();
          fin = true;
          await rig.drain();
        }
        rig.session.lost();
        await rig.drain();
      } catch (reason) {
        surprise = reason;
      }
      const committed = rig.storage.files[0]?.bytes;
      stored.runs += 1;

      const problems: string[] = [];
      const check = (holds: boolean, problem: string): void => {
        if (!holds) problems.push(problem);
      };
      check(surprise === undefined, `an exception escaped: ${String(surprise)}`);
      const ends = rig.events.filter((event) => !event.startsWith('begun'));
      check(ends.length === 1, `it ends once: ${rig.events.join(', ')}`);
      check(rig.events.at(-1) === ends[0], 'nothing follows the end');
      const isStored = ends[0]?.startsWith('stored') === true;
      check(isStored === (committed !== undefined), 'stored is told exactly of what is committed');
      if (committed !== undefined) {
        stored.stored += 1;
        // Bytes that came during the commit are not part of it.
        const all = Buffer.concat(asBody);
        check(committed.length === size, `committed ${committed.length} of ${size} bytes`);
        check(committed.equals(all), `committed ${committed.toString('latin1')}, came ${all.toString('latin1')}`);
      }
      const replied = rig.transport.written.length > 0;
      const closes = rig.transport.calls.filter((call) => call === 'close' || call === 'reset');
      check(
        closes.length === 1 && rig.transport.calls.at(-1) === closes[0],
        `closes: ${rig.transport.calls.join(', ')}`,
      );
      check((closes[0] === 'reset') === (replied && !isStored), 'a reset exactly after a reply without a file');
      check(rig.transport.written.length <= 1, 'one reply at most');
      check(rig.storage.breaches.length === 0, `breaches: ${rig.storage.breaches.join(', ')}`);
      check(fail === 'abort' || rig.storage.open === 0, 'no upload is left open');
      check(rig.clock.armed() === 0, `${rig.clock.armed()} timers are left`);
      check(['stored', 'failed'].includes(rig.session.state), `the state is ${rig.session.state}`);
      const settled = await Promise.race([Promise.all(chunks).then(() => true), quiescence().then(() => false)]);
      check(settled, 'every chunk is given back');
      if (problems.length > 0) throw new Error(`${problems.join('; ')} (${rig.summary})`);
    },
  );
  await fc.assert(property, { seed, numRuns: Number(process.env['SESSION_RUNS'] ?? 1_500) });
  t.ok(stored.stored > stored.runs / 40, `${stored.stored} of ${stored.runs} runs stored a file`);
});
