import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { send } from '../../lib/net/client.js';
import { createServer } from '../../lib/net/create-server.js';
import type { Storage } from '../../lib/storage/storage.js';
import { headerBytes } from '../net/support.js';
import { pick, runSeed, seededRandom } from '../support/random.js';
import {
  atOnce,
  childProcesses,
  delay,
  eventually,
  figure,
  LONG,
  missingTool,
  NO_PROCFS,
  processFigures,
  scaled,
  Sender,
  Serving,
  sha256,
  temporaryFiles,
  transfer,
} from './rig.js';

const MiB = 2 ** 20;
const seed = runSeed();

/** What a server whose descriptors are enough is started with. */
const PLENTY = ['prlimit', '--nofile=20000:20000'];

function descriptorsAllowed(): number {
  return Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
}

function tooFew(needed: number): string | false {
  const tool = missingTool('prlimit');
  if (NO_PROCFS || tool) return NO_PROCFS || tool;
  return descriptorsAllowed() < needed && `this process may have ${descriptorsAllowed()} descriptors (ulimit -n)`;
}

/** Every name that a sender was told is stored stands there, with the content that it sent. */
function lost(directory: string, confirmed: ReadonlyMap<string, string>): string[] {
  const present = new Set(readdirSync(directory));
  return [...confirmed].flatMap(([name, hash]) => {
    if (!present.has(name)) return [`${name} is missing`];
    return sha256(readFileSync(join(directory, name))) === hash ? [] : [`${name} is wrong`];
  });
}

/** One process, and two workers. */
interface Variant {
  readonly name: string;
  readonly flags: readonly string[];
}
const ONE: Variant = { name: 'one process', flags: [] };
const TWO: Variant = { name: '--workers 2', flags: ['--workers', '2'] };
/** The short form has the second only where it costs little. */
const VARIANTS: readonly Variant[] = LONG ? [ONE, TWO] : [ONE];

const CROWD = scaled(200, 1_000);
/** In seconds; the stalling ones wait for it, and no pausing one may reach it. */
const DEADLINE = LONG ? '2' : '1';

for (const { name: variant, flags } of [ONE, TWO])
  t.test(
    `${CROWD} clients at once, good and bad, ${variant}, seed ${seed}`,
    { skip: tooFew(CROWD + 100), timeout: 600_000 },
    async (t) => {
      const directory = t.testdir({});
      const server = await Serving.start(
        t,
        directory,
        ['--body-deadline', DEADLINE, '--header-deadline', '2', ...flags],
        PLENTY,
      );
      const idle = processFigures(server.pid);
      const random = seededRandom(seed);
      const confirmed = new Map<string, string>();
      const expected = new Set<string>();
      await atOnce(CROWD, CROWD, async (index) => {
        const body = Buffer.alloc(pick(random, 200_000), `${index} of ${seed};`);
        const sender = new Sender(server.port);
        const name = `${index}.bin`;
        if (!(await sender.begin(body.length, name))) return void t.fail(`${name} got no reply`);
        const cut = pick(random, body.length + 1);
        const kind = (['good', 'good', 'pauses', 'stalls', 'resets', 'half-closes'] as const)[index % 6];
        await sender.write(body.subarray(0, cut));
        if (kind === 'pauses') await delay(random() * 300);
        if (kind === 'resets') sender.reset();
        else if (kind === 'half-closes' && cut < body.length) sender.socket.end();
        else if (kind !== 'stalls' || cut === body.length) {
          expected.add(name);
          sender.finish(body.subarray(cut));
        }
        if ((await sender.outcome()) === 'confirmed') confirmed.set(name, sha256(body));
      });
      await eventually(() => temporaryFiles(directory).length === 0);
      t.strictSame([...confirmed.keys()].sort(), [...expected].sort(), 'every good one was confirmed, and no other');
      t.strictSame(lost(directory, confirmed), []);
      // One that was reset after its last byte may have been stored.
      t.strictSame(temporaryFiles(directory), []);
      t.ok(await server.settles(idle.descriptors), 'every descriptor is back');
      server.kill('SIGTERM');
      t.equal(await server.exit, 0);
      figure(
        t,
        `${CROWD} clients at once, some pausing, stalling, resetting; ${variant}`,
        `${confirmed.size} good ones stored and right; nothing left of the others`,
      );
    },
  );

const IDLE = scaled(1_000, 10_000);

for (const { name: variant, flags } of VARIANTS)
  t.test(`${IDLE} idle connections, ${variant}`, { skip: tooFew(IDLE + 200), timeout: 600_000 }, async (t) => {
    const directory = t.testdir({});
    const limits = ['--header-deadline', '600', '--max-connections', String(IDLE + 10), ...flags];
    const server = await Serving.start(t, directory, limits, PLENTY);
    const idle = processFigures(server.pid);
    const held: Sender[] = [];
    await atOnce(IDLE, 100, async () => {
      const sender = new Sender(server.port);
      held.push(sender);
      await new Promise<void>((resolve) => sender.socket.once('connect', () => resolve()));
    });
    t.ok(await eventually(() => processFigures(server.pid).descriptors >= idle.descriptors + IDLE, 60_000));
    const full = processFigures(server.pid);
    const each = ((full.memory - idle.memory) * 1024) / IDLE;
    await delay(500);
    const cpu = processFigures(server.pid).cpu - full.cpu;
    t.ok(cpu < 250, `they cost ${cpu} ms of CPU in 500 ms`);
    const start = performance.now();
    t.equal(await transfer(server.port, 'a.txt', Buffer.from('hello')), 'confirmed', 'and others are served');
    const ms = performance.now() - start;
    for (const { socket } of held) socket.destroy();
    t.ok(await server.settles(idle.descriptors), 'every descriptor is back');
    t.ok(each < 40, `${each.toFixed(1)} KiB each`);
    server.kill('SIGTERM');
    t.equal(await server.exit, 0);
    figure(
      t,
      `${IDLE} idle connections, ${variant}`,
      `${each.toFixed(1)} KiB each, ${cpu} ms of CPU in 500 ms, a transfer beside them takes ${ms.toFixed(0)} ms`,
    );
  });

for (const { name: variant, flags } of VARIANTS)
  t.test(`what many transfers leave behind, ${variant}`, { skip: NO_PROCFS, timeout: 3_600_000 }, async (t) => {
    const directory = t.testdir({});
    const server = await Serving.start(t, directory, ['--no-sync', '--on-conflict', 'replace', ...flags]);
    const body = Buffer.alloc(20_000, 'x');
    const good = async (count: number): Promise<void> =>
      atOnce(count, 32, async (index) => {
        const outcome = await transfer(server.port, `${index % 100}.bin`, body);
        if (outcome !== 'confirmed') t.fail(`a good one was ${outcome}`);
      });
    const broken = async (count: number): Promise<void> =>
      atOnce(count, 32, async (index) => {
        const sender = new Sender(server.port);
        if (index % 4 === 0) {
          sender.socket.write(headerBytes(5, '..'));
        } else if (await sender.begin(body.length, 'broken.bin')) {
          await sender.write(body.subarray(0, index % body.length));
          if (index % 4 === 1) sender.reset();
          else if (index % 4 === 2) sender.socket.end();
          else sender.finish(Buffer.alloc(body.length, 'y'));
        }
        if ((await sender.outcome()) === 'confirmed') t.fail('a broken one was confirmed');
      });
    const count = scaled(600, 10_000);
    // The first ones are what the code and the pools come to life with.
    await good(scaled(400, 2_000));
    await broken(scaled(400, 2_000));
    await delay(100);
    const before = processFigures(server.pid);
    await good(count);
    await broken(count);
    t.ok(await server.settles(before.descriptors), 'every descriptor is back');
    t.strictSame(temporaryFiles(directory), [], 'no temporary file is left');
    t.equal(readdirSync(directory).length, 100);
    const after = processFigures(server.pid);
    const grown = after.memory - before.memory;
    t.ok(grown < 32 * (1 + childProcesses(server.pid).length), `memory has grown by ${grown.toFixed(1)} MiB`);
    figure(
      t,
      `${count} good and ${count} broken transfers, ${variant}`,
      `descriptors ${before.descriptors} before and ${after.descriptors} after, memory ${before.memory.toFixed(0)} and ${after.memory.toFixed(0)} MiB, no temporary file`,
    );
    server.kill('SIGTERM');
    t.equal(await server.exit, 0);
  });

for (const { name: variant, flags } of VARIANTS)
  t.test(`one that is slow does not slow the others, ${variant}`, { skip: NO_PROCFS }, async (t) => {
    const directory = t.testdir({});
    const server = await Serving.start(t, directory, ['--no-sync', '--on-conflict', 'replace', ...flags]);
    const rate = async (): Promise<number> => {
      const start = performance.now();
      const count = scaled(150, 2_000);
      await atOnce(count, 8, async (index) => {
        if ((await transfer(server.port, `${index % 8}.bin`, Buffer.alloc(10_000))) !== 'confirmed')
          t.fail('it failed');
      });
      return count / ((performance.now() - start) / 1000);
    };
    await rate();
    const alone = await rate();
    const slow = Array.from({ length: 10 }, () => new Sender(server.port));
    await Promise.all(slow.map((sender, index) => sender.begin(1e6, `slow-${index}.bin`)));
    const timer = setInterval(() => {
      for (const { socket } of slow) socket.write('x');
    }, 5);
    const beside = await rate();
    clearInterval(timer);
    for (const sender of slow) sender.reset();
    t.ok(beside > alone / 3, `${beside.toFixed(0)} transfers a second beside them, ${alone.toFixed(0)} without`);
    figure(t, `transfers a second, ${variant}`, `${alone.toFixed(0)} alone, ${beside.toFixed(0)} beside ten slow ones`);
    server.kill('SIGTERM');
    t.equal(await server.exit, 0);
  });

t.test('a fast sender meets a slow disk', { skip: NO_PROCFS }, async (t) => {
  // One chunk after the other, 2 ms for each.
  let most = 0;
  let waiting = 0;
  let last = Promise.resolve();
  const storage: Storage = {
    create: ({ name, size }) => ({
      write: (chunk) => {
        waiting += chunk.length;
        most = Math.max(most, waiting);
        last = last.then(() => delay(2)).then(() => void (waiting -= chunk.length));
        return last;
      },
      commit: () => ({ name, path: undefined, size }),
      abort: () => undefined,
    }),
  };
  const server = createServer({ storage });
  const { port } = await server.listen({ port: 0 });
  const chunk = Buffer.alloc(MiB);
  const size = scaled(150, 2_000);
  const memory = processFigures(process.pid).memory;
  let peak = 0;
  const file = async function* (): AsyncGenerator<Buffer> {
    for (let index = 0; index < size; index++) {
      peak = Math.max(peak, processFigures(process.pid).memory);
      yield chunk;
    }
  };
  await send(file(), { port, name: 'x', size: BigInt(size * MiB) });
  t.ok(most < 8 * MiB, `at most ${(most / MiB).toFixed(1)} MiB waited for the disk`);
  t.ok(peak - memory < 64, `memory grew by ${(peak - memory).toFixed(0)} MiB over ${size} MiB`);
  figure(
    t,
    `${size} MiB to a slow disk`,
    `at most ${(most / MiB).toFixed(1)} MiB waited, memory grew by ${(peak - memory).toFixed(0)} MiB`,
  );
  await server.close();
});

/** So many clients of this library at once, in this one process. */
async function stampede(t: Test, servers: readonly Serving[], directory: string, count: number): Promise<void> {
  const confirmed = new Map<string, string>();
  const outcomes: Record<string, number> = {};
  const body = (index: number): Buffer => Buffer.alloc(4_096, `${index};`);
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { port } = servers[index % servers.length]!;
      let code = 'confirmed';
      try {
        await send(body(index), { port, name: `${index}.bin`, connectTimeout: 60_000 });
        confirmed.set(`${index}.bin`, sha256(body(index)));
      } catch (reason) {
        code = String((reason as { code?: unknown }).code);
      }
      outcomes[code] = (outcomes[code] ?? 0) + 1;
    }),
  );
  const files = readdirSync(directory).length;
  t.strictSame(lost(directory, confirmed), [], 'every confirmed file is on the disk');
  t.strictSame(outcomes, { confirmed: count }, 'and every one was confirmed');
  figure(
    t,
    `${count} clients at once, ${servers.length} server(s)`,
    `${JSON.stringify(outcomes)}, ${files} files on the disk`,
  );
}

const STAMPEDE = scaled(600, 4_096);
for (const processes of [1, 2]) {
  t.test(
    `${STAMPEDE} clients of this library at once, ${processes} server(s) on one directory`,
    { skip: tooFew(STAMPEDE + 200), timeout: 600_000 },
    async (t) => {
      const directory = t.testdir({});
      const servers: Serving[] = [];
      for (let index = 0; index < processes; index++) servers.push(await Serving.start(t, directory, [], PLENTY));
      await stampede(t, servers, directory, STAMPEDE);
      for (const server of servers) {
        server.kill('SIGTERM');
        t.equal(await server.exit, 0);
      }
    },
  );
}
