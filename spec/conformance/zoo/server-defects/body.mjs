// Storing the bytes unchanged, however they come.
import * as fs from 'node:fs';
import { Failed } from '../receiver.mjs';

/** Every piece changed before it is written; the count of what came stays right. */
const changed = (change) => ({
  write(piece) {
    super.write(change(piece));
  },
});
const BODY = ['6.3', '6.1'];
const GO_AHEAD = Buffer.from('go ahead');

export const BODY_DEFECTS = {
  'last-piece-only': {
    what: 'opens the file anew for each piece, so that the last one remains',
    breaks: BODY,
    cases: ['server/body/pause'],
    related: ['server/size/*', 'server/many/*', 'server/end/*', 'server/body/*'],
    methods: {
      write(piece) {
        fs.ftruncateSync(this.file, 0);
        fs.writeSync(this.file, piece, 0, piece.length, 0);
      },
    },
  },
  'counts-the-last-piece': {
    what: 'counts the bytes of the last piece only, and waits for more',
    breaks: BODY,
    cases: ['server/body/pause'],
    related: ['server/size/*', 'server/many/*', 'server/end/*', 'server/body/*'],
    methods: {
      takeBody(piece) {
        this.received = 0n;
        super.takeBody(piece);
      },
    },
  },
  'one-piece-is-the-body': {
    what: 'takes the first piece of the body for all of it',
    breaks: ['6.3', '6.4', '7.5', '7.8', '8.2'],
    cases: ['server/body/pause'],
    related: ['server/*'],
    methods: {
      takeBody(piece) {
        super.takeBody(piece);
        if (this.state === 'body') this.commit();
      },
    },
  },
  'writes-twice': {
    what: 'writes each piece twice',
    breaks: BODY,
    cases: ['server/size/one'],
    methods: changed((piece) => Buffer.concat([piece, piece])),
  },
  'second-piece-twice': {
    what: 'writes the second piece twice',
    breaks: BODY,
    cases: ['server/body/pause'],
    methods: {
      write(piece) {
        this.writes = (this.writes ?? 0) + 1;
        super.write(piece);
        if (this.writes === 2) super.write(piece);
      },
    },
  },
  'pieces-in-the-order-of-length': {
    what: 'writes a short piece before the long one that came first',
    breaks: BODY,
    cases: ['server/body/last-byte-alone'],
    methods: {
      write(piece) {
        const offset = Number(this.received) - piece.length;
        const before = this.last ?? 0;
        this.last = piece.length;
        if (piece.length >= before || before === 0) return void fs.writeSync(this.file, piece, 0, piece.length, offset);
        const earlier = Buffer.alloc(before);
        const reading = fs.openSync(this.temporary, 'r');
        fs.readSync(reading, earlier, 0, before, offset - before);
        fs.closeSync(reading);
        fs.writeSync(this.file, Buffer.concat([piece, earlier]), 0, piece.length + before, offset - before);
      },
    },
  },
  'one-byte-pieces-lost': {
    what: 'takes a piece of one byte for a keep-alive',
    breaks: BODY,
    cases: ['server/body/first-byte-alone'],
    methods: {
      write(piece) {
        if (piece.length > 1 || this.size === 1n) super.write(piece);
      },
    },
    related: ['server/end/*'],
  },
  'text-mode': {
    what: 'writes in text mode: LF becomes CR LF',
    breaks: BODY,
    cases: ['server/body/lf'],
    related: ['server/*'],
    methods: changed((piece) => Buffer.from(piece.toString('latin1').replaceAll('\n', '\r\n'), 'latin1')),
  },
  'text-mode-cr-dropped': {
    what: 'CR LF becomes LF',
    breaks: BODY,
    cases: ['server/body/crlf'],
    methods: changed((piece) => Buffer.from(piece.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')),
    related: ['server/size/*', 'server/many/*', 'server/end/close-is-the-receipt-of-mib'],
  },
  'ends-at-1a': {
    what: 'a byte 1A ends the file',
    breaks: BODY,
    cases: ['server/body/control-z'],
    related: ['server/*'],
    methods: changed((piece) => (piece.includes(0x1a) ? piece.subarray(0, piece.indexOf(0x1a)) : piece)),
  },
  'ends-at-nul': {
    what: 'a NUL ends what is written of a piece, as strlen() does',
    breaks: BODY,
    cases: ['server/body/nul'],
    related: ['server/*'],
    methods: changed((piece) => (piece.includes(0) ? piece.subarray(0, piece.indexOf(0)) : piece)),
  },
  'body-as-utf8': {
    what: 'decodes and encodes the body as UTF-8',
    breaks: BODY,
    cases: ['server/body/every-byte'],
    methods: changed((piece) => Buffer.from(piece.toString('utf8'), 'utf8')),
  },
  'body-bom-dropped': {
    what: 'drops a byte order mark at the beginning of the body',
    breaks: BODY,
    cases: ['server/body/byte-order-mark'],
    methods: changed((piece) => (piece.subarray(0, 3).toString('hex') === 'efbbbf' ? piece.subarray(3) : piece)),
  },
  'eighth-bit-cut': {
    what: 'cuts the eighth bit off',
    breaks: BODY,
    cases: ['server/body/every-byte'],
    methods: changed((piece) => Buffer.from(piece.map((byte) => byte & 0x7f))),
  },
  'ff-is-an-escape': {
    what: 'takes FF for a telnet escape and drops it',
    breaks: BODY,
    cases: ['server/body/telnet'],
    related: ['server/*'],
    methods: changed((piece) => Buffer.from(piece.filter((byte) => byte !== 0xff))),
  },
  'newline-appended': {
    what: 'appends a newline to each file',
    breaks: BODY,
    cases: ['server/size/one'],
    methods: {
      lastByteIsThere() {
        super.write(Buffer.from('\n'));
        super.lastByteIsThere();
      },
    },
  },
  'trailing-zeros-cut': {
    what: 'strips NULs at the end of a piece',
    breaks: BODY,
    cases: ['server/body/nul'],
    related: ['server/size/*', 'server/many/*'],
    methods: changed((piece) =>
      piece.subarray(0, piece.length - (/\0*$/.exec(piece.toString('latin1'))?.[0].length ?? 0)),
    ),
  },
  'white-space-stripped': {
    what: 'strips white space at both ends of the body',
    breaks: BODY,
    cases: ['server/body/crlf'],
    methods: changed((piece) =>
      Buffer.from(piece.toString('latin1').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''), 'latin1'),
    ),
    related: ['server/*'],
  },
  'go-ahead-in-the-body': {
    what: 'drops `go ahead` from the body',
    breaks: BODY,
    cases: ['server/body/go-ahead'],
    methods: changed((piece) =>
      piece.includes(GO_AHEAD) ? Buffer.from(piece.toString('latin1').replace('go ahead', ''), 'latin1') : piece,
    ),
  },
  'body-that-begins-like-a-header': {
    what: 'a body whose first bytes look like a size starts a new header',
    breaks: ['6.3', '6.4'],
    cases: ['server/body/nul'],
    methods: {
      takeBody(piece) {
        if (this.received === 0n && piece.length > 8 && piece.readUInt32BE(0) === 0)
          throw new Failed('a second header');
        super.takeBody(piece);
      },
    },
  },
  'quit-in-the-body': {
    what: 'takes a line with a single dot for the end of the body, as in SMTP',
    breaks: ['6.3', '6.4'],
    cases: ['server/body/end-marks'],
    methods: changed((piece) => {
      const end = piece.indexOf('\r\n.\r\n');
      return end < 0 ? piece : piece.subarray(0, end);
    }),
  },
  'sparse-zeros': {
    what: 'seeks over pieces of zeros, so that zeros at the end are lost',
    breaks: BODY,
    cases: ['server/body/nul'],
    methods: {
      write(piece) {
        if (piece.some((byte) => byte !== 0))
          fs.writeSync(this.file, piece, 0, piece.length, Number(this.received) - piece.length);
      },
    },
  },
  'whole-blocks-only': {
    what: 'writes blocks of 1,024 bytes, and forgets the last, shorter one',
    breaks: BODY,
    cases: ['server/body/escapes'],
    methods: {
      write(piece) {
        this.block = Buffer.concat([this.block ?? Buffer.alloc(0), piece]);
        const whole = this.block.length - (this.block.length % 1024);
        super.write(this.block.subarray(0, whole));
        this.block = this.block.subarray(whole);
      },
    },
  },
  'blocks-padded': {
    what: 'fills the last block of 512 bytes with zeros',
    breaks: BODY,
    cases: ['server/body/escapes'],
    methods: {
      lastByteIsThere() {
        super.write(Buffer.alloc((512 - (Number(this.size) % 512)) % 512));
        super.lastByteIsThere();
      },
    },
  },
  'full-buffer-means-more': {
    what: 'takes a size that is a multiple of 1,024 for unfinished, and waits for more',
    breaks: ['6.3', '7.2', '7.3', '7.6', '7.4'],
    cases: ['server/size/1024'],
    related: ['server/*'],
    methods: {
      lastByteIsThere() {
        if (this.size === 0n || this.size % 1024n !== 0n) super.lastByteIsThere();
      },
    },
  },
  'stops-at-1024': {
    what: 'stores 1,024 bytes at most',
    breaks: BODY,
    cases: ['server/size/2048'],
    methods: {
      write(piece) {
        const before = Number(this.received) - piece.length;
        if (before < 1024) super.write(piece.subarray(0, 1024 - before));
      },
    },
  },
  'stops-at-64-kib': {
    what: 'stores 65,536 bytes at most',
    breaks: BODY,
    cases: ['server/size/1-mib'],
    related: ['server/end/close-is-the-receipt-of-mib', 'server/end/not-seen-early'],
    methods: {
      write(piece) {
        const before = Number(this.received) - piece.length;
        if (before < 65_536) super.write(piece.subarray(0, 65_536 - before));
      },
    },
  },
  'byte-65536-lost': {
    what: 'loses the byte at offset 65,535: a buffer of 64 KiB minus one',
    breaks: BODY,
    cases: ['server/size/65536'],
    related: ['server/end/not-seen-early'],
    methods: {
      write(piece) {
        const at = 65_535 - (Number(this.received) - piece.length);
        super.write(
          at >= 0 && at < piece.length ? Buffer.concat([piece.subarray(0, at), piece.subarray(at + 1)]) : piece,
        );
      },
    },
  },
  'byte-1024-twice': {
    what: 'writes the byte at offset 1,023 twice: buffers that overlap',
    breaks: BODY,
    cases: ['server/size/1024'],
    methods: {
      write(piece) {
        const at = 1023 - (Number(this.received) - piece.length);
        super.write(
          at >= 0 && at < piece.length ? Buffer.concat([piece.subarray(0, at + 1), piece.subarray(at)]) : piece,
        );
      },
    },
  },
  'buffer-shared': {
    what: 'one buffer for all connections: an upload gets bytes of another that runs at the same time',
    breaks: ['6.3', '10.2', '2.2'],
    cases: ['server/many/while-one-is-in-its-body'],
    related: ['server/many/*'],
    methods: {
      write(piece) {
        const { server } = this;
        const mixed =
          server.lastWriter !== undefined && server.lastWriter !== this && server.lastWriter.state === 'body';
        super.write(mixed && piece.length > 0 ? Buffer.concat([Buffer.from('X'), piece.subarray(1)]) : piece);
        server.lastWriter = this;
      },
    },
  },
  'slow-pieces-lost': {
    what: 'forgets a piece that comes more than 20 ms after the one before',
    breaks: ['6.3', '7.5', '11.5'],
    cases: ['server/body/pause'],
    related: ['server/many/*', 'server/end/*', 'server/body/*'],
    methods: {
      write(piece) {
        const now = performance.now();
        if (this.written === undefined || now - this.written < 20) super.write(piece);
        this.written = now;
      },
    },
  },
};
