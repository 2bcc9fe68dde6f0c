import { Parser } from 'binary-parser';
import { GoAheadError } from '../errors.js';
import { MAX_HEADER_LENGTH, SIZE_LENGTH, type Header } from './header.js';

/**
 * binary-parser adds `$parent` and `$root` to what it fills in and deletes them afterwards. One record serves every call, since
 * the fields are copied out before anything else can run; inherited accessors swallow the additions; and the record keeps its
 * properties in a table, as V8 does for any object that has lost one, where deleting what is not there costs a look and not
 * a call into the runtime. Together that is worth a factor of three (`bench`, cell `framer`).
 */
class RawHeader {
  size = 0n;
  name: Uint8Array = new Uint8Array();

  set $parent(_: unknown) {
    // Swallowed, see above.
  }

  set $root(_: unknown) {
    // Swallowed, see above.
  }
}

const record = new RawHeader();
Reflect.deleteProperty(record, 'size');

/** Called with `new` by binary-parser. */
function theRecord(): RawHeader {
  return record;
}

const headerParser = new Parser()
  .create(theRecord)
  .endianness('big')
  .uint64('size')
  .buffer('name', { readUntil: 'eof' });

// Fatal: a replaced character would make two names one. The BOM is part of the name (clause 4.7).
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes a whole header.
 *
 * @throws GoAheadError `HEADER_INCOMPLETE` below 9 bytes (3.13), `HEADER_TOO_LONG` above 1,024 (3.11),
 *   `NAME_NOT_UTF8` (3.12)
 */
export function decodeHeader(bytes: Uint8Array): Header {
  // Checked first: binary-parser throws an uncoded RangeError on a short integer and cuts a short buffer silently.
  if (bytes.length <= SIZE_LENGTH) throw incompleteHeader(bytes.length);
  if (bytes.length > MAX_HEADER_LENGTH) throw headerTooLong(bytes.length);
  // The one place where binary-parser's untyped result enters.
  const { size, name } = headerParser.parse(bytes) as RawHeader;
  return { size, name: decodeName(name) };
}

function decodeName(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch (cause) {
    throw new GoAheadError('NAME_NOT_UTF8', 'the name in the header is not valid UTF-8', {
      expected: 'UTF-8 as in RFC 3629',
      actual: Buffer.from(bytes).toString('hex'),
      cause,
    });
  }
}

/**
 * Whether the bytes of a name stop inside a UTF-8 sequence, so that more must follow (clause 3.8). A sequence that no byte
 * could complete is none: it is wrong already.
 */
export function endsInsideCharacter(name: Uint8Array): boolean {
  // The lead byte of a cut sequence is one of the last three: RFC 3629 has at most four bytes to a character.
  for (let back = 1; back <= 3 && back <= name.length; back++) {
    const lead = name[name.length - back] as number;
    if ((lead & 0xc0) !== 0x80) {
      return back < sequenceLength(lead) && (back === 1 || mayFollow(lead, name[name.length - back + 1] as number));
    }
  }
  return false;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}

/** The second bytes that would make an overlong form, a surrogate or a character above U+10FFFF (RFC 3629, section 4). */
function mayFollow(lead: number, second: number): boolean {
  switch (lead) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second <= 0x9f;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second <= 0x8f;
    default:
      return true;
  }
}

export function incompleteHeader(received: number): GoAheadError {
  return new GoAheadError('HEADER_INCOMPLETE', `the stream ended after ${received} bytes of the header`, {
    expected: `at least ${SIZE_LENGTH + 1} bytes: the size, then a name`,
    actual: `${received} bytes`,
  });
}

export function headerTooLong(received: number): GoAheadError {
  return new GoAheadError(
    'HEADER_TOO_LONG',
    `${received} bytes came before the reply: the sender does not wait for it, or speaks another protocol`,
    { expected: `at most ${MAX_HEADER_LENGTH} bytes`, actual: `${received} bytes` },
  );
}
