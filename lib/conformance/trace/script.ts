/** A Python script that plays the suite's side of a case again, without the suite. It judges nothing: it shows what comes. */
import { deflateSync } from 'node:zlib';
import { plural } from '../../plural.js';
import type { LocalFile, Role } from '../model/case.js';
import type { Result } from '../report/report.js';
import { shown } from '../reporters/text.js';
import type { WireEntry } from '../exchange/wire.js';
import { bytesLost, bytesOf, spanOf, type TracedConnection } from './connection.js';

/** What a client is given to send. */
export interface ScriptFile {
  readonly kind: LocalFile['kind'];
  readonly name: Buffer;
  /** In bytes. */
  readonly size: bigint;
  /** Null for one that is too large to stand in a script: zeros are written then. */
  readonly body: Buffer | null;
}

export interface ScriptTarget {
  readonly role: Role;
  /** An address, or the command of `--exec`. */
  readonly target: string;
  readonly file: ScriptFile | null;
}

/** Shorter gaps than this are those of the machine, not of the case. */
const GAP = 2;

/** JSON strings are Python strings, since nothing unprintable is left in them; lone surrogates neither. */
function py(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

function pyBytes(bytes: Buffer): string {
  if (bytes.length <= 64) return `h(${py(bytes.toString('hex').replace(/(..)(?=.)/g, '$1 '))})`;
  const packed = deflateSync(bytes)
    .toString('base64')
    .replace(/(.{100})(?=.)/g, '$1"\n        "');
  return `z(\n        "${packed}")`;
}

/** The log as the calls of a replay: where bytes had come before we went on, it waits for as many; other gaps are slept. */
function* actionsOf(log: readonly WireEntry[], role: Role): Generator<string> {
  let received = 0;
  let awaited = 0;
  let before = log[0]?.at ?? 0;
  let ended = false;
  for (const entry of log) {
    const { at } = entry;
    if (entry.event === 'received') {
      received += entry.length;
      before = at;
      continue;
    }
    if (entry.event === 'received FIN' || entry.event === 'received RST') {
      ended = true;
      before = at;
      continue;
    }
    const { event } = entry;
    if (event === 'connected' || event === 'refused' || event === 'note' || event === 'time-out') continue;
    const wait = role === 'client' && awaited === 0 ? 'header' : 'wait';
    if (received > awaited || ended) yield ended ? 'c.until_end()' : `c.${wait}(${received})`;
    awaited = received;
    if (at - before >= GAP) yield `sleep(${((at - before) / 1000).toFixed(4)})`;
    before = at;
    switch (event) {
      case 'sent':
        yield `c.send(${pyBytes(bytesOf(entry))})`;
        break;
      case 'sent FIN':
        yield 'c.fin()';
        break;
      case 'sent RST':
        yield 'c.rst()';
        break;
      case 'closed':
        yield 'c.close()';
        break;
    }
  }
  yield 'c.until_end()';
}

function connectionSource(connection: TracedConnection, before: readonly TracedConnection[], role: Role): string {
  const { from } = spanOf(connection);
  const [first = connection] = before;
  const earlier = before.map((other, i) => ({ i, ...spanOf(other) })).filter(({ to }) => to <= from);
  const last = Math.max(spanOf(first).from, ...earlier.map(({ to }) => to));
  const wait = Math.max(0, from - last) / 1000;
  return [
    `@connection(${py(shown(connection.label))}, after=[${earlier.map(({ i }) => i).join(', ')}], wait=${wait.toFixed(4)})`,
    `def connection_${before.length}(c):`,
    ...[...actionsOf(connection.log, role)].map((action) => `    ${action}`),
    '',
  ].join('\n');
}

const COMMON = `
import base64, os, shlex, socket, struct, subprocess, sys, tempfile, threading, time, zlib
from time import sleep

PATIENCE = 5.0
START = time.monotonic()
TALK = threading.Lock()
CONNECTIONS = []


def h(digits):
    return bytes.fromhex(digits)


def z(packed):
    return zlib.decompress(base64.b64decode(packed))


def say(label, text):
    with TALK:
        print('%9.1f ms  %s: %s' % ((time.monotonic() - START) * 1000, label, text), flush=True)


def show(data):
    more = ' ...' if len(data) > 48 else ''
    return '%d bytes: %s%s  %s%s' % (len(data), data[:48].hex(' '), more, ascii(data[:48])[1:], more)


class Connection:
    def __init__(self, label, sock):
        self.label, self.sock = label, sock
        self.received, self.ended, self.more = 0, None, 0
        self.news = threading.Condition()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                data = self.sock.recv(65536)
                end = 'received FIN'
            except OSError as error:
                data, end = b'', 'received %s' % error.__class__.__name__
            with self.news:
                if self.ended == 'ours':
                    return
                if data:
                    self.received += len(data)
                elif self.ended is None:
                    self.ended = end
                say(self.label, 'received ' + show(data) if data else end)
                self.news.notify_all()
            if not data:
                return

    def send(self, data):
        say(self.label, 'sent ' + show(data))
        try:
            self.sock.sendall(data)
        except OSError as error:
            say(self.label, 'could not send: %s' % error)

    def header(self, count):
        # Its length depends on the name that this client sends.
        with self.news:
            self.news.wait_for(lambda: self.received >= 9 or self.ended, PATIENCE)
            self.news.wait_for(lambda: self.received == count or self.ended, 0.1)
            self.more = self.received - count

    def wait(self, count):
        wanted = count + self.more
        with self.news:
            if not self.news.wait_for(lambda: self.received >= wanted or self.ended, PATIENCE):
                say(self.label, 'waited for %d bytes in vain' % wanted)

    def until_end(self):
        with self.news:
            if not self.news.wait_for(lambda: self.ended, PATIENCE):
                say(self.label, 'still open')

    def fin(self):
        say(self.label, 'sent FIN')
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            say(self.label, 'could not: %s' % error)

    def rst(self):
        say(self.label, 'sent RST')
        self.ended = self.ended or 'ours'
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        # A thread of ours that still reads would keep it open.
        try:
            self.sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        self.sock.close()

    def close(self):
        say(self.label, 'closed')
        self.ended = self.ended or 'ours'
        self.sock.close()


def connection(label, after, wait):
    def register(play):
        CONNECTIONS.append((label, after, wait, play))
        return play
    return register

`;

const SERVER_MAIN = `
def main():
    if len(sys.argv) not in (1, 3):
        sys.exit('usage: python3 %s [HOST PORT]' % sys.argv[0])
    address = (sys.argv[1], int(sys.argv[2])) if len(sys.argv) == 3 else ADDRESS
    threads = []

    def run(label, after, wait, play):
        for i in after:
            threads[i].join()
        sleep(wait)
        try:
            sock = socket.create_connection(address, PATIENCE)
            sock.settimeout(None)
        except OSError as error:
            say(label, 'could not connect to %s:%d: %s' % (address + (error,)))
            return
        say(label, 'connected')
        play(Connection(label, sock))

    for entry in CONNECTIONS:
        threads.append(threading.Thread(target=run, args=entry))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
`;

const CLIENT_MAIN = `
def make(path):
    if KIND == 'directory':
        os.mkdir(path)
    elif KIND == 'fifo':
        os.mkfifo(path)
    elif KIND == 'device':
        os.symlink('/dev/null', path)
    elif KIND == 'link loop':
        os.symlink(path, path)
    elif KIND == 'dangling link':
        os.symlink(path + b'.other', path)
    elif KIND != 'missing':
        if KIND == 'link':
            os.symlink(path + b'.other', path)
        with open(path, 'wb') as file:
            if BODY is None:
                file.truncate(SIZE)
            else:
                file.write(BODY)
        if KIND == 'unreadable':
            os.chmod(path, 0)


def main():
    command = sys.argv[1] if len(sys.argv) > 1 else COMMAND
    listener = socket.create_server(('127.0.0.1', int(sys.argv[2]) if len(sys.argv) > 2 else 0))
    listener.settimeout(PATIENCE)
    for label, _, _, play in CONNECTIONS:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(os.fsencode(folder), NAME)
            make(path)
            words = {'{file}': os.fsdecode(path), '{name}': os.fsdecode(NAME), '{host}': '127.0.0.1',
                     '{port}': str(listener.getsockname()[1])}
            argv = shlex.split(command)
            for key, value in words.items():
                argv = [word.replace(key, value) for word in argv]
            say(label, 'starting ' + ascii(argv))
            client = subprocess.Popen(argv, cwd=folder)
            try:
                sock, _ = listener.accept()
                sock.settimeout(None)
                say(label, 'connected')
                play(Connection(label, sock))
            except OSError as error:
                say(label, 'no connection: %s' % error)
            try:
                say(label, 'the client exited with status %d' % client.wait(PATIENCE))
            except subprocess.TimeoutExpired:
                client.kill()
                say(label, 'the client did not end')


main()
`;

function addressOf(target: string): string {
  const [, host = '127.0.0.1', port = '12000'] = /^\[?([^\s\]]*?)\]?:(\d+)$/.exec(target) ?? [];
  return `(${py(host)}, ${port})`;
}

function fileSource({ kind, name, size, body }: ScriptFile): readonly string[] {
  return [
    `KIND = ${py(kind)}`,
    `NAME = ${pyBytes(name)}`,
    `SIZE = ${size}`,
    `BODY = ${body === null ? 'None' : pyBytes(body)}`,
  ];
}

export function replayScript(
  { id, title, clause, sentence, verdict, replay }: Result,
  connections: readonly TracedConnection[],
  { role, target, file }: ScriptTarget,
): string {
  const lost = bytesLost(connections);
  const usage = role === 'server' ? '[HOST PORT]' : '["COMMAND {file} {host} {port}" [PORT]]';
  const header = [
    '#!/usr/bin/env python3',
    `# ${id}: ${shown(title)}`,
    `# ${clause}: ${sentence}`,
    `# It was: ${verdict}. The same with a verdict: ${shown(replay)}`,
    `# Usage: python3 THIS ${usage}`,
    ...(lost === 0 ? [] : [`# ${plural(lost, 'byte')} too many to keep; zeros are sent in their place.`]),
  ];
  const own =
    role === 'server'
      ? [`ADDRESS = ${addressOf(target)}`]
      : [`COMMAND = ${py(target)}`, ...(file === null ? [] : fileSource(file))];
  const plays = connections.map((connection, n) => connectionSource(connection, connections.slice(0, n), role));
  return [...header, COMMON, ...own, '', ...plays, role === 'server' ? SERVER_MAIN : CLIENT_MAIN].join('\n');
}
