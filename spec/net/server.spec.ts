import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { GoAheadError, type ErrorCode } from '../../lib/errors.js';
import { MemoryStorage } from '../../lib/storage/memory-storage.js';
import { everyWay, isOver, serverRig, upload, type RigOptions } from './server-rig.js';
import {
  DISK_FAULT,
  GO_AHEAD,
  headerBytes,
  pattern,
  ScriptedStorage,
  turns,
  type Answer,
  type Ending,
  type Peer,
  type StorageCall,
} from './support.js';
import { until } from '../support/until.js';

t.jobs = 1;

// Around the three sizes of read buffers, where a chunk ends exactly with a buffer or one byte beside it.
const SIZES = [0, 1, 2_047, 2_048, 2_049, 65_535, 65_536, 65_537, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 5_000_000];

everyWay('stores files of every size around its buffers, and closes when they stand', {}, async (t, rig) => {
  for (const [index, size] of SIZES.entries()) {
    const name = `size-${size}`;
    const body = pattern(size);
    const peer = await rig.connect();
    await upload(peer, headerBytes(size, name), body);
    t.equal(await peer.ended, 'FIN');
    t.same(rig.files().get(name)?.equals(body), true, `${size} bytes stand when the receipt comes`);
    t.same(peer.received, GO_AHEAD, 'nothing but the reply was sent');
    await isOver(rig, index + 1);
  }
  t.equal(rig.files().size, SIZES.length, 'nothing else is in the directory');
});

everyWay('tells of an upload: who, what, how far, and where it is', {}, async (t, rig) => {
  const first = await rig.connect();
  const ports = [`127.0.0.1:${first.tcp.localPort}`];
  await upload(first, headerBytes(5, 'one/notes.txt'), Buffer.from('hello'));
  await first.ended;
  const second = await rig.connect();
  ports.push(`127.0.0.1:${second.tcp.localPort}`);
  await until(() => rig.server.connections === 1);
  rig.clock.advance(7);
  await second.write(headerBytes(4, 'two'));
  await second.has(8);
  rig.clock.advance(5);
  await second.write('ab');
  await until(() => rig.seen.at(-1)?.kind === 'progress' && rig.seen.at(-1)?.upload.id === 2);
  second.fin();
  await second.ended;
  await isOver(rig, 2);
  const one = { id: 1, peer: ports[0], name: 'one/notes.txt', size: 5n, ms: 0 };
  const two = { id: 2, peer: ports[1], name: 'two', size: 4n };
  t.same(
    rig.seen.map(({ error, ...rest }) => (error === undefined ? rest : { ...rest, code: error.code })),
    [
      { kind: 'begun', upload: { ...one, received: 0n } },
      { kind: 'progress', upload: { ...one, received: 5n } },
      {
        kind: 'stored',
        upload: { ...one, received: 5n },
        stored: { name: 'notes.txt', path: join(rig.directory, 'notes.txt'), size: 5n },
      },
      { kind: 'begun', upload: { ...two, received: 0n, ms: 7 } },
      { kind: 'progress', upload: { ...two, received: 2n, ms: 12 } },
      { kind: 'failed', upload: { ...two, received: 2n, ms: 12 }, code: 'BODY_UNDERRUN' },
    ],
  );
});

everyWay('takes a header in pieces after a quiet, and at once when the stream ends', {}, async (t, rig) => {
  const pieces = headerBytes(0, 'grüße.txt');
  const slow = await rig.connect();
  for (const [index, byte] of pieces.entries()) {
    await slow.write(Buffer.from([byte]));
    // From the ninth byte on every piece that ends a character starts the quiet again.
    if (index === 8) await until(() => rig.clock.asked.includes(50));
    await turns(3);
  }
  t.equal(slow.receivedLength, 0, 'no reply before the quiet');
  await until(() => rig.clock.armed(50) === 1);
  rig.clock.advance(50);
  await slow.has(8);
  slow.fin();
  t.equal(await slow.ended, 'FIN');

  const ending = await rig.connect();
  await ending.write(pieces.subarray(0, 9));
  await until(() => rig.seen.at(-1)?.kind === 'begun');
  t.equal(rig.seen.at(-1)?.upload.name, 'g', 'a header that came in one piece needs no quiet');
  ending.fin();
  t.equal(await ending.ended, 'FIN');

  const fin = await rig.connect();
  await fin.write(pieces.subarray(0, 3));
  await turns();
  await fin.write(pieces.subarray(3));
  fin.fin();
  t.equal(await fin.ended, 'FIN', 'the end of the stream is the end of the header');
  t.same(fin.received, GO_AHEAD);
  t.same([...rig.files().keys()].sort(), ['g', 'grüße (1).txt', 'grüße.txt']);
});

everyWay('stores within the grace when the sender keeps its side open', {}, async (t, rig) => {
  const peer = await rig.connect();
  await peer.write(headerBytes(3, 'classic'));
  await peer.has(8);
  await peer.write('abc');
  await until(() => rig.clock.armed(250) === 1);
  t.equal(peer.ending, undefined);
  t.notOk(rig.files().has('classic'), 'not before the grace has passed');
  rig.clock.advance(250);
  t.equal(await peer.ended, 'FIN', 'and does not wait for the sender to close');
  t.same(rig.files().get('classic'), Buffer.from('abc'));
});

type Step = Uint8Array | 'go ahead' | 'fin' | 'reset' | { readonly passes: number } | { readonly calls: StorageCall };

interface Failure {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly code: ErrorCode | readonly ErrorCode[];
  /** What the sender sees: `refused` is a FIN without a byte, `closed` a FIN or a reset without a byte (bytes that nobody
   * has read turn a close into a reset), `reset` is a reset after the reply, `gone` where the sender itself reset. */
  readonly wire: 'refused' | 'closed' | 'reset' | 'gone';
  /** With TLS, bytes of it are left unread where plainly there are none: `refused` is `closed` then. */
  readonly unreadTls?: boolean;
  readonly answers?: Partial<Record<StorageCall, Answer>>;
  readonly failure?: unknown;
  readonly options?: RigOptions;
}

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
const big = (size: bigint): Buffer => headerBytes(size, 'x');

const FAILURES: readonly Failure[] = [
  // Before the reply.
  { name: 'nothing, then FIN', steps: ['fin'], code: 'HEADER_INCOMPLETE', wire: 'refused' },
  { name: 'nothing, then RST', steps: ['reset'], code: 'CONNECTION_RESET', wire: 'gone' },
  { name: 'a size alone', steps: [headerBytes(3, ''), 'fin'], code: 'HEADER_INCOMPLETE', wire: 'refused' },
  {
    name: 'RST in the size',
    steps: [headerBytes(3, '').subarray(0, 5), 'reset'],
    code: 'CONNECTION_RESET',
    wire: 'gone',
  },
  {
    name: 'a name cut in a character',
    steps: [headerBytes(3, Buffer.from([0x61, 0xc3])), 'fin'],
    code: 'HEADER_INCOMPLETE',
    wire: 'refused',
  },
  {
    name: 'not UTF-8',
    steps: [headerBytes(3, Buffer.from([0x61, 0xff])), 'fin'],
    code: 'NAME_NOT_UTF8',
    wire: 'refused',
    unreadTls: true,
  },
  {
    name: 'a header of 1,025 bytes',
    steps: [headerBytes(3, 'n'.repeat(1017))],
    code: 'HEADER_TOO_LONG',
    wire: 'refused',
  },
  {
    name: 'header and a long body glued',
    steps: [Buffer.concat([headerBytes(5000, 'glued'), pattern(5000)])],
    code: 'HEADER_TOO_LONG',
    wire: 'closed',
  },
  { name: 'the name ..', steps: [headerBytes(3, '..')], code: 'NAME_UNSAFE', wire: 'refused' },
  { name: 'the name a/', steps: [headerBytes(3, 'a/')], code: 'NAME_UNSAFE', wire: 'refused' },
  { name: 'a NUL', steps: [headerBytes(3, 'a\0b')], code: 'NAME_UNSAFE', wire: 'refused' },
  { name: 'a name of 256 bytes', steps: [headerBytes(3, 'n'.repeat(256))], code: 'NAME_UNSAFE', wire: 'refused' },
  { name: 'GET / HTTP/1.1', steps: [ascii('GET / HTTP/1.1\r\nHost: x\r\n\r\n')], code: 'NAME_UNSAFE', wire: 'refused' },
  { name: 'GET / HTTP/1.1 alone', steps: [ascii('GET / HTTP/1.1')], code: 'NO_SPACE', wire: 'refused' },
  { name: '2^53 + 1 bytes', steps: [big(2n ** 53n + 1n)], code: 'NO_SPACE', wire: 'refused' },
  { name: '2^64 - 1 bytes', steps: [big(2n ** 64n - 1n)], code: 'NO_SPACE', wire: 'refused' },
  { name: 'over the limit', steps: [big(4n)], code: 'SIZE_OVER_LIMIT', wire: 'refused', options: { maxSize: 3n } },
  {
    name: 'over the space',
    steps: [big(4n)],
    code: 'NO_SPACE',
    wire: 'refused',
    answers: { create: 'throws' },
    failure: new GoAheadError('NO_SPACE', 'the disk is full'),
  },
  { name: 'create throws', steps: [big(4n)], code: 'STORAGE_FAILED', wire: 'refused', answers: { create: 'throws' } },
  { name: 'create rejects', steps: [big(4n)], code: 'STORAGE_FAILED', wire: 'refused', answers: { create: 'rejects' } },
  {
    name: 'no byte in time',
    steps: [{ passes: 10_000 }],
    code: 'HEADER_TIMEOUT',
    wire: 'refused',
    // The last step of the handshake may be under way.
    unreadTls: true,
  },
  {
    name: 'a slow header, byte by byte',
    steps: [{ passes: 4_000 }, ascii('\0'), { passes: 4_000 }, ascii('\0'), { passes: 2_000 }],
    code: 'HEADER_TIMEOUT',
    // The last byte may not have been read.
    wire: 'closed',
  },
  // After it.
  { name: 'FIN after the reply', steps: [big(4n), 'go ahead', 'fin'], code: 'BODY_UNDERRUN', wire: 'reset' },
  { name: 'RST after the reply', steps: [big(4n), 'go ahead', 'reset'], code: 'CONNECTION_RESET', wire: 'gone' },
  { name: 'one byte short', steps: [big(4n), 'go ahead', ascii('abc'), 'fin'], code: 'BODY_UNDERRUN', wire: 'reset' },
  // The bytes and the reset may be read together, which libuv tells as an orderly end.
  {
    name: 'RST in the body',
    steps: [big(4n), 'go ahead', ascii('abc'), 'reset'],
    code: 'CONNECTION_RESET',
    wire: 'gone',
  },
  {
    name: 'RST with the last byte',
    steps: [big(4n), 'go ahead', ascii('abcd'), 'reset'],
    code: 'CONNECTION_RESET',
    wire: 'gone',
  },
  {
    name: 'one byte over, FIN',
    steps: [big(4n), 'go ahead', ascii('abcde'), 'fin'],
    code: 'BODY_OVERRUN',
    wire: 'reset',
  },
  { name: 'a byte over an empty file', steps: [big(0n), 'go ahead', ascii('a')], code: 'BODY_OVERRUN', wire: 'reset' },
  {
    name: 'a byte within the grace',
    steps: [big(4n), 'go ahead', ascii('abcd'), { passes: 249 }, ascii('e')],
    code: 'BODY_OVERRUN',
    wire: 'reset',
  },
  {
    name: 'a second header after the body',
    steps: [big(4n), 'go ahead', Buffer.concat([ascii('abcd'), big(4n)])],
    code: 'BODY_OVERRUN',
    wire: 'reset',
  },
  {
    name: 'RST in the grace',
    steps: [big(4n), 'go ahead', ascii('abcd'), { calls: 'write' }, 'reset'],
    code: 'CONNECTION_RESET',
    wire: 'gone',
    answers: {},
  },
  {
    name: 'header and a short body glued',
    steps: [Buffer.concat([headerBytes(5, 'n'), ascii('hello')]), 'go ahead', 'fin'],
    code: 'BODY_UNDERRUN',
    wire: 'reset',
  },
  { name: 'no body in time', steps: [big(4n), 'go ahead', { passes: 60_000 }], code: 'BODY_TIMEOUT', wire: 'reset' },
  {
    name: 'write throws',
    steps: [big(4n), 'go ahead', ascii('ab')],
    code: 'STORAGE_FAILED',
    wire: 'reset',
    answers: { write: 'throws' },
  },
  {
    name: 'write rejects',
    steps: [big(4n), 'go ahead', ascii('ab')],
    code: 'STORAGE_FAILED',
    wire: 'reset',
    answers: { write: 'rejects' },
  },
  {
    name: 'commit throws',
    steps: [big(4n), 'go ahead', ascii('abcd'), 'fin'],
    code: 'STORAGE_FAILED',
    wire: 'reset',
    answers: { commit: 'throws' },
  },
  {
    name: 'commit rejects',
    steps: [big(4n), 'go ahead', ascii('abcd'), 'fin'],
    code: 'STORAGE_FAILED',
    wire: 'reset',
    answers: { commit: 'rejects' },
  },
  {
    name: 'abort throws besides',
    steps: [big(4n), 'go ahead', ascii('ab'), 'fin'],
    code: 'BODY_UNDERRUN',
    wire: 'reset',
    answers: { abort: 'throws' },
  },
  {
    name: 'abort rejects besides',
    steps: [big(4n), 'go ahead', ascii('ab'), 'fin'],
    code: 'BODY_UNDERRUN',
    wire: 'reset',
    answers: { abort: 'rejects' },
  },
  {
    name: 'everything is slow',
    steps: [big(4n), 'go ahead', ascii('ab'), 'fin'],
    code: 'BODY_UNDERRUN',
    wire: 'reset',
    answers: { create: 'later', write: 'later', abort: 'later' },
  },
];

for (const { name, steps, code, wire, unreadTls = false, answers, failure, options } of FAILURES) {
  let storage: ScriptedStorage | undefined;
  const make = (): RigOptions => {
    storage = answers === undefined ? undefined : new ScriptedStorage(answers, failure);
    return { ...options, ...(storage === undefined ? {} : { storage }) };
  };
  everyWay(`fails: ${name}`, make, async (t, rig) => {
    writeFileSync(join(rig.directory, 'x'), 'stood there before');
    const peer = await rig.connect();
    await until(() => rig.server.connections === 1 || peer.ending !== undefined);
    for (const step of steps) {
      if (step === 'go ahead') {
        await peer.has(8);
        t.same(peer.received, GO_AHEAD);
      } else if (step === 'fin') peer.fin();
      else if (step === 'reset') peer.reset();
      else if (step instanceof Uint8Array) await peer.write(step);
      else if ('calls' in step) await until(() => storage?.calls.includes(step.calls) === true);
      else {
        // The timer that this step is about runs from the moment that the bytes before it have arrived.
        if (step.passes === 249) await until(() => rig.clock.armed(250) === 1);
        rig.clock.advance(step.passes);
      }
    }
    if (wire !== 'gone') {
      const ending = await peer.ended;
      const expected: Record<typeof wire, readonly Ending[]> = {
        refused: unreadTls && rig.way === 'TLS' ? ['FIN', 'RST'] : ['FIN'],
        closed: ['FIN', 'RST'],
        reset: ['RST'],
      };
      t.ok(expected[wire].includes(ending), `${wire}: ${ending}`);
      // After a reset the kernel may throw away a reply that was not read; the steps have read it where it matters.
      if (wire !== 'reset') t.equal(peer.receivedLength, 0, 'not a byte was sent');
    }
    await isOver(rig);
    const last = rig.seen.at(-1);
    t.equal(last?.kind, 'failed');
    t.ok(last?.error !== undefined && [code].flat().includes(last.error.code), String(last?.error?.code));
    t.ok(last?.error instanceof GoAheadError && last.error.message.length > 10);
    if (code === 'STORAGE_FAILED') t.equal(last?.error?.cause, DISK_FAULT, 'the cause is kept');
    t.same([...rig.files()], [['x', Buffer.from('stood there before')]], 'the directory is as it was');
    t.same(storage?.files.size ?? 0, 0);
    const opened = storage?.calls.includes('commit') === false && rig.kinds().includes('begun');
    t.equal(
      storage?.calls.filter((call) => call === 'abort').length ?? 0,
      opened ? 1 : 0,
      'the upload was aborted once',
    );

    if (storage !== undefined) return;
    // The server is alive, and it was the fault that it refused.
    const size = options?.maxSize === undefined ? 5 : 2;
    const good = await rig.connect();
    await upload(good, headerBytes(size, 'good'), pattern(size));
    t.equal(await good.ended, 'FIN');
    t.same(rig.files().get('good'), pattern(size));
  });
}

let asked: ScriptedStorage;
everyWay(
  'refuses bytes that come while the storage is being asked',
  () => ({ storage: (asked = new ScriptedStorage({ create: 'hangs' })) }),
  async (t, rig) => {
    const peer = await rig.connect();
    await peer.write(headerBytes(4, 'early'));
    await until(() => asked.waiting === 1);
    await peer.write('body');
    // What comes later on another connection has been read: so have these bytes.
    const later = await rig.connect();
    await later.write(headerBytes(4, 'later'));
    await until(() => asked.waiting === 2);
    later.reset();
    t.equal(peer.ending, undefined, 'a close of whatever kind means that the disk is as it will be');
    asked.settle();
    t.equal(await peer.ended, 'FIN');
    t.equal(peer.receivedLength, 0);
    await isOver(rig, 2);
    t.match(rig.seen[0], { kind: 'failed', error: { code: 'EARLY_DATA' } });
    t.equal(asked.aborted, 2);
  },
);

for (const [state, call] of [
  ['opening', 'create'],
  ['body', 'write'],
  ['committing', 'commit'],
] as const) {
  let storage: ScriptedStorage;
  const make = (): RigOptions => ({ storage: (storage = new ScriptedStorage({ [call]: 'hangs' })) });

  everyWay(`a reset while the storage works (${state})`, make, async (t, rig) => {
    const peer = await rig.connect();
    await peer.write(headerBytes(4, 'x'));
    if (call !== 'create') {
      await peer.has(8);
      await peer.write('abcd');
    }
    if (call === 'commit') peer.fin();
    await until(() => storage.waiting === 1);
    peer.reset();
    await turns();
    // A socket that is paused, or that has read its end, hears of a reset only later; a commit is not undone by it.
    storage.settle();
    await isOver(rig);
    t.match(
      rig.seen.at(-1),
      call === 'commit' ? { kind: 'stored' } : { kind: 'failed', error: { code: 'CONNECTION_RESET' } },
    );
    t.equal(storage.aborted, call === 'commit' ? 0 : 1);
    t.equal(storage.files.size, call === 'commit' ? 1 : 0);
  });

  everyWay(
    `a storage that hangs (${state}) stops nobody else`,
    () => {
      const good = new MemoryStorage();
      const hanging = (storage = new ScriptedStorage({ [call]: 'hangs' }));
      return { storage: { create: (header) => (header.name === 'hang' ? hanging : good).create(header) } };
    },
    async (t, rig) => {
      const stuck = await rig.connect();
      await stuck.write(headerBytes(4, 'hang'));
      if (call !== 'create') {
        await stuck.has(8);
        await stuck.write('abcd');
        stuck.fin();
      }
      await until(() => storage.waiting === 1);
      for (const size of [0, 5, 100_000]) {
        const peer = await rig.connect();
        await upload(peer, headerBytes(size, `good-${size}`), pattern(size));
        t.equal(await peer.ended, 'FIN');
      }
      rig.clock.advance(60_000);
      await turns();
      t.equal(stuck.ending, undefined, 'the sender is not blamed for the storage');
      storage.settle();
      if (call === 'create') {
        await stuck.has(8);
        await stuck.write('abcd');
        stuck.fin();
      }
      t.equal(await stuck.ended, 'FIN');
      t.same(storage.files.get('hang'), Buffer.from('abcd'));
    },
  );
}

everyWay('a listener that throws breaks nothing, and is reported', {}, async (t, rig) => {
  const reported: GoAheadError[] = [];
  rig.server.on('error', (error) => reported.push(error));
  const faults = (['begun', 'progress', 'stored', 'failed'] as const).map((event) => {
    const fault = new Error(`listener of ${event}`);
    rig.server.on(event, () => {
      throw fault;
    });
    return fault;
  });
  const good = await rig.connect();
  await upload(good, headerBytes(3, 'good'), Buffer.from('abc'));
  t.equal(await good.ended, 'FIN');
  const bad = await rig.connect();
  await bad.write(headerBytes(3, '..'));
  await bad.ended;
  await until(() => reported.length === 4);
  t.same(
    reported.map(({ code }) => code),
    Array(4).fill('INTERNAL'),
  );
  t.strictSame(
    reported.map(({ cause }) => cause),
    faults,
  );
  t.ok(rig.files().has('good'));
});

t.test('a fault that nobody listens for is a warning of the process', async (t) => {
  const rig = await serverRig(t, {});
  rig.server.on('begun', () => {
    throw new Error('nobody listens');
  });
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
  const peer = await rig.connect();
  await upload(peer, headerBytes(0, 'empty'), Buffer.alloc(0));
  t.match(await warned, { code: 'INTERNAL', message: /nobody listens/ });
  t.equal(await peer.ended, 'FIN');
  await rig.server.close();
});

everyWay('serves 64 clients at once while one of them stalls', {}, async (t, rig) => {
  const body = pattern(200_000);
  const stalled = await rig.connect();
  await stalled.write(headerBytes(10, 'stalled'));
  await stalled.has(8);
  await stalled.write('abc');
  const peers: Peer[] = await Promise.all(Array.from({ length: 64 }, () => rig.connect()));
  await Promise.all(peers.map((peer, index) => peer.write(headerBytes(body.length, `client-${index}`))));
  await until(() => peers.every(({ receivedLength }) => receivedLength === 8));
  t.equal(rig.server.connections, 65, 'all of them are served at the same time');
  const turnsOf = peers.map(async (peer) => {
    for (let at = 0; at < body.length; at += 50_000) await peer.write(body.subarray(at, at + 50_000));
    peer.fin();
    return peer.ended;
  });
  t.same(await Promise.all(turnsOf), Array(64).fill('FIN'));
  const files = rig.files();
  t.ok(
    peers.every((_, index) => files.get(`client-${index}`)?.equals(body)),
    'every file is whole',
  );
  t.equal(stalled.ending, undefined, 'the slow one may still go on');
  await stalled.write('defghij');
  stalled.fin();
  t.equal(await stalled.ended, 'FIN');
});

everyWay('keeps every file when many have one name', {}, async (t, rig) => {
  const bodies = Array.from({ length: 16 }, (_, index) => Buffer.alloc(1000 + index, index));
  const peers = await Promise.all(bodies.map(() => rig.connect()));
  await Promise.all(
    peers.map((peer, index) => upload(peer, headerBytes(bodies[index]!.length, 'same.txt'), bodies[index]!)),
  );
  t.same(await Promise.all(peers.map(({ ended }) => ended)), Array(16).fill('FIN'));
  const sizes = [...rig.files().values()].map(({ length }) => length).sort((a, b) => a - b);
  t.same(
    sizes,
    bodies.map(({ length }) => length),
  );
  for (const file of rig.files().values()) t.same(file, Buffer.alloc(file.length, file.length - 1000), 'none is mixed');
});

everyWay(
  'closes connections above the limit without a byte, and serves again below it',
  { maxConnections: 2 },
  async (t, rig) => {
    const first = await rig.connect();
    const second = await rig.connect();
    await until(() => rig.server.connections === 2);
    const third = await rig.connect();
    // Node's TLS calls every end before the handshake a reset.
    t.equal(await third.ended, rig.way === 'TLS' ? 'RST' : 'FIN');
    t.equal(third.receivedLength, 0);
    await until(() => rig.seen.length === 1);
    t.match(rig.seen, [
      { kind: 'failed', upload: { id: 3, name: undefined }, error: { code: 'TOO_MANY_CONNECTIONS' } },
    ]);
    t.match(rig.seen[0]?.error, {
      message: /^the limit of 2 connections at once .* `maxConnections` \(--max-connections\)/,
    });
    t.equal(rig.server.connections, 2);
    first.fin();
    await first.ended;
    await until(() => rig.server.connections === 1);
    const fourth = await rig.connect();
    await upload(fourth, headerBytes(2, 'fourth'), Buffer.from('ok'));
    t.equal(await fourth.ended, 'FIN');
    second.fin();
    await second.ended;
  },
);

t.test('a storage that is asked for long is not taken for a slow header', async (t) => {
  const storage = new ScriptedStorage({ create: 'hangs' });
  const rig = await serverRig(t, { storage });
  const peer = await rig.connect();
  await peer.write(headerBytes(0, 'slow'));
  await until(() => storage.waiting === 1);
  rig.clock.advance(10_000);
  peer.fin();
  storage.settle();
  await isOver(rig).then(() => rig.server.close({ drain: 0 }));
  t.match(rig.seen.at(-1), { kind: 'stored' });
});
