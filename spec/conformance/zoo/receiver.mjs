// A receiver that keeps every clause of docs/protocol.md, in small steps, so that a defect is one step done wrong
// (server-defects/). It shares no line with lib/.
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const GO_AHEAD = 'go ahead';

export class Refused extends Error {}
export class Failed extends Error {}

/** What all connections share. Times in ms. */
export class Server {
  constructor(options) {
    this.directory = options.directory;
    this.suffix = options.suffix ?? '';
    this.headerTimeout = options.headerTimeout ?? 5000;
    this.idleTimeout = options.idleTimeout ?? 30_000;
    this.durable = options.durable ?? true;
    this.settle = 50;
    this.grace = 250;
    /** Announced by uploads that are not stored yet, in bytes. */
    this.promised = 0n;
    this.Receiver = options.Receiver ?? Receiver;
  }

  listen(port) {
    this.listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.accept(socket));
    this.listener.listen({ port, host: '127.0.0.1', backlog: 1024 });
  }

  accept(socket) {
    new this.Receiver(socket, this).start();
  }

  /** Bytes that may still be promised to somebody. */
  space() {
    const { bavail, bsize } = fs.statfsSync(this.directory, { bigint: true });
    return bavail * bsize - this.promised;
  }
}

/** One connection. */
export class Receiver {
  state = 'header';
  header = Buffer.alloc(0);
  pieces = 0;
  size = 0n;
  name = '';
  received = 0n;
  senderFinished = false;
  file = null;
  temporary = null;
  reserved = 0n;

  constructor(socket, server) {
    this.socket = socket;
    this.server = server;
  }

  start() {
    const { socket, server } = this;
    this.deadline = setTimeout(() => this.guarded(() => this.tooSlow()), server.headerTimeout);
    socket.on('data', (piece) => this.guarded(() => this.take(piece)));
    socket.on('end', () => this.guarded(() => this.senderEnds()));
    socket.on('error', () => this.guarded(() => this.senderResets()));
    socket.on('close', () => this.gone());
  }

  /** What goes wrong on one connection stays on it. */
  guarded(step) {
    try {
      step();
    } catch (error) {
      this.failed(error);
    }
  }

  failed(error) {
    if (error instanceof TypeError || error instanceof ReferenceError) console.error(error);
    if (error instanceof Refused) this.refuse();
    else this.fail();
  }

  take(piece) {
    if (this.state === 'header') this.takeHeader(piece);
    else if (this.state === 'body') this.takeBody(piece);
    else if (this.state === 'grace') this.overrun(piece);
  }

  senderEnds() {
    this.senderFinished = true;
    if (this.state === 'header') this.headerEnds();
    else if (this.state === 'body') this.underrun();
    else if (this.state === 'grace') this.commit();
  }

  senderResets() {
    if (this.state === 'header') this.refuse();
    else if (this.state === 'body' || this.state === 'grace') this.fail();
  }

  tooSlow() {
    if (this.state === 'header') throw new Refused('the header is not complete');
    if (this.state === 'body') throw new Failed('no byte for too long');
  }

  // ---- header

  takeHeader(piece) {
    this.header = Buffer.concat([this.header, piece]);
    this.pieces += 1;
    clearTimeout(this.quiet);
    this.checkHeaderLength();
    if (!this.complete()) return;
    if (this.mustSettle()) this.quiet = setTimeout(() => this.guarded(() => this.headerIsThere()), this.server.settle);
    else this.headerIsThere();
  }

  checkHeaderLength() {
    if (this.header.length > 1024) throw new Refused('the header is too long');
  }

  complete() {
    return this.header.length >= 9 && !this.endsInsideCharacter(this.header.subarray(8));
  }

  mustSettle() {
    return this.pieces > 1;
  }

  endsInsideCharacter(bytes) {
    for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
      const byte = bytes[bytes.length - back];
      if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2);
      if (byte < 0x80) return false;
    }
    return false;
  }

  /** The stream ended in the header. */
  headerEnds() {
    clearTimeout(this.quiet);
    if (!this.complete()) throw new Refused('the stream ended in the header');
    this.headerIsThere();
    this.guarded(() => this.senderEnds());
  }

  headerIsThere() {
    clearTimeout(this.deadline);
    this.size = this.readSize(this.header.subarray(0, 8));
    this.name = this.storedName(this.readName(this.header.subarray(8)));
    this.admit();
    this.open();
    this.state = 'body';
    this.reply();
    this.stillComing();
    if (this.received === this.size) this.lastByteIsThere();
  }

  readSize(bytes) {
    return bytes.readBigUInt64BE(0);
  }

  readName(bytes) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Refused('the name is not UTF-8');
    }
  }

  storedName(name) {
    const last = this.lastComponent(name);
    if (last === '' || last === '.' || last === '..') throw new Refused('no name');
    this.checkCharacters(name);
    if (Buffer.byteLength(last + this.server.suffix) > 255) throw new Refused('the name is too long');
    return last;
  }

  lastComponent(name) {
    return name.split(/[/\\]/).at(-1);
  }

  checkCharacters(name) {
    if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) throw new Refused('a control character');
  }

  admit() {
    if (this.size > this.server.space()) throw new Refused('no space');
    this.reserved = this.size;
    this.server.promised += this.reserved;
  }

  open() {
    this.temporary = this.temporaryPath();
    this.file = fs.openSync(this.temporary, 'wx');
  }

  temporaryPath() {
    return join(this.server.directory, `.upload-${randomBytes(8).toString('hex')}`);
  }

  reply() {
    this.socket.write(GO_AHEAD);
  }

  // ---- body

  takeBody(piece) {
    this.stillComing();
    this.received += BigInt(piece.length);
    if (this.received > this.size) {
      this.overrun(piece);
      return;
    }
    this.write(piece);
    if (this.received === this.size) this.lastByteIsThere();
  }

  write(piece) {
    fs.writeSync(this.file, piece);
  }

  overrun() {
    throw new Failed('more bytes than announced');
  }

  underrun() {
    throw new Failed('fewer bytes than announced');
  }

  stillComing() {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => this.guarded(() => this.tooSlow()), this.server.idleTimeout);
  }

  lastByteIsThere() {
    clearTimeout(this.deadline);
    this.state = 'grace';
    if (this.senderFinished) this.commit();
    else this.quiet = setTimeout(() => this.guarded(() => this.commit()), this.server.grace);
  }

  // ---- the end

  commit() {
    clearTimeout(this.quiet);
    this.state = 'commit';
    const store = () => {
      this.guarded(() => {
        this.store();
        this.state = 'over';
        this.close();
      });
    };
    if (this.server.durable) fs.fsync(this.file, store);
    else store();
  }

  store() {
    this.closeFile();
    this.link();
    fs.unlinkSync(this.temporary);
    this.temporary = null;
    this.giveBack();
  }

  link() {
    for (let number = 0; number < 10_000; number += 1) {
      try {
        fs.linkSync(this.temporary, this.finalPath(number));
        return;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
    }
    throw new Failed('no free name');
  }

  finalPath(number) {
    return join(this.server.directory, this.numbered(number) + this.server.suffix);
  }

  /** The stem of a long name makes room for the number. */
  numbered(number) {
    if (number === 0) return this.name;
    const dot = this.name.lastIndexOf('.');
    const extension = dot > 0 ? this.name.slice(dot) : '';
    const tail = ` (${number})${extension}${this.server.suffix}`;
    let stem = this.name.slice(0, this.name.length - extension.length);
    while (Buffer.byteLength(stem + tail) > 255) stem = [...stem].slice(0, -1).join('');
    return `${stem} (${number})${extension}`;
  }

  close() {
    this.socket.end();
    // Whoever never closes must not keep the descriptor for ever.
    this.linger = setTimeout(() => this.socket.destroy(), 1000);
  }

  refuse() {
    this.release();
    this.state = 'over';
    this.close();
  }

  fail() {
    this.release();
    this.state = 'over';
    this.reset();
  }

  reset() {
    this.socket.resetAndDestroy();
  }

  /** Forgets what was received, and gives back what was taken. */
  release() {
    clearTimeout(this.deadline);
    clearTimeout(this.quiet);
    this.closeFile();
    this.discard();
    this.giveBack();
  }

  closeFile() {
    if (this.file !== null) fs.closeSync(this.file);
    this.file = null;
  }

  discard() {
    if (this.temporary !== null) fs.rmSync(this.temporary, { force: true });
    this.temporary = null;
  }

  giveBack() {
    this.server.promised -= this.reserved;
    this.reserved = 0n;
  }

  gone() {
    clearTimeout(this.deadline);
    clearTimeout(this.quiet);
    clearTimeout(this.linger);
  }
}
