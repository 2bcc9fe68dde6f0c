import t from 'tap';
import { GoAheadError } from '../../lib/errors.js';
import { decodeHeader, endsInsideCharacter } from '../../lib/wire/decode-header.js';
import { encodeHeader } from '../../lib/wire/header.js';
import { HEADERS, hex, INVALID_UTF8 } from './bytes.js';

const SIZE = hex('00 00 00 00 00 00 00 05');

t.test('decodeHeader and encodeHeader are each other’s inverse', async (t) => {
  t.plan(HEADERS.length * 3);
  for (const { title, bytes, size, name } of HEADERS) {
    t.strictSame(decodeHeader(bytes), { size, name }, title);
    // A plain view in the midst of other memory, as a read buffer gives it.
    const memory = new Uint8Array(bytes.length + 20).fill(0x7a);
    memory.set(bytes, 7);
    t.strictSame(decodeHeader(memory.subarray(7, 7 + bytes.length)), { size, name }, `${title}: a view`);
    t.strictSame(encodeHeader({ size, name }), bytes, `${title}: encoded`);
  }
});

t.test('a decoded header is a record of its own', async (t) => {
  const [first, second] = [decodeHeader(HEADERS[0]!.bytes), decodeHeader(HEADERS[11]!.bytes)];
  t.strictSame(first, { size: 0n, name: 'a' });
  t.strictSame(Object.keys(second), ['size', 'name'], 'without the additions of binary-parser');
});

t.test('a name that is not UTF-8 is refused (3.12)', async (t) => {
  t.plan(INVALID_UTF8.length * 3);
  for (const { title, bytes } of INVALID_UTF8) {
    for (const [where, name] of [
      ['alone', bytes],
      ['after a letter', Buffer.concat([hex('61'), bytes])],
      ['after a BOM', Buffer.concat([hex('ef bb bf'), bytes])],
    ] as const) {
      t.throws(
        () => decodeHeader(Buffer.concat([SIZE, name])),
        { name: 'GoAheadError', code: 'NAME_NOT_UTF8', side: 'peer', clause: '3.12', actual: name.toString('hex') },
        `${title}, ${where}`,
      );
    }
  }
});

t.test('lengths', async (t) => {
  for (let length = 0; length <= 8; length++) {
    t.throws(
      () => decodeHeader(Buffer.alloc(length)),
      { code: 'HEADER_INCOMPLETE', clause: '3.13', message: `the stream ended after ${length} bytes of the header` },
      `${length} bytes`,
    );
  }
  const tooLong = Buffer.concat([SIZE, Buffer.alloc(1017, 0x61)]);
  t.throws(() => decodeHeader(tooLong), { code: 'HEADER_TOO_LONG', clause: '3.11', actual: '1025 bytes' });
});

t.test('what cannot be announced', async (t) => {
  for (const size of [-1n, 2n ** 64n, -(2n ** 64n)]) {
    t.throws(
      () => encodeHeader({ size, name: 'a' }),
      { code: 'SIZE_INVALID', side: 'local', clause: '9.1' },
      `${size}`,
    );
  }
  // From JavaScript, where the type says nothing.
  const untyped = 5 as unknown as bigint;
  t.throws(() => encodeHeader({ size: untyped, name: 'a' }), { code: 'SIZE_INVALID', actual: 'number 5' });
  for (const [title, name, actual] of [
    ['empty', '', '0 bytes'],
    ['1,017 bytes', 'a'.repeat(1017), '1017 bytes'],
    ['1,017 bytes in 509 characters', 'a' + '\u00e9'.repeat(508), '1017 bytes'],
    ['a lone high surrogate', 'a\ud800', '"a\\ud800"'],
    ['a lone low surrogate', '\udfffa', '"\\udfffa"'],
    ['surrogates the wrong way round', '\udc00\ud800', '"\\udc00\\ud800"'],
  ] as const) {
    t.throws(
      () => encodeHeader({ size: 5n, name }),
      { code: 'NAME_INVALID', side: 'local', clause: '4.14', actual },
      title,
    );
  }
});

t.test('endsInsideCharacter', async (t) => {
  t.equal(endsInsideCharacter(new Uint8Array()), false, 'no bytes');
  for (const [title, character] of [
    ['one byte', hex('61')],
    ['two bytes, the first', hex('c2 80')],
    ['two bytes, the last', hex('df bf')],
    ['three bytes, the first', hex('e0 a0 80')],
    ['three bytes', hex('e2 82 ac')],
    ['three bytes, below the surrogates', hex('ed 9f bf')],
    ['three bytes, the last', hex('ef bf bf')],
    ['four bytes, the first', hex('f0 90 80 80')],
    ['four bytes', hex('f0 9f 98 80')],
    ['four bytes, the last', hex('f4 8f bf bf')],
  ] as const) {
    for (const before of [Buffer.alloc(0), hex('61'), hex('e2 82 ac'), hex('f0 9f 98 80')]) {
      for (let cut = 0; cut <= character.length; cut++) {
        const name = Buffer.concat([before, character.subarray(0, cut)]);
        const inside = cut > 0 && cut < character.length;
        t.equal(endsInsideCharacter(name), inside, `${title}, cut at ${cut} after "${before.toString()}"`);
      }
    }
  }
  for (const { title, bytes, cut = false } of INVALID_UTF8) t.equal(endsInsideCharacter(bytes), cut, title);
  // A second byte that would make it overlong, a surrogate or too large: no further byte can mend that.
  for (const [wrong, right] of [
    [hex('e0 9f'), hex('e0 a0')],
    [hex('ed a0'), hex('ed 9f')],
    [hex('f0 8f'), hex('f0 90')],
    [hex('f4 90'), hex('f4 8f')],
  ] as const) {
    t.equal(endsInsideCharacter(wrong), false, wrong.toString('hex'));
    t.equal(endsInsideCharacter(right), true, right.toString('hex'));
  }
});

t.test('every error is a GoAheadError with what was expected', async (t) => {
  const calls = [
    () => decodeHeader(Buffer.alloc(3)),
    () => decodeHeader(Buffer.alloc(2000)),
    () => decodeHeader(Buffer.alloc(9, 0xff)),
    () => encodeHeader({ size: -1n, name: 'a' }),
    () => encodeHeader({ size: 1n, name: '' }),
    () => encodeHeader({ size: 1n, name: '\ud800' }),
  ];
  t.plan(calls.length * 2);
  for (const call of calls) {
    try {
      call();
    } catch (error) {
      t.ok(error instanceof GoAheadError);
      t.ok(error instanceof GoAheadError && error.expected !== undefined && error.actual !== undefined, String(error));
    }
  }
});
