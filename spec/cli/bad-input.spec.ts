import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ErrorCode } from '../../lib/errors.js';
import { hex } from '../wire/bytes.js';
import { header, listen, portOf, RawPeer, start, type FakeProcess } from './fake-process.js';

/*
 * Everything bad that can be put into either command: the error that names it, what the command exits with, and what is left
 * in the directory, which is nothing.
 */

const LARGEST = 2n ** 64n - 1n;
const SIZE_5 = hex('00 00 00 00 00 00 00 05');

interface Refused {
  readonly code: ErrorCode;
  /** Of the line for people and scripts alike: it says what was expected, what came, or what to do. */
  readonly message: RegExp;
  /** As announced; null where no name came. */
  readonly name: string | null;
}

/** What a sender writes before a reply can come, and what comes of it. */
const HEADERS: Readonly<Record<string, [bytes: Uint8Array, Refused]>> = {
  'invalid UTF-8': [
    Buffer.concat([SIZE_5, hex('61 ff 62')]),
    { code: 'NAME_NOT_UTF8', message: /not valid UTF-8/, name: null },
  ],
  'an overlong form': [
    Buffer.concat([SIZE_5, hex('c0 af')]),
    { code: 'NAME_NOT_UTF8', message: /not valid UTF-8/, name: null },
  ],
  'an empty name': [SIZE_5, { code: 'HEADER_INCOMPLETE', message: /ended after 8 bytes of the header/, name: null }],
  'a size that is cut': [
    SIZE_5.subarray(0, 3),
    { code: 'HEADER_INCOMPLETE', message: /ended after 3 bytes of the header/, name: null },
  ],
  'the name .': [header(5n, '.'), { code: 'NAME_UNSAFE', message: /other than `\.` and `\.\.`/, name: '.' }],
  'the name ..': [header(5n, '..'), { code: 'NAME_UNSAFE', message: /other than `\.` and `\.\.`/, name: '..' }],
  'a name that ends in ..': [
    header(5n, 'a\\..'),
    { code: 'NAME_UNSAFE', message: /other than `\.` and `\.\.`/, name: 'a\\..' },
  ],
  NUL: [header(5n, 'a\0b'), { code: 'NAME_UNSAFE', message: /expected no NUL, got "a\\u0000b"/, name: 'a\0b' }],
  'control characters': [
    header(5n, 'a\u001b[2Jb'),
    { code: 'NAME_UNSAFE', message: /no control characters, got "a\\u001b\[2Jb"/, name: 'a\u001b[2Jb' },
  ],
  '256 bytes of name': [
    header(5n, 'n'.repeat(256)),
    { code: 'NAME_UNSAFE', message: /at most 255 bytes/, name: 'n'.repeat(256) },
  ],
  'a header of 1,025 bytes': [
    header(5n, 'n'.repeat(1_017)),
    { code: 'HEADER_TOO_LONG', message: /1025 bytes came before the reply/, name: null },
  ],
  '2^53 + 1 bytes': [
    header(2n ** 53n + 1n, 'x'),
    { code: 'NO_SPACE', message: /9,007,199,254,740,993 bytes does not fit.*free some space/, name: 'x' },
  ],
  '2^64 - 1 bytes': [
    header(LARGEST, 'x'),
    { code: 'NO_SPACE', message: /18,446,744,073,709,551,615 bytes does not fit/, name: 'x' },
  ],
  'HTTP, which reads as a size over any free space': [
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    { code: 'NAME_UNSAFE', message: /no control characters/, name: 'TP/1.1\r\nHost: x\r\n\r\n' },
  ],
  'HTTP 0.9, whose name would do': [
    Buffer.from('GET / HTTP/1.1'),
    { code: 'NO_SPACE', message: /5,135,603,447,292,250,196 bytes does not fit/, name: 'TP/1.1' },
  ],
};

/** What a sender writes after the reply. */
const BODIES: Readonly<Record<string, [body: string, Refused]>> = {
  'an early end': ['hel', { code: 'BODY_UNDERRUN', message: /ended after 3 of 5 bytes/, name: 'x' }],
  'an early end, before the first byte': [
    '',
    { code: 'BODY_UNDERRUN', message: /ended after 0 of 5 bytes/, name: 'x' },
  ],
  'an overrun': ['hello!', { code: 'BODY_OVERRUN', message: /1 more bytes came after the 5/, name: 'x' }],
};

async function serving(directory: string): Promise<FakeProcess & { readonly port: number }> {
  const server = start(['serve', directory, '--port', '0', '--json', '--no-sync']);
  return { ...server, port: await portOf(server) };
}

t.test('into serve', async (t) => {
  const directory = t.testdir({});
  const server = await serving(directory);
  const failures = (): Record<string, unknown>[] => server.stdout.objects.filter(({ event }) => event === 'failed');
  const ended = async (title: string, { code, message, name }: Refused): Promise<void> => {
    const before = failures().length;
    while (failures().length === before) await once(server.stdout, 'line');
    t.match(failures().at(-1), { code, message, name }, title);
    t.strictSame(readdirSync(directory), [], `${title}: nothing is left`);
  };
  for (const [title, [bytes, refused]] of Object.entries(HEADERS)) {
    const over = ended(title, refused);
    const peer = RawPeer.connect(server.port);
    peer.socket.on('error', () => undefined).end(bytes);
    await over;
    await peer.closed;
    t.equal(peer.received, '', `${title}: no reply`);
  }
  for (const [title, [body, refused]] of Object.entries(BODIES)) {
    const over = ended(title, refused);
    const peer = RawPeer.connect(server.port);
    peer.socket.write(header(5n, 'x'));
    t.equal(await peer.reply(), 'go ahead');
    peer.socket.end(body);
    await over;
    t.equal(await peer.closed, 'reset', `${title}: no receipt`);
  }
  server.kill('SIGTERM');
  t.equal(await server.exit, 0, 'and it served to the end');
});

t.test('into serve, and stored under a name that is safe', async (t) => {
  const folder = t.testdir({ inbox: {} });
  const inbox = join(folder, 'inbox');
  const server = await serving(inbox);
  for (const [sent, stored] of [
    ['\ufeffbom.txt', '\ufeffbom.txt'],
    ['../x', 'x'],
    ['/etc/x', 'x'],
    ['a\\..\\b', 'b'],
    ['n'.repeat(255), 'n'.repeat(255)],
  ] as const) {
    const peer = RawPeer.connect(server.port);
    peer.socket.write(header(5n, sent));
    t.equal(await peer.reply(), 'go ahead', sent);
    peer.socket.end('hello');
    t.equal(await peer.closed, 'fin');
    t.strictSame(readdirSync(inbox), [stored]);
    t.equal(readFileSync(join(inbox, stored), 'utf8'), 'hello');
    rmSync(join(inbox, stored));
  }
  t.strictSame(readdirSync(folder), ['inbox'], 'and nothing beside it');
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
});

t.test('into send: the server refuses', async (t) => {
  const folder = t.testdir({ inbox: {}, 'a.txt': 'hello' });
  const server = await serving(join(folder, 'inbox'));
  const to = ['--to', `:${server.port}`];
  const stdin = [Buffer.from('hello')];
  for (const [argv, code, message] of [
    [[join(folder, 'a.txt'), '--as', '..'], 'REFUSED', /refuses the file/],
    [[join(folder, 'a.txt'), '--as', 'a/.'], 'REFUSED', /refuses the file/],
    [[join(folder, 'a.txt'), '--as', 'a\0b'], 'REFUSED', /refuses the file/],
    [[join(folder, 'a.txt'), '--as', 'n'.repeat(256)], 'REFUSED', /refuses the file/],
    [['-', '--as', 'x', '--size', String(2n ** 53n + 1n)], 'REFUSED', /refuses the file/],
    [['-', '--as', 'x', '--size', String(LARGEST)], 'REFUSED', /refuses the file/],
    [
      ['-', '--as', 'x', '--size', '4'],
      'SOURCE_CHANGED',
      /^failed standard input: .* more bytes than announced: at least 5 bytes instead of 4;/,
    ],
    [
      ['-', '--as', 'x', '--size', '6'],
      'SOURCE_CHANGED',
      /^failed standard input: .* fewer bytes than announced: 5 bytes instead of 6;/,
    ],
  ] as const) {
    const client = start(['send', ...argv, ...to], { stdin });
    t.equal(await client.exit, 1, argv.join(' ').slice(0, 80));
    t.match(client.stderr.lines, [new RegExp(`^failed .*\\(${code}\\)$`)]);
    t.match(client.stderr.text, message);
  }
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
  t.strictSame(readdirSync(join(folder, 'inbox')), []);
});

t.test('into send: what servers reply', async (t) => {
  const file = join(t.testdir({ 'a.txt': 'hello' }), 'a.txt');
  for (const [title, replies, exit, output] of [
    ['the reply in two pieces', ['go a', 'head'], 0, /^sent /],
    ['the reply byte by byte', Array.from('go ahead'), 0, /^sent /],
    [
      'another reply',
      ['go away!'],
      1,
      /something other than "go ahead": "go away!"; is this the right port\? \(REPLY_WRONG\)/,
    ],
    [
      'another protocol',
      ['HTTP/1.1 400 Bad Request\r\n'],
      1,
      /other than "go ahead": "HTTP\/1\.1 400 Bad"; is this the right port\? \(REPLY_WRONG\)/,
    ],
    ['the reply in capitals', ['GO AHEAD'], 1, /\(REPLY_WRONG\)/],
    ['more than the reply', ['go ahead\n'], 1, /\(REPLY_WRONG\)/],
    ['a part of it, then silence', ['go '], 1, /did not reply within 50 ms; .*--reply-timeout.* \(REPLY_TIMEOUT\)/],
    ['no reply', [], 1, /did not reply within 50 ms; .*--reply-timeout.* \(REPLY_TIMEOUT\)/],
  ] as const) {
    const { port, close } = await listen((socket) => {
      socket.setNoDelay().on('error', () => undefined);
      socket.once('data', () => {
        const next = (index: number): void => {
          const { [index]: reply } = replies;
          // One write after the other, so that they come apart.
          if (reply !== undefined) socket.write(reply, 'latin1', () => setImmediate(next, index + 1));
        };
        next(0);
      });
      socket.on('end', () => socket.end());
    });
    const client = start(['send', file, '--to', `:${port}`, '--reply-timeout', exit === 0 ? '10' : '0.05']);
    t.equal(await client.exit, exit, title);
    t.match(exit === 0 ? client.stdout.text : client.stderr.text, output);
    await close();
  }
});
