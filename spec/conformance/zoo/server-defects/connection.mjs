// Serving several connections, surviving all of them, giving back what they used.
import { writeSync } from 'node:fs';

export const CONNECTION_DEFECTS = {
  'one-at-a-time': {
    what: 'serves the next connection when the one before is over',
    breaks: ['2.2', '11.5', '2.3'],
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
    methods: {
      gone() {
        process.exit(0);
      },
    },
  },
  'exits-on-early-end': {
    what: 'an early end of the stream ends the process',
    breaks: ['2.3', '6.4', '8.2', '8.3', '8.4'],
    methods: {
      underrun() {
        process.exit(1);
      },
    },
  },
  'dies-of-a-reset': {
    what: 'nobody handles the error event of the socket',
    breaks: ['2.3', '6.4', '8.3', '8.4'],
    methods: {
      senderResets() {
        process.exit(1);
      },
    },
  },
  'dies-of-bad-utf8': {
    what: 'the exception of the decoder ends the process',
    breaks: ['2.3', '3.12'],
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
    methods: {
      overrun() {
        process.exit(1);
      },
    },
  },
  'dies-of-a-long-name': {
    what: 'ENAMETOOLONG ends the process',
    breaks: ['2.3', '4.6', '3.11'],
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
    methods: {
      tooSlow() {
        if (this.state !== 'header') super.tooSlow();
      },
    },
  },
  'header-deadline-per-piece': {
    what: 'each byte of the header starts its deadline again',
    breaks: ['11.1'],
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
    methods: {
      tooSlow() {
        if (this.state !== 'body') super.tooSlow();
      },
    },
  },
  'late-deadline-commits': {
    what: 'commits what came when no more comes',
    breaks: ['11.2', '6.4', '7.8', '8.2'],
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
    methods: {
      refuse() {
        writeSync(2, 'refused\n');
        this.socket.write('refused\n');
        super.refuse();
      },
    },
  },
};
