// The body: whole, unchanged, and of the length that was announced.
import * as fs from 'node:fs';

/** The pieces changed on their way, with the count of the file as it should be. */
const changed = (change) => ({
  write(piece) {
    return super.write(change(piece));
  },
});
const BODY = ['6.1'];

export const BODY_DEFECTS = {
  'no-body': {
    what: 'sends no body',
    breaks: BODY,
    cases: ['client/size/one'],
    methods: { write: () => true },
  },
  'last-byte-lost': {
    what: 'loses the last byte of the file',
    breaks: BODY,
    cases: ['client/size/one'],
    methods: {
      write(piece) {
        return super.write(this.sent === this.size ? piece.subarray(0, -1) : piece);
      },
    },
  },
  'last-block-lost': {
    what: 'sends whole blocks of 1,024 bytes only',
    breaks: BODY,
    cases: ['client/body/blanks'],
    methods: changed((piece) => piece.subarray(0, piece.length - (piece.length % 1024))),
  },
  'first-1024-only': {
    what: 'sends the first 1,024 bytes only',
    breaks: BODY,
    cases: ['client/size/1025'],
    related: [
      'client/end/fin-first',
      'client/header/nine-bytes',
      'client/header/one-piece',
      'client/name/decomposed',
      'client/name/hidden',
      'client/name/leading-dash',
      'client/name/line-feed',
      'client/name/tilde',
      'client/name/unicode',
      'client/name/zero-width',
      'client/reply/bytes',
      'client/reply/last-byte-late',
    ],
    methods: {
      write(piece) {
        return this.sent - piece.length === 0 ? super.write(piece.subarray(0, 1024)) : true;
      },
    },
  },
  'first-64-kib-only': {
    what: 'sends one buffer of 64 KiB only',
    breaks: BODY,
    cases: ['client/body/large'],
    methods: {
      write(piece) {
        return this.sent - piece.length === 0 ? super.write(piece) : true;
      },
    },
    related: ['client/*'],
  },
  'full-buffer-only': {
    what: 'stops after a buffer that was not full, and sends nothing when the size is a multiple of 1,024',
    breaks: BODY,
    cases: ['client/size/1024'],
    related: ['client/body/fin-with-reply'],
    methods: {
      write(piece) {
        return this.size % 1024 === 0 ? true : super.write(piece);
      },
    },
  },
  'one-byte-file-lost': {
    what: 'sends nothing of a file of one byte',
    breaks: BODY,
    cases: ['client/size/one'],
    methods: {
      write(piece) {
        return this.size === 1 ? true : super.write(piece);
      },
    },
  },
  'drops-on-backpressure': {
    what: 'drops pieces while the receiver is slow, as code does that ignores a short write',
    breaks: BODY,
    cases: ['client/body/large'],
    methods: {
      write(piece) {
        if (!this.socket.writableNeedDrain) super.write(piece);
        return true;
      },
    },
    related: ['client/*'],
  },
  'short-write-lost': {
    what: 'what did not fit the socket is sent again from the wrong place',
    breaks: BODY,
    cases: ['client/body/reader-stops'],
    methods: {
      write(piece) {
        const enough = super.write(piece);
        if (!enough) fs.readSync(this.file, Buffer.alloc(1), 0, 1, null);
        return enough;
      },
    },
    related: ['client/*'],
  },
  'pieces-twice': {
    what: 'sends each piece twice',
    breaks: BODY,
    cases: ['client/size/one'],
    methods: changed((piece) => Buffer.concat([piece, piece])),
  },
  'second-piece-twice': {
    what: 'sends its second buffer twice',
    breaks: BODY,
    cases: ['client/body/large'],
    methods: {
      write(piece) {
        this.writes = (this.writes ?? 0) + 1;
        return super.write(this.writes === 2 ? Buffer.concat([piece, piece]) : piece);
      },
    },
    related: ['client/*'],
  },
  'newline-appended': {
    what: 'appends a newline to the file',
    breaks: BODY,
    cases: ['client/size/one'],
    methods: {
      write(piece) {
        return super.write(this.sent === this.size ? Buffer.concat([piece, Buffer.from('\n')]) : piece);
      },
    },
  },
  'end-mark': {
    what: 'sends `EOF` after the file',
    breaks: BODY,
    cases: ['client/body/blanks'],
    methods: {
      finish(done) {
        this.socket.write('EOF');
        super.finish(done);
      },
    },
  },
  'end-mark-for-zero': {
    what: 'sends a byte for an empty file',
    breaks: [...BODY, '5.7'],
    cases: ['client/size/zero'],
    related: ['client/end/reset-empty'],
    methods: {
      finish(done) {
        if (this.size === 0) this.socket.write('\0');
        super.finish(done);
      },
    },
  },
  'header-again-before-the-body': {
    what: 'sends the header again after the reply',
    breaks: BODY,
    cases: ['client/body/blanks'],
    methods: {
      go() {
        this.socket.write(this.headerBytes());
        super.go();
      },
    },
  },
  'text-mode': {
    what: 'reads in text mode: LF becomes CR LF',
    breaks: BODY,
    cases: ['client/body/crlf'],
    related: ['client/*'],
    methods: changed((piece) => Buffer.from(piece.toString('latin1').replaceAll('\n', '\r\n'), 'latin1')),
  },
  'text-mode-cr-dropped': {
    what: 'reads in text mode: CR LF becomes LF',
    breaks: BODY,
    cases: ['client/body/crlf'],
    methods: changed((piece) => Buffer.from(piece.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')),
    related: ['client/*'],
  },
  'ends-at-1a': {
    what: 'a byte 1A ends the file',
    breaks: BODY,
    cases: ['client/body/ctrl-z'],
    related: ['client/*'],
    methods: changed((piece) => (piece.includes(0x1a) ? piece.subarray(0, piece.indexOf(0x1a)) : piece)),
  },
  'ends-at-nul': {
    what: 'a NUL ends what is sent of a piece',
    breaks: BODY,
    cases: ['client/body/zeros'],
    related: ['client/*'],
    methods: changed((piece) => (piece.includes(0) ? piece.subarray(0, piece.indexOf(0)) : piece)),
  },
  'body-as-utf8': {
    what: 'reads the file as UTF-8',
    breaks: BODY,
    cases: ['client/body/not-utf8'],
    methods: changed((piece) => Buffer.from(piece.toString('utf8'), 'utf8')),
  },
  'body-bom-dropped': {
    what: 'drops a byte order mark at the beginning of the file',
    breaks: BODY,
    cases: ['client/body/byte-order-mark'],
    methods: changed((piece) => (piece.subarray(0, 3).toString('hex') === 'efbbbf' ? piece.subarray(3) : piece)),
  },
  'ff-doubled': {
    what: 'doubles FF, as for telnet',
    breaks: BODY,
    cases: ['client/body/every-byte'],
    related: ['client/*'],
    methods: changed((piece) => Buffer.from(piece.toString('latin1').replaceAll('\xff', '\xff\xff'), 'latin1')),
  },
  'dots-doubled': {
    what: 'doubles a dot at the beginning of a line, as for SMTP',
    breaks: BODY,
    cases: ['client/file/removed'],
    related: ['client/body/fin-with-reply', 'client/failure/sigint-resets'],
    methods: changed((piece) => Buffer.from(piece.toString('latin1').replace(/(^|\n)\./g, '$1..'), 'latin1')),
  },
  'white-space-stripped': {
    what: 'strips white space at both ends of the file',
    breaks: BODY,
    cases: ['client/body/blanks'],
    methods: changed((piece) =>
      Buffer.from(piece.toString('latin1').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''), 'latin1'),
    ),
    related: ['client/*'],
  },
  'zeros-cut': {
    what: 'strips NULs at the end of a piece',
    breaks: BODY,
    cases: ['client/body/zeros'],
    methods: changed((piece) =>
      piece.subarray(0, piece.length - (/\0*$/.exec(piece.toString('latin1'))?.[0].length ?? 0)),
    ),
    related: ['client/*'],
  },
  'go-ahead-in-the-body': {
    what: 'drops `go ahead` from the file',
    breaks: BODY,
    cases: ['client/body/reply'],
    methods: changed((piece) =>
      piece.includes('go ahead') ? Buffer.from(piece.toString('latin1').replace('go ahead', ''), 'latin1') : piece,
    ),
  },
  'shrunk-is-padded': {
    what: 'pads with zeros when the file shrank',
    breaks: ['6.2', '6.1'],
    cases: ['client/file/emptied-before-reply'],
    methods: {
      checkChange: () => undefined,
      bodyIsSent() {
        this.write(Buffer.alloc(Math.max(0, this.size - this.sent)));
        this.sent = this.size;
        super.bodyIsSent();
      },
    },
    related: ['client/file/*'],
  },
  'shrunk-is-fine': {
    what: 'sends what is there when the file shrank, and exits with 0',
    breaks: ['6.2', '6.1', '8.6'],
    cases: ['client/file/rewritten'],
    methods: {
      checkChange: () => undefined,
      bodyIsSent() {
        this.sent = this.size;
        super.bodyIsSent();
      },
    },
    related: ['client/file/*'],
  },
  'grown-is-cut': {
    what: 'sends the announced length when the file grew, and exits with 0',
    breaks: ['6.2', '8.6'],
    cases: ['client/file/appended'],
    methods: {
      checkChange: () => undefined,
      read() {
        const left = this.size - this.sent;
        return left === 0 ? null : (super.read()?.subarray(0, left) ?? null);
      },
    },
    related: ['client/file/*'],
  },
  'grown-is-sent': {
    what: 'sends what was appended as well',
    breaks: ['6.2', '6.1', '8.6'],
    cases: ['client/file/appended'],
    methods: { checkLength: () => undefined, checkChange: () => undefined },
    related: ['client/file/*'],
  },
  'rewritten-is-sent': {
    what: 'does not look whether the file was changed while it was sent',
    breaks: ['6.1', '6.2'],
    cases: ['client/file/rewritten'],
    methods: { checkChange: () => undefined },
    related: ['client/file/*'],
  },
  'file-opened-late': {
    what: 'opens the file after the reply, so that another one may stand there',
    breaks: ['6.2', '6.1', '8.7'],
    cases: ['client/file/appended'],
    methods: {
      checkChange: () => undefined,
      go() {
        fs.closeSync(this.file);
        this.file = fs.openSync(this.path, 'r');
        this.checkLength = () => undefined;
        super.go();
      },
      bodyIsSent() {
        this.sent = this.size;
        super.bodyIsSent();
      },
    },
    related: ['client/file/*'],
  },
  'waits-for-more': {
    what: 'waits for the file to grow again when it shrank',
    breaks: ['6.2', '8.6'],
    cases: ['client/file/emptied-before-reply'],
    methods: {
      bodyIsSent() {
        if (this.sent === this.size) super.bodyIsSent();
      },
      tooLate: () => undefined,
    },
    related: ['client/file/*'],
  },
  'missing-is-empty': {
    what: 'sends an empty file when there is none',
    breaks: ['8.7', '8.6'],
    cases: ['client/file/dangling-link'],
    related: ['client/header/name-not-utf8'],
    methods: {
      look() {
        if (fs.existsSync(this.path)) return super.look();
        this.announce(0n);
        this.checkChange = () => undefined;
        this.read = () => null;
        return undefined;
      },
    },
  },
  'missing-is-no-failure': {
    what: 'says that there is no file, and exits with 0',
    breaks: ['8.7', '8.6'],
    cases: ['client/file/dangling-link'],
    related: ['client/header/name-not-utf8'],
    methods: {
      look() {
        if (!fs.existsSync(this.path)) this.failureCode = () => 0;
        super.look();
      },
    },
  },
  'missing-found-late': {
    what: 'connects before it looks for the file',
    breaks: ['8.7'],
    cases: ['client/file/device'],
    methods: {
      look: () => undefined,
      prepare: () => undefined,
      connected() {
        super.look();
        super.prepare();
        super.connected();
      },
    },
    related: ['client/name/*'],
  },
  'directory-is-sent': {
    what: 'announces the size of a directory, and fails when it reads',
    breaks: ['8.7'],
    cases: ['client/file/device'],
    methods: {
      look() {
        const stat = fs.statSync(this.path);
        this.file = fs.openSync(this.path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
        this.announce(BigInt(stat.size));
        this.checkChange = () => undefined;
      },
    },
  },
  'directory-is-empty': {
    what: 'sends a directory as an empty file',
    breaks: ['8.7', '8.6'],
    cases: ['client/file/directory'],
    methods: {
      look() {
        if (!fs.statSync(this.path).isDirectory()) return super.look();
        this.announce(0n);
        this.checkChange = () => undefined;
        this.read = () => null;
        return undefined;
      },
    },
  },
  'fifo-hangs': {
    what: 'opens a FIFO, and waits for a writer',
    breaks: ['8.7', '8.6'],
    cases: ['client/file/fifo'],
    methods: {
      look() {
        // What open(2) does for ever, without a thread that keeps the process from its end.
        if (fs.statSync(this.path).isFIFO()) return void setInterval(() => undefined, 1000);
        return super.look();
      },
      prepare() {
        if (this.file !== undefined) super.prepare();
      },
      connect() {
        if (this.file !== undefined) super.connect();
      },
    },
  },
  'fifo-is-empty': {
    what: 'sends a FIFO as an empty file',
    breaks: ['8.7', '8.6'],
    cases: ['client/file/fifo'],
    methods: {
      look() {
        if (!fs.statSync(this.path).isFIFO()) return super.look();
        this.announce(0n);
        this.checkChange = () => undefined;
        this.read = () => null;
        return undefined;
      },
    },
  },
  'unreadable-found-late': {
    what: 'connects and sends the header before it opens the file',
    breaks: ['8.7', '6.2'],
    cases: ['client/file/unreadable'],
    methods: {
      look() {
        const stat = fs.statSync(this.path, { bigint: true });
        this.changedAt = stat.mtimeNs;
        this.announce(stat.size);
        if (!fs.statSync(this.path).isFile()) throw new Error('not a regular file');
      },
      go() {
        this.file = fs.openSync(this.path, 'r');
        super.go();
      },
    },
    related: ['client/file/*'],
  },
  'empty-refused': {
    what: 'refuses to send an empty file',
    breaks: ['6.1', '5.7', '3.2'],
    cases: ['client/size/zero'],
    methods: {
      look() {
        super.look();
        if (this.size === 0) throw new Error('the file is empty');
      },
    },
  },
  'large-refused': {
    what: 'refuses to send more than a mebibyte',
    breaks: ['6.1', '3.2', '9.1'],
    cases: ['client/body/large'],
    methods: {
      look() {
        super.look();
        if (this.size > 1_048_576) throw new Error('the file is too large');
      },
    },
    related: ['client/*'],
  },
};
