import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import t, { type Test } from 'tap';
import { addressOf } from '../../lib/net/address.js';
import { Capture, header, RawPeer, upload } from './fake-process.js';
import { MAIN } from '../support/built.js';

// What users run: `npm test` builds it first.
interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly stdout: Capture;
  readonly stderr: Capture;
  /** Settles with the exit code, or the signal that ended the process. */
  readonly exit: Promise<number | string>;
}

function start(t: Test, ...argv: string[]): Running {
  const child = spawn(process.execPath, [MAIN, ...argv], { stdio: ['pipe', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const stdout = new Capture();
  const stderr = new Capture();
  child.stdout.pipe(stdout);
  child.stderr.pipe(stderr);
  child.stdin.on('error', () => undefined);
  const exit = once(child, 'close').then(([code, signal]: (number | string | null)[]) => code ?? signal ?? 'nothing');
  return { child, stdout, stderr, exit };
}

async function serve(t: Test, ...argv: string[]): Promise<Running & { readonly port: number }> {
  const running = start(t, 'serve', '--port', '0', ...argv);
  const [, port] = await running.stdout.waitFor(/^listening on 127\.0\.0\.1:(\d+), storing in .*\n/);
  return { ...running, port: Number(port) };
}

t.test('version, help and usage', async (t) => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  for (const [argv, exit, output] of [
    [['--version'], 0, `${manifest.version}\n`],
    [['-V'], 0, `${manifest.version}\n`],
    [['--help'], 0, /^Usage: go-ahead/],
    [[], 2, ''],
    [['serve', '--prot'], 2, ''],
    [['serve', '--host', '', '--port', '0'], 2, ''],
  ] as const) {
    const running = start(t, ...argv);
    t.equal(await running.exit, exit, argv.join(' '));
    if (typeof output === 'string') t.equal(running.stdout.text, output);
    else t.match(running.stdout.text, output);
  }
});

t.test(
  'the version on an output that takes nothing',
  { skip: !existsSync('/dev/full') && 'no /dev/full' },
  async (t) => {
    const full = openSync('/dev/full', 'w');
    t.teardown(() => closeSync(full));
    const child = spawn(process.execPath, [MAIN, '--version'], { stdio: ['ignore', full, 'pipe'] });
    let stderr = '';
    child.stderr?.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    await once(child, 'close');
    t.equal(stderr, '', 'no stack trace');
  },
);

t.test('a command that is done ends, whatever else keeps the process', async (t) => {
  // As the lookup of a host does, which cannot be called off while the resolver tries.
  const hook = 'data:text/javascript,setInterval(() => undefined, 1e6)';
  const missing = join(t.testdir({}), 'missing');
  const child = spawn(process.execPath, ['--import', hook, MAIN, 'send', missing], { stdio: 'ignore' });
  t.same(await once(child, 'exit'), [1, null]);
});

t.test('a file whose name is a word of the message is named all the same', async (t) => {
  const cwd = t.testdir({ the: 'x' });
  const refusing = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end());
  });
  refusing.listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  t.teardown(() => refusing.close());
  const to = `127.0.0.1:${addressOf(refusing).port}`;
  const child = spawn(process.execPath, [MAIN, 'send', 'the', '--to', to], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stderr = new Capture();
  child.stderr.pipe(stderr);
  t.same(await once(child, 'close'), [1, null]);
  t.match(stderr.lines, [/^failed the: the receiver closed the connection without a reply.*\(REFUSED\)$/]);
});

t.test('serve and send', async (t) => {
  const directory = t.testdir({ in: {}, 'a.txt': 'hello', 'b.bin': 'x'.repeat(3_000_000) });
  const server = await serve(t, join(directory, 'in'));
  const to = `127.0.0.1:${server.port}`;

  const client = start(t, 'send', join(directory, 'a.txt'), join(directory, 'b.bin'), '--to', to, '--json');
  t.equal(await client.exit, 0);
  t.match(
    client.stdout.objects.sort((a, b) => Number(a['size']) - Number(b['size'])),
    [
      { event: 'confirmed', name: 'a.txt', size: 5 },
      { event: 'confirmed', name: 'b.bin', size: 3_000_000 },
    ],
  );

  const piped = start(t, 'send', '-', '--size', '3', '--as', 'in.txt', '--to', to);
  piped.child.stdin.end('abc');
  t.equal(await piped.exit, 0);

  const refused = start(t, 'send', '-', '--size', '3', '--as', '..', '--to', to);
  t.equal(await refused.exit, 1, 'an open standard input does not keep the process');

  const mixed = start(t, 'send', directory, join(directory, 'a.txt'), '--to', to);
  t.equal(await mixed.exit, 1);
  t.match(mixed.stderr.text, /is a directory/);

  server.child.kill('SIGTERM');
  t.equal(await server.exit, 0);
  t.strictSame(readdirSync(join(directory, 'in')).sort(), ['a (1).txt', 'a.txt', 'b.bin', 'in.txt']);
  t.equal(readFileSync(join(directory, 'in', 'b.bin'), 'utf8'), 'x'.repeat(3_000_000));

  const nobody = start(t, 'send', join(directory, 'a.txt'), '--to', to);
  t.equal(await nobody.exit, 1);
  t.match(nobody.stderr.text, /nothing listens there; is the server running\? \(CONNECT_FAILED\)\n$/);
});

t.test('signals', async (t) => {
  const directory = t.testdir({ drained: {}, forced: {}, sent: {} });
  const drained = await serve(t, join(directory, 'drained'));
  const slow = RawPeer.connect(drained.port);
  slow.socket.write(header(5n, 'a.txt'));
  t.equal(await slow.reply(), 'go ahead');
  drained.child.kill('SIGINT');
  await RawPeer.refused(drained.port);
  slow.socket.end('hello');
  t.equal(await slow.closed, 'fin');
  t.equal(await drained.exit, 0);
  t.strictSame(readdirSync(join(directory, 'drained')), ['a.txt']);

  // So long that it is the second signal that ends it.
  const forced = await serve(t, join(directory, 'forced'), '--drain', '3600');
  const stuck = RawPeer.connect(forced.port);
  stuck.socket.write(header(5n, 'a.txt'));
  await stuck.reply();
  forced.child.kill('SIGINT');
  // Two signals of one kind may merge on their way; a refused connection says that the first has come.
  await RawPeer.refused(forced.port);
  forced.child.kill('SIGINT');
  t.equal(await stuck.closed, 'reset');
  t.equal(await forced.exit, 130);
  t.strictSame(readdirSync(join(directory, 'forced')), []);

  const server = await serve(t, join(directory, 'sent'));
  const big = join(t.testdirName, 'big.bin');
  writeFileSync(big, 'x'.repeat(3_000_000));
  // One is in its first pause, the other waits for standard input, when the signal comes.
  for (const argv of [
    [big, '--pause', '60000'],
    ['-', '--as', 'big.bin', '--size', '3'],
  ]) {
    const client = start(t, 'send', ...argv, '--to', `:${server.port}`);
    await new Promise<void>((announced) => {
      const look = (): void =>
        readdirSync(join(directory, 'sent')).length > 0 ? announced() : void setImmediate(look);
      look();
    });
    client.child.kill('SIGINT');
    t.equal(await client.exit, 130, argv.join(' '));
    await server.stdout.waitFor(/failed "big\.bin" .*\(CONNECTION_RESET\)\n/);
    server.stdout.text = '';
    t.strictSame(readdirSync(join(directory, 'sent')), [], 'the receiver discards');
  }
  server.child.kill('SIGTERM');
  t.equal(await server.exit, 0);
});

t.test('a log that nobody reads any more', async (t) => {
  const directory = t.testdir();
  const server = await serve(t, directory);
  server.child.stdout.destroy();
  for (const name of ['a', 'b', 'c']) t.equal(await upload(server.port, name, 'hello'), 'fin');
  server.child.kill('SIGTERM');
  t.equal(await server.exit, 0);
  t.strictSame(readdirSync(directory), ['a', 'b', 'c']);
  t.equal(server.stderr.text, '');

  const help = start(t, 'serve', '--help');
  help.child.stdout.destroy();
  t.equal(await help.exit, 0);
});

t.test('demo', async (t) => {
  const directory = t.testdir();
  process.env['TMPDIR'] = directory;
  const running = start(t, 'demo', '--clients', '4', '--large', '8MiB');
  t.equal(await running.exit, 0);
  t.match(running.stdout.lines.at(-1), /^all 21 files arrived and match by SHA-256: /);
  t.match(running.stdout.text, `storing in ${directory}`);
  t.equal(running.stderr.text, '');
  t.strictSame(readdirSync(directory), [], 'nothing is left behind');
});
