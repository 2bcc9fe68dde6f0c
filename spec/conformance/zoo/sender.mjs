// A sender that keeps every clause of docs/protocol.md, in small steps, so that a defect is one step done wrong
// (client-defects/). It shares no line with lib/.
import * as fs from 'node:fs';
import { connect } from 'node:net';
import { basename } from 'node:path';

const GO_AHEAD = Buffer.from('go ahead');

/** One transfer. Times in ms. */
export class Sender {
  state = 'header';
  replied = Buffer.alloc(0);
  sent = 0;

  constructor({ path, host, port, replyTimeout = 10_000, sendTimeout = 10_000, confirmTimeout = 10_000 }) {
    this.path = path;
    this.host = host;
    this.port = port;
    this.replyTimeout = replyTimeout;
    this.sendTimeout = sendTimeout;
    this.confirmTimeout = confirmTimeout;
    this.chunk = 65_536;
  }

  run() {
    process.on('SIGINT', () => this.interrupted());
    process.on('SIGTERM', () => this.interrupted());
    this.guarded(() => {
      this.look();
      this.prepare();
      this.connect();
    });
  }

  guarded(step) {
    try {
      step();
    } catch (error) {
      this.fail(error.message);
    }
  }

  // ---- before the connection

  look() {
    const stat = fs.statSync(this.path, { bigint: true });
    if (!stat.isFile()) throw new Error(`${this.path} is not a regular file`);
    this.file = fs.openSync(this.path, 'r');
    this.changedAt = stat.mtimeNs;
    this.announce(stat.size);
  }

  /** Sizes above 2^53 are announced exactly; no body of that length is ever sent. */
  announce(size) {
    this.announced = size;
    this.size = Number(size);
  }

  prepare() {
    this.name = this.nameBytes();
    if (this.name.length < 1 || this.name.length > 1016) throw new Error('the name does not fit the header');
  }

  nameBytes() {
    return Buffer.from(this.chosenName(), 'utf8');
  }

  chosenName() {
    return basename(this.path);
  }

  sizeBytes() {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(this.announced);
    return bytes;
  }

  headerBytes() {
    return Buffer.concat([this.sizeBytes(), this.name]);
  }

  // ---- the connection

  connect() {
    this.socket = connect({ host: this.host, port: this.port, allowHalfOpen: true, noDelay: true });
    this.socket.on('connect', () => this.guarded(() => this.connected()));
    this.socket.on('data', (bytes) => this.guarded(() => this.receive(bytes)));
    this.socket.on('end', () => this.guarded(() => this.streamEnds()));
    this.socket.on('error', (error) => this.guarded(() => this.connectionFails(error)));
    this.socket.on('drain', () => this.guarded(() => this.sendMore()));
    this.socket.on('close', () => this.gone());
  }

  connected() {
    this.sendHeader();
    this.state = 'reply';
    this.waitAtMost(this.replyTimeout, 'no reply came');
    this.headerIsSent();
  }

  sendHeader() {
    this.socket.write(this.headerBytes());
  }

  headerIsSent() {}

  receive(bytes) {
    if (this.state === 'reply') this.receiveReply(bytes);
    else this.unexpected(bytes);
  }

  receiveReply(bytes) {
    this.replied = Buffer.concat([this.replied, bytes]);
    if (!this.replyFits(this.replied)) this.wrongReply();
    else if (this.replyIsWhole(this.replied)) this.go();
  }

  replyFits(bytes) {
    return bytes.length <= GO_AHEAD.length && GO_AHEAD.subarray(0, bytes.length).equals(bytes);
  }

  replyIsWhole(bytes) {
    return bytes.length === GO_AHEAD.length;
  }

  wrongReply() {
    throw new Error(`the reply is not "go ahead" but ${JSON.stringify(this.replied.toString('latin1'))}`);
  }

  unexpected(bytes) {
    throw new Error(`${bytes.length} bytes came that are not part of the reply`);
  }

  go() {
    this.state = 'body';
    this.sendMore();
  }

  // ---- the body

  sendMore() {
    if (this.state !== 'body') return;
    this.waitAtMost(this.sendTimeout, 'the receiver takes no more bytes');
    for (;;) {
      const piece = this.read();
      if (piece === null) {
        this.bodyIsSent();
        return;
      }
      this.sent += piece.length;
      this.checkLength();
      if (!this.write(piece)) return;
    }
  }

  /** The next piece of the file; null at its end. */
  read() {
    const piece = Buffer.alloc(this.chunk);
    const length = fs.readSync(this.file, piece, 0, this.chunk, null);
    return length === 0 ? null : piece.subarray(0, length);
  }

  /** False when the socket has enough for now. */
  write(piece) {
    return this.socket.write(piece);
  }

  checkLength() {
    if (this.sent > this.size) throw new Error('the file grew while it was sent');
  }

  bodyIsSent() {
    if (this.sent < this.size) throw new Error('the file shrank while it was sent');
    this.checkChange();
    this.state = 'last byte';
    this.finish(() => {
      if (this.state === 'last byte') this.state = 'receipt';
      this.waitAtMost(this.confirmTimeout, 'the receiver does not close');
      if (this.receiverFinished) this.succeed();
    });
  }

  checkChange() {
    if (fs.fstatSync(this.file, { bigint: true }).mtimeNs !== this.changedAt) throw new Error('the file was changed');
  }

  /** FIN; `done` when the kernel has taken everything before it. */
  finish(done) {
    this.socket.end(done);
  }

  // ---- the end

  /** Node ends the stream, too, when a reset comes with the last bytes. A connection that was reset has no peer any more. */
  streamEnds() {
    const reset = !this.socket.writableFinished && this.socket.remoteAddress === undefined;
    if (!reset) return this.receiverEnds();
    // There is nothing to reset, and Node would wait for ever for the end of its own shutdown.
    this.socket.destroy();
    return this.connectionFails({ code: 'ECONNRESET' });
  }

  receiverEnds() {
    this.receiverFinished = true;
    if (this.state === 'receipt') this.succeed();
    else if (this.state !== 'last byte') this.earlyEnd();
  }

  earlyEnd() {
    throw new Error('the receiver closed before the last byte was sent');
  }

  connectionFails(error) {
    throw new Error(`the connection failed: ${error.code ?? error.message}`);
  }

  waitAtMost(ms, what) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.guarded(() => this.tooLate(what)), ms);
  }

  tooLate(what) {
    throw new Error(what);
  }

  succeed() {
    if (this.state === 'over') return;
    this.over(this.successCode());
  }

  successCode() {
    return 0;
  }

  fail(message) {
    if (this.state === 'over') return;
    this.complain(message);
    if (this.socket && !this.socket.destroyed) this.giveUp();
    this.over(this.failureCode());
  }

  complain(message) {
    process.stderr.write(`error: ${message}\n`);
  }

  giveUp() {
    this.socket.resetAndDestroy();
  }

  failureCode() {
    return 1;
  }

  over(code) {
    this.state = 'over';
    clearTimeout(this.timer);
    process.exitCode = code;
    if (this.socket && !this.socket.destroyed && this.socket.writableFinished) this.socket.destroy();
  }

  interrupted() {
    this.fail('interrupted');
  }

  gone() {}
}
