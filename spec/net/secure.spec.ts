import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { GoAheadError, type ErrorCode } from '../../lib/errors.js';
import { send, type SendOptions } from '../../lib/net/client.js';
import { createServer } from '../../lib/net/create-server.js';
import { verifyError, type ClientTlsOptions, type ServerTlsOptions } from '../../lib/net/secure-stream.js';
import { MemoryStorage } from '../../lib/storage/memory-storage.js';
import { makeCertificates, noOpenssl } from './certificates.js';
import { isOver, serverRig, upload, type Rig, type RigOptions } from './server-rig.js';
import { connectPeer, GO_AHEAD, headerBytes, pattern, Peer, ScriptedStorage, turns } from './support.js';
import { until } from '../support/until.js';

t.jobs = 1;

t.test('TLS', { skip: noOpenssl }, async (t) => {
  const all = makeCertificates(t);
  const { ca, server: own, client, elsewhere, expired, otherCa, stranger } = all;
  const trusting: ClientTlsOptions = { ca: ca.cert };
  const open: ServerTlsOptions = { cert: own.cert, key: own.key };
  const closed: ServerTlsOptions = { ...open, ca: ca.cert };

  const rigOf = (t: Test, tls: ServerTlsOptions = open, options: RigOptions = {}): Promise<Rig> =>
    serverRig(t, { tls, ...options });

  /** A client by hand on a TCP socket of its own, so that a spec can cut what is below TLS. */
  const raw = async (t: Test, port: number): Promise<{ tcp: Socket; tls: TLSSocket; came: () => Buffer }> => {
    const tcp = connectTcp({ host: '127.0.0.1', port, allowHalfOpen: true });
    t.teardown(() => tcp.destroy());
    tcp.on('error', () => undefined);
    const tls = connectTls({ socket: tcp, ca: ca.cert, host: 'localhost' });
    const chunks: Buffer[] = [];
    tls.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
    await once(tls, 'secureConnect');
    return { tcp, tls, came: () => Buffer.concat(chunks) };
  };

  const good: [name: string, server: ServerTlsOptions, client: ClientTlsOptions, host: string][] = [
    ['a host by name', open, trusting, 'localhost'],
    ['a host by address', open, trusting, '127.0.0.1'],
    [
      'another name, asked for',
      { cert: elsewhere.cert, key: elsewhere.key },
      { ...trusting, servername: 'elsewhere.example' },
      '127.0.0.1',
    ],
    ['a client with a certificate', closed, { ...trusting, cert: client.cert, key: client.key }, 'localhost'],
    ['a certificate that nobody asked for', open, { ...trusting, cert: stranger.cert, key: stranger.key }, 'localhost'],
  ];
  for (const [name, server, tls, host] of good) {
    t.test(`lets in: ${name}`, async (t) => {
      const rig = await rigOf(t, server);
      for (const size of [0, 5, 100_000]) {
        await send(pattern(size), { host, port: rig.port, tls, name: `f${size}` });
        t.ok(rig.files().get(`f${size}`)?.equals(pattern(size)), `${size} bytes`);
      }
      await rig.server.close();
      t.equal(rig.server.connections, 0);
      t.equal(rig.clock.armed(), 0, 'no timer is left');
    });
  }

  const bad: [
    name: string,
    server: ServerTlsOptions | undefined,
    client: SendOptions['tls'],
    host: string,
    code: ErrorCode[],
  ][] = [
    ['an authority that is not trusted', open, { ca: otherCa.cert }, 'localhost', ['TLS_FAILED']],
    ['an authority that Node does not know', open, true, 'localhost', ['TLS_FAILED']],
    ['another name', { cert: elsewhere.cert, key: elsewhere.key }, trusting, 'localhost', ['TLS_FAILED']],
    ['another address', { cert: elsewhere.cert, key: elsewhere.key }, trusting, '127.0.0.1', ['TLS_FAILED']],
    ['an expired certificate', { cert: expired.cert, key: expired.key }, trusting, 'localhost', ['TLS_FAILED']],
    ['no client certificate', closed, trusting, 'localhost', ['TLS_FAILED', 'CONNECTION_RESET']],
    [
      'a client of another authority',
      closed,
      { ...trusting, cert: stranger.cert, key: stranger.key },
      'localhost',
      ['REFUSED', 'TLS_FAILED', 'CONNECTION_RESET'],
    ],
    ['a plain client', open, false, '127.0.0.1', ['REFUSED', 'CONNECTION_RESET', 'REPLY_WRONG']],
    ['a plain server', undefined, trusting, '127.0.0.1', ['TLS_FAILED']],
  ];
  for (const [name, server, tls, host, codes] of bad) {
    t.test(`keeps out: ${name}`, async (t) => {
      const rig = await serverRig(t, server === undefined ? {} : { tls: server });
      const error: unknown = await send(pattern(5), { host, port: rig.port, tls, name: 'secret' }).catch(
        (e: unknown) => e,
      );
      t.ok(error instanceof GoAheadError && codes.includes(error.code), String(error));
      t.ok(error instanceof GoAheadError && !error.mayBeStored, 'nothing was stored, and it is known');
      await until(() => rig.server.connections === 0);
      t.same([...rig.files()], [], 'nothing was stored');
      t.notOk(rig.kinds().includes('begun'), 'it was not even begun');
      await rig.server.close();
      t.equal(rig.clock.armed(), 0, 'no timer is left');
    });
  }

  t.test('a client of another authority is not let in by resuming its session', async (t) => {
    const rig = await rigOf(t, closed);
    const options = {
      host: '127.0.0.1',
      port: rig.port,
      ca: ca.cert,
      cert: stranger.cert,
      key: stranger.key,
      maxVersion: 'TLSv1.2',
    } as const;
    const first = connectTls(options).on('error', () => undefined);
    const [session] = (await Promise.race([once(first, 'session'), once(first, 'close')])) as [Buffer | boolean];
    if (!first.closed) await once(first, 'close');
    const second = connectTls({ ...options, ...(Buffer.isBuffer(session) ? { session } : {}) }).on(
      'error',
      () => undefined,
    );
    second.write(headerBytes(1, 'x'));
    await once(second, 'close');
    await isOver(rig, 2);
    t.same(rig.kinds(), ['failed', 'failed']);
    await rig.server.close();
  });

  for (const how of ['stalls', 'ends', 'is reset', 'is garbage'] as const) {
    t.test(`a handshake that ${how}`, async (t) => {
      const rig = await rigOf(t);
      const peer = await connectPeer(t, rig.port);
      await until(() => rig.server.connections === 1);
      await peer.write(how === 'is garbage' ? 'GET / HTTP/1.1\r\n\r\n' : Buffer.from([0x16, 3, 1, 2]));
      if (how === 'stalls') rig.clock.advance(10_000);
      if (how === 'ends') peer.fin();
      if (how === 'is reset') peer.reset();
      await isOver(rig);
      await until(() => rig.server.connections === 0);
      const code = rig.seen[0]?.error?.code;
      t.equal(
        code,
        how === 'stalls' ? 'HEADER_TIMEOUT' : how === 'is reset' && code === 'CONNECTION_RESET' ? code : 'TLS_FAILED',
      );
      await rig.server.close();
      t.equal(rig.clock.armed(), 0, 'no timer is left');
    });
  }

  for (const ending of ['FIN', 'RST', 'close_notify'] as const) {
    t.test(`a whole body, and then ${ending}`, async (t) => {
      const rig = await rigOf(t);
      const { tcp, tls, came } = await raw(t, rig.port);
      tls.write(headerBytes(4, 'x'));
      await until(() => came().length === 8);
      t.same(came(), GO_AHEAD);
      await new Promise((written) => tls.write('abcd', written));
      await until(() => rig.seen.at(-1)?.upload.received === 4n);
      if (ending === 'FIN') tcp.end();
      else if (ending === 'RST') tcp.resetAndDestroy();
      else tls.end();
      await isOver(rig);
      if (ending === 'close_notify') t.match(rig.seen.at(-1), { kind: 'stored' });
      else t.match(rig.seen.at(-1), { kind: 'failed', error: { code: 'CONNECTION_RESET' } });
      t.equal(rig.files().size, ending === 'close_notify' ? 1 : 0);
      await rig.server.close({ drain: 0 });
    });

    t.test(`a sender whose receiver ends with ${ending}`, async (t) => {
      const body = Buffer.from('abcd');
      const receiver = createTlsServer({ cert: own.cert, key: own.key, allowHalfOpen: true }, (socket) => {
        socket.on('error', () => undefined);
        let length = 0;
        socket.on('data', (chunk: Buffer) => {
          if (length === 0) socket.write(GO_AHEAD);
          length += chunk.length;
          if (length < headerBytes(4, 'x').length + body.length) return;
          const tcp: unknown = Reflect.get(socket, '_parent');
          if (ending === 'close_notify') socket.end();
          else if (ending === 'FIN') (tcp as Socket).end();
          else socket.destroy();
        });
      });
      // Below TLS, so that it can be cut there.
      const front = await import('node:net').then(({ createServer }) =>
        createServer({ allowHalfOpen: true }, (outer) => {
          const inner = connectTcp({
            port: (receiver.address() as AddressInfo).port,
            host: '127.0.0.1',
            allowHalfOpen: true,
          });
          outer.on('error', () => undefined);
          inner.on('error', () => outer.resetAndDestroy());
          if (ending === 'RST') inner.once('end', () => outer.resetAndDestroy());
          outer.pipe(inner).pipe(outer);
        }),
      );
      receiver.listen(0, '127.0.0.1');
      front.listen(0, '127.0.0.1');
      await Promise.all([once(receiver, 'listening'), once(front, 'listening')]);
      t.teardown(() => {
        receiver.close();
        front.close();
      });
      const sending = send(body, { port: (front.address() as AddressInfo).port, tls: trusting, name: 'x' });
      if (ending === 'close_notify') t.match(await sending, { size: 4n });
      else await t.rejects(sending, { code: 'CONNECTION_RESET', mayBeStored: true }, 'no receipt');
    });
  }

  t.test('a storage that fails after the last byte is no receipt', async (t) => {
    for (const size of [0, 4]) {
      const rig = await rigOf(t, open, { storage: new ScriptedStorage({ commit: 'rejects' }) });
      await t.rejects(send(pattern(size), { port: rig.port, tls: trusting, name: 'x' }), { code: 'CONNECTION_RESET' });
      await rig.server.close();
    }
  });

  t.test('64 MiB, and 32 at once, on memory', async (t) => {
    const storage = new MemoryStorage();
    const server = createServer({ storage, tls: open });
    const { port } = await server.listen({ port: 0 });
    const body = pattern(2 ** 26);
    await send(body, { port, tls: trusting, name: 'large' });
    t.ok(Buffer.from(storage.files.get('large') ?? []).equals(body));
    const small = pattern(100_000);
    await Promise.all(Array.from({ length: 32 }, (_, at) => send(small, { port, tls: trusting, name: `s${at}` })));
    t.equal(storage.files.size, 33);
    await server.close();
    t.equal(server.connections, 0);
  });

  t.test('while the storage lags nothing is read below TLS either', async (t) => {
    const storage = new ScriptedStorage({ write: 'hangs' });
    const rig = await rigOf(t, open, { storage, maxPendingBytes: 1 });
    const { tls, came } = await raw(t, rig.port);
    const body = pattern(2 ** 24);
    tls.write(headerBytes(body.length, 'x'));
    await until(() => came().length === 8);
    tls.end(body);
    await until(() => storage.waiting > 0);
    await turns(500);
    t.ok((rig.seen.at(-1)?.upload.received ?? 0n) < 2n ** 20n, 'the session has little of it');
    t.notOk(tls.writableFinished, 'and the sender is held');
    while (rig.kinds().at(-1) !== 'stored') {
      storage.settle();
      await turns(1);
    }
    t.ok(storage.files.get('x')?.equals(body));
    await rig.server.close();
  });

  t.test('aborted during the handshake', async (t) => {
    const peers: Peer[] = [];
    const { createServer } = await import('node:net');
    const silent = createServer((socket) => void peers.push(new Peer(socket))).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const abort = new AbortController();
    const { port } = silent.address() as AddressInfo;
    const sending = send(pattern(1), { port, tls: trusting, name: 'x', signal: abort.signal });
    await until(() => (peers[0]?.receivedLength ?? 0) > 0);
    abort.abort();
    await t.rejects(sending, { code: 'ABORTED', mayBeStored: false });
    await peers[0]?.ended;
    silent.close();
  });

  t.test("certificates that are none are the user's fault", async (t) => {
    const wrong: unknown[] = [
      {},
      { cert: own.cert },
      { cert: own.cert, key: client.key },
      { ...open, ca: '' },
      { ...open, ca: 'x' },
    ];
    for (const tls of wrong) {
      t.throws(() => createServer({ directory: '.', tls: tls as ServerTlsOptions }), { code: 'OPTION_INVALID' });
    }
    await t.rejects(send(pattern(1), { tls: { cert: own.cert }, name: 'x' }), { code: 'OPTION_INVALID' });
    await t.rejects(send(pattern(1), { tls: { ca: '' }, name: 'x' }), { code: 'OPTION_INVALID' });
  });
});

t.test('whether a certificate is good: in doubt it is not', async (t) => {
  for (const [name, socket, message] of [
    ['no handle', {}, /the connection is gone/],
    ['a handle that is gone', { _handle: null }, /the connection is gone/],
    ['a Node that does not tell', { _handle: {} }, /does not tell/],
    ['something else than an error', { _handle: { verifyError: () => 'no' } }, /not trusted/],
    ['an error', { _handle: { verifyError: () => new Error('expired') } }, /expired/],
  ] as const) {
    t.match(verifyError(socket)?.message, message, name);
  }
  for (const good of [null, undefined]) t.equal(verifyError({ _handle: { verifyError: () => good } }), undefined);
});

t.test('a minimum rate', async (t) => {
  const options = { minRate: 10, rateWindow: 1_000, bodyDeadline: 60_000 };
  t.test('resets a trickle, and lets go on who is fast enough', async (t) => {
    const rig = await serverRig(t, options);
    const peer = await connectPeer(t, rig.port);
    await peer.write(headerBytes(100, 'x'));
    await peer.has(8);
    await peer.write(pattern(10));
    await until(() => rig.seen.at(-1)?.upload.received === 10n);
    rig.clock.advance(1_000);
    await turns();
    t.equal(peer.ending, undefined, 'ten bytes in a second are enough');
    await peer.write(pattern(9));
    await until(() => rig.seen.at(-1)?.upload.received === 19n);
    rig.clock.advance(1_000);
    t.equal(await peer.ended, 'RST');
    await isOver(rig);
    t.match(rig.seen.at(-1), { kind: 'failed', error: { code: 'BODY_TOO_SLOW', clause: '11.2' } });
    t.equal(rig.files().size, 0);
    await rig.server.close();
    t.equal(rig.clock.armed(), 0);
  });
  t.test('does not blame the sender for the storage, and is off by default', async (t) => {
    for (const storage of [new ScriptedStorage({ write: 'hangs' }), new ScriptedStorage()]) {
      const rig = await serverRig(t, { storage, ...options, maxPendingBytes: 1 });
      const peer = await connectPeer(t, rig.port);
      await peer.write(headerBytes(2, 'x'));
      await peer.has(8);
      await peer.write('a');
      await until(() => storage.calls.includes('write'));
      if (storage.waiting > 0) {
        rig.clock.advance(1_000);
        await turns();
        t.equal(peer.ending, undefined, 'it still waits for the storage');
        storage.settle();
        await turns();
        rig.clock.advance(1_000);
        t.equal(peer.ending, undefined, 'it waited in a part of this window');
        rig.clock.advance(1_000);
        t.equal(await peer.ended, 'RST', 'but now it is slow');
      } else peer.reset();
      await rig.server.close({ drain: 0 });
    }
    const rig = await serverRig(t, {});
    const peer = await connectPeer(t, rig.port);
    await peer.write(headerBytes(2, 'x'));
    await peer.has(8);
    t.notOk(rig.clock.armed(10_000) > 0, 'no timer for it');
    await rig.server.close({ drain: 0 });
  });
});

t.test(
  'connections of one address',
  { skip: process.platform !== 'linux' && 'only Linux has all of 127.0.0.0/8' },
  async (t) => {
    const rig = await serverRig(t, { maxConnectionsPerAddress: 1 });
    const from = (localAddress: string): Peer => {
      const socket = connectTcp({ host: '127.0.0.1', port: rig.port, localAddress, allowHalfOpen: true });
      t.teardown(() => socket.destroy());
      return new Peer(socket);
    };
    const first = from('127.0.0.1');
    await until(() => rig.server.connections === 1);
    const second = from('127.0.0.1');
    await second.ended;
    t.equal(second.receivedLength, 0, 'refused');
    await until(() => rig.seen.length === 1);
    t.match(rig.seen[0]?.error, {
      code: 'TOO_MANY_CONNECTIONS',
      message: /^the limit of 1 connection of one address .* `maxConnectionsPerAddress`/,
    });
    const other = from('127.0.0.2');
    await upload(other, headerBytes(2, 'other'), Buffer.from('ok'));
    t.equal(await other.ended, 'FIN', 'another address is not concerned');
    first.fin();
    await first.ended;
    await until(() => rig.server.connections === 0);
    const third = from('127.0.0.1');
    await upload(third, headerBytes(2, 'third'), Buffer.from('ok'));
    t.equal(await third.ended, 'FIN', 'and it is released');
    await rig.server.close();
  },
);
