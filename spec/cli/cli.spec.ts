import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t, { type Test } from 'tap';
import { demo } from '../../lib/cli/demo.js';
import type { Environment } from '../../lib/cli/environment.js';
import { address, chunkSize, milliseconds, port, seconds, size, wholeNumber } from '../../lib/cli/options.js';
import { Printer, printableMessage, toJsonLine } from '../../lib/cli/printer.js';
import { drawLine, ProgressBars } from '../../lib/cli/progress.js';
import { run } from '../../lib/cli/run.js';
import type * as cliSend from '../../lib/cli/send.js';
import type * as cliServe from '../../lib/cli/serve.js';
import { table } from '../../lib/cli/table.js';
import { formatRate, formatSize, formatTime } from '../../lib/cli/units.js';
import { plural } from '../../lib/plural.js';
import { packageVersion } from '../../lib/cli/version.js';
import { MemoryStorage } from '../../lib/storage/memory-storage.js';
import { sendAll } from '../../lib/net/send-all.js';
import { Server } from '../../lib/net/server.js';
import { makeCertificates, noOpenssl, type Certificate } from '../net/certificates.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/until.js';
import { Capture, fakeEnvironment, header, listen, portOf, RawPeer, start, upload } from './fake-process.js';

const isRoot = process.getuid?.() === 0;

/** Everything that could move a cursor, reorder or hide text, but for the newline of each line. */
const RAW = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

t.test('usage errors exit 2 with one line that says what to do', async (t) => {
  const cases: [argv: string[], message: RegExp][] = [
    [['srve'], /^go-ahead: unknown command 'srve' \(Did you mean serve\?\) \(see go-ahead --help\)$/],
    [['--verbose'], /^go-ahead: unknown option '--verbose'/],
    [
      ['serve', '--prot', '1'],
      /^go-ahead serve: unknown option '--prot' \(Did you mean --port\?\) \(see go-ahead serve --help\)$/,
    ],
    [['serve', 'a', 'b'], /too many arguments/],
    [['serve', '--port', '65536'], /'65536' is invalid. Expected a whole number from 0 to 65535/],
    [['serve', '--port', '1e3'], /invalid/],
    [['serve', '--port', '-1'], /invalid/],
    [['serve', '--port'], /argument missing/],
    [['serve', '--on-conflict', 'merge'], /Allowed choices are rename, replace, refuse/],
    [['serve', '--max-size', '1X'], /Expected bytes, such as/],
    [['serve', '--drain', 'soon'], /Expected seconds/],
    [['serve', '--settle', '1.5'], /Expected a whole number/],
    [['serve', '--max-connections', '0'], /Expected a whole number, at least 1/],
    [['serve', tmpdir(), '--port', '0', '--suffix', '../x'], /suffix.*\(OPTION_INVALID\)$/],
    [['serve', '--min-rate', 'fast'], /Expected bytes, such as/],
    [['serve', '--max-connections-per-address', '0'], /at least 1/],
    [['serve', '--tls-key', 'k.pem'], /--tls-key needs --tls-cert/],
    [['serve', '--tls-cert', 'c.pem'], /--tls-cert needs --tls-key/],
    [['serve', '--tls-ca', 'a.pem'], /--tls-ca needs --tls-cert and --tls-key/],
    [['serve', '--tls-cert', '/no/c', '--tls-key', '/no/k'], /cannot read the TLS file \/no\/[ck]: ENOENT/],
    [
      ['serve', '--tls-cert', import.meta.filename, '--tls-key', import.meta.filename],
      /TLS certificate cannot be used/,
    ],
    [['send', 'a', '--tls-ca', 'a.pem'], /--tls-ca, --tls-cert and --tls-key need --tls/],
    [['send', 'a', '--tls', '--tls-cert', 'c.pem'], /--tls-cert needs --tls-key/],
    [['send', 'a', '--tls', '--tls-key', 'k.pem'], /--tls-key needs --tls-cert/],
    [['send', 'a', '--tls', '--tls-ca', '/no/a'], /cannot read the TLS file \/no\/a: ENOENT/],
    [['send', 'a', '--tls', '--tls-ca', import.meta.filename], /TLS authority cannot be used/],
    [['send'], /missing required argument 'file'/],
    [['send', 'a', '--to', 'host:99999'], /Expected HOST, HOST:PORT, :PORT or \[IPV6\]:PORT/],
    [['send', 'a', '--concurrency', '0'], /at least 1/],
    [['send', 'a', '--chunk-size', '0'], /Expected a size from 1 byte to 1GiB/],
    [['send', 'a', '--chunk-size', '1073741825'], /Expected a size from 1 byte to 1GiB/],
    [['send', 'a', '--chunk-size', 'small'], /Expected bytes, such as/],
    [['send', 'a', 'b', '--as', 'c'], /--as names one file/],
    [['send', 'a', '--size', '1'], /--size is for standard input/],
    [['send', '-', 'a', '--size', '1'], /standard input \(-\) is sent alone/],
    [['send', '-', '--as', 'a'], /needs --size/],
    [['send', 'a', '--as', ''], /--as: the name has 0 bytes, the header has room for 1 to 1016/],
    [['send', 'a', '--as', 'n'.repeat(1_017)], /--as: the name has 1017 bytes, the header has room for 1 to 1016/],
    [['send', '-', '--size', '1', '--as', 'a\ud800'], /--as: the name has a lone surrogate/],
    [['demo', '--clients', '0'], /Expected a whole number from 1 to 1000/],
    [['demo', '--large', 'huge'], /Expected bytes/],
    [['\u001b[31m\u202e'], /unknown command '\\u001b\[31m\\u202e'/],
  ];
  for (const [argv, message] of cases) {
    const { exit, stdout, stderr } = start(argv);
    t.equal(await exit, 2, argv.join(' '));
    t.equal(stderr.lines.length, 1, 'one line');
    t.match(stderr.lines[0], message);
    t.notMatch(stderr.text, RAW);
    t.equal(stdout.text, '');
  }
});

t.test('help', async (t) => {
  for (const argv of [['--help'], ['-h'], ['help'], ['serve', '--help'], ['help', 'send'], ['demo', '-h']]) {
    const { exit, stdout, stderr } = start(argv);
    t.equal(await exit, 0, argv.join(' '));
    t.match(stdout.text, /^Usage: go-ahead/);
    t.match(stdout.text, /\nExamples:\n {2}go-ahead /);
    t.match(stdout.text, /\nExit status: /);
    t.equal(stderr.text, '');
  }
  const bare = start([]);
  t.equal(await bare.exit, 2);
  t.match(bare.stderr.text, /^Usage: go-ahead/);
  t.equal(bare.stdout.text, '');

  const narrow = new Capture();
  narrow.columns = 80;
  await start(['serve', '--help'], { stdout: narrow }).exit;
  const wide = new Capture();
  wide.columns = 200;
  await start(['serve', '--help'], { stdout: wide }).exit;
  t.ok(narrow.lines.length > wide.lines.length, 'help follows the width of the terminal');
});

t.test('version', async (t) => {
  for (const argv of [['-V'], ['--version']]) {
    const { exit, stdout } = start(argv);
    t.equal(await exit, 0);
    t.equal(stdout.text, `${packageVersion()}\n`);
  }
  t.match(packageVersion(), /^\d+\.\d+\.\d+/);
});

t.test('the program runs what it is given, with the process as its environment', async (t) => {
  const { argv } = process;
  const exit = process.exit.bind(process);
  const write = process.stdout.write.bind(process.stdout);
  t.teardown(() => {
    process.argv = argv;
    process.exit = exit;
    process.stdout.write = write;
  });
  const exits: unknown[] = [];
  process.exit = ((code: unknown) => exits.push(code)) as typeof process.exit;
  const environments: Environment[] = [];
  const main = (...given: string[]): Promise<unknown> => {
    process.argv = ['node', 'go-ahead', ...given];
    return t.mockImport('../../lib/cli/main.js', {
      '../../lib/cli/run.js': { run: async (environment: Environment) => 40 + environments.push(environment) },
    });
  };
  await main('serve', 'x');
  t.strictSame(exits, [41]);
  const [environment] = environments;
  t.strictSame(environment?.argv, ['serve', 'x']);
  for (const [mine, own] of [
    [environment?.stdin, process.stdin],
    [environment?.stdout, process.stdout],
    [environment?.stderr, process.stderr],
    [environment?.variables, process.env],
    [environment?.signals, process],
  ]) {
    t.equal(mine, own);
  }
  t.type(environment?.now(), Date);

  let printed = '';
  process.stdout.write = (text: string | Uint8Array) => {
    printed += String(text);
    return true;
  };
  try {
    for (const flag of ['--version', '-V']) await main(flag);
  } finally {
    process.stdout.write = write;
  }
  t.equal(printed, `${packageVersion()}\n`.repeat(2));
  t.equal(environments.length, 1, 'nothing is run for it');
});

t.test('option values', async (t) => {
  const good: [parse: (text: string) => unknown, text: string, value: unknown][] = [
    [port, '0', 0],
    [port, '65535', 65_535],
    [milliseconds, '2147483647', 2_147_483_647],
    [seconds, '1.5', 1500],
    [seconds, '.25', 250],
    [seconds, '0', 0],
    [size, '0', 0n],
    [size, '1500', 1500n],
    [size, '64k', 64_000n],
    [size, '64 kB', 64_000n],
    [size, '64KiB', 65_536n],
    [size, '2Gi', 2n ** 31n],
    [size, '3T', 3_000_000_000_000n],
    [size, '18446744073709551615', 2n ** 64n - 1n],
    [chunkSize, '1', 1],
    [chunkSize, '1GiB', 2 ** 30],
    [address, 'host', { host: 'host', port: 12000 }],
    [address, 'host:1', { host: 'host', port: 1 }],
    [address, ':8080', { host: '127.0.0.1', port: 8080 }],
    [address, '::1', { host: '::1', port: 12000 }],
    [address, '[::1]', { host: '::1', port: 12000 }],
    [address, '[::1]:7', { host: '::1', port: 7 }],
    [address, '192.0.2.1:65535', { host: '192.0.2.1', port: 65_535 }],
  ];
  for (const [parse, text, value] of good) t.strictSame(parse(text), value, text);

  const bad: [parse: (text: string) => unknown, texts: string[]][] = [
    [wholeNumber(2, 4), ['1', '5', '', ' 3', '3.0', '0x3', '٣']],
    [milliseconds, ['2147483648', '-1']],
    [seconds, ['2147484', '-1', '1e3', '', '.', 'Infinity']],
    [size, ['', '-1', '1.5k', 'k', '1 Q', '18446744073709551616', '18446745T']],
    [address, ['', ':', 'host:', 'host:0', 'host:65536', '[::1', '[host]:1', '[]:1', 'a b', '::1:x', 'host:1:2']],
  ];
  for (const [parse, texts] of bad)
    for (const text of texts) t.throws(() => parse(text), { code: 'commander.invalidArgument' }, text);
});

t.test('units', async (t) => {
  const cases: [actual: string, expected: string][] = [
    [formatSize(0n), '0 B'],
    [formatSize(999n), '999 B'],
    [formatSize(1000n), '1.0 kB'],
    [formatSize(99_940), '99.9 kB'],
    [formatSize(99_960), '100 kB'],
    [formatSize(999_600), '1.0 MB'],
    [formatSize(2n ** 64n - 1n), '18.4 EB'],
    [formatTime(0.4), '0 ms'],
    [formatTime(999.4), '999 ms'],
    [formatTime(999.6), '1.0 s'],
    [formatTime(59_940), '59.9 s'],
    [formatTime(59_960), '1 min 0 s'],
    [formatTime(3_599_600), '1 h 0 min'],
    [formatTime(7_260_000), '2 h 1 min'],
    [formatRate(1500n, 1000), '1.5 kB/s'],
    [formatRate(1n, 0), '1.0 kB/s'],
    [plural(1, 'file'), '1 file'],
    [plural(0, 'file'), '0 files'],
  ];
  for (const [actual, expected] of cases) t.equal(actual, expected);
  t.strictSame(table([{ title: 'n', right: true }, { title: 'kind' }, { title: 'last' }], [['10', 'a', 'x'], ['9']]), [
    ' n  kind  last',
    '10  a     x',
    ' 9',
  ]);
});

t.test('what is printed of strangers', async (t) => {
  const hostile = '\u0007\u001b[2J\u009b31m\u202e\u2028\u{e0041}\ud800\\n';
  const line = toJsonLine({ hostile, size: 2n ** 53n - 1n, large: 2n ** 53n });
  t.notMatch(line, RAW);
  t.strictSame(JSON.parse(line), { hostile, size: Number.MAX_SAFE_INTEGER, large: '9007199254740992' }, 'reads back');
  t.equal(printableMessage('C:\\x \\u001b \u001b[0m'), 'C:\\x \\u001b \\u001b[0m', 'escaped once');
  t.notMatch(printableMessage(hostile), RAW);
});

t.test('colours and lost outputs', async (t) => {
  const colour = (isTTY: boolean, variables: Record<string, string>) =>
    new Printer(new Capture({ isTTY }), variables).paint('red', 'x') !== 'x';
  t.equal(colour(true, {}), true);
  t.equal(colour(true, { NO_COLOR: '' }), true, 'empty does not count');
  t.equal(colour(true, { NO_COLOR: '1' }), false);
  t.equal(colour(true, { TERM: 'dumb' }), false);
  t.equal(colour(false, {}), false);

  let writes = 0;
  const throwing = new Writable();
  throwing.write = () => {
    writes += 1;
    throw new Error('ENOSPC');
  };
  const printer = new Printer(throwing, {});
  printer.line('one');
  printer.line('two');
  t.equal(writes, 1, 'not tried again');
});

t.test('serve, plainly', async (t) => {
  const directory = t.testdir();
  const server = start(['serve', directory, '--port', '0']);
  const port = await portOf(server);
  t.equal(server.stdout.text, `listening on 127.0.0.1:${port}, storing in ${directory}\n`);

  t.equal(await upload(port, 'dir/a.txt', 'hello'), 'fin');
  t.equal(readFileSync(join(directory, 'a.txt'), 'utf8'), 'hello');
  await upload(port, 'a.txt', 'hello again');
  t.equal(readFileSync(join(directory, 'a (1).txt'), 'utf8'), 'hello again');
  await upload(port, 'evil\u001b[31m\u009b.txt', 'x');
  await upload(port, 'bidi\u202etxt.exe', 'x');
  RawPeer.connect(port).socket.end('short');
  await server.stdout.waitFor(/HEADER_INCOMPLETE/);
  const early = RawPeer.connect(port);
  early.socket.write(header(5n, 'early'));
  await early.reply();
  early.socket.end('abc');
  t.equal(await early.closed, 'reset');
  await server.stdout.waitFor(/BODY_UNDERRUN/);

  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
  t.equal(server.listening(), 0);
  t.equal(server.stderr.text, '', 'nothing to say where nobody looks on');
  t.notMatch(server.stdout.text, RAW);
  const [, ...events] = server.stdout.lines;
  const expected = [
    /^2026-01-02 03:04:05 stored a\.txt: 5 B in \d+ m?s \(.*B\/s\) from 127\.0\.0\.1:\d+, announced as "dir\/a\.txt"$/,
    /stored a \(1\)\.txt: 11 B in .*, announced as "a\.txt"$/,
    /failed "evil\\u001b\[31m\\u009b\.txt" from 127\.0\.0\.1:\d+: .*\(NAME_UNSAFE\)$/,
    /stored bidi\\u202etxt\.exe: 1 B in .* from 127\.0\.0\.1:\d+$/,
    /failed a connection from 127\.0\.0\.1:\d+: .*\(HEADER_INCOMPLETE\)$/,
    /failed "early" from 127\.0\.0\.1:\d+ at 3 B of 5 B: .*\(BODY_UNDERRUN\)$/,
  ];
  t.equal(events.length, expected.length);
  expected.forEach((pattern, i) => t.match(events[i], pattern));
});

t.test('serve --json', async (t) => {
  const directory = t.testdir();
  const server = start([
    'serve',
    directory,
    '--port',
    '0',
    '--json',
    '--suffix',
    '.temp',
    '--max-size',
    '1k',
    '--no-sync',
  ]);
  const port = await portOf(server);
  await upload(port, 'dir/a\u0085\u202e.txt', 'hello');
  await upload(port, 'dir/b\u202e.txt', 'hello');
  t.equal(await upload(port, 'big', 'x'.repeat(1001)), 'fin', 'refused');
  const liar = RawPeer.connect(port);
  liar.socket.end(header(2n ** 64n - 1n, 'huge'));
  await liar.closed;
  RawPeer.connect(port).socket.end();
  await server.stdout.waitFor(/HEADER_INCOMPLETE/);
  server.kill('SIGINT');
  t.equal(await server.exit, 0);
  t.notMatch(server.stdout.text, RAW);
  const [listening, unsafe, stored, big, huge, nameless] = server.stdout.objects;
  t.strictSame(listening, { event: 'listening', host: '127.0.0.1', port, directory });
  t.strictSame(Object.keys(stored ?? {}), ['event', 'name', 'size', 'path', 'ms', 'peer']);
  t.match(stored, { event: 'stored', name: 'dir/b\u202e.txt', size: 5, path: join(directory, 'b\u202e.txt.temp') });
  t.ok(Number.isInteger(stored?.['ms']));
  t.match(stored?.['peer'], /^127\.0\.0\.1:\d+$/);
  for (const failed of [unsafe, big, huge, nameless]) {
    t.strictSame(Object.keys(failed ?? {}), ['event', 'name', 'code', 'message', 'received', 'peer']);
    t.match(failed, { event: 'failed', message: String, received: 0, peer: /^127\.0\.0\.1:\d+$/ });
  }
  t.match(unsafe, { name: 'dir/a\u0085\u202e.txt', code: 'NAME_UNSAFE' });
  t.match(big, { name: 'big', code: 'SIZE_OVER_LIMIT' });
  t.match(huge, { name: 'huge', code: 'SIZE_OVER_LIMIT' });
  t.match(nameless, { name: null, code: 'HEADER_INCOMPLETE' });
});

t.test('serve on IPv6', async (t) => {
  const server = start(['serve', t.testdir(), '--port', '0', '--host', '::1']);
  const first = await Promise.race([server.exit, server.stdout.waitFor(/\n/)]);
  if (first === 1) {
    t.match(server.stderr.text, /LISTEN_FAILED/);
    t.comment('there is no IPv6 here');
    return;
  }
  t.match(server.stdout.text, /^listening on \[::1\]:\d+, storing in /);
  server.kill('SIGINT');
  t.equal(await server.exit, 0);
});

t.test('serve cannot begin', async (t) => {
  const taken = await listen(() => undefined);
  const directory = t.testdir({ file: '' });
  const cases: [argv: string[], message: RegExp][] = [
    [[join(directory, 'missing')], /it does not exist; create it first: `mkdir .*missing` \(DIRECTORY_INVALID\)$/],
    [[join(directory, 'file')], /directory.*\(DIRECTORY_INVALID\)$/],
    [[directory, '--port', String(taken.port)], /the port is in use; choose another.*\(LISTEN_FAILED\)$/],
    [[directory, '--port', '0', '--host', '192.0.2.1'], /not an address of this machine \(LISTEN_FAILED\)$/],
  ];
  for (const [argv, message] of cases) {
    const server = start(['serve', ...argv]);
    t.equal(await server.exit, 1, argv.join(' '));
    t.match(server.stderr.lines, [message]);
    t.equal(server.stderr.lines.length, 1);
    t.equal(server.stdout.text, '');
    t.equal(server.listening(), 0);
  }
  await taken.close();
  t.strictSame(readdirSync(directory), ['file']);
});

for (const [signal, forced] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`serve drains on ${signal}`, async (t) => {
    const directory = t.testdir();
    const server = start(['serve', directory, '--port', '0'], { stderr: new Capture({ isTTY: true }) });
    const port = await portOf(server);
    const peer = RawPeer.connect(port);
    peer.socket.write(header(5n, 'a.txt'));
    t.equal(await peer.reply(), 'go ahead');
    peer.socket.write('he');
    server.kill(signal);
    t.match(server.stderr.text, `go-ahead: ${signal}, waiting for 1 upload; again to reset\n`);
    const late = RawPeer.connect(port);
    t.equal(await late.closed, 'reset', 'nobody is let in');
    peer.socket.end('llo');
    t.equal(await peer.closed, 'fin');
    t.equal(await server.exit, 0);
    t.match(server.stdout.text, /stored a\.txt/);
    t.equal(server.listening(), 0);
    t.strictSame(readdirSync(directory), ['a.txt']);
  });

  t.test(`serve is forced by a second ${signal}`, async (t) => {
    const directory = t.testdir();
    const server = start(['serve', directory, '--port', '0'], { stderr: new Capture({ isTTY: true }) });
    const peer = RawPeer.connect(await portOf(server));
    peer.socket.write(header(5n, 'a.txt'));
    await peer.reply();
    server.kill(signal);
    server.kill(signal);
    t.equal(server.listening(), 0, 'a third signal has its default effect');
    t.equal(await peer.closed, 'reset');
    t.equal(await server.exit, forced);
    t.match(server.stderr.text, `go-ahead: ${signal}, resetting\n`);
    t.match(server.stdout.text, /failed "a\.txt" .*\(ABORTED\)/);
    t.strictSame(readdirSync(directory), []);
  });
}

t.test('serve --drain resets what takes longer', async (t) => {
  const directory = t.testdir();
  const server = start(['serve', directory, '--port', '0', '--drain', '0']);
  const peer = RawPeer.connect(await portOf(server));
  peer.socket.write(header(5n, 'a.txt'));
  await peer.reply();
  server.kill('SIGTERM');
  t.equal(await peer.closed, 'reset');
  t.equal(await server.exit, 0);
  t.strictSame(readdirSync(directory), []);
});

t.test('serve goes on when nobody reads its log, and when a listener throws', async (t) => {
  const directory = t.testdir();
  const closed = new Capture();
  const server = start(['serve', directory, '--port', '0'], { stdout: closed });
  const port = await portOf(server);
  // What a pipe does whose reader is gone.
  closed.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  const before = closed.text;
  t.equal(await upload(port, 'a.txt', 'hello'), 'fin');
  t.equal(closed.text, before);
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
  t.strictSame(readdirSync(directory), ['a.txt']);

  const idle = start(['serve', directory, '--port', '0'], { stderr: new Capture({ isTTY: true }) });
  await portOf(idle);
  idle.kill('SIGINT');
  t.equal(await idle.exit, 0);
  t.equal(idle.stderr.text, 'go-ahead: SIGINT\n');

  const broken = start(['serve', t.testdir(), '--port', '0'], {
    now: () => {
      throw new Error('no time \u001b[31m');
    },
  });
  await upload(await portOf(broken), 'a.txt', 'hello');
  broken.kill('SIGTERM');
  t.equal(await broken.exit, 0);
  t.match(broken.stderr.lines, [/^go-ahead: .*no time \\u001b\[31m$/]);
});

t.test('serve --workers ends when its workers cannot be kept', async (t) => {
  let given: unknown;
  /** Serves nobody, and gives up when it is told. */
  class FailingCluster extends EventEmitter {
    readonly connections = 0;
    constructor(options: unknown) {
      super();
      given = options;
    }
    async listen(): Promise<unknown> {
      setImmediate(() => this.emit('ended', new Error('reported before')));
      return { address: '127.0.0.1', port: 1 };
    }
  }
  const mocked = await t.mockImport<typeof cliServe>('../../lib/cli/serve.js', {
    '../../lib/net/workers/cluster-server.js': { ClusterServer: FailingCluster },
  });
  const directory = t.testdir({});
  const environment = fakeEnvironment([]);
  t.equal(await mocked.serve(directory, { host: '127.0.0.1', port: 0, workers: 3 }, environment), 1);
  t.match(given, { directory, workers: 3 });
  t.equal(environment.signals.listenerCount('SIGINT'), 0);
});

t.test('serve and send over TLS', { skip: noOpenssl }, async (t) => {
  const { ca, server: own, client } = makeCertificates(t);
  const trust = ['--tls-ca', ca.certFile];
  const pair = ({ certFile, keyFile }: Certificate): string[] => ['--tls-cert', certFile, '--tls-key', keyFile];
  await t.test('only with a certificate', async (t) => {
    const folder = t.testdir({ in: {}, 'a.txt': 'hello' });
    const server = start(['serve', join(folder, 'in'), '--port', '0', ...pair(own), ...trust]);
    const to = `:${await portOf(server)}`;
    const send = ['send', join(folder, 'a.txt'), '--to', to, '--tls'];
    const sent = start([...send, ...trust, ...pair(client)]);
    t.equal(await sent.exit, 0);
    t.match(sent.stdout.text, /^sent /);
    for (const argv of [trust, []]) {
      const stranger = start([...send, ...argv]);
      t.equal(await stranger.exit, 1);
      t.match(stranger.stderr.text, /\((TLS_FAILED|CONNECTION_RESET)\)\n$/);
    }
    server.kill('SIGTERM');
    t.equal(await server.exit, 0);
    t.strictSame(readdirSync(join(folder, 'in')), ['a.txt']);
  });
});

/** A directory with what can be sent and what cannot. */
function sources(t: Test): string {
  const directory = t.testdir({ 'a.txt': 'hello', empty: '', 'b.bin': 'x'.repeat(100_000), directory: {} });
  return directory;
}

async function memoryServer(t: Test) {
  const storage = new MemoryStorage();
  const server = new Server({ storage });
  const { port } = await server.listen({ port: 0 });
  t.teardown(() => server.close({ drain: 0 }));
  return { storage, server, to: `127.0.0.1:${port}` };
}

t.test('send, plainly', async (t) => {
  const directory = sources(t);
  const { server, to } = await memoryServer(t);
  const names: (string | undefined)[] = [];
  server.on('stored', ({ name }) => names.push(name));
  const file = (name: string): string => join(directory, name);

  const one = start(['send', file('a.txt'), '--to', to]);
  t.equal(await one.exit, 0);
  t.equal(one.stdout.lines.length, 1, 'no summary of one file');
  t.match(one.stdout.lines[0], /^sent .*\/a\.txt: 5 B in \d+ m?s \(.*B\/s\)$/);
  t.equal(one.stderr.text, '');
  t.equal(one.listening(), 0);

  const several = start(['send', file('a.txt'), file('empty'), file('b.bin'), '--to', to, '--concurrency', '1']);
  t.equal(await several.exit, 0);
  t.match(several.stdout.lines, [/a\.txt/, /empty: 0 B/, /b\.bin: 100 kB/, /^sent 3 of 3 files, 100 kB in /]);

  const renamed = start(['send', file('a.txt'), '--to', to, '--as', 'né\u202e.txt', '--pause', '1']);
  t.equal(await renamed.exit, 0);
  t.match(renamed.stdout.lines, [/a\.txt as "né\\u202e\.txt": 5 B/]);
  t.strictSame(names, ['a.txt', 'a.txt', 'empty', 'b.bin', 'né\u202e.txt']);
});

t.test('send --pause sends in small chunks, so that there is something to pause between', async (t) => {
  const file = join(sources(t), 'b.bin');
  const { server } = await memoryServer(t);
  const PAUSE = 77;
  for (const [flags, pauses] of [
    [{ pause: PAUSE }, 7],
    [{ pause: PAUSE, chunkSize: 50_000 }, 2],
    [{ chunkSize: 10_000 }, 0],
  ] as const) {
    for (const [from, more] of [
      [file, {}],
      ['-', { size: 100_000n, as: 'b.bin' }],
    ] as const) {
      const clock = new ManualClock();
      const mocked = await t.mockImport<typeof cliSend>('../../lib/cli/send.js', {
        '../../lib/net/send-all.js': {
          sendAll: (...[files, options]: Parameters<typeof sendAll>) => sendAll(files, { ...options, clock }),
        },
      });
      let exit: number | undefined;
      const to = { host: '127.0.0.1', port: server.address().port };
      const environment = fakeEnvironment([], { stdin: [Buffer.alloc(100_000)] });
      void mocked.sendFiles([from], { to, ...flags, ...more }, environment).then((code) => (exit = code));
      await until(() => {
        if (clock.armed(PAUSE) > 0) clock.advance(PAUSE);
        return exit !== undefined;
      });
      t.equal(exit, 0, from);
      t.equal(clock.asked.filter((ms) => ms === PAUSE).length, pauses, `${from}, ${JSON.stringify(flags)}`);
    }
  }
  const { exit, stdout } = start(['send', '--help'], { stdout: Object.assign(new Capture(), { columns: 200 }) });
  t.equal(await exit, 0);
  t.match(stdout.text, /--pause <ms> +an artificial pause before each 16384 bytes/);
});

t.test('send names each file that fails, and sends the others', async (t) => {
  const directory = sources(t);
  const { to } = await memoryServer(t);
  const hostile = join(directory, 'evil\u001b[31m.txt');
  writeFileSync(hostile, 'x');
  const cases: [file: string, message: RegExp, code: string][] = [
    [join(directory, 'directory'), /is a directory; only regular files can be sent/, 'SOURCE_INVALID'],
    [join(directory, 'missing'), /there is no such file/, 'SOURCE_INVALID'],
    [hostile, /evil\\u001b\[31m\.txt: .*refuses the file/, 'REFUSED'],
  ];
  const fifo = join(directory, 'fifo');
  if (spawnSync('mkfifo', [fifo]).status === 0) cases.push([fifo, /is a FIFO/, 'SOURCE_INVALID']);
  const secret = join(directory, 'secret');
  writeFileSync(secret, 'x', { mode: 0o000 });
  if (!isRoot) cases.push([secret, /you may not read it/, 'SOURCE_INVALID']);

  const files = [...cases.map(([file]) => file), join(directory, 'a.txt')];
  const client = start(['send', ...files, '--to', to, '--concurrency', '1']);
  t.equal(await client.exit, 1);
  t.equal(client.stderr.lines.length, cases.length);
  cases.forEach(([, message, code], i) => {
    t.match(client.stderr.lines[i], message);
    t.match(client.stderr.lines[i], new RegExp(`^failed .*\\(${code}\\)$`));
  });
  t.match(client.stdout.lines, [/^sent .*a\.txt: /, new RegExp(`^sent 1 of ${files.length} files`)]);
  t.notMatch(client.stderr.text, RAW);

  const json = start(['send', ...files, '--to', to, '--concurrency', '1', '--json']);
  t.equal(await json.exit, 1);
  t.equal(json.stderr.text, '');
  t.notMatch(json.stdout.text, RAW);
  cases.forEach(([file, , code], i) => {
    const object = json.stdout.objects[i] ?? {};
    t.strictSame(Object.keys(object), ['event', 'file', 'name', 'code', 'message', 'mayBeStored']);
    t.match(object, { event: 'failed', file, code, message: String, mayBeStored: false });
  });
  const confirmed = json.stdout.objects.at(-1) ?? {};
  t.strictSame(Object.keys(confirmed), ['event', 'file', 'name', 'size', 'ms', 'attempts']);
  t.match(confirmed, { event: 'confirmed', file: files.at(-1), name: 'a.txt', size: 5, attempts: 1 });
  t.ok(Number.isInteger(confirmed['ms']));
});

t.test('send meets servers that do not keep to the protocol', async (t) => {
  const file = join(sources(t), 'a.txt');
  const nobody = await listen(() => undefined);
  await nobody.close();
  const cases: [title: string, code: string, mayBeStored: boolean, server: ((peer: RawPeer) => void) | number][] = [
    ['nothing listens', 'CONNECT_FAILED', false, nobody.port],
    ['a refusal', 'REFUSED', false, ({ socket }) => socket.once('data', () => socket.end())],
    ['a wrong reply', 'REPLY_WRONG', false, ({ socket }) => socket.once('data', () => socket.write('\u001b[31mgo'))],
    ['a reset', 'CONNECTION_RESET', false, ({ socket }) => socket.once('data', () => socket.resetAndDestroy())],
    [
      'a reset after the last byte',
      'CONNECTION_RESET',
      true,
      ({ socket }) =>
        socket.once('data', () => {
          socket.write('go ahead');
          socket.once('end', () => socket.resetAndDestroy());
        }),
    ],
  ];
  for (const [title, code, mayBeStored, behaviour] of cases) {
    const server = typeof behaviour === 'number' ? undefined : await listen((socket) => behaviour(new RawPeer(socket)));
    const to = `127.0.0.1:${server?.port ?? nobody.port}`;
    const json = start(['send', file, '--to', to, '--json']);
    t.equal(await json.exit, 1, title);
    t.match(json.stdout.objects, [{ event: 'failed', file, code, mayBeStored }]);
    const plain = start(['send', file, '--to', to]);
    t.equal(await plain.exit, 1);
    t.match(plain.stderr.lines, [
      new RegExp(`^failed .*a\\.txt: .*\\(${code}\\)${mayBeStored ? '; the server may' : '$'}`),
    ]);
    t.notMatch(plain.stderr.text, RAW);
    await server?.close();
  }
});

t.test('send --retries', async (t) => {
  const file = join(sources(t), 'a.txt');
  for (const stderr of [new Capture(), new Capture({ isTTY: true })]) {
    let connections = 0;
    const { port, close } = await listen((socket) => {
      socket.on('error', () => undefined);
      connections += 1;
      if (connections === 1) socket.once('data', () => socket.resetAndDestroy());
      else socket.once('data', () => socket.write('go ahead', () => socket.once('data', () => socket.end())));
    });
    const client = start(['send', file, '--to', `:${port}`, '--retries', '1'], { stderr });
    t.equal(await client.exit, 0);
    t.match(client.stderr.text, /a\.txt: the connection was lost before the reply \(CONNECTION_RESET\); trying again/);
    t.match(client.stdout.text, /^sent .*, 2 tries\n$/);
    await close();
  }
});

t.test('send - takes standard input', async (t) => {
  const { server, to } = await memoryServer(t);
  const stored: unknown[] = [];
  server.on('stored', ({ name, size }) => stored.push([name, size]));
  const stdin = [Buffer.from('hel'), Buffer.from('lo')];
  const good = start(['send', '-', '--size', '5', '--as', 'in.txt', '--to', to], { stdin });
  t.equal(await good.exit, 0);
  t.match(good.stdout.lines, [/^sent standard input as "in\.txt": 5 B/]);
  const unnamed = start(['send', '-', '--size', '5', '--to', to], { stdin });
  t.equal(await unnamed.exit, 0);
  t.match(unnamed.stdout.lines, [/^sent standard input as "stdin": 5 B/]);
  const onTerminal = { stdin, stdout: new Capture({ isTTY: true }), stderr: new Capture({ isTTY: true }) };
  t.equal(await start(['send', '-', '--size', '5', '--as', 'in.txt', '--to', to], onTerminal).exit, 0);
  t.strictSame(stored, [
    ['in.txt', 5n],
    ['stdin', 5n],
    ['in.txt', 5n],
  ]);
  for (const size of ['4', '6']) {
    const wrong = start(['send', '-', '--size', size, '--as', 'in.txt', '--to', to], { stdin });
    t.equal(await wrong.exit, 1);
    t.match(wrong.stderr.lines, [/^failed standard input: .*\(SOURCE_CHANGED\)$/]);
  }
  t.equal(stored.length, 3, 'neither cut nor padded');
  const json = start(['send', '-', '--size', '4', '--to', to, '--json'], { stdin });
  t.equal(await json.exit, 1);
  t.match(json.stdout.objects, [{ event: 'failed', file: '-', name: 'stdin' }], 'for scripts it stays what they gave');
});

t.test('send says what standard input and unfit names need', async (t) => {
  const wide = (): Capture => Object.assign(new Capture(), { columns: 200 });
  const help = start(['send', '--help'], { stdout: wide() });
  t.equal(await help.exit, 0);
  t.match(help.stdout.text, /--size <size> +the exact size of standard input, which must end after so many bytes/);
  t.match(help.stdout.text, /--as <name> .*of standard input: stdin/);

  // What a file name that is no Unicode becomes on some platforms.
  const lone = join(t.testdir(), 'a\ud800');
  writeFileSync(lone, 'x');
  const { to } = await memoryServer(t);
  const unfit = start(['send', lone, '--to', to]);
  t.equal(await unfit.exit, 1);
  t.match(unfit.stderr.lines, [
    /has a lone surrogate, so it has no UTF-8 form; --as gives it another name \(NAME_INVALID\)$/,
  ]);
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  t.test(`send is ended by ${signal}`, async (t) => {
    const file = join(sources(t), 'a.txt');
    const met: Promise<string>[] = [];
    const { port, close } = await listen((socket) => {
      const peer = new RawPeer(socket);
      met.push(peer.closed);
      socket.once('data', () => client.kill(signal));
    });
    const client = start(['send', file, file, '--concurrency', '1', '--to', `:${port}`]);
    t.equal(await client.exit, code);
    t.strictSame(await Promise.all(met), ['reset'], 'one was reset, the other never begun');
    t.match(client.stderr.lines, [/\(ABORTED\)$/, /\(ABORTED\)$/]);
    t.match(client.stdout.lines, [/^sent 0 of 2 files/]);
    t.equal(client.listening(), 0);
    await close();
  });
}

t.test('send on a terminal draws bars, and keeps its results readable', async (t) => {
  const directory = sources(t);
  const { to } = await memoryServer(t);
  const argv = ['send', join(directory, 'a.txt'), join(directory, 'b.bin'), join(directory, 'missing'), '--to', to];

  const both = start(argv, { stdout: new Capture({ isTTY: true }), stderr: new Capture({ isTTY: true }) });
  t.equal(await both.exit, 1);
  t.match(both.stderr.text, /\[ *\] +0% of +100 kB.* 3 files|\[=* *\] +\d+% of +100 kB.* 3 files/);
  t.match(both.stderr.text, /sent.*a\.txt/, 'above the bars');
  t.match(both.stderr.text, /\u001b\[31mfailed/);
  t.match(both.stdout.lines, [/^sent 2 of 3 files/]);

  const piped = start(argv, { stderr: new Capture({ isTTY: true }) });
  t.equal(await piped.exit, 1);
  t.match(piped.stdout.text, /sent .*b\.bin/);
  t.notMatch(piped.stdout.text, RAW);

  const json = start([...argv, '--json'], { stderr: new Capture({ isTTY: true }) });
  t.equal(await json.exit, 1);
  t.equal(json.stdout.objects.length, 3);
  t.match(json.stderr.text, /of +100 kB/);

  const jsonOnTerminal = start([...argv, '--json'], {
    stdout: new Capture({ isTTY: true }),
    stderr: new Capture({ isTTY: true }),
  });
  t.equal(await jsonOnTerminal.exit, 1);
  t.equal(jsonOnTerminal.stdout.objects.length, 3);
  t.equal(jsonOnTerminal.stderr.text, '', 'no bars between objects');
});

t.test('progress bars', async (t) => {
  const output = new Capture({ isTTY: true });
  output.rows = 5;
  const bars = await ProgressBars.start(output, 1000n, '3 files');
  bars.update(0, 'a\u001b[31m', 100n, 500n);
  bars.update(1, 'b', 400n, 400n);
  bars.update(2, 'beyond the screen', 50n, 100n);
  bars.update(0, 'a', 0n, 500n);
  bars.update(0, 'a', 250n, 500n);
  bars.line('a line that stays');
  bars.stop();
  bars.end(2);
  t.match(output.text, /a line that stays\n/);
  t.match(output.text, / 70% of +1\.0 kB.* 3 files/, 'the total counts what was sent again once');
  t.match(output.text, / 50% of +500 B.* a\\u001b\[31m/);
  t.match(output.text, /100% of +400 B.* b/);
  t.notMatch(output.text, 'beyond the screen', 'more bars than rows are not drawn');

  const params = { progress: 0.5, eta: 1, startTime: 0, stopTime: null, total: 2000, value: 1000, maxWidth: 100 };
  t.equal(drawLine(params, 'a', 1000), '[============            ]  50% of   2.0 kB   1.0 kB/s    1.0 s a');
  for (const maxWidth of [10, 40, 60, 61, 80]) {
    const line = drawLine({ ...params, maxWidth }, '日本語'.repeat(20), 1000);
    const cells = Array.from(line).reduce((sum, character) => sum + (character > '\u10ff' ? 2 : 1), 0);
    t.ok(cells < maxWidth, `fits ${maxWidth} columns`);
  }
  t.match(drawLine({ ...params, total: 0, value: 0, progress: 1 }, 'empty', 0), /100% of +0 B +empty/);
});

/** Until the end of the test: other spec files that run now use the real one. */
function setTemporaryDirectory(t: Test, directory: string): void {
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = directory;
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  });
}

t.test('demo', async (t) => {
  const directory = t.testdir();
  setTemporaryDirectory(t, directory);

  const good = start(['demo', '--clients', '3', '--large', '3MiB']);
  t.equal(await good.exit, 0);
  const rows = good.stdout.lines.filter((line) => / same {2,}/.test(line));
  // 5 odd files, and of each client 3 of this package and 1 that all share.
  t.equal(rows.length, 5 + 3 * 4);
  t.match(good.stdout.text, /\n +1 +3145728 .* same +large\.bin\n/);
  t.match(good.stdout.text, /\.\.\/\.\.\/etc\/passwd -> passwd\n/);
  t.match(good.stdout.text, / +0 .* same +empty\n/);
  t.equal(rows.filter((line) => line.includes('report.pdf')).length, 3);
  t.match(
    good.stdout.lines.at(-1),
    /^all 17 files arrived and match by SHA-256: .* from 3 clients, up to [23] at once, in /,
  );
  t.equal(good.listening(), 0);

  const spoil: [title: string, spoil: (directory: string) => void, output: RegExp][] = [
    [
      'one byte is another',
      (directory) => {
        const path = join(directory, 'large.bin');
        const bytes = readFileSync(path);
        bytes[1000] = (bytes[1000] ?? 0) ^ 1;
        writeFileSync(path, bytes);
      },
      / DIFFERENT +large\.bin\n[^]*only 8 of 9 files arrived and match by SHA-256: /,
    ],
    [
      'a file is gone',
      (directory) => rmSync(join(directory, 'one-byte')),
      / DIFFERENT +one-byte\n[^]*only 8 of 9 files/,
    ],
    [
      'a file too many',
      (directory) => writeFileSync(join(directory, 'stray'), ''),
      /only 9 of 9 files arrived and match by SHA-256; 1 file too many in the directory: /,
    ],
  ];
  for (const [title, beforeCompare, output] of spoil) {
    const environment = fakeEnvironment([]);
    const flags = { clients: 1, large: 2n ** 20n };
    const exit = await demo(flags, environment, { beforeCompare: async (directory) => beforeCompare(directory) });
    t.equal(exit, 1, title);
    t.match(environment.stdout.text, output);
  }

  const interrupted = start(['demo', '--clients', '2', '--large', '3MiB']);
  await interrupted.stdout.waitFor(/listening on/);
  interrupted.kill('SIGINT');
  t.equal(await interrupted.exit, 130);
  t.match(interrupted.stdout.text, /client \d, report\.pdf: the transfer was aborted \(ABORTED\)/);
  t.match(interrupted.stderr.text, /interrupted/);
  t.strictSame(readdirSync(directory), [], 'nothing is left behind');

  const kept = start(['demo', '--clients', '1', '--large', '1k', '--keep']);
  t.equal(await kept.exit, 0);
  const folder = kept.stdout.lines.at(-1)?.replace(/^kept: /, '') ?? '';
  t.strictSame(readFileSync(join(folder, 'stored', 'passwd')), readFileSync(join(folder, 'sent', 'hostile')));
});

t.test('what else can go wrong', async (t) => {
  const boom = new Error('boom');
  const environment = fakeEnvironment(['demo']);
  environment.signals.on = () => {
    throw boom;
  };
  await t.rejects(run(environment), boom, 'a bug keeps its stack');
  const full = fakeEnvironment(['demo']);
  full.signals.on = () => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { syscall: 'write' });
  };
  t.equal(await run(full), 1);
  t.match(full.stderr.lines, [/^go-ahead: ENOSPC: no space left on device, write$/]);

  setTemporaryDirectory(t, join(t.testdir(), 'missing'));
  const homeless = start(['demo']);
  t.equal(await homeless.exit, 1);
  t.match(homeless.stderr.lines, [
    /^go-ahead: cannot make a temporary folder in .*missing \(ENOENT\); set TMPDIR to a folder to which you may write$/,
  ]);
  t.equal(homeless.listening(), 0);
});
