// Size, and where the header ends.
import { Refused } from '../receiver.mjs';

export const HEADER_DEFECTS = {
  'size-little-endian': {
    what: 'reads the size least significant byte first',
    breaks: ['3.2', '9.1'],
    cases: ['server/size/256'],
    methods: { readSize: (bytes) => bytes.readBigUInt64LE(0) },
  },
  'size-32-bit': {
    what: 'reads the lower 4 bytes of the size only',
    breaks: ['9.1', '3.2', '9.2', '6.4'],
    cases: ['server/size/2-48-and-1000'],
    methods: { readSize: (bytes) => BigInt(bytes.readUInt32BE(4)) },
  },
  'size-32-bit-signed': {
    what: 'keeps the size in a signed 32-bit integer; a negative one is no byte',
    breaks: ['9.1', '3.2', '9.2', '6.4'],
    cases: ['server/size/2-48-and-1000'],
    methods: {
      readSize(bytes) {
        const size = bytes.readInt32BE(4);
        return size < 0 ? 0n : BigInt(size);
      },
    },
  },
  'size-16-bit': {
    what: 'keeps the size in 16 bits',
    breaks: ['9.1', '3.2', '6.3', '9.2', '6.4'],
    cases: ['server/size/2-48-and-1000'],
    methods: { readSize: (bytes) => BigInt(bytes.readUInt16BE(6)) },
  },
  'size-signed': {
    what: 'reads the size as a signed 64-bit integer; a negative one is no byte',
    breaks: ['9.1', '3.2', '9.2'],
    cases: ['server/size/2-63'],
    methods: {
      readSize(bytes) {
        const size = bytes.readBigInt64BE(0);
        return size < 0n ? 0n : size;
      },
    },
  },
  'size-as-float': {
    what: 'keeps the size in a double, and takes what is no longer exact for done when it is near',
    breaks: ['9.1', '9.2'],
    cases: ['server/size/2-63'],
    methods: {
      readSize: (bytes) => BigInt(Number(bytes.readBigUInt64BE(0)) % 2 ** 53),
    },
  },
  'size-absolute-value': {
    what: 'reads a signed size and drops its sign',
    breaks: ['9.1', '9.2', '6.4'],
    cases: ['server/size/2-64-less-1000'],
    methods: {
      readSize(bytes) {
        const size = bytes.readBigInt64BE(0);
        return size < 0n ? -size : size;
      },
    },
  },
  'size-top-bit-ignored': {
    what: 'masks the highest bit of the size',
    breaks: ['9.1', '9.2', '6.4'],
    cases: ['server/size/2-63'],
    methods: { readSize: (bytes) => bytes.readBigUInt64BE(0) & (2n ** 63n - 1n) },
  },
  'size-first-byte-ignored': {
    what: 'reads 7 of the 8 bytes',
    breaks: ['9.1', '9.2', '3.2'],
    cases: ['server/size/2-63'],
    related: ['server/standing/kept-on-refusal'],
    methods: { readSize: (bytes) => bytes.readBigUInt64BE(0) & 0xff_ffff_ffff_ffffn },
  },
  'size-bytes-swapped-in-words': {
    what: 'takes the lower 32-bit word for the higher one where the higher one is not zero',
    breaks: ['3.2', '9.1', '9.2'],
    cases: ['server/size/1000-times-2-32'],
    methods: {
      readSize(bytes) {
        const high = BigInt(bytes.readUInt32BE(0));
        const low = BigInt(bytes.readUInt32BE(4));
        return high === 0n ? low : (low << 32n) | high;
      },
    },
  },
  'no-size-limit': {
    what: 'replies whatever the size, and fails when the disk is full',
    breaks: ['9.2'],
    cases: ['server/size/above-free-space'],
    methods: {
      admit() {
        this.reserved = 0n;
      },
    },
  },
  'space-checked-after-the-reply': {
    what: 'replies first, and looks for space then',
    breaks: ['9.2', '8.1'],
    cases: ['server/size/above-free-space'],
    methods: {
      admit() {
        this.reserved = 0n;
      },
      reply() {
        super.reply();
        if (this.size > this.server.space()) throw new Refused('no space');
      },
    },
  },
  'limit-of-64-kib': {
    what: 'refuses everything above 64 KiB, though nobody asked for a limit',
    breaks: ['9.3', '6.3'],
    cases: ['server/size/1-mib'],
    methods: {
      admit() {
        if (this.size > 65_536n) throw new Refused('too large');
        super.admit();
      },
    },
  },
  'space-not-promised': {
    what: 'promises the same free space to everybody',
    breaks: ['9.2'],
    cases: ['server/size/promised-space'],
    methods: {
      admit() {
        super.admit();
        this.server.promised -= this.reserved;
        this.reserved = 0n;
      },
    },
  },
  'one-piece-is-the-header': {
    what: 'takes the first piece for the whole header, however short',
    breaks: ['3.7', '3.8', '3.10', '3.6', '2.3', '3.13', '4.7'],
    cases: ['server/header/split-after-2'],
    methods: {
      complete: () => true,
      mustSettle: () => false,
    },
  },
  'eight-bytes-are-the-header': {
    what: 'goes on as soon as the size is there, with an empty name as `unnamed`',
    breaks: ['3.7', '4.3', '3.13'],
    cases: ['server/header/split-after-8'],
    related: [
      'server/utf8/split-first-character',
      'server/utf8/split-four-bytes-after-3',
      'server/utf8/split-three-bytes-after-2',
    ],
    methods: {
      complete() {
        return this.header.length >= 8;
      },
      lastComponent(name) {
        return super.lastComponent(name) || 'unnamed';
      },
    },
  },
  'no-wait-inside-a-character': {
    what: 'does not wait for the rest of a UTF-8 sequence',
    breaks: ['3.8', '3.10'],
    cases: ['server/utf8/split-three-bytes-after-1'],
    methods: {
      complete() {
        return this.header.length >= 9;
      },
      mustSettle: () => false,
    },
  },
  'waits-inside-two-byte-characters-only': {
    what: 'waits for the rest of a UTF-8 sequence of two bytes, not of three or four',
    breaks: ['3.8'],
    cases: ['server/utf8/split-three-bytes-after-1'],
    methods: {
      endsInsideCharacter: (bytes) => bytes.at(-1) >= 0xc0 && bytes.at(-1) < 0xe0,
    },
  },
  'never-settles': {
    what: 'replies at once to a header in several pieces',
    breaks: ['3.10', '3.6'],
    cases: ['server/header/split-before-last-byte'],
    methods: { mustSettle: () => false },
  },
  'always-settles': {
    what: 'waits 400 ms before every reply',
    breaks: ['3.9'],
    cases: ['server/header/at-once'],
    methods: {
      takeHeader(piece) {
        this.server.settle = 400;
        super.takeHeader(piece);
      },
      mustSettle: () => true,
    },
  },
  'third-piece-lost': {
    what: 'loses the name that comes in a third piece',
    breaks: ['3.10', '3.7', '3.8', '4.7'],
    cases: ['server/header/split-before-last-byte'],
    methods: {
      takeHeader(piece) {
        if (this.pieces >= 2) return;
        super.takeHeader(piece);
      },
    },
  },
  'glued-body': {
    what: 'takes what comes after a complete header, but before its reply, for the body',
    breaks: ['3.6', '3.10'],
    cases: ['server/header/split-before-last-byte'],
    methods: {
      takeHeader(piece) {
        if (!this.complete()) super.takeHeader(piece);
        else this.early = Buffer.concat([this.early ?? Buffer.alloc(0), piece]);
      },
      reply() {
        super.reply();
        const { early } = this;
        if (early !== undefined) setImmediate(() => this.guarded(() => this.take(early)));
      },
    },
  },
  'name-ends-at-the-suffix': {
    what: 'guesses where the name ends: three letters after its first dot; the rest is body',
    breaks: ['3.6', '4.7', '3.3'],
    cases: ['server/header/glued-binary'],
    related: ['server/name/hidden', 'server/name/nul-padding', 'server/name/parent', 'server/name/parent-doubled'],
    methods: {
      headerIsThere() {
        const dot = this.header.indexOf('.', 8);
        const rest = dot > 0 ? this.header.subarray(dot + 4) : Buffer.alloc(0);
        this.header = this.header.subarray(0, this.header.length - rest.length);
        super.headerIsThere();
        if (rest.length > 0) setImmediate(() => this.guarded(() => this.take(rest)));
      },
      checkHeaderLength: () => undefined,
    },
  },
  'long-header-accepted': {
    what: 'has no limit for the header',
    breaks: ['3.11'],
    cases: ['server/header/too-long'],
    methods: { checkHeaderLength: () => undefined },
  },
  'long-header-cut': {
    what: 'reads 1,024 bytes of the header and forgets the rest',
    breaks: ['3.11', '4.6', '4.7'],
    cases: ['server/header/too-long'],
    methods: {
      checkHeaderLength() {
        this.header = this.header.subarray(0, 1024);
      },
    },
  },
  'header-off-by-one': {
    what: 'refuses a header of exactly 1,024 bytes',
    breaks: ['3.11', '3.1', '4.8'],
    cases: ['server/header/longest-stored'],
    methods: {
      checkHeaderLength() {
        if (this.header.length >= 1024) throw new Refused('too long');
      },
    },
  },
  'header-one-too-many': {
    what: 'takes a header of 1,025 bytes',
    breaks: ['3.11'],
    cases: ['server/header/too-long'],
    methods: {
      checkHeaderLength() {
        if (this.header.length > 1025) throw new Refused('too long');
      },
    },
  },
  'header-of-256': {
    what: 'has a buffer of 256 bytes for the header',
    breaks: ['3.1', '4.8', '3.11', '4.2'],
    cases: ['server/header/longest-stored'],
    related: ['server/taken/longest'],
    methods: {
      checkHeaderLength() {
        if (this.header.length > 256) throw new Refused('too long');
      },
    },
  },
  'header-limit-in-one-piece-only': {
    what: 'looks at the length of the pieces, not of the header',
    breaks: ['3.11'],
    cases: ['server/header/too-long-in-pieces'],
    methods: {
      takeHeader(piece) {
        if (piece.length > 1024) throw new Refused('too long');
        super.takeHeader(piece);
      },
      checkHeaderLength: () => undefined,
    },
  },
  'stores-an-incomplete-header': {
    what: 'a header of 8 bytes and FIN makes a file `unnamed`',
    breaks: ['3.13', '4.3', '3.1'],
    cases: ['server/header/fin-after-size'],
    methods: {
      headerEnds() {
        if (this.header.length !== 8) return super.headerEnds();
        this.header = Buffer.concat([this.header, Buffer.from('unnamed')]);
        return super.headerEnds();
      },
    },
  },
  'creates-the-file-at-the-first-byte': {
    what: 'opens its temporary file before the header is complete, and forgets it when that fails',
    breaks: ['3.13', '8.3', '11.1', '2.3'],
    cases: ['server/header/reset-in-size'],
    related: ['server/name/dot', 'server/name/dot-dot'],
    methods: {
      start() {
        super.start();
        super.open();
      },
      open: () => undefined,
      release() {
        if (this.state === 'header') this.temporary = null;
        super.release();
      },
    },
  },
  'http-is-answered': {
    what: 'answers HTTP on the same port',
    breaks: ['8.1', '5.2', '9.2'],
    cases: ['server/foreign/http'],
    methods: {
      takeHeader(piece) {
        if (!piece.toString('latin1').startsWith('GET ')) return super.takeHeader(piece);
        this.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        throw new Refused('HTTP');
      },
    },
  },
};
