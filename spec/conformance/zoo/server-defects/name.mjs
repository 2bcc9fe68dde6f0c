// The name: decoding, paths, characters, length.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { Refused } from '../receiver.mjs';

/** Names that are changed before they are used. */
const changed = (change) => ({
  lastComponent(name) {
    return change(super.lastComponent(name));
  },
});

const decoded = (change) => ({
  readName(bytes) {
    return change(super.readName(bytes));
  },
});

/** The bytes of the name, as Latin-1 text, changed before they are decoded. */
const recoded = (change) => ({
  readName(bytes) {
    return super.readName(Buffer.from(change(bytes.toString('latin1')), 'latin1'));
  },
});

/** Names that are refused for no reason. */
const refused = (pattern) => ({
  storedName(name) {
    if (pattern.test(this.lastComponent(name))) throw new Refused('a name that it does not like');
    return super.storedName(name);
  },
});

export const NAME_DEFECTS = {
  'raw-path': {
    what: 'joins the directory and the name as it came',
    breaks: ['4.1', '4.2', '4.3'],
    cases: ['server/name/parent-far'],
    methods: { lastComponent: (name) => name },
  },
  'raw-path-makes-folders': {
    what: 'makes the folders that the name asks for',
    breaks: ['4.1', '4.2', '4.3'],
    cases: ['server/name/parent-far'],
    methods: {
      lastComponent: (name) => name.replaceAll('\\', '/'),
      finalPath(number) {
        const path = super.finalPath(number);
        fs.mkdirSync(dirname(path), { recursive: true });
        return path;
      },
    },
  },
  'absolute-path': {
    what: 'an absolute name is used as it is, as os.path.join does it',
    breaks: ['4.1', '4.2'],
    cases: ['server/name/absolute'],
    related: ['server/name/slash'],
    methods: {
      lastComponent(name) {
        return name.startsWith('/') ? name : super.lastComponent(name);
      },
      finalPath(number) {
        return this.name.startsWith('/') ? this.name : super.finalPath(number);
      },
    },
  },
  'dots-removed-once': {
    what: 'removes `../` once, so that `....//` makes a new one',
    breaks: ['4.1', '4.2', '4.3'],
    cases: ['server/name/through-link'],
    methods: { lastComponent: (name) => name.replaceAll('../', '').replaceAll('\\', '/') },
  },
  'slashes-become-underscores': {
    what: 'stores `a/b` as `a_b`',
    breaks: ['4.2', '4.1', '4.3', '4.7'],
    cases: ['server/name/here'],
    methods: { lastComponent: (name) => name.replaceAll('/', '_') },
  },
  'first-component': {
    what: 'stores a path under its first component',
    breaks: ['4.2', '4.1', '4.3', '4.6'],
    cases: ['server/name/backslash'],
    related: ['server/header/endless'],
    methods: { lastComponent: (name) => name.split('/')[0] },
  },
  'backslash-kept': {
    what: 'takes a backslash for a character like others',
    breaks: ['4.2', '4.1', '4.3'],
    cases: ['server/name/backslash'],
    methods: { lastComponent: (name) => name.split('/').at(-1) },
  },
  'slash-kept-backslash-cut': {
    what: 'knows the backslash only',
    breaks: ['4.2', '4.1', '4.3'],
    cases: ['server/name/below'],
    methods: { lastComponent: (name) => name.split('\\').at(-1) },
  },
  'trailing-slash-ignored': {
    what: 'stores `a/` as `a`, as some basename functions do it',
    breaks: ['4.3', '4.2', '4.1'],
    cases: ['server/name/ends-in-backslash'],
    methods: {
      lastComponent(name) {
        return super.lastComponent(name.replace(/[/\\]+$/, ''));
      },
    },
  },
  'dots-get-a-name': {
    what: 'stores `.` and `..` as `unnamed`',
    breaks: ['4.3', '4.1', '4.2'],
    cases: ['server/name/dot'],
    methods: changed((name) => (name === '.' || name === '..' ? 'unnamed' : name)),
  },
  'empty-gets-a-name': {
    what: 'stores a name without last component as `unnamed`',
    breaks: ['4.3', '4.1', '4.2', '3.7'],
    cases: ['server/name/ends-in-backslash'],
    methods: changed((name) => name || 'unnamed'),
  },
  'nul-cuts': {
    what: 'ends the name at a NUL, as C does',
    breaks: ['4.4', '4.7', '4.5'],
    cases: ['server/name/nul-inside'],
    methods: decoded((name) => name.split('\0')[0]),
  },
  'nul-removed': {
    what: 'removes NULs from the name',
    breaks: ['4.4', '4.7', '4.5'],
    cases: ['server/name/nul-inside'],
    methods: decoded((name) => name.replaceAll('\0', '')),
  },
  'padding-removed': {
    what: 'removes NULs at the end of the name',
    breaks: ['4.4', '3.3', '4.7'],
    cases: ['server/name/nul-padding'],
    methods: decoded((name) => name.replace(/\0+$/, '')),
  },
  'control-characters': {
    what: 'takes control characters',
    breaks: ['4.5'],
    cases: ['server/name/escape'],
    methods: {
      checkCharacters(name) {
        if (name.includes('\0')) throw new Refused('NUL');
      },
    },
  },
  'control-characters-c1': {
    what: 'takes U+0080 to U+009F and U+007F',
    breaks: ['4.5'],
    cases: ['server/name/delete'],
    methods: {
      checkCharacters(name) {
        if (/[\u0000-\u001f]/.test(name)) throw new Refused('a control character');
      },
    },
  },
  'newline-cuts': {
    what: 'ends the name at a newline, and strips it',
    breaks: ['4.5', '4.7', '3.3'],
    cases: ['server/name/newline'],
    methods: decoded((name) => name.split(/\r?\n/)[0]),
  },
  'utf8-replaced': {
    what: 'puts U+FFFD where the name is not UTF-8',
    breaks: ['3.12', '3.8'],
    cases: ['server/utf8/overlong-nul'],
    methods: { readName: (bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) },
  },
  'utf8-ignored': {
    what: 'drops the bytes that are not UTF-8',
    breaks: ['3.12', '3.8', '4.7'],
    cases: ['server/utf8/overlong-nul'],
    methods: {
      readName: (bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).replaceAll('\ufffd', ''),
    },
  },
  'latin-1': {
    what: 'reads the name as Latin-1',
    breaks: ['3.3', '3.12', '4.7', '4.8', '4.5', '3.8'],
    cases: ['server/name/accents'],
    methods: { readName: (bytes) => bytes.toString('latin1') },
  },
  ascii: {
    what: 'reads the name as ASCII, the eighth bit cut off',
    breaks: ['3.3', '3.12', '4.7', '4.8', '4.5', '3.8', '4.2'],
    cases: ['server/name/accents'],
    methods: { readName: (bytes) => bytes.toString('ascii') },
  },
  'overlong-utf8': {
    what: 'its decoder takes sequences that are longer than the character needs',
    breaks: ['3.12', '4.1', '4.2'],
    cases: ['server/utf8/overlong-four'],
    methods: recoded((text) =>
      text
        .replace(/[\xc0\xc1]([\x80-\xbf])/g, '$1')
        .replace(/\xe0[\x80-\x9f]([\x80-\xbf])/g, '$1')
        .replace(/\xf0[\x80-\x8f][\x80-\xbf]([\x80-\xbf])/g, '$1')
        .replace(/[\x80-\xbf](?![\x80-\xbf])(?<![\xc2-\xf4][\x80-\xbf]*)/g, (byte) =>
          String.fromCharCode(byte.charCodeAt(0) & 0x7f),
        ),
    ),
  },
  'surrogates-in-utf8': {
    what: 'its decoder lets surrogates pass',
    breaks: ['3.12'],
    cases: ['server/utf8/surrogate-pair'],
    methods: recoded((text) => text.replace(/\xed[\xa0-\xbf][\x80-\xbf]/g, '?')),
  },
  'beyond-unicode': {
    what: 'its decoder lets sequences above U+10FFFF pass',
    breaks: ['3.12'],
    cases: ['server/utf8/five-bytes'],
    methods: recoded((text) => text.replace(/\xf4[\x90-\xbf][\x80-\xbf]{2}|[\xf5-\xfd][\x80-\xbf]{3,5}/g, '?')),
  },
  'bom-stripped': {
    what: 'its decoder drops a byte order mark',
    breaks: ['4.7', '4.3'],
    cases: ['server/name/byte-order-mark'],
    methods: decoded((name) => name.replace(/^\ufeff/, '')),
  },
  'bom-in-the-name-dropped': {
    what: 'drops zero-width characters anywhere',
    breaks: ['4.7', '4.3'],
    cases: ['server/name/byte-order-mark'],
    methods: decoded((name) => name.replace(/[\u200b-\u200f\u202a-\u202e\ufeff]/g, '')),
  },
  nfc: {
    what: 'normalizes the name to NFC',
    breaks: ['4.7'],
    cases: ['server/name/decomposed'],
    methods: decoded((name) => name.normalize('NFC')),
  },
  nfd: {
    what: 'normalizes the name to NFD',
    breaks: ['4.7', '4.8'],
    cases: ['server/name/composed'],
    methods: decoded((name) => name.normalize('NFD')),
  },
  nfkc: {
    what: 'replaces compatibility characters (NFKC)',
    breaks: ['4.7'],
    cases: ['server/name/pair-ligature'],
    methods: decoded((name) => name.normalize('NFKC')),
  },
  'percent-decoded': {
    what: 'decodes %41',
    breaks: ['4.7', '4.1', '4.2', '4.4'],
    cases: ['server/name/percent'],
    methods: {
      readName(bytes) {
        const name = super.readName(bytes);
        try {
          return decodeURIComponent(name);
        } catch {
          return name;
        }
      },
    },
  },
  'percent-decoded-late': {
    what: 'decodes %2e%2e%2f after it has looked for slashes',
    breaks: ['4.7', '4.1', '4.2'],
    cases: ['server/name/percent'],
    methods: changed((name) => {
      try {
        return decodeURIComponent(name);
      } catch {
        return name;
      }
    }),
  },
  'plus-is-a-space': {
    what: 'reads `+` as a space',
    breaks: ['4.7'],
    cases: ['server/name/plus'],
    methods: changed((name) => name.replaceAll('+', ' ')),
  },
  'entities-decoded': {
    what: 'decodes &amp; and &#65;',
    breaks: ['4.7'],
    cases: ['server/name/entity'],
    methods: changed((name) =>
      name
        .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
        .replaceAll('&amp;', '&')
        .replaceAll('&lt;', '<'),
    ),
  },
  'variables-expanded': {
    what: 'expands $HOME and the tilde',
    breaks: ['4.7', '4.1'],
    cases: ['server/name/variable'],
    methods: changed((name) => name.replaceAll('$HOME', 'root').replaceAll('${HOME}', 'root').replace(/^~/, 'root')),
  },
  globs: {
    what: 'replaces *, ? and brackets, as for a shell',
    breaks: ['4.7', '4.8'],
    cases: ['server/name/wildcards'],
    methods: changed((name) => name.replace(/[*?[\]]/g, '_')),
  },
  'lower-case': {
    what: 'stores under the name in small letters',
    breaks: ['4.7', '10.1'],
    cases: ['server/name/variable'],
    related: ['server/name/drive-relative'],
    methods: changed((name) => name.toLowerCase()),
  },
  'spaces-replaced': {
    what: 'replaces spaces with underscores',
    breaks: ['4.7', '4.12', '4.8'],
    cases: ['server/name/trailing-space'],
    methods: changed((name) => name.replaceAll(' ', '_')),
  },
  trimmed: {
    what: 'strips white space at both ends',
    breaks: ['4.7', '4.3', '4.12', '4.5', '4.8'],
    cases: ['server/name/byte-order-mark'],
    methods: decoded((name) => name.trim()),
  },
  'trailing-dots-cut': {
    what: 'strips dots and spaces at the end',
    breaks: ['4.7', '4.3', '4.12', '4.8'],
    cases: ['server/name/trailing-dot'],
    methods: changed((name) => (/^\.\.?$/.test(name) ? name : name.replace(/[. ]+$/, ''))),
  },
  'leading-dots-cut': {
    what: 'strips dots at the beginning',
    breaks: ['4.7', '4.3', '4.8'],
    cases: ['server/name/dots-first'],
    methods: changed((name) => name.replace(/^\.+/, '')),
  },
  'quotes-stripped': {
    what: 'strips quotes',
    breaks: ['4.7', '4.8'],
    cases: ['server/name/substitution'],
    related: ['server/name/angle-brackets'],
    methods: changed((name) => name.replace(/["'`]/g, '')),
  },
  'name-cut-at-100': {
    what: 'cuts the name after 100 characters',
    breaks: ['4.6', '4.7', '4.8', '3.1'],
    cases: ['server/name/too-long'],
    related: ['server/header/endless'],
    methods: changed((name) => name.slice(0, 100)),
  },
  'name-cut-at-255': {
    what: 'cuts a name that is too long for the file system',
    breaks: ['4.6'],
    cases: ['server/name/too-long'],
    methods: {
      lastComponent(name) {
        const last = super.lastComponent(name);
        const most = 255 - Buffer.byteLength(this.server.suffix);
        return Buffer.from(last)
          .subarray(0, most)
          .toString('utf8')
          .replace(/\ufffd+$/, '');
      },
    },
  },
  'name-hashed-when-long': {
    what: 'stores a name that is too long under a hash of it',
    breaks: ['4.6'],
    cases: ['server/name/too-long'],
    methods: changed((name) => (Buffer.byteLength(name) > 255 ? `${name.slice(0, 20)}-hash` : name)),
  },
  'names-of-100-at-most': {
    what: 'refuses names of more than 100 bytes',
    breaks: ['4.8', '3.1', '4.6'],
    cases: ['server/name/long'],
    related: ['server/taken/longest'],
    methods: refused(/^.{101}/s),
  },
  'names-of-254-at-most': {
    what: 'refuses a name of 255 bytes',
    breaks: ['4.8'],
    cases: ['server/name/longest'],
    related: ['server/taken/longest'],
    methods: {
      storedName(name) {
        if (Buffer.byteLength(this.lastComponent(name)) > 254) throw new Refused('too long');
        return super.storedName(name);
      },
    },
  },
  'ascii-only': {
    what: 'refuses every character that is not ASCII',
    breaks: ['4.8', '4.7', '3.8'],
    cases: ['server/name/two-bytes'],
    methods: refused(/[^\0-\x7f]/),
  },
  'bmp-only': {
    what: 'refuses characters above U+FFFF',
    breaks: ['4.8', '4.7', '3.8'],
    cases: ['server/name/four-bytes'],
    methods: refused(/[\u{10000}-\u{10ffff}]/u),
  },
  'no-hidden-files': {
    what: 'refuses names that begin with a dot',
    breaks: ['4.8'],
    cases: ['server/name/dots-first'],
    methods: refused(/^\../),
  },
  'no-dashes': {
    what: 'refuses names that begin with a dash',
    breaks: ['4.8'],
    cases: ['server/name/dash'],
    methods: refused(/^-/),
  },
  'no-two-dots': {
    what: 'refuses two dots anywhere in a name',
    breaks: ['4.8'],
    cases: ['server/name/dots-first'],
    methods: refused(/.\.\.|\.\.[^.]/),
  },
  'no-spaces': {
    what: 'refuses names with spaces',
    breaks: ['4.8', '4.12', '10.3'],
    cases: ['server/name/leading-space'],
    methods: refused(/ /),
  },
  'no-percent': {
    what: 'refuses names with a percent sign',
    breaks: ['4.8', '4.7'],
    cases: ['server/name/format'],
    methods: refused(/%/),
  },
  'letters-only': {
    what: 'refuses everything but letters, digits, dots, dashes and underscores',
    breaks: ['4.8', '4.7'],
    cases: ['server/name/quotes'],
    related: ['server/taken/temporary-names', 'server/utf8/split-four-bytes-after-1'],
    methods: refused(/[^\w.\-]/),
  },
  'extension-needed': {
    what: 'refuses names without an extension',
    breaks: ['4.8'],
    cases: ['server/name/quotes'],
    methods: refused(/^[^.]+$/),
  },
  'no-paths-after-the-reply': {
    what: 'says go ahead to a name with a path, and gives it up then',
    breaks: ['8.1', '4.2', '4.1', '4.3', '5.1'],
    cases: ['server/name/here'],
    methods: {
      storedName(name) {
        if (/[/\\]/.test(name)) {
          this.reply();
          throw new Refused('a path');
        }
        return super.storedName(name);
      },
    },
  },
  'follows-symlinks': {
    what: 'opens what stands under the final name and writes into it, through links',
    breaks: ['4.9', '4.10', '10.1', '10.3', '8.4', '10.2', '7.8', '10.4'],
    cases: ['server/standing/link-to-file'],
    related: ['server/standing/link-dangling-outside'],
    methods: {
      link() {
        const path = this.finalPath(0);
        if (!fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return super.link();
        return fs.copyFileSync(this.temporary, path);
      },
    },
  },
  'follows-dangling-symlinks': {
    what: 'asks whether the name is free, and is told so where a link leads nowhere',
    breaks: ['4.9', '4.1'],
    cases: ['server/standing/link-dangling'],
    methods: {
      link() {
        if (fs.existsSync(this.finalPath(0))) return super.link();
        return fs.copyFileSync(this.temporary, this.finalPath(0));
      },
    },
  },
  'opens-fifos': {
    what: 'opens what stands under the final name before it replies, and waits there when it is a FIFO',
    breaks: ['4.10', '2.2', '2.3'],
    cases: ['server/standing/fifo'],
    methods: {
      open() {
        const stat = fs.lstatSync(join(this.server.directory, this.name + this.server.suffix), {
          throwIfNoEntry: false,
        });
        // What open(2) does for ever, without taking this process out of reach of signals.
        if (stat?.isFIFO()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
        super.open();
      },
    },
  },
  'writes-into-fifos': {
    what: 'writes the body into a FIFO that stands under the final name',
    breaks: ['4.10'],
    cases: ['server/standing/fifo'],
    methods: {
      link() {
        const path = this.finalPath(0);
        if (!fs.lstatSync(path, { throwIfNoEntry: false })?.isFIFO()) return super.link();
        const fifo = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
        fs.writeSync(fifo, fs.readFileSync(this.temporary));
        return fs.closeSync(fifo);
      },
    },
  },
  'removes-what-is-no-file': {
    what: 'removes a link, FIFO or empty folder that stands under the final name',
    breaks: ['4.1', '4.9', '4.10', '10.1', '8.3', '10.3'],
    cases: ['server/standing/directory'],
    methods: {
      link() {
        const path = this.finalPath(0);
        const stat = fs.lstatSync(path, { throwIfNoEntry: false });
        if (stat !== undefined && !stat.isFile()) fs.rmSync(path, { recursive: true });
        super.link();
      },
    },
  },
};
