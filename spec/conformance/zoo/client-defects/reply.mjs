// The reply: what is taken for one.

const fits = (test, whole) => ({
  replyFits: test,
  replyIsWhole: whole ?? (() => true),
});
const text = (bytes) => bytes.toString('latin1');

export const REPLY_DEFECTS = {
  'ignores-the-reply': {
    what: 'takes any bytes for the reply',
    breaks: ['5.5', '5.4'],
    cases: ['client/reply/capital'],
    methods: fits(() => true),
    related: ['client/reply/*'],
  },
  'accepts-a-prefix': {
    what: 'takes the beginning of the reply for all of it',
    breaks: ['5.4', '5.5', '5.6', '3.5'],
    cases: ['client/reply/split-wrong'],
    methods: {
      replyIsWhole: () => true,
      unexpected: () => undefined,
    },
    related: ['client/reply/*'],
  },
  'one-byte-is-enough': {
    what: 'looks at the first byte of the reply only',
    breaks: ['5.5', '5.4', '5.6'],
    cases: ['client/reply/more'],
    methods: { ...fits((bytes) => bytes[0] === 0x67), unexpected: () => undefined },
    related: ['client/reply/*'],
  },
  'looks-for-go': {
    what: 'looks for `go` at the beginning of the reply',
    breaks: ['5.5', '5.4', '5.6'],
    cases: ['client/reply/more'],
    methods: { ...fits((bytes) => text(bytes).startsWith('go')), unexpected: () => undefined },
    related: ['client/reply/*', 'client/header/half-a-reply'],
  },
  'reply-in-one-read': {
    what: 'takes the first piece for the whole reply, so that a split one is wrong',
    breaks: ['5.4'],
    cases: ['client/reply/split'],
    methods: fits((bytes) => text(bytes) === 'go ahead'),
  },
  'reply-read-of-eight': {
    what: 'reads 8 bytes of the reply and leaves what follows',
    breaks: ['5.5'],
    cases: ['client/reply/more'],
    methods: {
      ...fits(
        (bytes) => 'go ahead'.startsWith(text(bytes.subarray(0, 8))),
        (bytes) => bytes.length >= 8,
      ),
      unexpected: () => undefined,
    },
    related: ['client/reply/*'],
  },
  'reply-trimmed': {
    what: 'strips white space of the reply',
    breaks: ['5.5'],
    cases: ['client/reply/leading-blank'],
    methods: fits(
      (bytes) => 'go ahead'.startsWith(text(bytes).trim()),
      (bytes) => text(bytes).trim() === 'go ahead',
    ),
    related: ['client/reply/*'],
  },
  'reply-any-case': {
    what: 'does not mind capitals in the reply',
    breaks: ['5.5'],
    cases: ['client/reply/capital'],
    methods: fits(
      (bytes) => 'go ahead'.startsWith(text(bytes).toLowerCase()),
      (bytes) => bytes.length === 8,
    ),
  },
  'reply-anywhere': {
    what: 'looks for `go ahead` anywhere in what came',
    breaks: ['5.5'],
    cases: ['client/reply/prefix'],
    methods: fits(
      (bytes) => bytes.length < 100,
      (bytes) => text(bytes).includes('go ahead'),
    ),
    related: ['client/reply/*'],
  },
  'reply-white-space-collapsed': {
    what: 'takes any white space between the words',
    breaks: ['5.5'],
    cases: ['client/reply/two-blanks'],
    methods: fits(
      (bytes) => /^g?o?\s*a?h?e?a?d?$/.test(text(bytes)),
      (bytes) => /^go\s+ahead$/.test(text(bytes)),
    ),
    related: ['client/reply/*'],
  },
  'reply-nul-dropped': {
    what: 'drops NULs of the reply',
    breaks: ['5.5'],
    cases: ['client/reply/nul'],
    methods: fits(
      (bytes) => 'go ahead'.startsWith(text(bytes).replaceAll('\0', '')),
      (bytes) => text(bytes).replaceAll('\0', '') === 'go ahead',
    ),
    related: ['client/reply/*'],
  },
  'reply-seven-bytes': {
    what: 'compares 7 bytes of the reply',
    breaks: ['5.5', '5.4', '5.6'],
    cases: ['client/reply/more'],
    methods: fits(
      (bytes) => 'go ahea'.startsWith(text(bytes.subarray(0, 7))),
      (bytes) => bytes.length >= 7,
    ),
    related: ['client/reply/*'],
  },
  'reply-length-only': {
    what: 'takes any 8 bytes for the reply',
    breaks: ['5.5'],
    cases: ['client/reply/capital'],
    methods: fits(
      (bytes) => bytes.length <= 8,
      (bytes) => bytes.length === 8,
    ),
    related: ['client/reply/*'],
  },
  'reply-twice-is-fine': {
    what: 'does not mind a second `go ahead`',
    breaks: ['5.5'],
    cases: ['client/reply/twice'],
    methods: {
      ...fits(
        (bytes) => 'go aheadgo ahead'.startsWith(text(bytes)),
        (bytes) => bytes.length >= 8,
      ),
      unexpected(bytes) {
        if (!'go ahead'.startsWith(text(bytes))) super.unexpected(bytes);
      },
    },
    related: ['client/reply/*'],
  },
  'bytes-in-the-body-ignored': {
    what: 'ignores what comes while it sends the body',
    breaks: ['5.5'],
    cases: ['client/reply/byte-in-mid-body'],
    methods: {
      unexpected(bytes) {
        if (this.state !== 'body') super.unexpected(bytes);
      },
    },
    related: ['client/reply/*', 'client/finish/*', 'client/body/*'],
  },
  'bytes-after-the-body-ignored': {
    what: 'ignores what comes after its last byte',
    breaks: ['5.5', '7.9'],
    cases: ['client/reply/byte-after-body'],
    methods: {
      unexpected(bytes) {
        if (this.state === 'body') super.unexpected(bytes);
      },
    },
    related: ['client/reply/*', 'client/finish/*'],
  },
  'bytes-after-the-body-are-a-receipt': {
    what: 'takes a byte after the last one of the body for a receipt',
    breaks: ['5.5', '7.9'],
    cases: ['client/reply/byte-after-body'],
    methods: {
      unexpected(bytes) {
        if (this.state === 'body') super.unexpected(bytes);
        this.succeed();
      },
    },
    related: ['client/reply/*', 'client/finish/*'],
  },
  'sends-after-a-wrong-reply': {
    what: 'sends the body after a wrong reply as well, and reports a failure then',
    breaks: ['5.5', '8.5'],
    cases: ['client/reply/capital'],
    methods: {
      wrongReply() {
        this.wrong = true;
        this.go();
      },
      unexpected: () => undefined,
      successCode() {
        if (this.wrong) this.complain('the reply was wrong');
        return this.wrong ? 1 : 0;
      },
      receiverEnds() {
        if (this.wrong) process.exitCode = 1;
        super.receiverEnds();
      },
    },
    related: ['client/reply/*'],
  },
  'sends-a-last-word': {
    what: 'sends `bye` after a wrong reply',
    breaks: ['5.5', '8.5'],
    cases: ['client/reply/capital'],
    methods: {
      wrongReply() {
        this.socket.write('bye');
        this.socket.end();
        this.giveUp = () => undefined;
        super.wrongReply();
      },
    },
    related: ['client/reply/*'],
  },
  'wrong-reply-is-no-failure': {
    what: 'sends nothing after a wrong reply, and exits with 0',
    breaks: ['5.5', '8.6'],
    cases: ['client/reply/capital'],
    methods: {
      wrongReply() {
        this.failureCode = () => 0;
        super.wrongReply();
      },
    },
    related: ['client/reply/*'],
  },
  'end-is-a-reply': {
    what: 'takes the end of the stream for a reply, as code that compares an empty read does',
    breaks: ['5.6', '8.6'],
    cases: ['client/reply/empty-file-fin'],
    methods: {
      receiverEnds() {
        if (this.state === 'reply') this.succeed();
        else super.receiverEnds();
      },
    },
    related: ['client/reply/*'],
  },
  'reset-is-a-reply': {
    what: 'exits with 0 when the connection is reset instead of a reply',
    breaks: ['7.10', '5.6', '8.6'],
    cases: ['client/reply/reset'],
    methods: {
      connectionFails(error) {
        if (this.state === 'reply') this.succeed();
        else super.connectionFails(error);
      },
    },
    related: ['client/reply/*'],
  },
  'partial-reply-and-end-is-fine': {
    what: 'takes a reply that ends early for a whole one',
    breaks: ['5.6', '5.4', '8.6'],
    cases: ['client/reply/fin-after-seven'],
    methods: {
      receiverEnds() {
        if (this.state === 'reply' && this.replied.length > 0) this.succeed();
        else super.receiverEnds();
      },
    },
    related: ['client/reply/*'],
  },
  'no-reply-for-zero': {
    what: 'does not wait for the reply when the file is empty',
    breaks: ['5.7', '3.5'],
    cases: ['client/size/zero'],
    // Its FIN is out before the reply comes, so Node gives no hint that the end was a reset.
    related: ['client/end/reset-with-reply-empty'],
    methods: {
      headerIsSent() {
        if (this.size === 0) this.go();
      },
      receive(bytes) {
        if (this.size > 0) super.receive(bytes);
      },
    },
  },
  'no-check-for-zero': {
    what: 'does not look at the reply when the file is empty',
    breaks: ['5.7', '5.5'],
    cases: ['client/reply/empty-file-byte'],
    methods: {
      replyFits(bytes) {
        return this.size === 0 || super.replyFits(bytes);
      },
      replyIsWhole(bytes) {
        return this.size === 0 || super.replyIsWhole(bytes);
      },
    },
  },
  'zero-is-done-at-once': {
    what: 'reports success for an empty file without a connection',
    breaks: ['5.7', '7.9', '2.1'],
    cases: ['client/size/zero'],
    related: ['client/reply/empty-file-fin'],
    methods: {
      connect() {
        if (this.size > 0) super.connect();
      },
    },
  },
  'no-reply-deadline': {
    what: 'waits for a reply for ever',
    breaks: ['5.8', '8.6'],
    cases: ['client/time/half-a-reply'],
    methods: {
      waitAtMost(ms, what) {
        if (this.state !== 'reply') super.waitAtMost(ms, what);
      },
    },
    related: ['client/reply/*'],
  },
  'no-reply-is-success': {
    what: 'exits with 0 when no reply comes in time',
    breaks: ['5.8', '8.6', '7.9'],
    cases: ['client/time/half-a-reply'],
    methods: {
      tooLate(what) {
        if (this.state === 'reply') process.exit(0);
        super.tooLate(what);
      },
    },
    related: ['client/reply/*'],
  },
};
