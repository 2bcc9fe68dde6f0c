// Names that are taken, and several uploads under one name.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Refused } from '../receiver.mjs';

const TAKEN = ['10.1', '10.3', '10.2'];

export const TAKEN_DEFECTS = {
  'truncates-in-place': {
    what: 'empties the file that stands under the name as soon as an upload begins',
    breaks: [...TAKEN, '8.4', '7.8', '10.4'],
    cases: ['server/standing/never-lost-empty'],
    methods: {
      open() {
        super.open();
        if (fs.lstatSync(this.finalPath(0), { throwIfNoEntry: false })?.isFile()) fs.truncateSync(this.finalPath(0));
      },
    },
  },
  'deletes-the-old-file-first': {
    what: 'deletes what stands under the name before the upload, for room',
    breaks: [...TAKEN, '8.4', '7.8', '10.4', '4.9'],
    cases: ['server/standing/never-lost-empty'],
    methods: {
      open() {
        super.open();
        const stat = fs.lstatSync(this.finalPath(0), { throwIfNoEntry: false });
        if (stat && !stat.isDirectory() && !stat.isFIFO()) fs.unlinkSync(this.finalPath(0));
      },
    },
  },
  'deletes-the-old-file-on-failure': {
    what: 'cleans up after a failure under the final name, whosever file that is',
    breaks: ['8.4', '8.3', '10.1'],
    cases: ['server/standing/kept-on-refusal'],
    methods: {
      discard() {
        super.discard();
        if (this.name === '') return;
        const stat = fs.lstatSync(this.finalPath(0), { throwIfNoEntry: false });
        if (stat?.isFile()) fs.unlinkSync(this.finalPath(0));
      },
    },
  },
  'deletes-the-winner': {
    what: 'of two uploads under one name the one that fails deletes the file of the one that did not',
    breaks: ['8.3', '8.4', '10.2', '10.1'],
    cases: ['server/taken/earlier-fails'],
    methods: {
      fail() {
        super.fail();
        if (this.server.stored?.has(this.name)) fs.rmSync(this.finalPath(0), { force: true });
      },
      store() {
        super.store();
        (this.server.stored ??= new Set()).add(this.name);
      },
    },
  },
  'failure-removes-all-temporary-files': {
    what: 'cleans up after a failure by removing every temporary file',
    breaks: ['8.3', '2.3'],
    cases: ['server/many/failures-among-good'],
    methods: {
      discard() {
        if (this.temporary === null) return;
        const { directory } = this.server;
        for (const name of fs.readdirSync(directory)) if (name.startsWith('.upload-')) fs.rmSync(join(directory, name));
        this.temporary = null;
      },
    },
  },
  replaces: {
    what: 'replaces an existing file, in one step, though nobody asked it to',
    breaks: [...TAKEN, '10.4', '4.9', '4.10'],
    cases: ['server/standing/never-lost-empty'],
    methods: {
      link() {
        const stat = fs.lstatSync(this.finalPath(0), { throwIfNoEntry: false });
        if (stat === undefined || !stat.isFile()) return super.link();
        const copy = `${this.temporary}-copy`;
        fs.linkSync(this.temporary, copy);
        return fs.renameSync(copy, this.finalPath(0));
      },
    },
  },
  'replaces-in-two-steps': {
    what: 'deletes the existing file and stores the new one 60 ms later',
    breaks: [...TAKEN, '10.4', '7.5'],
    cases: ['server/standing/never-lost-empty'],
    related: ['server/taken/*'],
    methods: {
      store() {
        const stat = fs.lstatSync(this.finalPath(0), { throwIfNoEntry: false });
        if (!stat?.isFile()) return super.store();
        fs.unlinkSync(this.finalPath(0));
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
        return super.store();
      },
    },
  },
  'refuses-taken-names': {
    what: 'refuses a name that is taken',
    breaks: ['10.3', '10.2'],
    cases: ['server/taken/at-once-refused'],
    related: ['server/taken/*'],
    methods: {
      open() {
        if (fs.lstatSync(this.finalPath(0), { throwIfNoEntry: false })) throw new Refused('taken');
        super.open();
      },
    },
  },
  'drops-what-is-taken': {
    what: 'says go ahead and closes like after a stored file, but keeps the old one only',
    breaks: [...TAKEN, '7.5', '7.2', '4.10', '4.9'],
    cases: ['server/standing/never-lost-empty'],
    related: ['server/taken/*', 'server/standing/old-until-whole'],
    methods: {
      link() {
        if (!fs.lstatSync(this.finalPath(0), { throwIfNoEntry: false })) super.link();
      },
    },
  },
  'one-number-only': {
    what: 'knows the number 1 only, and replaces it',
    breaks: [...TAKEN],
    cases: ['server/taken/three-numbered'],
    related: ['server/taken/*'],
    methods: {
      link() {
        const first = this.finalPath(1);
        if (!fs.existsSync(first) || !fs.existsSync(this.finalPath(0))) return super.link();
        fs.unlinkSync(first);
        return fs.linkSync(this.temporary, first);
      },
    },
  },
  'number-checked-too-early': {
    what: 'chooses the number when the upload begins, so that two at once get the same one',
    breaks: [...TAKEN],
    cases: ['server/taken/at-once-numbered'],
    related: ['server/taken/*'],
    methods: {
      open() {
        super.open();
        this.number = 0;
        while (fs.lstatSync(this.finalPath(this.number), { throwIfNoEntry: false })) this.number += 1;
      },
      link() {
        fs.renameSync(this.temporary, this.finalPath(this.number));
        fs.writeFileSync(this.temporary, '');
      },
    },
  },
  'temporary-name-from-the-name': {
    what: 'its temporary file is the name and `.part`: uploads under one name write into one file',
    breaks: ['10.2', '8.3', '7.8', '10.3'],
    cases: ['server/taken/temporary-names'],
    related: ['server/taken/*'],
    methods: {
      temporaryPath() {
        return `${this.finalPath(0).slice(0, -5)}${this.finalPath(0).slice(-5)}.part`;
      },
      open() {
        this.temporary = this.temporaryPath();
        this.file = fs.openSync(this.temporary, 'w');
      },
    },
  },
  'part-file-of-somebody-else': {
    what: 'its temporary file is the name and `.tmp`, which may be the name of a file that was stored',
    breaks: ['10.1', '8.3', '10.3', '8.4'],
    cases: ['server/taken/longest'],
    related: ['server/taken/*', 'server/name/*'],
    methods: {
      temporaryPath() {
        return `${this.finalPath(0)}.tmp`;
      },
      open() {
        this.temporary = this.temporaryPath();
        this.file = fs.openSync(this.temporary, 'w');
      },
    },
  },
  'stale-tail': {
    what: 'writes over an existing file without cutting it: the end of a longer one remains',
    breaks: [...TAKEN, '6.3', '8.4', '10.4', '7.8'],
    cases: ['server/standing/stale-bytes'],
    related: ['server/taken/*'],
    methods: {
      link() {
        const stat = fs.lstatSync(this.finalPath(0), { throwIfNoEntry: false });
        if (!stat?.isFile()) return super.link();
        const old = fs.openSync(this.finalPath(0), 'r+');
        const whole = fs.readFileSync(this.temporary);
        fs.writeSync(old, whole, 0, whole.length, 0);
        return fs.closeSync(old);
      },
    },
  },
  'appends-to-existing': {
    what: 'appends to an existing file',
    breaks: [...TAKEN, '6.3', '8.4', '10.4'],
    cases: ['server/standing/never-lost-empty'],
    related: ['server/taken/*'],
    methods: {
      link() {
        const stat = fs.lstatSync(this.finalPath(0), { throwIfNoEntry: false });
        if (!stat?.isFile()) return super.link();
        return fs.appendFileSync(this.finalPath(0), fs.readFileSync(this.temporary));
      },
    },
  },
  'writes-through-hard-links': {
    what: 'writes into an existing file in place, so that its other links change too',
    breaks: [...TAKEN, '8.4', '4.1', '10.4'],
    cases: ['server/standing/hard-link'],
    related: ['server/taken/*'],
    methods: {
      link() {
        const stat = fs.lstatSync(this.finalPath(0), { throwIfNoEntry: false });
        if (!stat?.isFile() || stat.nlink < 2) return super.link();
        return fs.writeFileSync(this.finalPath(0), fs.readFileSync(this.temporary));
      },
    },
  },
};
