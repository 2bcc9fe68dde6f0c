// Serving several connections, surviving all of them, giving back what they used.
import { writeSync } from 'node:fs';

export const CONNECTION_DEFECTS = {
  'one-at-a-time': {
    what: 'serves the next connection when the one before is over',
    breaks: ['2.2', '11.5', '2.3'],
    cases: ['server/many/second-while-first-is-open'],
    server: {
      accept(socket) {
        this.waiting = (this.waiting ?? Promise.resolve()).then(
          () =>
            new Promise((resolve) => {
              socket.on('close', resolve);
              super.accept(socket);
            }),
        );
      },
    },
  },
  'four-at-a-time': {
    what: 'lets the fifth connection wait until one of four is over',
    breaks: ['2.2', '11.5'],
    cases: ['server/many/sixty-four'],
    server: {
      accept(socket) {
        this.open ??= 0;
        this.queue ??= [];
        if (this.open >= 4) {
          this.queue.push(socket);
          return;
        }
        this.open += 1;
        socket.on('close', () => {
          this.open -= 1;
          const next = this.queue.shift();
          if (next !== undefined) this.accept(next);
        });
        super.accept(socket);
      },
    },
  },
  'one-connection-then-exits': {
    what: 'ends after the first connection',
    breaks: ['2.3'],
    cases: ['server/many/in-turn'],
    related: [
      'server/end/body-after-refusal',
      'server/end/fin-mid-body-reset',
      'server/end/refusal-says-nothing',
      'server/many/headers-interleaved',
      'server/many/second-while-first-is-open',
      'server/name/ends-in-backslash',
      'server/name/newline-at-the-end',
      'server/name/nul-at-the-end',
      'server/name/start-of-heading',
      'server/name/tab',
      'server/name/too-long-in-characters',
      'server/size/2-53-and-1',
      'server/standing/stale-bytes-empty',
      'server/taken/three-numbered',
      'server/utf8/latin-1',
      'server/utf8/lone-continuation',
      'server/utf8/utf-16',
    ],
    methods: {
      gone() {
        process.exit(0);
      },
    },
  },
  'exits-on-early-end': {
    what: 'an early end of the stream ends the process',
    breaks: ['2.3', '6.4', '8.2', '8.3', '8.4'],
    cases: ['server/end/fin-mid-body'],
    related: ['server/size/2-32-and-1000'],
    methods: {
      underrun() {
        process.exit(1);
      },
    },
  },
  'dies-of-a-reset': {
    what: 'nobody handles the error event of the socket',
    breaks: ['2.3', '6.4', '8.3', '8.4'],
    cases: ['server/end/reset-before-first-byte'],
    related: [
      'server/foreign/dns',
      'server/foreign/ssh',
      'server/foreign/terminal',
      'server/header/too-long-in-pieces',
      'server/name/c1',
      'server/name/ends-in-dot',
      'server/name/ends-in-dot-dot',
      'server/name/newline-at-the-end',
      'server/name/tab',
      'server/name/too-long-in-characters',
      'server/name/unit-separator',
      'server/size/1000-times-2-32',
      'server/size/2-40-and-1000',
      'server/size/2-53-and-1',
      'server/size/2-63',
      'server/size/2-63-and-1000',
      'server/size/2-64-less-1000',
      'server/utf8/fe',
      'server/utf8/missing-in-two',
      'server/utf8/overlong-three',
    ],
    methods: {
      senderResets() {
        process.exit(1);
      },
    },
  },
  'dies-of-bad-utf8': {
    what: 'the exception of the decoder ends the process',
    breaks: ['2.3', '3.12'],
    cases: ['server/utf8/overlong-nul'],
    related: ['server/foreign/tls'],
    methods: {
      readName(bytes) {
        try {
          return super.readName(bytes);
        } catch {
          process.exit(1);
        }
      },
    },
  },
  'dies-of-a-short-header': {
    what: 'fewer than 9 bytes and FIN: the exception of the read ends the process',
    breaks: ['2.3', '3.13'],
    cases: ['server/header/fin-in-size'],
    methods: {
      headerEnds() {
        if (this.header.length < 9) process.exit(1);
        super.headerEnds();
      },
    },
  },
  'dies-of-a-silent-leaver': {
    what: 'a connection without one byte ends the process',
    breaks: ['2.3', '3.13'],
    cases: ['server/header/nothing'],
    methods: {
      gone() {
        if (this.header.length === 0) process.exit(1);
        super.gone();
      },
    },
  },
  'dies-of-nul': {
    what: 'a NUL in the name ends the process: the file system functions throw',
    breaks: ['2.3', '4.4'],
    cases: ['server/name/nul-inside'],
    related: ['server/end/refusal-says-nothing'],
    methods: {
      checkCharacters(name) {
        if (name.includes('\0')) process.exit(1);
        super.checkCharacters(name);
      },
    },
  },
  'dies-of-an-overrun': {
    what: 'a byte too many ends the process',
    breaks: ['2.3', '6.5', '8.2'],
    cases: ['server/end/overrun-of-nothing'],
    related: ['server/standing/kept-on-overrun'],
    methods: {
      overrun() {
        process.exit(1);
      },
    },
  },
  'dies-of-a-long-name': {
    what: 'ENAMETOOLONG ends the process',
    breaks: ['2.3', '4.6', '3.11'],
    cases: ['server/name/too-long'],
    methods: {
      storedName(name) {
        if (Buffer.byteLength(this.lastComponent(name)) > 255) process.exit(1);
        return super.storedName(name);
      },
    },
  },
  'dies-of-a-huge-size': {
    what: 'takes a buffer of the announced size, and dies where there is none so large',
    breaks: ['2.3', '9.4', '9.1', '9.2'],
    cases: ['server/size/decimal'],
    methods: {
      admit() {
        if (this.size > 2n ** 31n) process.exit(134);
        super.admit();
      },
    },
  },
  'memory-for-the-whole-file': {
    what: 'sets memory aside for the announced size',
    breaks: ['9.4', '6.6'],
    cases: ['server/resources/memory-for-size'],
    methods: {
      open() {
        this.memory = this.size < 2n ** 32n ? Buffer.alloc(Number(this.size), 1) : null;
        super.open();
      },
    },
  },
  'stops-listening-after-a-failure': {
    what: 'closes the listening socket when a transfer fails',
    breaks: ['2.3', '6.4', '6.5', '8.2', '8.3', '8.4'],
    cases: ['server/end/fin-mid-body'],
    related: ['server/size/2-31'],
    methods: {
      fail() {
        super.fail();
        this.server.listener.close();
      },
    },
  },
  'stops-listening-after-a-refusal': {
    what: 'closes the listening socket when a header is refused',
    breaks: ['2.3', '3.11', '3.12', '3.13', '4.3', '4.4', '4.5', '4.6', '8.1', '9.2', '11.1'],
    cases: ['server/header/too-long'],
    related: ['server/size/2-53-and-1', 'server/size/2-56', 'server/size/2-63-and-1000'],
    methods: {
      refuse() {
        super.refuse();
        this.server.listener.close();
      },
    },
  },
  'a-failure-ends-all': {
    what: 'a failing upload takes the others with it',
    breaks: ['2.3', '8.3'],
    cases: ['server/many/failures-among-good'],
    methods: {
      start() {
        (this.server.all ??= new Set()).add(this);
        super.start();
      },
      gone() {
        super.gone();
        this.server.all.delete(this);
      },
      fail() {
        super.fail();
        for (const other of this.server.all) if (other.state === 'body' && other !== this) other.fail();
      },
    },
  },
  'slow-one-blocks-all': {
    what: 'one loop for all: while a body is under way and no byte comes, nobody else is read',
    breaks: ['2.2', '11.5', '10.2'],
    cases: ['server/many/second-while-first-is-open'],
    methods: {
      take(piece) {
        const { server } = this;
        if (server.busy && server.busy !== this) {
          (server.late ??= []).push(() => this.guarded(() => this.take(piece)));
          return;
        }
        super.take(piece);
        server.busy = this.state === 'body' ? this : null;
        if (server.busy === null) server.late?.shift()?.();
      },
      gone() {
        super.gone();
        if (this.server.busy === this) {
          this.server.busy = null;
          this.server.late?.shift()?.();
        }
      },
    },
  },
  'leaks-descriptors': {
    what: 'does not close the file of an upload that failed',
    breaks: ['2.3', '8.3'],
    cases: ['server/resources/descriptors-after-resets'],
    methods: {
      release() {
        this.file = null;
        super.release();
      },
    },
  },
  'leaks-descriptors-on-success': {
    what: 'does not close the file that it stored',
    breaks: ['7.6', '2.3'],
    cases: ['server/resources/descriptors-after-transfers'],
    methods: {
      store() {
        this.file = null;
        super.store();
      },
    },
  },
  'leaks-connections': {
    what: 'leaves a refused connection open for ever',
    breaks: ['8.1', '2.3', '3.11', '3.12', '3.13', '4.3', '4.4', '4.5', '4.6', '9.2', '11.1'],
    cases: ['server/end/refusal-says-nothing'],
    related: ['server/size/2-48-and-1000'],
    methods: {
      refuse() {
        this.release();
        this.state = 'over';
      },
    },
  },
  'no-header-deadline': {
    what: 'waits for a header for ever',
    breaks: ['11.1'],
    cases: ['server/time/silent'],
    methods: {
      tooSlow() {
        if (this.state !== 'header') super.tooSlow();
      },
    },
  },
  'header-deadline-per-piece': {
    what: 'each byte of the header starts its deadline again',
    breaks: ['11.1'],
    cases: ['server/time/slow-header'],
    methods: {
      takeHeader(piece) {
        clearTimeout(this.deadline);
        this.deadline = setTimeout(() => this.guarded(() => this.tooSlow()), this.server.headerTimeout);
        super.takeHeader(piece);
      },
    },
  },
  'no-idle-deadline': {
    what: 'waits for the body for ever',
    breaks: ['11.2'],
    cases: ['server/time/no-body'],
    methods: {
      tooSlow() {
        if (this.state !== 'body') super.tooSlow();
      },
    },
  },
  'late-deadline-commits': {
    what: 'commits what came when no more comes',
    breaks: ['11.2', '6.4', '7.8', '8.2'],
    cases: ['server/time/no-body'],
    methods: {
      tooSlow() {
        if (this.state === 'body') this.commit();
        else super.tooSlow();
      },
    },
  },
  'log-line-on-the-wire': {
    what: 'writes its log to descriptor of the last connection instead of stderr',
    breaks: ['5.2', '5.1', '8.1'],
    cases: ['server/end/refusal-says-nothing'],
    related: [
      'server/foreign/all-ones',
      'server/foreign/all-zeros',
      'server/foreign/http-put',
      'server/foreign/reply',
      'server/name/dot-dot',
      'server/name/invalid-utf8',
      'server/name/newline-at-the-end',
      'server/name/nul-at-the-end',
      'server/name/slash',
      'server/name/start-of-heading',
      'server/name/too-long-by-far',
      'server/name/unit-separator',
      'server/size/1000-times-2-32',
      'server/size/2-40-and-1000',
      'server/utf8/above-10ffff',
      'server/utf8/fe',
      'server/utf8/five-bytes',
      'server/utf8/missing-in-three',
    ],
    methods: {
      refuse() {
        writeSync(2, 'refused\n');
        this.socket.write('refused\n');
        super.refuse();
      },
    },
  },
};
