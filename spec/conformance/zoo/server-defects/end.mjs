// Early ends, late bytes, the close as a receipt, and failure.
import * as fs from 'node:fs';
import { join } from 'node:path';

const KEEPS = ['6.4', '8.3', '7.8', '8.2', '8.4', '10.2', '11.2'];

export const END_DEFECTS = {
  'commits-on-early-end': {
    what: 'takes the end of the stream for the end of the file',
    breaks: [...KEEPS, '9.1', '9.2'],
    cases: ['server/end/fin-mid-body'],
    related: ['server/header/glued-text'],
    methods: {
      underrun() {
        this.commit();
      },
    },
  },
  'commits-on-reset': {
    what: 'takes a reset for the end of the file',
    breaks: KEEPS,
    cases: ['server/header/reset-after-header'],
    methods: {
      senderResets() {
        if (this.state === 'body') this.commit();
        else super.senderResets();
      },
    },
  },
  'one-byte-short-is-fine': {
    what: 'commits when one byte is missing: counts from one',
    breaks: ['6.4', '7.5', '7.8', '8.2'],
    cases: ['server/end/fin-before-last-byte'],
    methods: {
      underrun() {
        if (this.received + 1n === this.size) this.commit();
        else super.underrun();
      },
    },
  },
  'keeps-partial-files': {
    what: 'moves what came of a failed upload under the final name',
    breaks: [...KEEPS, '6.5', '9.1', '9.2'],
    cases: ['server/end/reset-mid-body'],
    methods: {
      discard() {
        if (this.temporary !== null && this.received > 0n) fs.renameSync(this.temporary, this.finalPath(0));
        this.temporary = null;
      },
    },
  },
  'keeps-temporary-files': {
    what: 'leaves the temporary file of a failed upload',
    breaks: [...KEEPS, '6.5', '9.1', '9.2'],
    cases: ['server/resources/after-failures'],
    methods: {
      discard() {
        this.temporary = null;
      },
    },
  },
  'keeps-temporary-files-of-resets': {
    what: 'cleans up after FIN, not after a reset',
    breaks: ['6.4', '8.3', '8.4'],
    cases: ['server/resources/after-failures'],
    methods: {
      senderResets() {
        this.temporary = null;
        super.senderResets();
      },
    },
  },
  'keeps-empty-files': {
    what: 'leaves an empty file under the final name when not one byte came',
    breaks: [...KEEPS, '9.1', '9.2'],
    cases: ['server/end/fin-before-first-byte'],
    methods: {
      discard() {
        if (this.temporary !== null && this.received === 0n) fs.writeFileSync(this.finalPath(0), '');
        super.discard();
      },
    },
  },
  'commits-an-overrun': {
    what: 'drops what is too much, and stores the file',
    breaks: ['6.5', '8.2'],
    cases: ['server/end/overrun-mib'],
    methods: {
      overrun(piece) {
        const before = this.state === 'grace' ? this.size : this.received - BigInt(piece.length);
        if (this.state === 'body') this.write(piece.subarray(0, Number(this.size - before)));
        this.received = this.size;
        this.commit();
      },
    },
    related: ['server/header/*', 'server/standing/kept-on-overrun'],
  },
  'stores-an-overrun': {
    what: 'stores what is too much as well',
    breaks: ['6.5', '8.2'],
    cases: ['server/end/overrun-mib'],
    methods: {
      overrun(piece) {
        this.write(piece);
        this.commit();
      },
    },
    related: ['server/header/*'],
  },
  'commits-an-overrun-in-one-piece': {
    what: 'reads no more than the size, so it does not see what comes in the same piece as the last byte',
    breaks: ['6.5', '8.2'],
    cases: ['server/end/overrun-open-reset'],
    methods: {
      takeBody(piece) {
        super.takeBody(piece.subarray(0, Number(this.size - this.received)));
      },
    },
    related: ['server/header/*'],
  },
  'overrun-waits': {
    what: 'waits for the FIN when too much came',
    breaks: ['6.5', '8.2'],
    cases: ['server/end/overrun-open-reset'],
    methods: { overrun: () => undefined },
    related: ['server/header/*'],
  },
  'fin-on-failure': {
    what: 'closes with FIN when an upload fails',
    breaks: ['8.2'],
    cases: ['server/end/fin-before-first-byte-reset'],
    methods: {
      reset() {
        this.socket.end();
      },
    },
  },
  'fin-on-early-end': {
    what: 'answers an early FIN with FIN; resets otherwise',
    breaks: ['8.2'],
    cases: ['server/end/fin-before-first-byte-reset'],
    methods: {
      underrun() {
        this.release();
        this.state = 'over';
        this.close();
      },
    },
  },
  'fin-on-overrun': {
    what: 'answers an overrun with FIN; resets otherwise',
    breaks: ['8.2'],
    cases: ['server/end/overrun-open-reset'],
    methods: {
      overrun() {
        this.release();
        this.state = 'over';
        this.close();
      },
    },
  },
  'hangs-after-failure': {
    what: 'leaves the connection of a failed upload open',
    breaks: ['8.2', '6.4', '6.5', '11.2'],
    cases: ['server/end/fin-before-first-byte-reset'],
    related: ['server/size/2-32'],
    methods: { reset: () => undefined },
  },
  'hangs-on-early-end': {
    what: 'does not notice an early FIN',
    breaks: ['6.4', '8.2', '8.4', '9.1'],
    cases: ['server/end/fin-after-customary-buffer'],
    methods: { underrun: () => undefined },
  },
  'waits-for-the-sender': {
    what: 'commits and closes only after the sender has closed',
    breaks: ['7.3', '7.6', '7.4'],
    cases: ['server/end/sender-stays-after-nothing'],
    related: ['server/*'],
    methods: {
      lastByteIsThere() {
        super.lastByteIsThere();
        clearTimeout(this.quiet);
      },
    },
  },
  'stores-but-waits-to-close': {
    what: 'commits, and closes only after the sender has',
    breaks: ['7.6'],
    cases: ['server/end/sender-stays'],
    related: ['server/*'],
    methods: {
      close() {
        if (this.senderFinished || this.file !== null) super.close();
        else this.socket.on('end', () => super.close());
      },
    },
  },
  'never-closes': {
    what: 'never closes after a stored file',
    breaks: ['7.5', '7.6', '7.3'],
    cases: ['server/end/close-is-the-receipt'],
    methods: { close: () => undefined },
  },
  'open-sender-fails': {
    what: 'gives an upload up when the sender does not close in time',
    breaks: ['7.3', '7.6', '7.4', '7.5'],
    cases: ['server/end/sender-stays-after-nothing'],
    related: ['server/*'],
    methods: {
      lastByteIsThere() {
        super.lastByteIsThere();
        if (this.state !== 'grace') return;
        clearTimeout(this.quiet);
        this.quiet = setTimeout(() => this.guarded(() => this.fail()), this.server.grace);
      },
    },
  },
  'grace-of-1500-ms': {
    what: 'waits 1.5 s for the FIN of the sender',
    breaks: ['7.4'],
    cases: ['server/end/within-a-second'],
    methods: {
      lastByteIsThere() {
        this.server.grace = 1500;
        super.lastByteIsThere();
      },
    },
  },
  'closes-before-storing': {
    what: 'closes, and stores the file 150 ms later',
    breaks: ['7.5', '10.3', '10.2'],
    cases: ['server/end/close-is-the-receipt'],
    methods: {
      commit() {
        clearTimeout(this.quiet);
        this.state = 'over';
        this.close();
        setTimeout(() => this.guarded(() => this.store()), 150);
      },
    },
  },
  'closes-before-the-rename': {
    what: 'has all bytes on disk when it closes, but the file gets its name 30 ms later',
    breaks: ['7.5', '10.3', '10.2', '10.1'],
    cases: ['server/end/close-is-the-receipt'],
    related: ['server/end/*', 'server/taken/*'],
    methods: {
      commit() {
        clearTimeout(this.quiet);
        this.state = 'over';
        this.close();
        setTimeout(() => this.guarded(() => this.store()), 30);
      },
    },
  },
  'closes-its-side-with-the-reply': {
    what: 'sends FIN directly after the reply: it has nothing more to say',
    breaks: ['7.5', '7.6', '8.2'],
    cases: ['server/end/close-is-the-receipt-to-stayer'],
    methods: {
      reply() {
        super.reply();
        this.socket.end();
      },
    },
  },
  'resets-after-storing': {
    what: 'resets the connection after a stored file',
    breaks: ['7.5', '7.6'],
    cases: ['server/end/close-is-the-receipt'],
    methods: {
      close() {
        if (this.size > 0n || this.file !== null) this.reset();
        else super.close();
      },
    },
  },
  'under-the-final-name': {
    what: 'writes under the final name from the first byte on',
    breaks: ['7.8', '8.4', '10.1', '10.2', '10.3', '10.4', '4.9', '4.10'],
    cases: ['server/end/not-seen-early'],
    related: ['server/standing/link-dangling-absolute'],
    methods: {
      temporaryPath() {
        return this.finalPath(0);
      },
      open() {
        this.temporary = this.temporaryPath();
        this.file = fs.openSync(this.temporary, 'w');
      },
      store() {
        this.closeFile();
        this.temporary = null;
        this.giveBack();
      },
    },
  },
  'empty-under-the-final-name': {
    what: 'keeps its place with an empty file under the final name while the upload runs',
    breaks: ['7.8', '10.3'],
    cases: ['server/end/not-seen-early'],
    methods: {
      open() {
        super.open();
        this.place = this.finalPath(0);
        if (fs.existsSync(this.place)) this.place = null;
        else fs.writeFileSync(this.place, '', { flag: 'wx' });
      },
      link() {
        if (this.place) fs.rmSync(this.place, { force: true });
        this.place = null;
        super.link();
      },
      release() {
        if (this.place) fs.rmSync(this.place, { force: true });
        this.place = null;
        super.release();
      },
    },
    related: ['server/taken/*'],
  },
  'full-length-under-the-final-name': {
    what: 'reserves the whole length under the final name before the first byte',
    breaks: ['7.8', '8.4', '10.1', '10.2', '10.3', '10.4', '4.9', '4.10', '9.1'],
    cases: ['server/end/not-seen-early'],
    related: ['server/standing/link-dangling-outside'],
    methods: {
      temporaryPath() {
        return this.finalPath(0);
      },
      open() {
        this.temporary = this.temporaryPath();
        this.file = fs.openSync(this.temporary, 'w');
        if (this.size < 2n ** 40n) fs.ftruncateSync(this.file, Number(this.size));
      },
      write(piece) {
        fs.writeSync(this.file, piece, 0, piece.length, Number(this.received) - piece.length);
      },
      store() {
        this.closeFile();
        this.temporary = null;
        this.giveBack();
      },
    },
  },
  'two-copies': {
    what: 'leaves its temporary file beside the stored one',
    breaks: ['8.3', '6.3', '7.5'],
    cases: ['server/resources/nothing-left-of-the-run'],
    related: ['server/name/canary'],
    methods: {
      store() {
        this.closeFile();
        this.link();
        this.giveBack();
      },
    },
  },
  'log-in-the-directory': {
    what: 'writes a log file into the directory when an upload fails',
    breaks: ['8.3', '6.4', '6.5'],
    cases: ['server/end/nothing-else-removed'],
    related: ['server/*'],
    methods: {
      fail() {
        super.fail();
        fs.appendFileSync(join(this.server.directory, `failed-${this.name}.log`), 'failed\n');
      },
    },
  },
};
