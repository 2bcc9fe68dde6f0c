/** Whole runs, each of a case or two, against peers that are odd in one way. */
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { start } from '../cli/fake-process.js';
import { hex, random, text } from '../../lib/conformance/model/bytes.js';
import {
  ACCEPTED,
  FAILED,
  REFUSED,
  SENT,
  type ClientCase,
  type ServerCase,
  type ServerExchange,
} from '../../lib/conformance/model/case.js';
import { UNKNOWN } from '../../lib/conformance/model/capabilities.js';
import { probe, type Probe } from '../../lib/conformance/control.js';
import { Directory } from '../../lib/conformance/target/directory.js';
import { conformClient, conformServer } from '../../lib/conformance/lazy.js';
import { freePort, Listener } from '../../lib/conformance/target/listener.js';
import type { Report, Result } from '../../lib/conformance/report/report.js';
import { runServerCase } from '../../lib/conformance/run-server-case.js';
import { tokens } from '../../lib/conformance/model/select.js';
import { NO_ANSWER, ServerTarget } from '../../lib/conformance/target/server-target.js';
import { body, ended, finish, header, pause, reply, request, send, take } from '../../lib/conformance/model/steps.js';
import { UNMEASURED } from '../../lib/conformance/exchange/times.js';
import { smallServer, type Policy } from './support/small-server.mjs';

// Many at once, so none of them may touch what all share, such as the environment.
t.jobs = 8;

const path = (relative: string): string => `'${fileURLToPath(new URL(relative, import.meta.url))}'`;
const SERVER = `'${process.execPath}' ${path('support/small-server.mjs')} {port} {dir}`;
const CLIENT = `/bin/bash ${path('support/small-client.bash')} {file} {host} {port}`;
const skip = !existsSync('/bin/bash') && 'the client is written in bash';

const root = t.testdir({});
const folder = (): string => mkdtempSync(join(root, 'run-'));

/** In ms. Few of these peers let the suite wait, and a busy machine must not make a failure. */
const PATIENCE = 1000;

async function serve(t: Test, dir: string, policy: Policy): Promise<number> {
  const server = smallServer(dir, policy);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const verdicts = ({ results }: Report): Record<string, string> =>
  Object.fromEntries(results.map(({ id, verdict }) => [id, verdict]));
const reasons = ({ results }: Report): string => results.map(({ reason }) => reason).join('\n');

// ---- what is found out of a server

interface Look {
  readonly see?: boolean;
  /** After the first connection so many requests for one go without an answer. */
  readonly unanswered?: number;
  readonly options?: Partial<Parameters<typeof probe>[1]>;
}

async function found(t: Test, policy: Policy, { see = true, unanswered = 0, options = {} }: Look = {}): Promise<Probe> {
  const dir = folder();
  const port = await serve(t, dir, policy);
  const target = await ServerTarget.open({ host: '127.0.0.1', port, exec: null, cwd: null, dir: null });
  const connecting = target.connect.bind(target);
  let made = 0;
  target.connect = async (log, ms) => {
    made += 1;
    return made > 1 && made <= 1 + unanswered ? { error: NO_ANSWER } : connecting(log, ms);
  };
  const directory = see ? Directory.existing(dir) : null;
  const times = { ...UNMEASURED, patience: PATIENCE };
  const ground = { target, directory, times, declared: {}, suffix: '', naming: 'unknown' } as const;
  const token = tokens(() => 0.5);
  return probe(ground, { profile: 'classic', token, patience: PATIENCE, suffix: null, ...options });
}

t.test('what a server does where it may choose', async (t) => {
  const right = {
    naming: 'kept',
    paths: 'last component',
    conflict: 'numbered',
    concurrent: 'yes',
    lasting: 'yes',
    closes: 'on its own',
  };
  const table: [Policy, object][] = [
    [{}, { gate: null, suffix: '', capabilities: right }],
    [{ suffix: '.tmp' }, { gate: null, suffix: '.tmp', capabilities: right }],
    [{ prefix: 'up-' }, { gate: null, suffix: '', capabilities: { naming: 'opaque' } }],
    [{ paths: 'refused', conflict: 'refused' }, { capabilities: { paths: 'refused', conflict: 'refused' } }],
    [{ paths: 'other', conflict: 'other' }, { capabilities: { paths: 'other', conflict: 'other' } }],
    [{ conflict: 'replaced' }, { capabilities: { conflict: 'replaced' } }],
    [{ closes: 'after the sender' }, { gate: null, capabilities: { closes: 'after the sender' } }],
    [{ serial: true }, { gate: null, capabilities: { concurrent: 'no' } }],
    [{ deaf: 1 }, { reachable: true, gate: null, capabilities: { lasting: 'no', concurrent: 'unknown' } }],
    [{ breaks: 1 }, { reachable: true, gate: /wire: expected "go ahead"/, capabilities: { naming: 'unknown' } }],
    [{ breaks: 2 }, { reachable: true, gate: /wire: expected "go ahead"/ }],
  ];
  await Promise.all(
    table.map(async ([policy, probed]) => t.match(await found(t, policy), probed, JSON.stringify(policy))),
  );
  t.match(await found(t, { breaks: 1 }, { options: { patience: undefined } }), { times: { patience: 1000 } });
  t.match(await found(t, {}, { see: false }), {
    capabilities: { naming: 'unknown', paths: 'unknown', concurrent: 'yes' },
  });
  t.equal(
    (await found(t, { suffix: '.tmp' }, { options: { suffix: '.x' } })).suffix,
    '.x',
    'what the user says counts',
  );
});

t.test('one connection, or a busy moment', async (t) => {
  t.match(await found(t, {}, { unanswered: 1 }), { gate: null, capabilities: { lasting: 'yes', concurrent: 'yes' } });
  t.match(await found(t, {}, { unanswered: 2 }), { gate: null, capabilities: { lasting: 'no' } });
});

t.test('a plain transfer that fails is tried once more before it counts', async (t) => {
  for (const stumbles of [1, 2])
    t.match(
      await found(t, { stumbles }),
      { gate: null, stumbled: /wire: expected "go ahead"/ },
      `connection ${stumbles}`,
    );
  t.match(await found(t, {}), { gate: null, stumbled: null });
  t.match(await found(t, { breaks: 1 }), { gate: /wire: expected "go ahead"/, stumbled: null });
  t.match(await found(t, { breaks: 1, deaf: 1 }), { reachable: true, gate: /wire: expected "go ahead"/ }, 'no second');
  const port = await serve(t, folder(), { stumbles: 1 });
  const report = await conformServer({ ...base, port, cases: [good] });
  t.strictSame(verdicts(report), { 'server/good/a': 'pass' });
  t.match(report.notes, [/^a plain transfer failed, and went well when it was tried again: wire: expected "go ahead"/]);
});

t.test('the pace of a server, which only the full profile needs', async (t) => {
  // Where nothing was measured the waits are those of a server that answers at once.
  for (const policy of [{}, { refuses: 'settle' }, { deaf: 5 }])
    t.match(await found(t, policy, { see: false, options: { profile: 'full' } }), {
      gate: null,
      capabilities: { lasting: 'yes' },
    });
});

// ---- servers

const FILE = { size: hex('00 00 00 00 00 00 00 0a'), name: text('{t}a'), body: random(10) };
const WHOLE = [header(), reply, body(), finish, ended];
const ROW: Pick<ServerCase, 'role' | 'title' | 'clause' | 'profiles' | 'needs'> = {
  role: 'server',
  title: 'a case',
  clause: '6.3',
  profiles: ['classic'],
  needs: 'wire',
};
const whole: ServerExchange = { file: FILE, steps: WHOLE, expect: [ACCEPTED] };
/** A header that a right server refuses, which the small one does not. */
const refused: ServerExchange = { ...whole, expect: [REFUSED] };
const good: ServerCase = { ...ROW, id: 'server/good/a', exchange: whole };
const second: ServerCase = { ...good, id: 'server/good/b' };
const base = { profile: 'classic', patience: PATIENCE, seed: 1 } as const;

/** Ends the run as soon as one case is judged. */
function endAfterOne(): { signal: AbortSignal; reporters: { result: () => void; end: () => void }[] } {
  const abort = new AbortController();
  return { signal: abort.signal, reporters: [{ result: () => abort.abort(), end: () => undefined }] };
}

t.test('a server of which only the connection is seen', async (t) => {
  const run = async (policy: Policy, cases: readonly ServerCase[]): Promise<Report> =>
    conformServer({ ...base, port: await serve(t, folder(), policy), confirm: false, cases });
  t.match(verdicts(await run({}, [good])), { 'server/good/a': 'pass' });
  const alive = await run({ paths: 'refused' }, [{ ...good, twin: { file: { name: text('{t}/a') } } }]);
  t.match(alive.results[0]?.axes, [
    ...new Array<object>(2).fill({}),
    { axis: 'alive', ok: true },
    { axis: 'twin', ok: false },
  ]);
  t.match(reasons(await run({ closes: 'after the sender' }, [good])), /this server waits for the sender to close/);
  // Four connections find out what it does, the fifth is the case, the sixth its proof.
  t.match(verdicts(await run({ breaks: 6 }, [good])), { 'server/good/a': 'inconclusive' });
  const never = await run({ breaks: 1 }, [good]);
  t.match(never.cause, /^a plain transfer does not work, so nothing can pass: wire: expected "go ahead"/);
  const gone = await run({ breaks: 1, deaf: 2 }, [good]);
  t.strictSame([verdicts(gone), gone.notes], [{ 'server/good/a': 'fail' }, []], 'what never worked did not go down');
  const deaf = await run({ deaf: 5 }, [
    { ...good, alone: true },
    { ...second, alone: true },
  ]);
  t.match([deaf.cause, deaf.notes], [null, [/^The target went down in 2 cases, first in server\/good\/.$/]]);
  const late = { ...whole, expect: [{ ...ACCEPTED, within: { to: 'reply', ms: 40 } }] } as const;
  const unanswered = await run({ refuses: 'xx' }, [
    { ...good, exchange: { ...late, file: { ...FILE, name: text('{t}xx') } } },
  ]);
  t.match(reasons(unanswered), /no reply/);
  const unseen = await run({}, [{ ...good, alone: true, watch: 'residue' }]);
  t.match(reasons(unseen), /^expected nothing left .*, seen: no directory to look at$/);
});

t.test('a server that says it took a file, and has it not', async (t) => {
  const dir = folder();
  const port = await serve(t, dir, { forgets: 'same' });
  const only = ['server/taken/at-once-replaced'];
  const report = await conformServer({
    port,
    dir,
    seed: 1,
    patience: PATIENCE,
    declared: { conflict: 'replaced' },
    only,
  });
  t.match(reasons(report), /0 are there, not one/);
});

t.test('what is not asked of a server, and of a client, says why', { skip }, async (t) => {
  const port = await serve(t, folder(), {});
  const only = ['server/taken/*', 'server/time/*', 'server/resources/*'];
  const server = await conformServer({ port, seed: 1, patience: PATIENCE, declared: { conflict: 'replaced' }, only });
  t.strictSame([...new Set(server.results.map(({ verdict }) => verdict))].sort(), ['not applicable', 'untestable']);
  for (const reason of [
    /^names that are taken: declared as "replaced", so this is the user's choice$/m,
    /^needs --dir DIR, the directory in which the server stores$/m,
    /^needs --exec "CMD \{port\} \{dir\}", so that the suite starts the server$/m,
    /^needs --declare headerTimeout=MS$/m,
  ]) {
    t.match(reasons(server), reason);
  }
  const client = await conformClient({ exec: CLIENT, seed: 1, patience: PATIENCE, only: ['client/time/*'] });
  t.ok(client.results.length > 3);
  for (const { verdict, reason } of client.results)
    t.match([verdict, reason], ['untestable', /^needs --declare \w+=MS$/]);
});

t.test('a fault of the suite is told, and the other cases are judged', async (t) => {
  const dir = folder();
  const plant = [{ kind: 'file', at: 'no/such/folder', bytes: hex('') }] as const;
  const cases = [good, { ...second, plant }, { ...second, id: 'server/good/c', plant, alone: true }];
  const report = await conformServer({ ...base, port: await serve(t, dir, {}), dir, cases });
  t.strictSame(verdicts(report), {
    'server/good/a': 'pass',
    'server/good/b': 'suite fault',
    'server/good/c': 'suite fault',
  });
  t.match(reasons(report), /ENOENT.*\n +at /);
  t.equal(report.exitCode, 5);
  t.strictSame(readdirSync(dir), []);
});

t.test('a run that its user ends, of cases in one lane or alone', async (t) => {
  for (const alone of [false, true]) {
    const cases = [good, second].map((one) => ({ ...one, alone }));
    const report = await conformServer({
      ...base,
      ...endAfterOne(),
      port: await serve(t, folder(), {}),
      width: 1,
      cases,
    });
    t.strictSame([report.results.length, report.complete], [1, false]);
    await new Promise((resolve) => setImmediate(resolve));
  }
});

t.test('what was passed a moment before its user ends the run is in the report', async (t) => {
  const abort = new AbortController();
  const server = smallServer(folder(), {});
  server.on('connection', (socket) => {
    socket.on('data', (bytes) => {
      if (bytes.includes('next')) abort.abort();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  // What has times to declare goes first.
  const next = { ...second, exchange: { ...whole, file: { ...FILE, name: text('{t}next') } } };
  const cases = [{ ...good, declared: [] }, next];
  const report = await conformServer({ ...base, port, width: 1, cases, signal: abort.signal });
  t.strictSame([verdicts(report), report.complete], [{ 'server/good/a': 'pass' }, false]);
});

t.test('what the user declares counts, whatever is found out', async (t) => {
  const capabilities = {
    naming: 'opaque',
    paths: 'refused',
    conflict: 'other',
    concurrent: 'no',
    lasting: 'yes',
    closes: 'on its own',
  } as const;
  const port = await serve(t, folder(), {});
  const report = await conformServer({ ...base, port, declared: capabilities, cases: [good] });
  t.strictSame(report.capabilities, capabilities);
  t.match(verdicts(report), { 'server/good/a': 'pass' });
});

t.test('a failure beside others is confirmed by itself', async (t) => {
  const dir = folder();
  const port = await serve(t, dir, {});
  const cases = [good, { ...second, exchange: refused, twin: { steps: WHOLE } }];
  const report = await conformServer({ ...base, port, dir, cases });
  t.strictSame(verdicts(report), { 'server/good/a': 'pass', 'server/good/b': 'fail' });
});

t.test('a server that goes down is started again, but not for ever', async (t) => {
  const die = (id: string): ServerCase => ({
    ...ROW,
    id,
    exchange: { ...whole, file: { ...FILE, name: text('{t}die') } },
  });
  const cases = ['a', 'b', 'c'].map((name) => die(`server/die/${name}`));
  const report = await conformServer({ ...base, exec: SERVER, restarts: 1, width: 1, cases });
  t.strictSame(new Set(Object.values(verdicts(report))), new Set(['fail']));
  const went = report.notes.filter((note) => note.startsWith('The target went down'));
  t.equal(went.length, 1, 'one note for all');
  t.match(went[0], /^The target went down in 3 cases, first in server\/die\/.: the process exited with status 70$/);
  t.match(report.notes.join('\n'), /^Restarted 1 time: given up before server\/die/m);
});

const under = (name: string): ServerExchange => ({ ...whole, file: { ...FILE, name: text(`{t}${name}`) } });
// What has times to declare goes first.
const late: ServerCase = { ...good, id: 'server/late/a', exchange: under('late'), declared: [] };
const slow: ServerCase = {
  ...good,
  id: 'server/slow/b',
  exchange: { ...whole, steps: [header(), reply, pause(600), body(), finish, ended] },
};
const others = ['a', 'b', 'c', 'd'].map((name): ServerCase => ({ ...good, id: `server/good/${name}` }));
const rightOthers = Object.fromEntries(others.map(({ id }) => [id, 'pass']));

t.test('a case beside others that ends the process fails, also when its pass is quicker', async (t) => {
  for (const [policy, case_] of [
    [{ worker: true }, { ...late, exchange: under('leave') }],
    [{ late: 10 }, late],
  ] as const) {
    const exec = `${SERVER} '${JSON.stringify(policy)}'`;
    const report = await conformServer({ ...base, exec, cases: [case_, ...others], width: 1 });
    t.strictSame(verdicts(report), { ...rightOthers, 'server/late/a': 'fail' });
    const went = /^The target went down in server\/late\/a: the process exited with status 70$/m;
    t.match(report.notes.join('\n'), went);
    t.notMatch(report.notes.join('\n'), /^The process/m);
    const only = await conformServer({ ...base, exec, cases: [case_] });
    t.strictSame(verdicts(only), { 'server/late/a': 'fail' });
  }
});

t.test('a process that ends long after a case was passed: told, and held against none', async (t) => {
  const exec = `${SERVER} '{"late":150}'`;
  const right = { 'server/late/a': 'pass', 'server/slow/b': 'pass' };
  const together = await conformServer({ ...base, exec, cases: [late, slow], width: 1 });
  t.strictSame(verdicts(together), right);
  const none = /^The process exited with status 70, and it is not known in which case$/m;
  t.match(together.notes.join('\n'), none);
  // A seed of which comes this order.
  const alone = [late, slow].map((one) => ({ ...one, alone: true }));
  const report = await conformServer({ ...base, seed: 4, exec, cases: alone });
  t.strictSame(verdicts(report), right);
  const either = /^The process exited with status 70 in server\/slow\/b or after server\/late\/a, but not when/m;
  t.match(report.notes.join('\n'), either);
});

t.test('a process that ends after the last case', async (t) => {
  const exec = `${SERVER} '{"late":15}'`;
  const report = await conformServer({ ...base, exec, cases: [{ ...late, alone: true }] });
  // On a busy machine it may be seen in the case itself.
  t.match(
    report.notes.join('\n'),
    /^The process exited with status 70, and it is not known|in server\/late\/a: .* 70$/m,
  );
});

t.test('a server that does not end when it is asked to is ended', async (t) => {
  const pid = join(folder(), 'pid');
  const policy = JSON.stringify({ stubborn: pid });
  const report = await conformServer({ ...base, exec: `${SERVER} '${policy}'`, cases: [good] });
  t.match([verdicts(report), report.exitCode], [{ 'server/good/a': 'pass' }, 0]);
  const number = Number(readFileSync(pid, 'utf8'));
  t.throws(() => process.kill(number, 0), { code: 'ESRCH' });
});

t.test('a server that dies of a probe, and of a twin', async (t) => {
  // The name that is too long is tried in the full profile only.
  const one: ServerCase = { ...good, profiles: ['full'], alone: true };
  const twin = { file: { name: text('{t}die') } };
  const cases = [
    one,
    { ...one, id: 'server/die/twin', twin },
    { ...one, id: 'server/die/own', exchange: { ...whole, file: { ...FILE, ...twin.file } }, twin: { file: FILE } },
  ];
  const report = await conformServer({ ...base, profile: 'full', exec: `${SERVER} '{"frail":true}'`, cases });
  t.strictSame(verdicts(report), { 'server/good/a': 'pass', 'server/die/twin': 'fail', 'server/die/own': 'fail' });
  t.match(
    report.results.find(({ id }) => id === 'server/die/twin')?.reason,
    /alive: .* the process exited with status 70/,
  );
});

t.test('a server of one connection is started for each', async (t) => {
  const exec = `${SERVER} '{"deaf":1}'`;
  const cases = [good, { ...second, needs: 'dir', exchange: refused, twin: { steps: WHOLE } } as const];
  // That counts for nothing: it does not go down, it ends.
  const report = await conformServer({ ...base, exec, cases, restarts: 0 });
  t.match(report.capabilities, { lasting: 'no' });
  t.match(verdicts(report), { 'server/good/a': 'pass' });
});

t.test('what is nobody’s verdict is no report', async (t) => {
  // The client takes the folder away that the suite puts the files into.
  const exec = `/bin/bash -c 'rm -r "\${0%/*/*/*}"' {file} {port}`;
  await t.rejects(conformClient({ exec, quick: true }), { code: 'ENOENT', syscall: 'mkdtemp' });
});

/** As one without SO_REUSEADDR, whose port stays in use for a minute after it went down: a second one ends at once. */
const once = (command: string): string =>
  `/bin/bash -c 'mkdir "$0" 2>/dev/null || { echo in use >&2; exit 1; }; exec "$@"' '${join(folder(), 'been-here')}' ${command}`;

t.test('a server that cannot be started again on its fixed port', { skip }, async (t) => {
  const port = await freePort('127.0.0.1');
  const exec = once(SERVER.replace('{port}', String(port)));
  // One that waits for a deadline is first.
  const wrong: ServerCase = { ...good, id: 'server/wrong/a', exchange: refused, declared: ['headerTimeout'] };
  const die = { ...good, id: 'server/die/a', exchange: { ...whole, file: { ...FILE, name: text('{t}die') } } };
  const options = { ...base, exec, port, width: 1, declared: { headerTimeout: 60 } };
  const report = await conformServer({ ...options, cases: [wrong, die] });
  t.match(
    report.results,
    [
      {
        id: 'server/die/a',
        verdict: 'inconclusive',
        reason: /nothing listens on .* exited with status 1; stderr ends: in use; .* must set SO_REUSEADDR/,
      },
      { id: 'server/wrong/a', verdict: 'fail', reason: /^wire: expected no byte, got "go ahead"/ },
    ],
    'a verdict that it had before stays',
  );
});

t.test('a server that is started again is told another port', async (t) => {
  const exec = `'${process.execPath}' -e 'console.error(process.argv[1])' {port}`;
  const target = await ServerTarget.open({ host: '127.0.0.1', port: null, exec, cwd: null, dir: null });
  const first = await target.exitWithin(60_000);
  t.match(first?.stderr, String(target.port));
  t.equal(target.neverServed, true);
  t.notMatch(target.whyUnreachable('ECONNREFUSED'), 'SO_REUSEADDR');
  const taken = await Listener.open({ host: '127.0.0.1', port: target.port });
  t.teardown(() => taken.close());
  await target.restart();
  t.not(target.port, taken.port);
  t.match((await target.exitWithin(60_000))?.stderr, String(target.port));
  await target.stop();
});

t.test('a port on which something else listens, and one that cannot be had', async (t) => {
  const port = await serve(t, folder(), {});
  const other = await conformServer({ ...base, exec: SERVER, port, cases: [good] });
  t.match(other, { exitCode: 4, cause: /^something else listens on 127.0.0.1:\d+ already/, complete: true });
  t.strictSame(reasons(other), other.cause);
  // An address of documentation, so nobody's.
  const nowhere = await conformServer({ ...base, exec: SERVER, host: '192.0.2.1', cases: [good] });
  t.match(nowhere, {
    exitCode: 4,
    cause: /^The suite cannot listen on 192.0.2.1:\d+: .*EADDRNOTAVAIL/,
    complete: true,
  });
  t.match(nowhere.results[0]?.replay, ' --host 192.0.2.1 ');
  t.notMatch(other.results[0]?.replay, '--host');
  const target = await ServerTarget.open({ host: '192.0.2.1', port: null, exec: SERVER, cwd: null, dir: null });
  await target.restart();
  t.equal(target.exit, null, 'nor is it tried again');
});

t.test('a server that needs longer to start is waited for as long as its user says', async (t) => {
  const exec = `'${process.execPath}' -e 'setInterval(() => {}, 1000)' {port}`;
  for (const [patience, within] of [
    [20_000, /within 20 s$/],
    [1, /within 10 s$/],
  ] as const) {
    const target = await ServerTarget.open({ host: '127.0.0.1', port: null, exec, cwd: null, dir: null, patience });
    t.match(target.whyUnreachable('ECONNREFUSED'), within);
    await target.stop();
  }
});

t.test('what the end of the process means for a case that needs a second connection', async (t) => {
  const target = await ServerTarget.open({
    host: '127.0.0.1',
    port: null,
    exec: `${process.execPath} -e 0 {port}`,
    cwd: null,
    dir: null,
  });
  while ((await target.exitWithin(1000)) === null);
  const ground = { target, directory: null, times: UNMEASURED, declared: {}, suffix: '', naming: 'unknown' } as const;
  const context = {
    ground,
    profile: 'classic',
    gate: null,
    mayEnd: false,
    token: tokens(() => 0.5),
    replay: () => '',
  } as const;
  const twin = { ...good, exchange: refused, twin: { steps: WHOLE } };
  for (const [lasting, testCase, actual, alive] of [
    ['no', twin, /serves one connection only/, 0],
    ['no', good, /serves one connection only/, 0],
    ['yes', twin, /the process is gone/, 1],
    ['yes', good, /the process is gone/, 1],
  ] as const) {
    const { result } = await runServerCase(testCase, { ...context, capabilities: { ...UNKNOWN, lasting } });
    const title = `${lasting}, ${String(actual)}`;
    t.equal(result.verdict, 'fail', title);
    t.match(result.axes.at(-1), { axis: 'twin', actual }, title);
    t.equal(result.axes.filter(({ axis }) => axis === 'alive').length, alive, title);
  }
});

// ---- clients

const GO = send(hex('67 6f 20 61 68 65 61 64'));
const SENDS: ClientCase = {
  id: 'client/good/a',
  title: 'a case',
  clause: '6.3',
  role: 'client',
  profiles: ['classic'],
  needs: 'exec',
  exchange: {
    file: { kind: 'file', size: hex('00 00 00 00 00 00 00 0a'), name: text('{t}a'), body: random(10) },
    steps: [request, GO, take(), finish, ended],
    expect: [SENT],
  },
};
const client = (id: string, change: Partial<ClientCase['exchange']>, more: Partial<ClientCase> = {}): ClientCase => ({
  ...SENDS,
  id: `client/odd/${id}`,
  exchange: { ...SENDS.exchange, ...change },
  ...more,
});
const named = (name: string): ClientCase['exchange']['file'] => ({ ...SENDS.exchange.file, name: text(`{t}${name}`) });
const judged = async (cases: readonly ClientCase[], more: object = {}): Promise<Record<string, Result>> => {
  const report = await conformClient({ profile: 'classic', exec: CLIENT, seed: 1, cases, ...more });
  return Object.fromEntries(report.results.map((result) => [result.id.replace('client/odd/', ''), result]));
};

t.test('a client whose plain transfer fails once', { skip }, async (t) => {
  const first = `/bin/bash -c 'mkdir "$0" 2>/dev/null && exit 1; exec "$@"' '${join(folder(), 'been-here')}' ${CLIENT}`;
  const report = await conformClient({ profile: 'classic', exec: first, seed: 1, cases: [SENDS] });
  t.match(report, { cause: null, summary: { pass: 1 } });
  t.match(report.notes, [/^a plain transfer failed, and went well when it was tried again: .*expected status 0/]);
});

t.test('the patience that its user asks for counts for the first transfer of a client', { skip }, async (t) => {
  const exec = `/bin/bash -c 'exec 3<>"/dev/tcp/$1/$2"; read <&3' sh {host} {port} {file}`;
  const report = await conformClient({ profile: 'classic', exec, patience: 700, seed: 1, cases: [SENDS] });
  t.match(report.cause, /^a plain transfer does not work.*got still open after 700 ms \(--patience\)/);
});

t.test('clients that fail, or cannot be tried', { skip }, async (t) => {
  const results = await judged([
    SENDS,
    client('fails', { file: named('bad') }),
    client('twin-fails', { expect: [{ ...SENT, exit: 'not zero' }, SENT] }, { twin: { file: named('bad') } }),
    client('unseen', { expect: [{ ...SENT, header: 'one piece' }] }),
    client('fault', { file: named('/no/such/folder') }),
    client('alone', {}, { alone: true }),
    client('twice', { file: named('twice'), expect: [{ ...SENT, connections: 'one' }] }),
  ]);
  t.match(results, {
    'client/good/a': { verdict: 'pass' },
    fails: { verdict: 'fail' },
    'twin-fails': { verdict: 'inconclusive', reason: /does not accept|exit: expected/ },
    unseen: { verdict: 'untestable', reason: /^expected the header in one segment, seen:/ },
    fault: { verdict: 'suite fault', reason: /ENOENT/ },
    twice: { verdict: 'fail', reason: /2 connections/ },
    alone: { verdict: 'pass' },
  });
});

t.test('a client that is waited for', { skip }, async (t) => {
  const after = 'replyTimeout';
  const step = { do: 'exited', after } as const;
  const declared = { declared: { replyTimeout: 60 }, patience: PATIENCE, confirm: false };
  const results = await judged(
    [
      client('stays', { steps: [request, step], expect: [FAILED] }, { declared: [after], twin: {} }),
      client(
        'leaves',
        { file: named('leaves'), steps: [request, step, { do: 'still running' }], expect: [FAILED] },
        { declared: [after], twin: {} },
      ),
    ],
    declared,
  );
  const notes = ({ evidence }: Result): string =>
    evidence.connections.flatMap(({ log }) => log.map(({ note }) => note)).join();
  t.match(notes(results['stays']!), /the client still runs after 1060 ms/);
  t.match(notes(results['leaves']!), /the client has ended,.*the client had ended by then/);
});

t.test('a file that cannot be made, or whose twin cannot', { skip }, async (t) => {
  const exec = CLIENT.replace('{file}', '{name}');
  const deep = { ...SENDS.exchange.file, deep: true };
  const results = await judged(
    [
      client('own', { file: deep }),
      client('twin', { expect: [{ ...SENT, exit: 'not zero' }, SENT] }, { twin: { file: deep } }),
    ],
    { exec, cwd: folder() },
  );
  for (const name of ['own', 'twin']) t.match(results[name], { verdict: 'untestable', reason: /needs \{file\}/ }, name);
});

t.test('a run of a client that its user ends', { skip }, async (t) => {
  for (const alone of [false, true]) {
    const cases = [{ ...SENDS, alone }, client('second', {}, { alone })];
    const report = await conformClient({ profile: 'classic', exec: CLIENT, width: 1, cases, ...endAfterOne() });
    t.strictSame([report.results.length, report.complete], [1, false]);
    await new Promise((resolve) => setImmediate(resolve));
  }
});

// ---- the command

t.test('what the command says where it fails itself, or has nothing to tell', async (t) => {
  const conform = async (...argv: string[]): Promise<{ code: number; told: string }> => {
    const run = start(['conform', ...argv]);
    const code = await run.exit;
    return { code, told: run.stdout.text + run.stderr.text };
  };
  const taken = await Listener.open({ host: '127.0.0.1', port: 0 });
  t.teardown(() => taken.close());
  const busy = await conform('client', '--exec', 'true {file}', '--port', `${taken.port}`, '--quick');
  t.match(busy, { code: 4, told: /First of all: The suite cannot listen on .*EADDRINUSE[^]*20 inconclusive/ });
  t.match(await conform('list', '--only', 'no/such/case', '--json'), { code: 0, told: '[]\n' });
  t.match(await conform('explain', 'no-such-case'), { code: 2, told: /see go-ahead conform list/ });
  t.match(await conform('explain', 'server/'), { code: 2, told: /see go-ahead conform list/ });
  const json = join(folder(), 'report.json');
  const reports = ['--reporter', `json=${json}`, '--reporter', 'tap'];
  const nothing = ['client', '--exec', 'true {file} {port}', '--skip', '*'];
  t.match(await conform(...nothing, ...reports), { code: 6, told: /^TAP version 14/ });
  t.match(readFileSync(json, 'utf8'), /"exitCode":6/);
  t.match(await conform(...nothing, '--reporter', `tap=${json}`), { code: 6, told: /exit 6: nothing ran/ });
});
