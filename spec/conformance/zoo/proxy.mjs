// Networks that are hard on a peer and still right: every byte, FIN and RST arrives, in order.
// node proxy.mjs server MODE PORT CMD...       starts CMD, in which @port is a free port, and relays PORT to it
// node proxy.mjs client MODE HOST PORT CMD...  starts CMD, in which @port relays to HOST:PORT, and exits like it
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../dist/conformance/target/listener.js';

/**
 * The first bytes of each direction go in single bytes: fewer where there are many connections, since it is a network
 * that is tried here, and not how long a crowd's single bytes take. After the very first one there is a pause: a receiver
 * that reads 9 bytes or more in one piece cannot tell that the header was cut (3.9).
 */
const SINGLE = 2048;
/** A receiver that has this little of a header waits for the rest, however late it comes (3.7). */
const LEAST_SINGLE = 2;
const AFTER_FIRST = 60;
/** The reply's last byte comes with what was sent with it: for what has not come yet no sender can fail (5.5). */
const REPLY_UNCUT_AFTER = 7;
const ODD = 1009;
const HOLD = 15;
const DELAY = 100;
const STARTUP = 8000;
const SIGNALS = ['SIGINT', 'SIGTERM'];
/** How many bytes a direction may hold; beyond that its source is not read. With DELAY it bounds the speed: 20 MB/s. */
const MOST = 2 * 1024 * 1024;

/** Each takes the queue of one direction and writes it. */
const MODES = {
  async chop(queue, write, { singles, uncutAfter }) {
    let done = 0;
    for (let bytes = await queue.bytes(); bytes !== null; bytes = await queue.bytes()) {
      done = await chopped(bytes, done, write, { singles, pause: done === 0, uncutAfter });
    }
  },
  /** The header and the reply pass as they came: for peers that take each with one read. */
  async 'chop-body'(queue, write, { answered, singles }) {
    let done = 0;
    for (let bytes = await queue.bytes(); bytes !== null; bytes = await queue.bytes()) {
      if (answered()) done = await chopped(bytes, done, write, { singles });
      else await write(bytes);
    }
  },
  async coalesce(queue, write) {
    for (let bytes = await queue.bytes(); bytes !== null; bytes = await queue.bytes()) {
      await sleep(HOLD);
      await write(Buffer.concat([bytes, ...queue.rest()]));
    }
  },
  async delay(queue, write) {
    for (let bytes = await queue.bytes(DELAY); bytes !== null; bytes = await queue.bytes(DELAY)) await write(bytes);
    await queue.until(DELAY);
  },
};

/** Writes what follows `done` bytes in pieces, and returns how many it are then. */
async function chopped(bytes, done, write, { singles, pause = false, uncutAfter = Infinity }) {
  for (let at = 0; at < bytes.length;) {
    const length = done >= uncutAfter ? bytes.length - at : done < singles() ? 1 : ODD;
    await write(bytes.subarray(at, at + length));
    await (pause && at === 0 ? sleep(AFTER_FIRST) : turn());
    at += length;
    done += length;
  }
  return done;
}

/** What one direction holds. Its end is a FIN or RST, after all bytes. */
class Queue {
  end = null;
  #held = [];
  #length = 0;
  #most = MOST;
  #wake = () => undefined;

  constructor(source) {
    this.source = source;
    source.on('data', (bytes) => {
      this.#held.push({ bytes, at: performance.now() });
      this.#length += bytes.length;
      if (this.#length > this.#most) source.pause();
      this.#wake();
    });
    // libuv reports a reset that comes with bytes as an end; after a real one the peer still has a name.
    source.on('end', () => this.#finish(source.writableEnded || source.remoteAddress !== undefined ? 'FIN' : 'RST'));
    source.on('error', () => this.#finish('RST'));
    // Ended by us, because the other side was reset.
    source.on('close', () => this.end ?? this.#finish('RST'));
    // It may have ended while the other side was being connected.
    if (source.destroyed) this.#finish('RST');
    else if (source.readableEnded) this.#finish('FIN');
  }

  /** Takes all that is left: the source is gone. */
  async drain() {
    this.#most = Infinity;
    this.source.resume();
    while (this.end === null) await new Promise((resolve) => this.source.once('close', resolve).once('end', resolve));
  }

  #finish(end) {
    if (this.end === 'RST') return;
    this.end = end;
    this.endedAt = performance.now();
    this.#wake();
  }

  /** The next piece, `delay` ms after it came; null at the end. */
  async bytes(delay = 0) {
    while (this.#held.length === 0 && this.end === null) await new Promise((resolve) => (this.#wake = resolve));
    const next = this.#held.shift();
    if (next === undefined) return null;
    await this.#pass(next.at, delay);
    this.#took(next.bytes);
    return next.bytes;
  }

  rest() {
    const all = this.#held.map(({ bytes }) => bytes);
    this.#held = [];
    for (const bytes of all) this.#took(bytes);
    return all;
  }

  async until(delay) {
    await this.#pass(this.endedAt, delay);
  }

  async #pass(since, delay) {
    const left = since + delay - performance.now();
    if (left > 0) await sleep(left);
  }

  #took(bytes) {
    this.#length -= bytes.length;
    if (this.#length <= this.#most) this.source.resume();
  }

  /** A FIN may be followed by a reset: the one who closed does not want what still comes. */
  async reset() {
    while (this.end !== 'RST') await new Promise((resolve) => (this.#wake = resolve));
  }
}

/** `over` is called when all bytes and the end have been passed on; a reset that follows a FIN comes after that. */
async function relay(queue, to, mode, connection, over = () => undefined) {
  const write = (bytes) =>
    to.destroyed || to.write(bytes)
      ? undefined
      : new Promise((resolve) => {
          to.once('drain', resolve);
          to.once('close', resolve);
        });
  await MODES[mode](queue, write, connection);
  if (queue.end === 'FIN') {
    to.once('close', over);
    to.end(over);
    await queue.reset();
  }
  to.resetAndDestroy();
  over();
}

/** Relays connections on `port` (0: a free one) to the target. */
async function openProxy({ mode, host, port, listenOn = 0, first = null }) {
  let waiting = first;
  let open = 0;
  const passing = new Set();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    near.on('error', () => undefined);
    open += 1;
    near.once('close', () => (open -= 1));
    const reached = waiting ?? reach(host, port);
    waiting = null;
    void reached.then((far) => {
      if (far === null) {
        near.resetAndDestroy();
        return;
      }
      let replied = false;
      far.once('data', () => (replied = true));
      const singles = () => Math.max(LEAST_SINGLE, SINGLE / Math.max(1, open));
      const sent = { singles, answered: () => replied };
      const queue = new Queue(near);
      passing.add({ queue, far, over: new Promise((over) => void relay(queue, far, mode, sent, over)) });
      void relay(new Queue(far), near, mode, { singles, answered: () => false, uncutAfter: REPLY_UNCUT_AFTER });
    });
  });
  await new Promise((resolve) => server.listen({ port: listenOn, host: '127.0.0.1', backlog: 1024 }, resolve));
  /** When what the near side sent, which is gone by now, has been passed on up to its end. A reset need not wait. */
  const passed = () =>
    Promise.all(
      [...passing].map(async ({ queue, far, over }) => {
        await queue.drain();
        if (queue.end === 'RST') far.resetAndDestroy();
        await over;
      }),
    );
  return { port: server.address().port, close: () => server.close(), passed };
}

async function reach(host, port, patience = 0) {
  const until = performance.now() + patience;
  for (;;) {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const made = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (made) return socket;
    if (performance.now() > until) return null;
    await sleep(10);
  }
}

/**
 * Exits like the command, but not before `passed`: what a program has sent arrives although it has ended. A signal is for
 * the command, which gets it too, as it is of the same group.
 */
function start(words, port, passed = async () => undefined) {
  const [command, ...rest] = words.map((word) => word.replaceAll('@port', String(port)));
  const child = spawn(command, rest, { stdio: 'inherit' });
  for (const name of SIGNALS) process.on(name, () => undefined);
  child.on('error', (error) => {
    console.error(error.message);
    process.exit(127);
  });
  child.on('exit', async (code, signal) => {
    await passed();
    if (signal === null) process.exit(code);
    for (const name of SIGNALS) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [role, mode, ...rest] = process.argv.slice(2);
  const host = '127.0.0.1';
  if (role === 'server') {
    const [listenOn, ...words] = rest;
    const port = await freePort(host);
    start(words, port);
    // It listens as late as its target does. The connection that shows it is the first one's: some serve one only.
    const first = await reach(host, port, STARTUP);
    await openProxy({ mode, host, port, listenOn: Number(listenOn), first: Promise.resolve(first) });
  } else {
    const [target, port, ...words] = rest;
    const proxy = await openProxy({ mode, host: target, port: Number(port) });
    start(words, proxy.port, proxy.passed);
  }
}
