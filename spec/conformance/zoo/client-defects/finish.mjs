// The end, and what is reported.

const ENDS = ['client/finish/*', 'client/end/*', 'client/reply/*', 'client/body/*'];

export const FINISH_DEFECTS = {
  'exits-with-0-always': {
    what: 'exits with 0 whatever happens',
    breaks: ['8.6', '5.5', '5.6', '6.2', '7.9', '7.10', '7.11', '8.7', '4.14', '5.8', '11.3', '11.4', '8.5'],
    cases: ['client/failure/nobody-listens'],
    methods: { failureCode: () => 0 },
    related: ['client/*'],
  },
  'exits-with-1-always': {
    what: 'exits with 1 whatever happens',
    breaks: ['8.6', '6.1'],
    cases: ['client/size/one'],
    methods: { successCode: () => 1 },
  },
  'exits-with-256': {
    what: 'exits with 256, which is 0 for the system',
    breaks: ['8.6', '5.5', '5.6', '6.2', '7.9', '7.10', '7.11', '8.7', '4.14', '5.8', '11.3', '11.4', '8.5'],
    cases: ['client/failure/nobody-listens'],
    methods: { failureCode: () => 256 },
    related: ['client/*'],
  },
  'fails-silently': {
    what: 'exits with 1 and says nothing',
    breaks: ['8.6', '5.5', '5.6', '6.2', '7.9', '7.10', '7.11', '8.7', '4.14', '5.8', '11.3', '11.4', '8.5'],
    cases: ['client/failure/nobody-listens'],
    methods: { complain: () => undefined },
    related: ['client/*'],
  },
  'ends-by-a-signal': {
    what: 'a failure ends it by SIGABRT',
    breaks: ['8.6', '5.5', '5.6', '6.2', '7.9', '7.10', '7.11', '8.7', '4.14', '5.8', '11.3', '11.4', '8.5'],
    cases: ['client/failure/nobody-reads-the-message'],
    methods: {
      complain(message) {
        super.complain(message);
        process.kill(process.pid, 'SIGKILL');
      },
    },
    related: ['client/*'],
  },
  'success-at-the-last-byte': {
    what: 'reports success as soon as the last byte is sent',
    breaks: ['7.9', '7.10', '8.6', '11.4'],
    cases: ['client/end/receipt-awaited-empty'],
    related: ['client/reply/byte-after-body'],
    methods: {
      finish(done) {
        super.finish(() => {
          done();
          this.succeed();
        });
      },
    },
  },
  'leaves-at-the-last-byte': {
    what: 'closes and exits with 0 after its last write, as code without a receipt does',
    breaks: ['7.9', '7.10', '7.11', '8.6', '11.4'],
    cases: ['client/end/receipt-awaited-empty'],
    methods: {
      finish() {
        this.socket.destroySoon();
        this.succeed();
      },
    },
  },
  'waits-100-ms-for-the-receipt': {
    what: 'reports success when the receiver has not closed in 100 ms',
    breaks: ['7.9', '7.10', '11.4'],
    cases: ['client/end/receipt-awaited-empty'],
    methods: {
      finish(done) {
        super.finish(() => {
          done();
          setTimeout(() => {
            if (this.state === 'receipt') {
              this.succeed();
              this.socket.destroy();
            }
          }, 100);
        });
      },
    },
    related: ENDS,
  },
  'reset-after-last-byte-is-success': {
    what: 'takes a reset after the last byte for success',
    breaks: ['7.10', '7.9', '8.6'],
    cases: ['client/end/reset-empty'],
    methods: {
      connectionFails(error) {
        if (this.state === 'receipt' || this.state === 'last byte') this.succeed();
        else super.connectionFails(error);
      },
    },
    related: ENDS,
  },
  'reset-in-mid-body-is-success': {
    what: 'takes a reset in mid-body for success',
    breaks: ['7.10', '7.11', '8.6', '7.9'],
    cases: ['client/body/reset-before-first-byte'],
    methods: {
      connectionFails(error) {
        if (this.state === 'body') this.succeed();
        else super.connectionFails(error);
      },
    },
    related: ENDS,
  },
  'reset-hangs': {
    what: 'does not notice a reset',
    breaks: ['7.10', '8.6', '7.11'],
    cases: ['client/reply/reset'],
    methods: {
      connectionFails(error) {
        if (this.state === 'header') return super.connectionFails(error);
        clearTimeout(this.timer);
        return void setInterval(() => undefined, 1000);
      },
    },
    related: ENDS,
  },
  'early-end-is-success': {
    what: 'takes a FIN in mid-body for success',
    breaks: ['7.11', '7.9', '8.6', '8.5'],
    cases: ['client/body/fin-with-reply'],
    methods: {
      earlyEnd() {
        if (this.state !== 'body') return super.earlyEnd();
        this.socket.destroy();
        return this.succeed();
      },
    },
    related: ENDS,
  },
  'early-end-ignored': {
    what: 'does not notice a FIN in mid-body, and takes it for the receipt later',
    breaks: ['7.11', '7.9', '8.6'],
    cases: ['client/body/fin-with-reply'],
    methods: {
      earlyEnd() {
        if (this.state !== 'body') super.earlyEnd();
      },
    },
    related: ENDS,
  },
  'early-end-hangs': {
    what: 'stops sending after a FIN in mid-body, and stays',
    breaks: ['7.11', '8.6'],
    cases: ['client/body/fin-with-reply'],
    methods: {
      earlyEnd() {
        if (this.state !== 'body') return super.earlyEnd();
        clearTimeout(this.timer);
        this.state = 'lost';
        return void setInterval(() => undefined, 1000);
      },
    },
    related: ENDS,
  },
  'no-fin': {
    what: 'keeps its side open after the last byte until the receiver closes',
    breaks: ['7.1', '7.9'],
    cases: ['client/end/fin-first-empty'],
    methods: {
      finish(done) {
        this.socket.write('', done);
      },
    },
  },
  'fin-after-the-header': {
    what: 'sends FIN after the header, and so no body',
    breaks: ['3.5', '6.1', '7.1'],
    cases: ['client/header/awaited'],
    methods: {
      headerIsSent() {
        this.socket.end();
      },
    },
  },
  'reset-at-the-end': {
    what: 'resets after the last byte instead of FIN',
    breaks: ['7.1', '6.1', '7.9'],
    cases: ['client/end/fin-first-empty'],
    methods: {
      finish() {
        setTimeout(() => {
          this.succeed();
          this.socket.resetAndDestroy();
        }, 20);
      },
    },
  },
  'fin-on-failure': {
    what: 'closes with FIN when it fails after the header',
    breaks: ['8.5'],
    cases: ['client/failure/wrong-reply-resets'],
    methods: {
      giveUp() {
        this.socket.end();
        this.socket.destroySoon();
      },
    },
    related: ['client/reply/*', 'client/file/*'],
  },
  'open-on-failure': {
    what: 'leaves the connection open for a while when it fails',
    breaks: ['8.5', '8.6', '5.5', '5.6'],
    cases: ['client/failure/wrong-reply-resets'],
    methods: { giveUp: () => undefined },
    related: ['client/*'],
  },
  'no-send-deadline': {
    what: 'waits for ever for a receiver that takes nothing',
    breaks: ['11.3', '8.6'],
    cases: ['client/time/nothing-taken'],
    methods: {
      waitAtMost(ms, what) {
        if (this.state !== 'body') super.waitAtMost(ms, what);
        else clearTimeout(this.timer);
      },
    },
  },
  'stalled-receiver-is-success': {
    what: 'exits with 0 when the receiver takes nothing for too long',
    breaks: ['11.3', '8.6', '7.9'],
    cases: ['client/time/nothing-taken'],
    methods: {
      tooLate(what) {
        if (this.state === 'body' || this.state === 'last byte') process.exit(0);
        super.tooLate(what);
      },
    },
  },
  'no-confirm-deadline': {
    what: 'waits for ever for the receiver to close',
    breaks: ['11.4', '8.6'],
    cases: ['client/time/never-closed'],
    methods: {
      waitAtMost(ms, what) {
        if (this.state !== 'receipt') super.waitAtMost(ms, what);
        else clearTimeout(this.timer);
      },
    },
    related: ['client/finish/*'],
  },
  'no-receipt-is-success': {
    what: 'exits with 0 when the receiver does not close in time',
    breaks: ['11.4', '7.9', '8.6'],
    cases: ['client/time/never-closed'],
    methods: {
      tooLate(what) {
        if (this.state === 'receipt') process.exit(0);
        super.tooLate(what);
      },
    },
    related: ['client/finish/*'],
  },
  'slow-receiver-fails': {
    what: 'gives up when the transfer takes more than 200 ms in all',
    breaks: ['6.1', '11.3', '11.4', '5.4', '3.5'],
    cases: ['client/body/reader-stops'],
    methods: {
      connected() {
        super.connected();
        setTimeout(() => this.guarded(() => this.tooLate('too slow')), 200).unref();
      },
      tooLate(what) {
        if (this.state !== 'over') super.tooLate(what);
      },
    },
    related: ['client/*'],
  },
  'reply-must-be-quick': {
    what: 'waits 30 ms for a reply',
    breaks: ['5.8', '5.4', '3.5', '5.7'],
    cases: ['client/header/awaited'],
    methods: {
      waitAtMost(ms, what) {
        super.waitAtMost(this.state === 'reply' ? 30 : ms, what);
      },
    },
    related: ['client/*'],
  },
  'dies-of-sigint': {
    what: 'lets SIGINT end it: the system closes with FIN what was sent so far',
    breaks: ['8.5', '8.6'],
    cases: ['client/failure/sigint-resets'],
    methods: {
      interrupted() {
        process.exitCode = 130;
        this.complain('interrupted');
        this.socket?.end(() => process.exit(130));
      },
    },
    related: ['client/failure/*'],
  },
  'sigint-is-success': {
    what: 'exits with 0 on SIGINT',
    breaks: ['8.6', '7.9', '8.5'],
    cases: ['client/failure/sigint-before-reply'],
    methods: {
      interrupted() {
        process.exit(0);
      },
    },
    related: ['client/failure/*'],
  },
  'ignores-sigint': {
    what: 'goes on after SIGINT',
    breaks: ['8.6', '8.5'],
    cases: ['client/failure/sigint-resets'],
    methods: { interrupted: () => undefined },
    related: ['client/failure/*'],
  },
  'retries-for-ever': {
    what: 'tries again until it works',
    breaks: ['8.6', '7.10', '5.5', '5.6', '7.11', '2.1'],
    cases: ['client/failure/nobody-listens'],
    methods: {
      fail() {
        if (!this.socket) return super.fail('failed');
        this.socket.removeAllListeners();
        this.socket.on('error', () => undefined);
        this.socket.resetAndDestroy();
        this.state = 'header';
        this.replied = Buffer.alloc(0);
        this.sent = 0;
        this.receiverFinished = false;
        return void setTimeout(() => {
          this.look();
          this.connect();
        }, 100);
      },
    },
    related: ['client/*'],
  },
  'sends-twice': {
    what: 'sends the file again on a second connection after a success',
    breaks: ['2.1'],
    cases: ['client/header/one-connection'],
    methods: {
      succeed() {
        if (this.again || this.state === 'over') return super.succeed();
        this.again = true;
        this.socket.destroy();
        this.state = 'header';
        this.replied = Buffer.alloc(0);
        this.sent = 0;
        this.receiverFinished = false;
        this.look();
        return this.connect();
      },
    },
  },
  'tries-the-port-first': {
    what: 'connects and leaves to see whether somebody listens, and connects again then',
    breaks: ['2.1', '3.1'],
    cases: ['client/header/one-connection'],
    methods: {
      connect() {
        super.connect();
        if (this.tried) return;
        this.tried = true;
        this.socket.removeAllListeners();
        this.socket.on('error', () => undefined);
        this.socket.on('connect', () => {
          this.socket.destroy();
          this.connect();
        });
      },
    },
  },
};
