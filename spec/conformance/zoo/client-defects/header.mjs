// The header: size, name, one write, and silence after it.

const size = (bytesOf) => ({
  sizeBytes() {
    return bytesOf(this.announced);
  },
});
const name = (change) => ({
  chosenName() {
    return change(super.chosenName());
  },
});
const nameBytes = (change) => ({
  nameBytes() {
    return change(super.nameBytes());
  },
});
const eight = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
  return bytes;
};

export const HEADER_DEFECTS = {
  'size-little-endian': {
    what: 'sends the size least significant byte first',
    breaks: ['3.2', '3.1'],
    cases: ['client/header/byte-order'],
    methods: size((value) => eight(value).reverse()),
  },
  'size-4-bytes': {
    what: 'sends the size in 4 bytes',
    breaks: ['3.1', '3.2'],
    cases: ['client/header/nine-bytes'],
    methods: size((value) => eight(value).subarray(4)),
  },
  'size-in-digits': {
    what: 'sends the size as 8 decimal digits',
    breaks: ['3.2', '3.1'],
    cases: ['client/header/byte-order'],
    methods: size((value) => Buffer.from(String(value).padStart(8, '0'))),
  },
  'size-32-bit': {
    what: 'keeps the lower 32 bits of the size only',
    breaks: ['3.2', '9.1', '6.1'],
    cases: ['client/size/2-32'],
    methods: size((value) => eight(value & 0xffff_ffffn)),
  },
  'size-32-bit-signed': {
    what: 'keeps the size in a signed 32-bit integer',
    breaks: ['3.2', '9.1', '6.1'],
    cases: ['client/size/2-31'],
    methods: size((value) => eight(BigInt.asIntN(32, value))),
  },
  'size-16-bit': {
    what: 'keeps the lower 16 bits of the size only',
    breaks: ['3.2', '9.1', '6.1'],
    cases: ['client/size/65536'],
    related: ['client/file/truncated'],
    methods: size((value) => eight(value & 0xffffn)),
  },
  'size-8-bit': {
    what: 'keeps the lower 8 bits of the size only',
    breaks: ['3.2', '9.1', '6.1'],
    cases: ['client/size/2-32'],
    methods: size((value) => eight(value & 0xffn)),
  },
  'size-one-too-many': {
    what: 'announces one byte more than the file has: counts its end',
    breaks: ['6.1', '3.2'],
    cases: ['client/size/one'],
    methods: size((value) => eight(value + 1n)),
  },
  'size-never-zero': {
    what: 'announces at least one byte',
    breaks: ['6.1', '3.2', '5.7'],
    cases: ['client/size/zero'],
    related: ['client/end/fin-first-empty', 'client/reply/empty-file-byte'],
    methods: size((value) => eight(value || 1n)),
  },
  'size-with-the-header': {
    what: 'counts the name as part of the size',
    breaks: ['6.1', '3.2'],
    cases: ['client/size/one'],
    methods: {
      sizeBytes() {
        return eight(this.announced + BigInt(this.name.length));
      },
    },
  },
  'size-as-float': {
    what: 'writes the size as an IEEE double',
    breaks: ['3.2', '3.1'],
    cases: ['client/header/byte-order'],
    methods: size((value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(Number(value));
      return bytes;
    }),
  },
  'size-through-a-double': {
    what: 'keeps the size in a double',
    breaks: ['3.2', '9.1'],
    cases: ['client/size/2-63-less-1'],
    methods: size((value) => eight(BigInt(Number(value)))),
  },
  'size-rounded-to-blocks': {
    what: 'announces whole blocks of 512 bytes',
    breaks: ['6.1', '3.2'],
    cases: ['client/size/one'],
    methods: size((value) => eight(((value + 511n) / 512n) * 512n)),
  },
  'name-nul': {
    what: 'ends the name with a NUL',
    breaks: ['3.3', '3.1'],
    cases: ['client/header/no-terminator'],
    methods: nameBytes((bytes) => Buffer.concat([bytes, Buffer.of(0)])),
  },
  'name-newline': {
    what: 'ends the name with a newline',
    breaks: ['3.3', '3.1'],
    cases: ['client/header/no-terminator'],
    methods: nameBytes((bytes) => Buffer.concat([bytes, Buffer.from('\n')])),
  },
  'name-crlf': {
    what: 'ends the name with CR LF',
    breaks: ['3.3', '3.1'],
    cases: ['client/header/no-terminator'],
    methods: nameBytes((bytes) => Buffer.concat([bytes, Buffer.from('\r\n')])),
  },
  'name-padded': {
    what: 'pads the name with NULs to 1,016 bytes',
    breaks: ['3.3', '3.1'],
    cases: ['client/header/no-terminator'],
    methods: nameBytes((bytes) => Buffer.concat([bytes, Buffer.alloc(Math.max(0, 1016 - bytes.length))])),
  },
  'name-padded-with-spaces': {
    what: 'pads a short name with spaces',
    breaks: ['3.3', '3.1'],
    cases: ['client/header/no-terminator'],
    methods: name((text) => text.padEnd(32)),
  },
  'name-quoted': {
    what: 'puts the name in quotes',
    breaks: ['3.3', '3.1'],
    cases: ['client/name/unicode'],
    methods: name((text) => `"${text}"`),
  },
  'name-with-length': {
    what: 'puts the length of the name before it',
    breaks: ['3.1'],
    cases: ['client/header/nine-bytes'],
    methods: nameBytes((bytes) => Buffer.concat([Buffer.of(0, bytes.length), bytes])),
  },
  'name-first': {
    what: 'sends the name before the size',
    breaks: ['3.1', '3.2'],
    cases: ['client/header/nine-bytes'],
    methods: {
      headerBytes() {
        return Buffer.concat([this.name, this.sizeBytes()]);
      },
    },
  },
  'name-missing': {
    what: 'sends the size only',
    breaks: ['3.1'],
    cases: ['client/header/nine-bytes'],
    methods: {
      headerBytes() {
        return this.sizeBytes();
      },
    },
  },
  'name-utf16': {
    what: 'sends the name in UTF-16',
    breaks: ['3.3'],
    cases: ['client/name/unicode'],
    methods: {
      nameBytes() {
        return Buffer.from(this.chosenName(), 'utf16le');
      },
    },
  },
  'name-latin-1': {
    what: 'sends the name in Latin-1',
    breaks: ['3.3'],
    cases: ['client/name/unicode'],
    related: ['client/name/255-bytes-unicode', 'client/name/ligature'],
    methods: {
      nameBytes() {
        return Buffer.from(this.chosenName(), 'latin1');
      },
    },
  },
  'name-ascii': {
    what: 'sends `?` for what is not ASCII',
    breaks: ['3.3'],
    cases: ['client/name/unicode'],
    methods: name((text) => text.replace(/[^\0-\x7f]/g, '?')),
  },
  'name-surrogates': {
    what: 'sends characters above U+FFFF as two sequences of three bytes (CESU-8)',
    breaks: ['3.3'],
    cases: ['client/name/astral'],
    methods: {
      nameBytes() {
        const units = [...Array(this.chosenName().length).keys()].map((at) => this.chosenName().charCodeAt(at));
        return Buffer.concat(
          units.map((unit) =>
            unit >= 0xd800 && unit < 0xe000
              ? Buffer.of(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 63), 0x80 | (unit & 63))
              : Buffer.from(String.fromCharCode(unit)),
          ),
        );
      },
    },
  },
  'name-bom-added': {
    what: 'puts a byte order mark before the name',
    breaks: ['3.3', '3.1'],
    cases: ['client/name/unicode'],
    methods: name((text) => `\ufeff${text}`),
  },
  'name-bom-dropped': {
    what: 'drops a byte order mark of the name',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/byte-order-mark'],
    methods: name((text) => text.replace(/^\ufeff/, '')),
  },
  'name-nfc': {
    what: 'normalizes the name to NFC',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/decomposed'],
    methods: name((text) => text.normalize('NFC')),
  },
  'name-nfd': {
    what: 'normalizes the name to NFD',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/unicode'],
    methods: name((text) => text.normalize('NFD')),
  },
  'name-percent-encoded': {
    what: 'encodes the name like a URL',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/percent'],
    methods: name((text) => encodeURIComponent(text)),
  },
  'name-percent-decoded': {
    what: 'decodes %41 in the name',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/percent'],
    methods: name((text) => {
      try {
        return decodeURIComponent(text);
      } catch {
        return text;
      }
    }),
  },
  'name-lower-case': {
    what: 'sends the name in small letters',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/unicode'],
    methods: name((text) => text.toLowerCase()),
  },
  'name-spaces-replaced': {
    what: 'replaces spaces with underscores',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/spaces'],
    methods: name((text) => text.replaceAll(' ', '_')),
  },
  'name-trimmed': {
    what: 'strips white space of the name',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/leading-blank'],
    methods: name((text) => text.trim()),
  },
  'name-dots-cut': {
    what: 'strips a leading dot',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/hidden'],
    methods: name((text) => text.replace(/^\./, '')),
  },
  'name-without-extension': {
    what: 'drops the extension',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/unicode'],
    methods: name((text) => text.replace(/\.[^.]*$/, '')),
  },
  'name-8.3': {
    what: 'cuts the name to 8 and 3 characters',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/unicode'],
    methods: name((text) => text.replace(/^(.{1,8})[^.]*(\.?.{0,3}).*$/, '$1$2')),
  },
  'name-cut-at-100': {
    what: 'cuts the name after 100 characters',
    breaks: ['3.3', '4.13', '4.14'],
    cases: ['client/name/255-bytes'],
    methods: name((text) => text.slice(0, 100)),
  },
  'name-of-254-at-most': {
    what: 'cuts the last byte of a name of 255',
    breaks: ['3.3', '4.13', '4.14'],
    cases: ['client/name/255-bytes'],
    methods: nameBytes((bytes) => bytes.subarray(0, 254)),
  },
  'name-shell-characters': {
    what: 'drops quotes, dollar signs, stars and semicolons',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/markup'],
    methods: name((text) => text.replace(/["'$*;&|<>`\\?]/g, '')),
  },
  'name-control-characters': {
    what: 'drops control characters',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/line-feed'],
    methods: name((text) => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '')),
  },
  'name-cut-at-backslash': {
    what: 'takes a backslash for the end of a folder',
    breaks: ['3.3', '4.13'],
    cases: ['client/name/backslash'],
    methods: name((text) => text.split('\\').at(-1)),
  },
  'sends-the-path': {
    what: 'sends the path as it was given',
    breaks: ['4.13', '3.1'],
    cases: ['client/name/last-component'],
    methods: {
      chosenName() {
        return this.path;
      },
    },
  },
  'sends-the-folder-too': {
    what: 'sends the folder and the name',
    breaks: ['4.13'],
    cases: ['client/name/composed'],
    methods: {
      chosenName() {
        return this.path.split('/').slice(-2).join('/');
      },
    },
  },
  'bad-name-after-connecting': {
    what: 'connects, and finds then that the name does not fit or the file cannot be read',
    breaks: ['4.14', '8.7'],
    cases: ['client/header/name-not-utf8'],
    methods: {
      look: () => undefined,
      prepare: () => undefined,
      connected() {
        super.look();
        super.prepare();
        super.connected();
      },
    },
  },
  'header-in-two-writes': {
    what: 'sends size and name in two writes',
    breaks: ['3.4'],
    cases: ['client/header/one-piece'],
    methods: {
      sendHeader() {
        this.socket.write(this.sizeBytes());
        setTimeout(() => this.socket.write(this.name), 5);
      },
    },
    related: ['client/reply/*'],
  },
  'header-byte-by-byte': {
    what: 'sends the header in single bytes',
    breaks: ['3.4'],
    cases: ['client/header/one-piece'],
    methods: {
      sendHeader() {
        const bytes = this.headerBytes();
        for (const [at, byte] of bytes.entries()) setTimeout(() => this.socket.write(Buffer.of(byte)), at);
      },
    },
  },
  'header-last-byte-late': {
    what: 'sends the last byte of the header in a write of its own',
    breaks: ['3.4'],
    cases: ['client/header/one-piece'],
    methods: {
      sendHeader() {
        const bytes = this.headerBytes();
        this.socket.write(bytes.subarray(0, -1));
        setTimeout(() => this.socket.write(bytes.subarray(-1)), 5);
      },
    },
    related: ['client/reply/*'],
  },
  'header-twice': {
    what: 'sends the header again when no reply has come at once',
    breaks: ['3.5', '3.1'],
    cases: ['client/header/awaited'],
    methods: {
      headerIsSent() {
        setTimeout(() => {
          if (this.state === 'reply') this.sendHeader();
        }, 40);
      },
    },
    related: ['client/reply/*'],
  },
  'does-not-wait': {
    what: 'sends the body directly after the header, and reads the reply at the end',
    breaks: ['3.5'],
    cases: ['client/header/awaited'],
    methods: {
      headerIsSent() {
        this.go();
      },
      receive: () => undefined,
    },
  },
  'body-glued-to-the-header': {
    what: 'sends header and first piece in one write',
    breaks: ['3.5', '3.1', '3.4'],
    cases: ['client/header/awaited'],
    methods: {
      headerBytes() {
        const piece = this.read();
        this.sent += piece?.length ?? 0;
        return Buffer.concat([super.headerBytes(), piece ?? Buffer.alloc(0)]);
      },
    },
  },
  'first-byte-early': {
    what: 'sends the first byte of the body before the reply',
    breaks: ['3.5'],
    cases: ['client/header/awaited'],
    methods: {
      headerIsSent() {
        if (this.size === 0) return;
        const first = Buffer.alloc(1);
        this.sent += 1;
        setTimeout(() => this.socket.write(first), 2);
      },
    },
  },
  impatient: {
    what: 'begins with the body when no reply has come in 40 ms',
    breaks: ['3.5', '5.4', '5.6', '5.8'],
    cases: ['client/header/awaited'],
    methods: {
      headerIsSent() {
        setTimeout(() => {
          if (this.state === 'reply') this.go();
        }, 40);
      },
      unexpected: () => undefined,
    },
    related: ['client/reply/*'],
  },
  'newline-after-the-header': {
    what: 'sends a newline in a write of its own after the header',
    breaks: ['3.5', '3.1', '3.3'],
    cases: ['client/header/awaited'],
    methods: {
      headerIsSent() {
        this.socket.write('\n');
      },
    },
  },
};
