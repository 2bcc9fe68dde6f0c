import t from 'tap';
import { REPLY, ReplyMatcher } from '../../lib/wire/reply.js';
import { deliver } from '../support/deliver.js';
import { runSeed } from '../support/random.js';
import { hex } from './bytes.js';

const seed = runSeed();
t.comment(`SEED=${seed}`);

// g o SP a h e a d
const WHOLE = hex('67 6f 20 61 68 65 61 64');

/** What the matcher says in the end: a wrong byte is final, so the first verdict of that kind counts. */
function match(pieces: readonly Uint8Array[]): { kind: string; matched: number; received?: string } {
  const matcher = new ReplyMatcher();
  let kind = 'partial';
  for (const piece of pieces) {
    const verdict = matcher.push(piece);
    if (verdict.kind === 'wrong') {
      return { kind: 'wrong', matched: matcher.matched, received: verdict.received.toString('latin1') };
    }
    kind = verdict.kind;
  }
  return { kind, matched: matcher.matched };
}

t.strictSame(REPLY, WHOLE, 'the reply is these eight bytes (5.1)');

t.test('in every delivery', async (t) => {
  const follow = { bytes: Buffer.from('\n'), expected: { kind: 'wrong', matched: 8, received: 'go ahead\n' } };
  const twice = { bytes: WHOLE, expected: { kind: 'wrong', matched: 8, received: 'go aheadg' } };
  deliver(
    t,
    seed,
    { name: 'whole', bytes: WHOLE, expected: { kind: 'whole', matched: 8 }, trailing: [follow, twice] },
    match,
  );
  for (let length = 1; length < 8; length++) {
    const bytes = WHOLE.subarray(0, length);
    const text = bytes.toString();
    deliver(
      t,
      seed,
      {
        name: `${length} bytes`,
        bytes,
        expected: { kind: 'partial', matched: length },
        trailing: [
          { bytes: WHOLE.subarray(length), expected: { kind: 'whole', matched: 8 } },
          { bytes: hex('ff'), expected: { kind: 'wrong', matched: length, received: `${text}\xff` } },
        ],
      },
      match,
    );
  }
  for (const [wrong, matched] of [
    ['GO AHEAD', 0],
    ['Go ahead', 0],
    [' go ahead', 0],
    ['go  ahead', 3],
    ['go-ahead', 2],
    ['go aheaD', 7],
    ['go ahea\0', 7],
    ['HTTP/1.1 400 Bad Request\r\n', 0],
  ] as const) {
    const expected = { kind: 'wrong', matched, received: wrong.slice(0, matched + 1) };
    deliver(t, seed, { name: JSON.stringify(wrong), bytes: Buffer.from(wrong), expected, trailing: [] }, match);
  }
});

t.test('every wrong byte at every place', async (t) => {
  let tried = 0;
  let missed = 0;
  for (let at = 0; at <= 8; at++) {
    for (let byte = 0; byte < 256; byte++) {
      if (byte === WHOLE[at]) continue;
      const matcher = new ReplyMatcher();
      matcher.push(WHOLE.subarray(0, at));
      tried += 1;
      if (matcher.push(Uint8Array.of(byte)).kind !== 'wrong') missed += 1;
    }
  }
  t.equal(tried, 8 * 255 + 256);
  t.equal(missed, 0);
});

t.test('after a wrong byte nothing is right any more', async (t) => {
  for (let at = 0; at <= 8; at++) {
    const matcher = new ReplyMatcher();
    matcher.push(WHOLE.subarray(0, at));
    const received = `${WHOLE.subarray(0, at).toString()}!`;
    for (const next of [hex('21'), WHOLE.subarray(at), WHOLE, new Uint8Array()]) {
      const verdict = matcher.push(next);
      t.equal(verdict.kind, 'wrong');
      t.equal(verdict.kind === 'wrong' && verdict.received.toString(), received, 'and it stays the first one');
    }
  }
});

t.test('nothing is partial', async (t) => {
  const matcher = new ReplyMatcher();
  t.strictSame(matcher.push(new Uint8Array()), { kind: 'partial' });
  t.equal(matcher.matched, 0);
});
