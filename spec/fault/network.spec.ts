import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { pattern } from '../net/support.js';
import { eventually, figure, listing, NO_PROCFS, Program, scaled, Serving, sha256, temporaryFiles } from './rig.js';

/*
 * Two hosts on a cable that loses packets: network namespaces, a pair of virtual interfaces, and a packet filter that drops.
 * What crosses it is of this spec alone.
 */

const SERVER = '10.99.0.1';
const CLIENT = '10.99.0.2';

/** Nothing, or the problem in one line. */
function run(command: string, argv: readonly string[], input = ''): string {
  const { status, stderr, error } = spawnSync(command, argv, { encoding: 'utf8', input });
  return status === 0 ? '' : `${command} ${argv.join(' ')}: ${error?.message ?? stderr.trim().split('\n')[0] ?? ''}`;
}

const on = (host: string): string[] => ['ip', 'netns', 'exec', host];

/**
 * Drops one in `every` of what a host sends and nft(8) matches. By counting, not by chance: of what is sent again, at least as
 * many pass, so that nothing is lost five times in a row, which is more than TCP promises to outlast here.
 */
function lose(host: string, match: string, every: number): string {
  const rule = `${match} numgen inc mod ${every} == 0 drop`;
  const table = `table inet lossy {\nchain out {\ntype filter hook output priority 0;\n${rule}\n}\n}\n`;
  return run('ip', ['netns', 'exec', host, 'nft', '-f', '-'], table);
}

/** Two hosts that are connected. */
interface Network {
  readonly server: string;
  readonly client: string;
  readonly cable: string;
}

let networks = 0;

function connectHosts(t: Test): Network {
  const id = `${process.pid}-${++networks}`;
  const [server, client, cable] = [`ga-s${id}`, `ga-c${id}`, `ga${id}`];
  t.teardown(() => [server, client].map((host) => run('ip', ['netns', 'del', host])));
  const problems = [
    ['netns', 'add', server],
    ['netns', 'add', client],
    ['-n', server, 'link', 'add', 'name', cable, 'type', 'veth', 'peer', 'name', cable, 'netns', client],
    ['-n', server, 'address', 'add', `${SERVER}/24`, 'dev', cable],
    ['-n', client, 'address', 'add', `${CLIENT}/24`, 'dev', cable],
    ['-n', server, 'link', 'set', cable, 'up'],
    ['-n', client, 'link', 'set', cable, 'up'],
  ].map((argv) => run('ip', argv));
  t.strictSame(problems.filter(Boolean), [], 'two hosts');
  return { server, client, cable };
}

const CANNOT = ((): string | false => {
  const probe = `ga-probe${process.pid}`;
  try {
    const problem =
      run('ip', ['netns', 'add', probe]) ||
      run('ip', ['-n', probe, 'link', 'add', 'name', 'cable', 'type', 'veth', 'peer', 'name', 'end']) ||
      lose(probe, '', 10);
    return problem !== '' && `no network of its own: ${problem}`;
  } finally {
    run('ip', ['netns', 'del', probe]);
  }
})();
const skip = NO_PROCFS || CANNOT;

/** Sends files of different content, and looks at what arrived. */
async function sendAll(t: Test, network: Network, count: number, size: number, argv: string[]): Promise<void> {
  const folder = t.testdir({ inbox: {}, files: {} });
  const inbox = join(folder, 'inbox');
  const sent = Array.from({ length: count }, (_, index) => {
    const [path, bytes] = [join(folder, 'files', `${index}.bin`), pattern(size + index)];
    writeFileSync(path, bytes);
    return { path, name: `${index}.bin`, hash: sha256(bytes) };
  });
  const server = await Serving.start(t, inbox, ['--host', SERVER], on(network.server));
  const to = `${SERVER}:${server.port}`;
  const sender = new Program(
    t,
    ['send', ...sent.map(({ path }) => path), '--to', to, '--json', ...argv],
    on(network.client),
  );
  t.strictSame([await sender.exit, sender.stderr], [0, '']);
  t.equal(sender.count('confirmed'), count);
  t.strictSame(listing(inbox), new Map(sent.map(({ name, hash }): [string, string] => [name, hash]).sort()));
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
}

t.test('a network that loses every third FIN loses no receipt', { skip }, async (t) => {
  const network = connectHosts(t);
  t.equal(lose(network.server, 'tcp flags & fin == fin', 3), '');
  const count = scaled(30, 300);
  await sendAll(t, network, count, 1, ['--concurrency', '30', '--confirm-timeout', '20']);
  figure(t, `${count} files over a network that loses every third FIN`, 'all confirmed, all there');
});

t.test('a network that loses one packet in ten, both ways', { skip }, async (t) => {
  const network = connectHosts(t);
  t.strictSame([lose(network.server, '', 10), lose(network.client, '', 10)], ['', '']);
  const count = scaled(10, 100);
  await sendAll(t, network, count, 50_000, ['--concurrency', '10']);
  figure(t, `${count} files over a network that loses one packet in ten`, 'all confirmed, all there');
});

t.test('the cable is pulled in the middle of a file, and put back', { skip }, async (t) => {
  const network = connectHosts(t);
  const folder = t.testdir({ inbox: {}, 'big.bin': Buffer.alloc(8 * 2 ** 20, 'x').toString() });
  const inbox = join(folder, 'inbox');
  const server = await Serving.start(t, inbox, ['--host', SERVER, '--body-deadline', '0.5'], on(network.server));
  const send = (...argv: string[]): Program =>
    new Program(
      t,
      ['send', join(folder, 'big.bin'), '--to', `${SERVER}:${server.port}`, '--json', ...argv],
      on(network.client),
    );
  const cut = send('--pause', '100', '--send-timeout', '0.5', '--confirm-timeout', '0.5');
  await eventually(() => temporaryFiles(inbox).length > 0);
  t.equal(run('ip', ['-n', network.client, 'link', 'set', network.cable, 'down']), '');
  await server.until(() => server.count('failed') > 0);
  t.match(server.events.at(-1), { event: 'failed', name: 'big.bin', code: 'BODY_TIMEOUT' });
  t.equal(await cut.exit, 1);
  t.match(cut.events.at(-1), { event: 'failed', code: /^(SEND|CONFIRM)_TIMEOUT$/ });
  t.strictSame([...listing(inbox)], [], 'nothing is left');
  t.equal(run('ip', ['-n', network.client, 'link', 'set', network.cable, 'up']), '');
  t.equal(await send('--retries', '3').exit, 0, 'and the next one arrives');
  t.strictSame([...listing(inbox).keys()], ['big.bin']);
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
});
