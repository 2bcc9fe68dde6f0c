import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { pick, runSeed, seededRandom } from '../support/random.js';
import {
  childProcesses,
  delay,
  eventually,
  figure,
  listing,
  NO_PROCFS,
  Program,
  scaled,
  Sender,
  Serving,
  sha256,
  temporaryFiles,
  transfer,
} from './rig.js';

const seed = runSeed();

/** Content that only this name and number has. */
function contentOf(name: string, number: number, size: number): Buffer {
  const body = Buffer.alloc(size, `${name} ${number};`);
  return body;
}

interface Sent {
  readonly name: string;
  readonly hash: string;
  /** Whether the sender read the end of the stream, and when. The kernel ends the connections of a dead process. */
  readonly confirmed: 'alive' | 'killed' | 'no';
}

/** Sends file after file until the server is gone. */
async function sendUntilKilled(
  port: number,
  client: string,
  random: () => number,
  killedAt: () => number,
): Promise<Sent[]> {
  const sent: Sent[] = [];
  for (let number = 0; killedAt() === Infinity; number++) {
    // Two names that all clients share, and one of its own.
    const name = [`same.bin`, `other.bin`, `${client}-${number}.bin`][pick(random, 3)]!;
    const body = contentOf(client, number, pick(random, random() < 0.3 ? 3_000_000 : 40_000));
    const sender = new Sender(port);
    if (await sender.begin(body.length, name)) {
      // In pieces, so that the server may die between any two.
      const cut = pick(random, body.length + 1);
      await sender.write(body.subarray(0, cut));
      sender.finish(body.subarray(cut));
    }
    const outcome = await sender.outcome();
    const confirmed = outcome !== 'confirmed' ? 'no' : sender.endedAt < killedAt() ? 'alive' : 'killed';
    sent.push({ name, hash: sha256(body), confirmed });
  }
  return sent;
}

/** The announced name that a final name stands for. */
function announced(finalName: string): string {
  return finalName.replace(/ \(\d+\)(?=\.bin$)/, '');
}

const CLIENTS = 6;

/** Who is killed: the one process, or with workers any of them. */
const VARIANTS = [
  { name: 'rename', policy: 'rename', workers: 0 },
  { name: 'replace', policy: 'replace', workers: 0 },
  { name: 'workers', policy: 'rename', workers: 2 },
] as const;

t.test(`the server is killed at random moments, seed ${seed}`, { skip: NO_PROCFS, timeout: 3_600_000 }, async (t) => {
  const rounds = scaled(10, 200);
  const random = seededRandom(seed);
  const totals = { alive: 0, killed: 0, reset: 0, swept: 0, whole: 0 };
  const problems: string[] = [];
  for (const { name: variant, policy, workers } of VARIANTS) {
    const inbox = join(t.testdir({ [variant]: {} }), variant);
    const argv = ['--on-conflict', policy, ...(workers > 0 ? ['--workers', String(workers)] : [])];
    let server = await Serving.start(t, inbox, argv);
    const everSent = new Map<string, Set<string>>();
    const kept = new Set<string>();
    for (let round = 0; round < rounds / VARIANTS.length; round++) {
      let killedAt = Infinity;
      const clients = Array.from({ length: CLIENTS }, (_, client) =>
        sendUntilKilled(server.port, `${variant}-${round}-${client}`, random, () => killedAt),
      );
      // Half of the rounds well into the work, the others wherever it falls.
      if (random() < 0.5) await eventually(() => server.count('stored') > 0, 5_000);
      await delay(5 + random() * 100);
      const victims = [server.pid, ...childProcesses(server.pid)];
      const victim = victims[pick(random, victims.length)]!;
      killedAt = performance.now();
      process.kill(victim, 'SIGKILL');
      // A worker's death ends its own connections only.
      const sending = Promise.all(clients);
      if (victim !== server.pid) await sending;
      server.kill('SIGKILL');
      await server.exit;
      const stored = server.events.filter(({ event }) => event === 'stored');
      const sent = (await sending).flat();
      totals.swept += temporaryFiles(inbox).length;

      server = await Serving.start(t, inbox, argv);
      if (temporaryFiles(inbox).length > 0) problems.push(`${variant} ${round}: temporary files are left`);
      const files = listing(inbox);
      const hashes = new Set(files.values());
      for (const { name, hash } of sent) everSent.set(name, (everSent.get(name) ?? new Set()).add(hash));
      for (const [finalName, hash] of files) {
        totals.whole += 1;
        if (everSent.get(announced(finalName))?.has(hash) !== true)
          problems.push(`${variant} ${round}: ${finalName} is not whole`);
      }
      // With `replace`, a later upload may have taken the place of an earlier one: only names of one sender stay.
      const stays = (name: string): boolean => policy === 'rename' || !['same.bin', 'other.bin'].includes(name);
      for (const { name, hash, confirmed } of sent) {
        if (confirmed === 'no') {
          totals.reset += 1;
          continue;
        }
        totals[confirmed] += 1;
        if (stays(name)) kept.add(hash);
      }
      for (const hash of kept) if (!hashes.has(hash)) problems.push(`${variant} ${round}: a confirmed file is lost`);
      for (const { path, name } of stored) {
        if (!files.has(String(path).slice(inbox.length + 1)))
          problems.push(`${variant} ${round}: ${String(name)} is logged and lost`);
      }
    }
    server.kill('SIGKILL');
    await server.exit;
  }
  t.strictSame(problems, []);
  t.ok(totals.alive > rounds / 4, 'files were confirmed');
  t.ok(totals.swept > 0, 'kills left temporary files, which the next start removed');
  figure(
    t,
    `${rounds} kills of the server`,
    `${totals.alive} files confirmed before and ${totals.killed} as it was killed, all there; ` +
      `${totals.reset} senders saw a failure; ${totals.swept} temporary files swept`,
  );
});

/** Runs a server on the directory until it has a temporary file, kills it, and returns the name of that file. */
async function leaveTemporary(t: Test, directory: string): Promise<string> {
  const server = await Serving.start(t, directory);
  const sender = new Sender(server.port);
  await sender.begin(10, 'victim.bin');
  await sender.write(Buffer.from('hello'));
  const [name] = temporaryFiles(directory);
  server.kill('SIGKILL');
  await server.exit;
  if (name === undefined) throw new Error('no temporary file was left');
  return name;
}

/** Another character of the same kind in the place of the one at `index`. */
function changed(name: string, index: number): string {
  const old = name.charAt(index);
  return name.slice(0, index) + (old === 'a' ? 'b' : 'a') + name.slice(index + 1);
}

t.test('a restart sweeps what the dead run left, and no decoy', { skip: NO_PROCFS }, async (t) => {
  const base = t.testdir({ inbox: {}, other: {}, outside: { 'canary.txt': 'untouched' } });
  const [inbox, other] = [join(base, 'inbox'), join(base, 'other')];
  const leftovers = [];
  for (let index = 0; index < 4; index++) leftovers.push(await leaveTemporary(t, inbox));
  const [asLink, model, asDirectory, swept] = leftovers as [string, string, string, string];
  t.strictSame(temporaryFiles(inbox), [swept], 'each start has swept what the one before had left');
  // Other things under the names of those that were swept.
  symlinkSync(join(base, 'outside', 'canary.txt'), join(inbox, asLink));
  mkdirSync(join(inbox, asDirectory));
  writeFileSync(join(inbox, asDirectory, 'inside'), '');
  // One character changed, in each part of the name.
  const at = ['.go-ahead-'.length, 20, 60, 76, 80, 90, model.length - 6, model.length - 1];
  const decoys = at.map((index) => changed(model, index % model.length));
  const others = [
    `x${model}`,
    `${model}x`,
    model.toUpperCase(),
    '.go-ahead-.part',
    'notes.part',
    '.go-ahead-notes.part',
  ];
  for (const name of [...decoys, ...others]) writeFileSync(join(inbox, name), 'not ours');
  // Made by a dead run in another directory, and moved here by a user.
  const moved = await leaveTemporary(t, other);
  renameSync(join(other, moved), join(inbox, moved));

  const before = readdirSync(inbox).sort();
  const server = await Serving.start(t, inbox);
  t.strictSame(
    readdirSync(inbox).sort(),
    before.filter((name) => name !== swept),
    'only what was ours is gone',
  );
  t.equal(readFileSync(join(base, 'outside', 'canary.txt'), 'utf8'), 'untouched');
  t.equal(await transfer(server.port, 'a.txt', Buffer.from('hello')), 'confirmed', 'and it serves');
  // Nobody can have a file stored under the name of a temporary one.
  t.equal(await transfer(server.port, changed(model, model.length - 7), Buffer.from('hello')), 'refused');
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
});

t.test(`the client is killed at random moments, seed ${seed}`, { skip: NO_PROCFS, timeout: 3_600_000 }, async (t) => {
  const rounds = scaled(6, 100);
  const random = seededRandom(seed + 1);
  const base = t.testdir({ inbox: {} });
  const [inbox, file] = [join(base, 'inbox'), join(base, 'big.bin')];
  const content = Buffer.alloc(40 * 2 ** 20, 'content');
  writeFileSync(file, content);
  const server = await Serving.start(t, inbox);
  const idle = server.count('listening');
  t.equal(idle, 1);
  let whole = 0;
  for (let round = 0; round < rounds; round++) {
    const client = new Program(t, ['send', file, '--to', `:${server.port}`, '--as', `${round}.bin`, '--pause', '2']);
    await eventually(() => temporaryFiles(inbox).length > 0, 5_000);
    await delay(random() * 60);
    client.kill('SIGKILL');
    await client.exit;
    const ended = (): number => server.count('stored') + server.count('failed');
    await server.until(() => ended() > round);
    whole += server.count('stored') - whole;
  }
  t.strictSame(temporaryFiles(inbox), [], 'nothing is left of the others');
  const files = listing(inbox);
  t.equal(files.size, whole, 'only what was logged as stored has a name');
  for (const [name, hash] of files) t.equal(hash, sha256(content), `${name} is whole`);
  t.ok(server.count('failed') > 0);
  figure(t, `${rounds} kills of the client`, `${server.count('failed')} discarded, ${whole} were whole; nothing left`);
});

t.test('the server drains, and is killed while it does', { skip: NO_PROCFS }, async (t) => {
  const base = t.testdir({ a: {}, b: {} });
  const inbox = join(base, 'a');
  const open = async (server: Serving): Promise<Sender[]> => {
    const senders = ['finishes.bin', 'stalls.bin', 'trickles.bin'].map(() => new Sender(server.port));
    await Promise.all(senders.map((sender, index) => sender.begin(10, `${index}.bin`)));
    await Promise.all(senders.map((sender) => sender.write(Buffer.from('hello'))));
    return senders;
  };
  // The header is not over: nothing to lose, so it does not wait for this one.
  const drained = await Serving.start(t, inbox, ['--drain', '0.3']);
  const silent = new Sender(drained.port);
  const [finishes, stalls, trickles] = (await open(drained)) as [Sender, Sender, Sender];
  drained.kill('SIGTERM');
  t.equal(await silent.outcome(), 'refused', 'who has announced nothing is closed at once');
  finishes.finish(Buffer.from('world'));
  t.equal(await finishes.outcome(), 'confirmed', 'who finishes is served');
  await trickles.write(Buffer.from('w'));
  t.strictSame([await stalls.outcome(), await trickles.outcome()], ['failed', 'failed'], 'who does not is reset');
  t.equal(await drained.exit, 0);
  t.strictSame(readdirSync(inbox), ['0.bin']);
  t.equal(drained.events.filter(({ code }) => code === 'ABORTED').length, 3);

  const killed = await Serving.start(t, inbox);
  const [late] = (await open(killed)) as [Sender, Sender, Sender];
  killed.kill('SIGTERM');
  // It has the signal when it accepts nobody.
  while ((await transfer(killed.port, 'x', Buffer.alloc(0))) !== 'failed');
  killed.kill('SIGKILL');
  t.equal(await killed.exit, 'SIGKILL');
  t.equal(await late.outcome(), 'failed');
  t.equal(temporaryFiles(inbox).length, 3);
  const next = await Serving.start(t, inbox);
  t.strictSame(
    readdirSync(inbox).filter((name) => name.startsWith('.')),
    [],
    'the next start sweeps',
  );
  next.kill('SIGTERM');
  t.equal(await next.exit, 0);
});
