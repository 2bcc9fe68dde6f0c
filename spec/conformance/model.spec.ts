import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import {
  bufferOf,
  chunksOf,
  escaped,
  hasToken,
  hex,
  join,
  lengthOf,
  random,
  repeat,
  text,
  type Bytes,
} from '../../lib/conformance/model/bytes.js';
import { gate, UNKNOWN } from '../../lib/conformance/model/capabilities.js';
import {
  ACCEPTED,
  exchangesOf,
  type Case,
  type ServerExchange,
  type ServerOutcome,
} from '../../lib/conformance/model/case.js';
import { CASES, SERVER_CASES } from '../../lib/conformance/cases/index.js';
import { levelOf, parseClauses } from '../../lib/conformance/model/clause.js';
import { CLAUSES } from '../../lib/conformance/model/clauses.js';
import { fillCommand, splitCommand } from '../../lib/conformance/target/command.js';
import { judgeDisk, judgeRuns, verdictOf, type Standing } from '../../lib/conformance/judge/judge.js';
import { isPositive } from '../../lib/conformance/judge/judge-client.js';
import { exitCodeOf, type Axis, type Verdict } from '../../lib/conformance/report/report.js';
import { provesItself, twinOf } from '../../lib/conformance/run-server-case.js';
import { notConnected, type Observed } from '../../lib/conformance/exchange/script.js';
import { matchesAny, randomFrom, shuffle, tokens, whyNone } from '../../lib/conformance/model/select.js';
import { calibrate, UNMEASURED } from '../../lib/conformance/exchange/times.js';

const PROTOCOL = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
const variables = { t: 'tok', i: 3 };

t.test('clauses.ts is what docs/protocol.md says (npm run clauses)', async (t) => {
  t.strictSame(CLAUSES, parseClauses(PROTOCOL));
});

t.test('the level comes from the RFC 2119 word', async (t) => {
  const table = [
    ['A sender MUST do it.', 'must'],
    ['A receiver MUST NOT do it.', 'must'],
    ['A sender SHOULD do it.', 'should'],
    ['A receiver MAY do it.', 'may'],
    ['A sender that fails SHOULD reset; it MUST not lie.', 'must'],
    ['It must be so, in small letters.', null],
  ] as const;
  for (const [sentence, level] of table) t.equal(levelOf(sentence), level, sentence);
  for (const [id, sentence] of Object.entries(CLAUSES)) t.ok(levelOf(sentence), `${id} has a level`);
});

function announced(size: Bytes): bigint {
  return BigInt(`0x${bufferOf(size, variables).toString('hex')}`);
}

function isWhole(expect: readonly ServerOutcome[]): boolean {
  return expect.every(({ disk }) => disk === 'whole');
}

/** What a row must keep to, as `docs/conformance.md` says it. */
function faultsOf(one: Case): string[] {
  const faults: string[] = [];
  const fault = (wrong: boolean, what: string): unknown => wrong && faults.push(what);
  fault(!/^(server|client)(\/[a-z0-9]+(-[a-z0-9]+)*){2}$/.test(one.id), 'id is role/group/what');
  fault(!one.id.startsWith(`${one.role}/`), 'id begins with the role');
  fault(one.title.length >= 80, 'title is under 80 characters');
  fault(one.profiles.length === 0, 'is in a profile');
  if (one.role === 'client') {
    fault(one.needs !== 'exec', 'a client case needs exec');
    fault(isPositive(one) === (one.twin !== undefined), 'a twin exactly where the case is not its own proof');
    fault(one.twin !== undefined && !one.twin.file && !one.twin.steps, 'the twin differs');
    return faults;
  }
  const exchanges = exchangesOf(one);
  fault(!provesItself(one) && !twinOf(one), 'has a twin, or is its own proof');
  fault(
    provesItself(one) &&
      exchanges.some(({ file, expect }) => isWhole(expect) && announced(file.size) !== lengthOf(file.body, variables)),
    'announces what it sends',
  );
  fault(
    exchanges.some(({ steps }) => steps.filter((step) => step.do === 'meet').length > 1),
    'meets once',
  );
  fault(provesItself(one) && one.twin !== undefined, 'no twin where the case is its own proof');
  fault(one.twin !== undefined && !one.twin.file && !one.twin.steps && !one.plant, 'the twin differs');
  const sees = exchanges.every(({ expect }) => expect.every(({ disk }) => disk === 'any'));
  fault(one.needs === 'dir' && sees && one.plant === undefined, 'looks at the disk where it needs it');
  const named = exchanges.filter(({ file }) => lengthOf(file.name, variables) > 0n);
  fault(one.alone !== true && named.some(({ file }) => !hasToken(file.name)), 'alone, or {t} in every name');
  fault(one.plant !== undefined && one.needs === 'wire', 'plants only where the directory is needed');
  fault(
    one.watch !== undefined && (one.needs !== (one.watch === 'residue' ? 'dir' : 'exec') || one.alone !== true),
    'watches only what runs alone, with exec or for residue with dir',
  );
  const labels = exchanges.map(({ label }) => label);
  fault(exchanges.length > 1 && new Set(labels).size < labels.length, 'labels tell the connections apart');
  return faults;
}

t.test('every row is sound', async (t) => {
  for (const one of CASES) t.strictSame(faultsOf(one), [], one.id);
  t.equal(new Set(CASES.map(({ id }) => id)).size, CASES.length, 'ids are unique');
});

t.test('every clause has a case, or docs/conformance.md says why not', async (t) => {
  const covered = new Set<string>(CASES.map(({ clause }) => clause));
  const page = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8');
  const [, section = ''] = /### Clauses without a case\n([^]*?)\n## /.exec(page) ?? [];
  const reasons = [...section.matchAll(/^\| (\d+\.\d+) \| .{20,} \|$/gm)].map(([, id]) => id);
  t.strictSame(
    reasons,
    Object.keys(CLAUSES).filter((id) => !covered.has(id)),
  );
});

t.test('bytes', async (t) => {
  t.strictSame(
    bufferOf(join(hex('00 ff'), text('a{t}{i}é'), repeat('0d 0a', 3)), variables),
    Buffer.from('00ff61746f6b33c3a90d0a0d', 'hex'),
  );
  t.throws(() => hex('0 0f'));
  t.equal(escaped(Buffer.from('1b5b316d5c61', 'hex')), '\\x1b[1m\\x5ca');
  t.equal(lengthOf(random(2n ** 63n), variables), 2n ** 63n);
  t.not(bufferOf(random(16), variables).toString('hex'), bufferOf(random(16), { t: 'other', i: 3 }).toString('hex'));
  fc.assert(
    fc.property(fc.nat(200), fc.nat(200), fc.integer({ min: 1, max: 70 }), (a, b, most) => {
      const whole = join(text('{t}'), random(150), repeat('01 02 03', 60));
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const cut = Buffer.concat([...chunksOf(whole, variables, BigInt(from), BigInt(to), most)]);
      return cut.equals(bufferOf(whole, variables).subarray(from, to));
    }),
  );
});

t.test('commands are split without a shell', async (t) => {
  const table: [string, string[]][] = [
    ['python3 server.py {port}', ['python3', 'server.py', '{port}']],
    [`a 'b c' "d 'e'" f\\ g`, ['a', 'b c', "d 'e'", 'f g']],
    [`a "" '' "q\\"\\n"`, ['a', '', '', 'q"\\n']],
    ['a $HOME * ; b', ['a', '$HOME', '*', ';', 'b']],
  ];
  for (const [command, words] of table) t.strictSame(splitCommand(command), words, command);
  t.throws(() => splitCommand('a "b'), { code: 'OPTION_INVALID' });
  t.throws(() => splitCommand('  '), { code: 'OPTION_INVALID' });
  t.strictSame(fillCommand(['{file}', '-p{port}', '{other}'], { file: 'a b', port: '1' }), ['a b', '-p1', '{other}']);
});

t.test('selection', async (t) => {
  t.ok(matchesAny('server/size/zero', ['server/size/*']));
  t.ok(matchesAny('server/size/zero', ['nothing', 'server/size/zero']));
  t.notOk(matchesAny('server/size/zero', ['server/siz?', 'size/*', 'server.size.zero']));
  const items = Array.from({ length: 20 }, (_, i) => i);
  t.strictSame(shuffle(items, randomFrom(7)), shuffle(items, randomFrom(7)), 'a seed is an order');
  t.notSame(shuffle(items, randomFrom(7)), shuffle(items, randomFrom(8)));
  const token = tokens(randomFrom(1));
  const made = Array.from({ length: 2000 }, () => token());
  t.equal(new Set(made).size, 2000);
  t.equal(new Set(made.map((one) => one.length)).size, 1, 'of one length, so none is part of another');
});

t.test('capabilities gate', async (t) => {
  t.equal(gate({ conflict: ['numbered'] }, UNKNOWN), null, 'what is unknown gates nothing');
  t.equal(gate({ conflict: ['numbered'] }, { ...UNKNOWN, conflict: 'numbered' }), null);
  t.match(gate({ conflict: ['numbered'] }, { ...UNKNOWN, conflict: 'replaced' }), /"replaced"/);
});

t.test('times are calibrated and bounded', async (t) => {
  fc.assert(
    fc.property(fc.nat(5000), fc.nat(5000), fc.nat(5000), (roundTrip, settle, grace) => {
      const { gap, quiet, patience, cap } = calibrate({ roundTrip, settle, grace });
      return (
        gap >= 5 && gap <= 15 && quiet >= 60 && quiet <= 2000 && patience >= 1500 && patience <= 6000 && cap >= patience
      );
    }),
  );
  t.equal(calibrate({ roundTrip: 100, settle: 0, grace: 0 }).quiet, 300);
});

// ---- the judge

const good: Axis = { axis: 'wire', ok: true, expected: '', actual: '' };
const bad: Axis = { ...good, ok: false };
const unseen: Axis = { ...good, ok: null };

t.test('verdicts', async (t) => {
  const table: [Partial<Standing>, Verdict][] = [
    [{}, 'pass'],
    [{ axes: [good, bad] }, 'fail'],
    [{ axes: [bad], level: 'should' }, 'warn'],
    [{ axes: [bad], level: 'may' }, 'warn'],
    [{ axes: [unseen] }, 'pass'],
    [{ proof: bad }, 'inconclusive'],
    [{ proof: unseen }, 'untestable'],
    [{ gate: 'no reply' }, 'inconclusive'],
    [{ gate: 'no reply', axes: [bad] }, 'fail'],
    [{ proof: bad, axes: [bad] }, 'fail'],
  ];
  for (const [standing, verdict] of table) {
    t.equal(verdictOf({ level: 'must', axes: [good], proof: good, gate: null, ...standing }).verdict, verdict);
  }
});

t.test('exit codes', async (t) => {
  const one = (verdict: Verdict, level: 'must' | 'should' | 'may' = 'must') => ({ verdict, level });
  const table = [
    [[one('pass'), one('untestable'), one('not applicable')], 0],
    [[one('pass'), one('fail'), one('warn', 'should')], 1],
    [[one('pass'), one('inconclusive')], 1],
    [[one('pass'), one('warn', 'should')], 3],
    [[one('pass'), one('inconclusive', 'should')], 3],
    [[one('fail'), one('suite fault')], 5],
    [[], 6],
    [[one('untestable'), one('not applicable')], 6],
  ] as const;
  for (const [results, code] of table) t.equal(exitCodeOf(true, results), code, JSON.stringify(results));
  t.equal(exitCodeOf(false, [one('pass')]), 4);
});

const GO = Buffer.from('676f206168656164', 'hex');
function seen(change: Partial<Observed>): Observed {
  const none = notConnected('c', '', []);
  return { ...none, connectError: null, received: GO, receivedLength: 8, ending: 'fin', ...change };
}
const exchange: ServerExchange = {
  file: { size: hex('00 00 00 00 00 00 00 02'), name: text('{t}.a'), body: hex('41 42') },
  steps: [],
  expect: [ACCEPTED],
};

t.test('the connection is judged', async (t) => {
  const table: [Partial<Observed>, string[]][] = [
    [{}, []],
    [{ received: Buffer.from('go  ahea'), receivedLength: 8 }, ['wire']],
    [{ received: Buffer.concat([GO, GO]), receivedLength: 16 }, ['wire']],
    [{ brokeSilence: true }, ['wire']],
    [{ ending: 'rst' }, ['close']],
    [{ ending: 'open' }, ['close']],
    [{ endedEarly: true }, ['close']],
    [{ connectError: 'ECONNREFUSED' }, ['wire', 'close']],
  ];
  for (const [change, broken] of table) {
    const axes = judgeRuns([{ exchange, variables, observed: seen(change) }], UNMEASURED)[0]?.axes ?? [];
    t.strictSame(
      axes.filter(({ ok }) => ok === false).map(({ axis }) => axis),
      broken,
      JSON.stringify(change),
    );
  }
});

t.test('the disk is judged', async (t) => {
  const sha256 = '38164fbd17603d73f696b8b4d72664d735bb6a7c88577687fd2ae33fd6964153'; // printf AB | sha256sum
  const file = { path: 'tok.a.temp', kind: 'file', size: 2, sha256 } as const;
  const instead = 'not there as it was sent; not accounted for';
  const table = [
    ['as it was sent', [file], [], 'kept', true, 'tok.a.temp (file, 2 bytes)'],
    ['missing', [], [], 'kept', false, 'nothing: not there as it was sent'],
    ['other bytes', [{ ...file, sha256: '00' }], [], 'kept', false, `tok.a.temp (file, 2 bytes): ${instead}`],
    ['longer', [{ ...file, size: 3 }], [], 'kept', false, `tok.a.temp (file, 3 bytes): ${instead}`],
    ['another name', [{ ...file, path: 'tok.b' }], [], 'kept', false, `tok.b (file, 2 bytes): ${instead}`],
    ['another name where names are opaque', [{ ...file, path: 'tok.b' }], [], 'opaque', true, 'tok.b (file, 2 bytes)'],
    [
      'twice',
      [file, { ...file, path: 'tok.b' }],
      [],
      'kept',
      false,
      'tok.a.temp (file, 2 bytes), tok.b (file, 2 bytes): not accounted for: tok.b (file, 2 bytes)',
    ],
    [
      'a symlink',
      [{ ...file, kind: 'symlink' as const }],
      [],
      'kept',
      false,
      `tok.a.temp (symlink, 2 bytes): ${instead}`,
    ],
    [
      'something outside',
      [file],
      [{ ...file, path: '../tok.a' }],
      'kept',
      false,
      'tok.a.temp (file, 2 bytes), ../tok.a (file, 2 bytes): outside the directory: ../tok.a (file, 2 bytes)',
    ],
  ] as const;
  for (const [what, inside, outside, naming, ok, actual] of table) {
    const judged = judgeRuns([{ exchange, variables, observed: seen({}) }], UNMEASURED);
    t.match(judgeDisk(judged, { inside, outside, suffix: '.temp', naming }), { ok, actual }, what);
  }
});

t.test('why nothing was selected', async (t) => {
  const cases = SERVER_CASES.filter(({ profiles }) => profiles.includes('classic'));
  const [first] = cases;
  if (first === undefined) throw new Error('no case');
  const { id } = first;
  const none = 'No case was selected';
  for (const [given, only, profile, why] of [
    [cases, [], 'classic', none],
    [cases, [id], 'full', `${none}: ${id} is not in the profile full`],
    // Something else left it out, such as --skip or --quick.
    [cases, [id], 'classic', none],
    [cases, [`${id}x`], 'classic', `${none}: no case for a server is called ${id}x; did you mean ${id}`],
    [cases, ['zzzzzzzz'], 'classic', `${none}: no case for a server is called zzzzzzzz`],
    [[], ['x'], 'classic', `${none}: no case for a server is called x`],
  ] as const) {
    const said = whyNone(
      given.map((one) => ({ ...one, profiles: ['classic'] as const })),
      { only, profile },
    );
    t.ok(said.startsWith(why), said);
  }
});
