// The eight bytes, and every other byte.

const reply = (bytes) => ({
  reply() {
    this.socket.write(bytes);
  },
});
const BASIC = ['5.1', '5.2'];

export const REPLY_DEFECTS = {
  'reply-two-spaces': {
    what: 'replies `go  ahead`',
    breaks: BASIC,
    methods: reply('go  ahead'),
    cases: ['server/end/reply-exact'],
  },
  'reply-capital': {
    what: 'replies `Go ahead`',
    breaks: BASIC,
    methods: reply('Go ahead'),
    cases: ['server/end/reply-exact'],
  },
  'reply-capitals': {
    what: 'replies `GO AHEAD`',
    breaks: BASIC,
    methods: reply('GO AHEAD'),
    cases: ['server/end/reply-exact'],
  },
  'reply-newline': {
    what: 'replies `go ahead\\n`',
    breaks: BASIC,
    methods: reply('go ahead\n'),
    cases: ['server/end/reply-exact'],
  },
  'reply-nul': {
    what: 'replies `go ahead\\0`',
    breaks: BASIC,
    methods: reply('go ahead\0'),
    cases: ['server/end/reply-exact'],
  },
  'reply-one-word': {
    what: 'replies `goahead`',
    breaks: BASIC,
    methods: reply('goahead'),
    cases: ['server/end/reply-exact'],
  },
  'reply-ok': { what: 'replies `OK`', breaks: BASIC, methods: reply('OK'), cases: ['server/end/reply-exact'] },
  'reply-utf16': {
    what: 'replies in UTF-16',
    breaks: BASIC,
    cases: ['server/end/reply-exact'],
    methods: reply(Buffer.from('go ahead', 'utf16le')),
  },
  'reply-short': {
    what: 'replies `go`, and nothing more',
    breaks: BASIC,
    methods: reply('go'),
    cases: ['server/end/reply-exact'],
  },
  'reply-missing': {
    what: 'sends no reply',
    breaks: BASIC,
    methods: { reply: () => undefined },
    cases: ['server/end/reply-exact'],
  },
  'reply-twice': {
    what: 'sends the reply twice',
    breaks: BASIC,
    methods: reply('go aheadgo ahead'),
    cases: ['server/end/reply-exact'],
  },
  'reply-on-connect': {
    what: 'sends the reply as soon as somebody connects',
    breaks: ['5.1', '5.2', '8.1', '3.7', '3.8'],
    cases: ['server/header/silence-first'],
    methods: {
      start() {
        super.start();
        super.reply();
      },
      reply: () => undefined,
    },
  },
  'reply-after-the-size': {
    what: 'sends the reply when the 8 bytes of the size are there',
    breaks: [
      '5.1',
      '8.1',
      '3.7',
      '3.8',
      '3.10',
      '3.11',
      '3.12',
      '3.13',
      '9.2',
      '4.2',
      '4.3',
      '4.4',
      '4.5',
      '4.6',
      '11.1',
    ],
    cases: ['server/header/split-after-2'],
    methods: {
      takeHeader(piece) {
        const early = this.header.length < 8;
        if (early && this.header.length + piece.length >= 8) super.reply();
        super.takeHeader(piece);
      },
      reply: () => undefined,
    },
  },
  'reply-to-the-first-piece': {
    what: 'sends the reply after the first piece, complete or not',
    breaks: [
      '5.1',
      '8.1',
      '3.7',
      '3.8',
      '3.10',
      '3.11',
      '3.12',
      '3.13',
      '9.2',
      '4.2',
      '4.3',
      '4.4',
      '4.5',
      '4.6',
      '11.1',
    ],
    cases: ['server/header/split-after-2'],
    methods: {
      takeHeader(piece) {
        if (this.pieces === 0) super.reply();
        super.takeHeader(piece);
      },
      reply: () => undefined,
    },
  },
  'reply-again-in-mid-body': {
    what: 'sends the reply again with every second piece of the body',
    breaks: ['5.2'],
    cases: ['server/end/reply-only'],
    methods: {
      write(piece) {
        super.write(piece);
        this.writes = (this.writes ?? 0) + 1;
        if (this.writes % 2 === 0) this.reply();
      },
    },
    related: ['server/body/*', 'server/many/*', 'server/end/*'],
  },
  'reply-for-each-piece-of-the-header': {
    what: 'sends the reply once for each piece of the header',
    breaks: ['5.2', '3.7', '3.8', '3.10', '5.1', '3.6'],
    cases: ['server/header/split-after-2'],
    methods: {
      reply() {
        for (let piece = 0; piece < this.pieces; piece += 1) super.reply();
      },
    },
  },
  'no-reply-for-zero': {
    what: 'sends no reply for an empty file, and stores it',
    breaks: ['5.3'],
    cases: ['server/header/fin-after-header-of-empty'],
    methods: {
      reply() {
        if (this.size > 0n) super.reply();
      },
    },
  },
  'zero-is-refused': {
    what: 'refuses an empty file',
    breaks: ['5.3', '9.1'],
    cases: ['server/size/zero'],
    related: ['server/end/sender-stays-after-nothing'],
    methods: {
      admit() {
        super.admit();
        if (this.size === 0n) this.guarded(() => this.refuse());
      },
      open() {
        if (this.state === 'header') super.open();
      },
      reply() {
        if (this.file !== null) super.reply();
      },
      lastByteIsThere() {
        if (this.file !== null) super.lastByteIsThere();
      },
    },
  },
  'zero-waits-for-a-byte': {
    what: 'sees that a file is complete only when a byte comes',
    breaks: ['5.3', '7.3', '7.4', '7.6', '7.2', '6.4'],
    cases: ['server/size/zero'],
    methods: {
      lastByteIsThere() {
        if (this.size > 0n) super.lastByteIsThere();
      },
    },
  },
  greeting: {
    what: 'greets whoever connects',
    breaks: ['5.2', '8.1'],
    cases: ['server/header/silence-first'],
    methods: {
      start() {
        super.start();
        this.socket.write('220 ready\r\n');
      },
    },
  },
  'says-done': {
    what: 'sends `done` before it closes',
    breaks: ['5.2'],
    cases: ['server/header/silence-first'],
    methods: {
      close() {
        if (this.received === this.size && this.name !== '') this.socket.write('done');
        super.close();
      },
    },
  },
  'says-error': {
    what: 'sends `error` when it refuses',
    breaks: ['5.2', '8.1', '3.11', '3.12', '3.13', '4.2', '4.3', '4.4', '4.5', '4.6', '9.2', '11.1'],
    cases: ['server/end/refusal-says-nothing'],
    related: ['server/size/2-64-less-1000', 'server/standing/kept-on-refusal'],
    methods: {
      refuse() {
        this.socket.write('error');
        super.refuse();
      },
    },
  },
  'says-error-after-the-reply': {
    what: 'sends `error` when an upload fails',
    breaks: ['5.2', '6.4', '6.5', '8.2'],
    cases: ['server/end/fin-after-customary-buffer'],
    related: ['server/size/2-31', 'server/taken/kept-when-the-upload-fails'],
    methods: {
      reset() {
        this.socket.end('error');
      },
    },
  },
  'go-ahead-to-refused-names': {
    what: 'says go ahead to what it refuses, and resets then',
    breaks: ['8.1', '3.11', '3.12', '4.2', '4.3', '4.4', '4.5', '4.6', '9.2', '4.1', '5.1', '3.13', '11.1'],
    cases: ['server/end/refusal-says-nothing'],
    methods: {
      refuse() {
        this.release();
        super.reply();
        this.state = 'over';
        this.reset();
      },
    },
  },
};
