import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, renameSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { freePort } from '../../lib/conformance/target/listener.js';
import { GoAheadError, type ErrorCode } from '../../lib/errors.js';
import { send, type Receipt, type Sendable, type SendOptions } from '../../lib/net/client.js';
import { noOpenssl } from './certificates.js';
import { certificates, secureScriptedServer } from './secure-peer.js';
import { GO_AHEAD, headerBytes, pattern, scriptedServer, turns, type Peer } from './support.js';
import { until } from '../support/until.js';
import { ManualClock } from '../support/manual-clock.js';

/** A receiver that does everything right: header, reply, body, FIN. */
async function storing(peer: Peer, headerLength: number, size: number): Promise<void> {
  await peer.has(headerLength);
  await peer.write(GO_AHEAD);
  await peer.has(headerLength + size);
  await peer.ended;
  peer.fin();
}

/** How a transfer came out: its receipt, or its error. */
async function outcome(sending: Promise<Receipt>): Promise<Receipt | GoAheadError> {
  try {
    return await sending;
  } catch (reason) {
    if (reason instanceof GoAheadError) return reason;
    throw reason;
  }
}

function codeOf(result: Receipt | GoAheadError): ErrorCode | 'confirmed' {
  return result instanceof GoAheadError ? result.code : 'confirmed';
}

async function* chunks(...parts: (string | Uint8Array | Error | Promise<unknown>)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    if (part instanceof Promise) await part;
    else yield Buffer.from(part);
  }
}

/** A sender and a receiver by hand, which are what the transfer is between. */
interface Ends {
  readonly send: typeof send;
  readonly scriptedServer: typeof scriptedServer;
}

/** Runs a case on plain TCP and on TLS: what comes of it must be the same. */
function bothWays(name: string, body: (t: Test, ends: Ends) => Promise<void>): void {
  t.test(`${name} (plain)`, (t) => body(t, { send, scriptedServer }));
  t.test(`${name} (TLS)`, { skip: noOpenssl }, (t) => {
    const tls = { ca: certificates().ca.cert };
    return body(t, { send: (file, options) => send(file, { tls, ...options }), scriptedServer: secureScriptedServer });
  });
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return {
    opened,
    open: () => {
      open();
    },
  };
}

bothWays(
  'sends the header in one write, waits for the reply, then sends exactly the bytes and a FIN',
  async (t, { send, scriptedServer }) => {
    const directory = t.testdir({});
    const chunkSize = 1000;
    const cases: [Sendable | undefined, string | undefined, number, string][] = [
      [undefined, 'grüße — 日本.txt', 0, 'grüße — 日本.txt'],
      [undefined, 'n'.repeat(1016), 1, 'n'.repeat(1016)],
      [undefined, '\uFEFFbom', 999, '\uFEFFbom'],
      [undefined, 'sub/dir\\x', 1000, 'sub/dir\\x'],
      [undefined, 'x', 1001, 'x'],
      [join(directory, 'in the folder.bin'), undefined, 0, 'in the folder.bin'],
      [join(directory, 'path.bin'), undefined, 2500, 'path.bin'],
      [join(directory, 'another.bin'), 'renamed', 3000, 'renamed'],
    ];
    for (const [file, name, size, announced] of cases) {
      const header = headerBytes(size, announced);
      const body = pattern(size);
      if (typeof file === 'string') writeFileSync(file, body);
      const writes: Buffer[] = [];
      const server = await scriptedServer(t, async (peer) => {
        peer.socket.on('data', (chunk: Buffer) => writes.push(chunk));
        await peer.has(header.length);
        await turns(20);
        t.same(writes, [header], 'one write, bit by bit, and silence until the reply');
        await storing(peer, header.length, size);
      });
      const progress: bigint[] = [];
      const receipt = await send(file ?? body, {
        ...(name === undefined ? {} : { name }),
        port: server.port,
        clock: new ManualClock(),
        chunkSize,
        onProgress: (sent, of) => {
          t.equal(of, BigInt(size));
          progress.push(sent);
        },
      });
      t.same(receipt, { name: announced, size: BigInt(size), ms: 0, attempts: 1 });
      t.ok(server.peers[0]?.received.equals(Buffer.concat([header, body])), `${size} bytes, unchanged`);
      t.equal(await server.peers[0]?.ended, 'FIN', 'and its sending side is closed (7.1)');
      const steps = Array.from({ length: Math.ceil(size / chunkSize) }, (_, i) => Math.min((i + 1) * chunkSize, size));
      t.same(progress, [0, ...steps].map(BigInt), 'progress goes up to the size, chunk by chunk');
    }
  },
);

// What the receiver sends, piece by piece, and how the transfer ends. The body is 3 bytes.
const REPLIES: readonly [name: string, pieces: readonly string[], code: ErrorCode | 'confirmed'][] = [
  ['whole', ['go ahead'], 'confirmed'],
  ['in two pieces', ['go', ' ahead'], 'confirmed'],
  ['byte by byte', 'go ahead'.split(/(?:)/), 'confirmed'],
  ['in capitals', ['GO AHEAD'], 'REPLY_WRONG'],
  ['with something before', [' go ahead'], 'REPLY_WRONG'],
  ['with a line end', ['go ahead\n'], 'REPLY_WRONG'],
  ['with a line end later', ['go ahead', '\n'], 'REPLY_WRONG'],
  ['twice', ['go aheadgo ahead'], 'REPLY_WRONG'],
  ['twice, one after the other', ['go ahead', 'go ahead'], 'REPLY_WRONG'],
  ['wrong at its last byte', ['go aheaD'], 'REPLY_WRONG'],
  ['another protocol', ['HTTP/1.1 400 Bad Request\r\n\r\n'], 'REPLY_WRONG'],
  ['a NUL', ['\0'], 'REPLY_WRONG'],
  ['a megabyte', ['go aheae'.repeat(2 ** 17)], 'REPLY_WRONG'],
];

for (const [name, pieces, code] of REPLIES) {
  bothWays(`a reply ${name}`, async (t, { send, scriptedServer }) => {
    const server = await scriptedServer(t, async (peer) => {
      await peer.has(9);
      for (const piece of pieces) {
        await peer.write(piece);
        await turns(3);
      }
      if (code !== 'confirmed') return;
      await peer.ended;
      peer.fin();
    });
    // Bytes after the reply meet the body: it is held back, so that all of them come before its end.
    const { opened, open } = gate();
    if (code === 'confirmed') open();
    const result = await outcome(
      send(chunks(opened, 'abc'), { name: 'n', size: 3n, port: server.port, clock: new ManualClock() }),
    );
    t.equal(codeOf(result), code);
    if (code === 'confirmed') return;
    open();
    t.match(result, { clause: '5.5', side: 'peer', mayBeStored: false });
    t.equal(await server.peers[0]?.ended, 'RST');
    t.equal(server.peers[0]?.receivedLength, 9, 'and sends nothing from then on');
  });
}

interface Fault {
  readonly name: string;
  /** Runs at the receiver once the header is there. */
  readonly script: (peer: Peer) => Promise<void> | void;
  readonly size: number;
  readonly code: ErrorCode | readonly ErrorCode[];
  readonly mayBeStored?: boolean;
  /** Holds the body back after its first byte. */
  readonly held?: boolean;
  /** A timeout that must pass first. */
  readonly passes?: number;
  readonly retried?: boolean;
}

const replied = async (peer: Peer): Promise<void> => peer.write(GO_AHEAD);
const FAULTS: readonly Fault[] = [
  { name: 'FIN instead of the reply', script: (peer) => peer.fin(), size: 3, code: 'REFUSED' },
  {
    name: 'RST instead of the reply',
    script: (peer) => peer.reset(),
    size: 3,
    code: 'CONNECTION_RESET',
    retried: true,
  },
  {
    name: 'FIN in the reply',
    script: async (peer) => peer.write('go a').then(() => peer.fin()),
    size: 3,
    code: 'REFUSED',
  },
  {
    name: 'RST in the reply',
    script: async (peer) => peer.write('go a').then(() => peer.reset()),
    size: 3,
    code: 'CONNECTION_RESET',
    retried: true,
  },
  { name: 'no reply', script: () => undefined, size: 3, code: 'REPLY_TIMEOUT', passes: 30_000, retried: true },
  {
    name: 'half a reply',
    script: (peer) => peer.write('go a'),
    size: 3,
    code: 'REPLY_TIMEOUT',
    passes: 30_000,
    retried: true,
  },
  {
    name: 'FIN in the body',
    script: async (peer) => {
      await replied(peer);
      await peer.has(10);
      peer.fin();
    },
    size: 3,
    held: true,
    code: 'CLOSED_EARLY',
    retried: true,
  },
  {
    name: 'FIN right after the reply',
    script: async (peer) => {
      await replied(peer);
      peer.fin();
    },
    size: 3,
    held: true,
    code: 'CLOSED_EARLY',
    retried: true,
  },
  {
    name: 'RST in the body',
    script: async (peer) => {
      await replied(peer);
      await peer.has(10);
      peer.reset();
    },
    size: 3,
    held: true,
    code: 'CONNECTION_RESET',
    retried: true,
  },
  {
    name: 'RST after the last byte',
    script: async (peer) => {
      await replied(peer);
      await peer.ended;
      peer.reset();
    },
    size: 3,
    code: 'CONNECTION_RESET',
    mayBeStored: true,
  },
  {
    name: 'a byte after the last byte',
    script: async (peer) => {
      await replied(peer);
      await peer.ended;
      await peer.write('!');
    },
    size: 3,
    code: 'REPLY_WRONG',
    mayBeStored: true,
  },
  {
    name: 'no end after the last byte',
    script: replied,
    size: 3,
    code: 'CONFIRM_TIMEOUT',
    mayBeStored: true,
    passes: 120_000,
  },
  { name: 'an empty file, refused', script: (peer) => peer.fin(), size: 0, code: 'REFUSED' },
  {
    name: 'an empty file, no reply',
    script: () => undefined,
    size: 0,
    code: 'REPLY_TIMEOUT',
    mayBeStored: true,
    passes: 30_000,
  },
  {
    name: 'an empty file, reply and RST at once',
    script: async (peer) => {
      await replied(peer);
      peer.reset();
    },
    size: 0,
    code: 'CONNECTION_RESET',
    mayBeStored: true,
  },
  {
    name: 'an empty file, RST after its FIN',
    script: async (peer) => {
      await replied(peer);
      await peer.ended;
      peer.reset();
    },
    size: 0,
    code: 'CONNECTION_RESET',
    mayBeStored: true,
  },
];

for (const { name, script, size, code, mayBeStored = false, held = false, passes, retried = false } of FAULTS) {
  bothWays(`fails: ${name}; ${retried ? 'tried again' : 'once'}`, async (t, { send, scriptedServer }) => {
    const server = await scriptedServer(t, async (peer) => {
      await peer.has(9);
      await script(peer);
    });
    const body = pattern(size);
    const path = join(t.testdir({ n: '' }), 'n');
    writeFileSync(path, body);
    for (const kind of ['bytes', 'path', 'stream'] as const) {
      const clock = new ManualClock();
      const before = server.peers.length;
      const { opened, open } = gate();
      const file = { bytes: body, path, stream: held ? chunks(body.subarray(0, 1), opened) : Readable.from([body]) }[
        kind
      ];
      const told: number[] = [];
      const options: SendOptions = {
        name: 'n',
        size: BigInt(size),
        port: server.port,
        clock,
        retries: 2,
        retryDelay: 8,
        // Bytes and paths are held back by a pause that nobody ends.
        ...(held && kind !== 'stream' ? { pause: 77, chunkSize: 1 } : {}),
        onProgress: (sent) => {
          if (held && sent === 0n) setImmediate(() => clock.advance(77));
        },
        onRetry: (error, attempt) => {
          t.equal(error.mayBeStored, false);
          told.push(attempt);
          setImmediate(() => clock.advance(32));
        },
      };
      const attempts = retried && kind !== 'stream' ? 3 : 1;
      const sending = outcome(send(file, options));
      if (passes !== undefined) {
        for (let attempt = 1; attempt <= attempts; attempt++) {
          await until(() => server.peers.length === before + attempt);
          await server.peers.at(-1)?.has(9 + (passes === 120_000 ? size : 0));
          await until(() => clock.armed(passes) === 1);
          clock.advance(passes);
        }
      }
      const result = await sending;
      open();
      t.ok([code].flat().includes(codeOf(result) as ErrorCode), `${kind}: ${codeOf(result)}`);
      t.match(result, { mayBeStored, side: 'peer' }, kind);
      t.equal(server.peers.length - before, attempts, `${kind}: ${attempts} tries`);
      t.same(told, attempts === 1 ? [] : [1, 2]);
      t.equal(clock.armed(), 0, 'no timer is left');
    }
  });
}

bothWays('tries again until it succeeds, and counts', async (t, { send, scriptedServer }) => {
  const server = await scriptedServer(t, (peer, index) => (index < 2 ? peer.reset() : storing(peer, 9, 3)));
  const clock = new ManualClock();
  const receipt = await send(pattern(3), {
    name: 'n',
    port: server.port,
    clock,
    retries: 5,
    onRetry: () => setImmediate(() => clock.advance(30_000)),
  });
  t.equal(receipt.attempts, 3);
  t.equal(receipt.ms, 60_000);
});

t.test('a signal that comes while another try is announced ends it', async (t) => {
  const server = await scriptedServer(t, (peer) => peer.reset());
  const abort = new AbortController();
  const clock = new ManualClock();
  const { port } = server;
  const result = await outcome(
    send(pattern(3), { name: 'n', port, clock, retries: 5, signal: abort.signal, onRetry: () => abort.abort() }),
  );
  t.match(result, { code: 'ABORTED', mayBeStored: false });
  t.equal(clock.armed(), 0);
  t.equal(server.peers.length, 1);
});

t.test('waits longer from try to try, up to half a minute, and never exactly as long', async (t) => {
  const port = await freePort('127.0.0.1');
  const clock = new ManualClock();
  const result = await outcome(
    send(pattern(1), {
      name: 'n',
      port,
      clock,
      retries: 10,
      connectTimeout: 1,
      onRetry: () => setImmediate(() => clock.advance(30_000)),
    }),
  );
  t.match(result, {
    code: 'CONNECT_FAILED',
    mayBeStored: false,
    message: /is the server running/,
    actual: 'ECONNREFUSED',
  });
  const waits = clock.asked.filter((ms) => ms !== 1);
  t.equal(waits.length, 10);
  for (const [index, ms] of waits.entries()) {
    const longest = Math.min(500 * 2 ** index, 30_000);
    t.ok(ms >= longest / 2 && ms <= longest, `${ms} of ${longest}`);
  }
  t.ok(new Set(waits.slice(-3)).size > 1, 'spread, so that many clients do not come back as one');
});

t.test('says why there is no connection', async (t) => {
  const port = await freePort('127.0.0.1');
  const clock = new ManualClock();
  const unknown = await outcome(send(pattern(1), { name: 'n', host: 'host.invalid', port, clock }));
  t.match(unknown, { code: 'CONNECT_FAILED', message: /host\.invalid:\d+: the host is not known/ });
  const both = await outcome(send(pattern(1), { name: 'n', host: 'localhost', port, clock }));
  t.match(both, { code: 'CONNECT_FAILED', message: /is the server running/ });
  const broadcast = await outcome(send(pattern(1), { name: 'n', host: '255.255.255.255', port, clock }));
  t.match(broadcast, { code: 'CONNECT_FAILED', cause: Error });
  t.ok(broadcast instanceof GoAheadError && !broadcast.message.endsWith(': '), 'always with a reason');
  const full = await scriptedServer(t, (peer) => peer.reset());
  const reset = await outcome(send(pattern(1), { name: 'n', port: full.port, clock }));
  // Whether the connection was there for a moment is a matter of time.
  t.match(reset, { message: /it was reset at once; the server may serve as many as it can|the connection was lost/ });
  t.equal(clock.armed(), 0);
});

t.test('gives up on a connection that does not come', async (t) => {
  const server = await scriptedServer(t, () => undefined);
  const clock = new ManualClock();
  const sending = outcome(send(pattern(1), { name: 'n', port: server.port, clock }));
  // Before the event loop turns, so before any connection.
  while (clock.armed(10_000) === 0) await Promise.resolve();
  clock.advance(10_000);
  t.match(await sending, { code: 'CONNECT_TIMEOUT', mayBeStored: false });
  t.equal(clock.armed(), 0);
});

t.test('what is wrong on this side is wrong before anything is connected', async (t) => {
  const directory = t.testdir({ file: 'abc', folder: {} });
  const path = (name: string): string => join(directory, name);
  execFileSync('mkfifo', [path('fifo')]);
  const server = await scriptedServer(t, () => undefined);
  const cases: (readonly [Sendable, SendOptions, ErrorCode])[] = [
    [path('missing'), {}, 'SOURCE_INVALID'],
    [path('folder'), {}, 'SOURCE_INVALID'],
    [path('fifo'), {}, 'SOURCE_INVALID'],
    ['/', {}, 'SOURCE_INVALID'],
    ...(existsSync('/proc/version') ? [['/proc/version', {}, 'SOURCE_INVALID'] as const] : []),
    [path('file'), { name: '' }, 'NAME_INVALID'],
    [path('file'), { name: 'n'.repeat(1017) }, 'NAME_INVALID'],
    [path('file'), { name: 'ü'.repeat(509) }, 'NAME_INVALID'],
    [path('file'), { name: 'lone \uD800' }, 'NAME_INVALID'],
    [path('file'), { chunkSize: 0 }, 'OPTION_INVALID'],
    [path('file'), { port: 65_536 }, 'OPTION_INVALID'],
    [path('file'), { port: NaN }, 'OPTION_INVALID'],
    [pattern(3), {}, 'OPTION_INVALID'],
    [chunks('abc'), { name: 'n' }, 'OPTION_INVALID'],
    [chunks('abc'), { size: 3n }, 'OPTION_INVALID'],
    [chunks('abc'), { name: 'n', size: -1n }, 'SIZE_INVALID'],
    [chunks('abc'), { name: 'n', size: 2n ** 64n }, 'SIZE_INVALID'],
    [path('file'), { signal: AbortSignal.abort('no') }, 'ABORTED'],
  ];
  const clock = new ManualClock();
  for (const [file, options, code] of cases) {
    const result = await outcome(send(file, { port: server.port, clock, retries: 3, ...options }));
    t.equal(codeOf(result), code, JSON.stringify({ ...options, size: String(options.size) }));
    t.match(result, { side: 'local', mayBeStored: false });
  }
  await turns();
  t.equal(server.peers.length, 0);
  t.equal(clock.armed(), 0);
});

t.test('what is neither a path nor bytes nor a stream is refused, whatever the types say', async (t) => {
  const untyped = send as (file: unknown, options?: SendOptions) => Promise<Receipt>;
  const size = 3n;
  for (const [file, options, actual] of [
    [new Blob(['abc']), { name: 'n', size }, 'Blob'],
    [new Blob(['abc']), {}, 'Blob'],
    [new URL('http://x'), { name: 'n', size }, 'URL'],
    [[pattern(3)], { name: 'n', size }, 'Array'],
    [pattern(3).buffer, { name: 'n', size }, 'ArrayBuffer'],
    [undefined, {}, 'Undefined'],
    [null, { name: 'n' }, 'Null'],
    [{ [Symbol.toStringTag]: '\u001b[31m' }, {}, '\\u001b[31m'],
  ] as const) {
    const result = await outcome(untyped(file, options));
    const message = `what is sent must be a path as a string, bytes as a Uint8Array, or a stream or another async iterable of bytes, not ${actual}`;
    t.match(result, { code: 'OPTION_INVALID', side: 'local', message }, actual);
  }
});

bothWays('follows a link to a file, and sends the name of the link', async (t, { send, scriptedServer }) => {
  const directory = t.testdir({ file: 'abc' });
  symlinkSync('file', join(directory, 'link'));
  const server = await scriptedServer(t, (peer) => storing(peer, 12, 3));
  t.match(await send(join(directory, 'link'), { port: server.port }), { name: 'link', size: 3n });
  t.same(server.peers[0]?.received, Buffer.concat([headerBytes(3, 'link'), Buffer.from('abc')]));
});

bothWays('a signal ends the transfer at every moment', async (t, { send, scriptedServer }) => {
  const states = [
    'opening',
    'connecting',
    'awaiting reply',
    'body',
    'awaiting close',
    'retrying',
    'telling of a retry',
  ] as const;
  for (const state of states) {
    const path = join(t.testdir({ file: 'abc' }), 'file');
    const server = await scriptedServer(t, async (peer) => {
      await peer.has(12);
      if (state === 'body' || state === 'awaiting close') await peer.write(GO_AHEAD);
      if (state.includes('retr')) peer.reset();
    });
    const abort = new AbortController();
    const clock = new ManualClock();
    const reason = new Error(`stop ${state}`);
    const stop = (): void => abort.abort(reason);
    const sending = outcome(
      send(path, {
        port: server.port,
        clock,
        signal: abort.signal,
        retries: 9,
        pause: state === 'body' ? 77 : 0,
        onRetry: () => {
          if (state === 'retrying') setImmediate(stop);
          else stop();
        },
      }),
    );
    if (state === 'opening') stop();
    if (state === 'connecting') await until(() => clock.armed(10_000) === 1).then(stop);
    if (state === 'awaiting reply') await until(() => server.peers[0]?.receivedLength === 12).then(stop);
    if (state === 'body') await until(() => clock.armed(77) === 1).then(stop);
    if (state === 'awaiting close') await until(() => server.peers[0]?.ending === 'FIN').then(stop);
    t.match(await sending, { code: 'ABORTED', cause: reason, mayBeStored: state === 'awaiting close' }, state);
    if (state === 'awaiting reply' || state === 'body') t.equal(await server.peers[0]?.ended, 'RST', state);
    await turns();
    t.ok(server.peers.length <= 1, 'no other connection is made');
    t.equal(clock.armed(), 0, 'no timer is left');
  }
});

bothWays(
  'a file that changes while it is sent fails, and is neither padded nor cut',
  async (t, { send, scriptedServer }) => {
    const path = join(t.testdir({}), 'file');
    const size = 40_000;
    const changes: [string, () => void][] = [
      ['grows', () => appendFileSync(path, 'more')],
      ['shrinks', () => truncateSync(path, size / 2)],
      ['is rewritten', () => writeFileSync(path, Buffer.alloc(size, 1))],
      ['vanishes', () => unlinkSync(path)],
      [
        'is replaced',
        () => {
          writeFileSync(`${path}.new`, pattern(size));
          renameSync(`${path}.new`, path);
        },
      ],
    ];
    for (const [what, change] of changes) {
      writeFileSync(path, pattern(size));
      const server = await scriptedServer(t, async (peer) => {
        await peer.has(12);
        await peer.write(GO_AHEAD);
      });
      const result = await outcome(
        send(path, {
          port: server.port,
          clock: new ManualClock(),
          chunkSize: 10_000,
          retries: 3,
          onProgress: (sent) => {
            if (sent === 10_000n) change();
          },
        }),
      );
      t.match(result, { code: 'SOURCE_CHANGED', side: 'local', mayBeStored: false }, what);
      const [peer] = server.peers;
      t.equal(await peer?.ended, 'RST', `${what}: the receiver cannot take it for complete`);
      t.ok((peer?.receivedLength ?? 0) < 12 + size, `${what}: the last chunk was not sent`);
      t.equal(server.peers.length, 1, `${what}: not tried again`);
    }
  },
);

bothWays('a stream is sent in its exact length or fails', async (t, { send, scriptedServer }) => {
  const fault = new Error('EIO');
  const cases: [string, AsyncIterable<Uint8Array>, bigint, ErrorCode | 'confirmed'][] = [
    ['exact', chunks('ab', '', 'cde'), 5n, 'confirmed'],
    ['empty', chunks(), 0n, 'confirmed'],
    ['too short', chunks('ab'), 5n, 'SOURCE_CHANGED'],
    ['too long by a chunk', chunks('abcde', 'f'), 5n, 'SOURCE_CHANGED'],
    ['too long within a chunk', chunks('ab', 'cdef'), 5n, 'SOURCE_CHANGED'],
    ['not empty', chunks('a'), 0n, 'SOURCE_CHANGED'],
    ['failing', chunks('ab', fault), 5n, 'SOURCE_CHANGED'],
    ['failing at once', chunks(fault), 5n, 'SOURCE_CHANGED'],
    ['of text', Readable.from(['grün']) as AsyncIterable<Uint8Array>, 4n, 'SOURCE_INVALID'],
  ];
  for (const [what, stream, size, code] of cases) {
    const server = await scriptedServer(t, (peer) => storing(peer, 9, Number(size)));
    const result = await outcome(send(stream, { name: 'n', size, port: server.port, clock: new ManualClock() }));
    t.equal(codeOf(result), code, what);
    if (code === 'confirmed') continue;
    t.equal(await server.peers[0]?.ended, 'RST', what);
    // For nothing announced the header completes the transfer, so nobody can know.
    t.match(result, { mayBeStored: size === 0n }, what);
    if (what.startsWith('failing')) t.match(result, { cause: fault });
  }
});

bothWays('a receiver that reads slowly is not one that reads nothing', async (t, { send, scriptedServer }) => {
  const size = 32 * 2 ** 20;
  const server = await scriptedServer(t, async (peer) => {
    await peer.has(9);
    await peer.write(GO_AHEAD);
    peer.socket.pause();
    await peer.ended;
    peer.fin();
  });
  const clock = new ManualClock();
  const options = { name: 'n', port: server.port, clock, chunkSize: size };
  const sending = outcome(send(Buffer.alloc(size), options));
  await until(() => server.peers[0]?.socket.isPaused() === true);
  const [peer] = server.peers;
  if (peer === undefined) throw new Error('no connection');
  let most = 0;
  peer.socket.on('data', () => {
    if (peer.receivedLength >= most) peer.socket.pause();
  });
  for (let minute = 1; minute <= 4; minute++) {
    // So much that the kernel takes more of the one large write.
    most = peer.receivedLength + 6 * 2 ** 20;
    peer.socket.resume();
    await until(() => peer.receivedLength >= most);
    await turns(500);
    clock.advance(59_999);
    await turns();
  }
  most = Infinity;
  peer.socket.resume();
  t.match(await sending, { name: 'n', size: BigInt(size) });
});

bothWays(
  'a receiver that stops to read stops the source, and times out when it goes on so',
  async (t, { send, scriptedServer }) => {
    const server = await scriptedServer(t, async (peer) => {
      await peer.has(9);
      await peer.write(GO_AHEAD);
      peer.socket.pause();
    });
    const chunk = Buffer.alloc(2 ** 20);
    let made = 0;
    const endless = (async function* () {
      for (;;) {
        made += chunk.length;
        yield chunk;
      }
    })();
    const clock = new ManualClock();
    const sent: bigint[] = [];
    const sending = outcome(
      send(endless, { name: 'n', size: 2n ** 40n, port: server.port, clock, onProgress: (bytes) => sent.push(bytes) }),
    );
    await until(() => sent.length > 0);
    // Until the kernel takes no more: nothing moves for many turns.
    for (let before = -1; before !== made;) {
      before = made;
      await turns(500);
    }
    t.ok(made < 64 * 2 ** 20, `${made} bytes were made for a kernel that holds some`);
    t.ok(BigInt(made) - (sent.at(-1) ?? 0n) <= 2 * chunk.length, 'two chunks are held at most');
    // What the kernel took after the write counts as taken in the first minute.
    clock.advance(120_000);
    t.match(await sending, { code: 'SEND_TIMEOUT', mayBeStored: false });
    const told = sent.length;
    t.same(
      [...sent].sort((a, b) => (a < b ? -1 : 1)),
      sent,
      'progress never goes back',
    );
    await turns();
    t.equal(sent.length, told, 'nothing is told after the end');
    t.equal(clock.armed(), 0, 'no timer is left');
  },
);

bothWays('a slow source is not the fault of the receiver', async (t, { send, scriptedServer }) => {
  const server = await scriptedServer(t, (peer) => storing(peer, 9, 2));
  const clock = new ManualClock();
  const { opened, open } = gate();
  const sending = outcome(send(chunks('a', opened, 'b'), { name: 'n', size: 2n, port: server.port, clock }));
  await until(() => server.peers[0]?.receivedLength === 10);
  clock.advance(60_000);
  clock.advance(60_000);
  open();
  t.equal(codeOf(await sending), 'confirmed');
});

bothWays('a callback that throws ends its transfer, with its error', async (t, { send, scriptedServer }) => {
  const fault = new Error('the caller has a bug');
  for (const at of [0n, 1000n, 3000n]) {
    const server = await scriptedServer(t, (peer) => storing(peer, 9, 3000));
    const clock = new ManualClock();
    const onProgress = (sent: bigint): void => {
      if (sent === at) throw fault;
    };
    const result = await outcome(
      send(pattern(3000), { name: 'n', port: server.port, clock, chunkSize: 1000, onProgress }),
    );
    t.match(result, { code: 'INTERNAL', cause: fault, mayBeStored: at === 3000n }, String(at));
    t.equal(await server.peers[0]?.ended, 'RST');
    t.equal(clock.armed(), 0);
  }
  const port = await freePort('127.0.0.1');
  const onRetry = (): void => {
    throw fault;
  };
  t.match(await outcome(send(pattern(1), { name: 'n', port, retries: 1, onRetry })), {
    code: 'INTERNAL',
    cause: fault,
  });
});

t.test('uses the customary address and its own clock unless told otherwise', async (t) => {
  const result = await outcome(
    send(pattern(1), { name: 'n', signal: new AbortController().signal, connectTimeout: 1000 }),
  );
  // Nothing listens there on most machines; where something does, it is whatever it answers.
  t.ok(
    !(result instanceof GoAheadError) || result.code !== 'CONNECT_FAILED' || result.message.includes('127.0.0.1:12000'),
  );
});
