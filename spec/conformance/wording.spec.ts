/** What is told, and how: pure functions over tables. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { codeOf, traceOf } from '../../lib/cause.js';
import { mark, parseBaseline, problems } from '../../lib/conformance/report/baseline.js';
import {
  bufferOf,
  hex,
  lengthOf,
  repeat,
  repeatLessSuffix,
  shareOfFreeSpace,
  text,
} from '../../lib/conformance/model/bytes.js';
import type { Step } from '../../lib/conformance/model/case.js';
import { CASES, CLIENT_CASES } from '../../lib/conformance/cases/index.js';
import { describeExit, type Exit } from '../../lib/conformance/target/child.js';
import { splitCommand } from '../../lib/conformance/target/command.js';
import { DECLARABLE, parseDeclarations } from '../../lib/conformance/model/declare.js';
import { describeBytes, describeStep } from '../../lib/conformance/model/describe-step.js';
import { Doubts } from '../../lib/conformance/judge/doubts.js';
import { judgeClient } from '../../lib/conformance/judge/judge-client.js';
import { LastWords } from '../../lib/conformance/report/last-words.js';
import { distance, nearest } from '../../lib/conformance/model/nearest.js';
import { Recorder } from '../../lib/conformance/report/recorder.js';
import type { Result, Verdict } from '../../lib/conformance/report/report.js';
import { createReporter, REPORTER_NAMES, type ReporterName } from '../../lib/conformance/reporters/create.js';
import { FileOutput, streamOutput } from '../../lib/conformance/reporters/output.js';
import { exitMeaning, firstLine } from '../../lib/conformance/reporters/text.js';
import { mustBeDirectory } from '../../lib/conformance/report/result.js';
import { notConnected } from '../../lib/conformance/exchange/script.js';
import { spanOf } from '../../lib/conformance/trace/connection.js';
import { pcapng } from '../../lib/conformance/trace/pcapng.js';
import { replayScript } from '../../lib/conformance/trace/script.js';
import { Trace, traceText } from '../../lib/conformance/trace/trace.js';
import { abridged, type WireEntry } from '../../lib/conformance/exchange/wire.js';

import { play, sample, sampleResult, type Sample } from './support/sample-report.js';

const variables = { t: 'tok', i: 0 };

t.test('bytes that depend on the ground', async (t) => {
  const share = shareOfFreeSpace(50);
  t.equal(bufferOf(share, { ...variables, free: 513n }).toString('hex'), '0000000000000100');
  t.equal(bufferOf(share, variables).toString('hex'), '0000000000000000', 'nothing is known of the space');
  t.equal(lengthOf(repeatLessSuffix('61', 10), { ...variables, suffix: '.temp' }), 5n);
  t.equal(lengthOf(repeatLessSuffix('61', 10), variables), 10n);
  t.equal(bufferOf(text('{beside}/x'), { ...variables, beside: '/a' }).toString(), '/a/x');
  t.equal(bufferOf(text('{beside}/x'), variables).toString(), '/x');
});

t.test('a command that begins with an escape', async (t) => {
  t.strictSame(splitCommand('\\ a b'), [' a', 'b']);
});

t.test('declarations', async (t) => {
  t.strictSame(parseDeclarations(['lasting=no', 'idleTimeout=5', 'lasting=yes']), { lasting: 'yes', idleTimeout: 5 });
  const wrong: [string, RegExp][] = [
    ['lasting', /expected one of naming=/],
    ['size=1', /expected one of/],
    ['lasting=maybe', /expected lasting as "yes" or "no"/],
    ['idleTimeout=0', /expected idleTimeout in whole ms, more than 0/],
    ['idleTimeout=1.5', /more than 0/],
    ['idleTimeout=', /more than 0/],
  ];
  for (const [pair, message] of wrong)
    t.throws(() => parseDeclarations([pair]), { code: 'OPTION_INVALID', message }, pair);
  for (const line of DECLARABLE) t.match(line, /^\w+=(MS|[\w |]+)$/);
});

t.test('bytes and steps in words', async (t) => {
  const bytes: [string, string][] = [
    [describeBytes([]), 'nothing'],
    [describeBytes(hex('00 ff')), '00 ff'],
    [describeBytes(hex('ab'.repeat(49))), `49 bytes, ${'ab '.repeat(16).trim()} …`],
    [describeBytes(text('a\n')), '"a\\x0a"'],
    [describeBytes(text('x'.repeat(81))), `"${'x'.repeat(60)}…" (81 bytes)`],
    [describeBytes(repeat('00', 3)), '3 bytes, 00 over and over'],
    [describeBytes(shareOfFreeSpace(150)), '150 % of the space that is free, in 8 bytes'],
  ];
  for (const [words, expected] of bytes) t.equal(words, expected);
  const steps: [Step, string][] = [
    [{ do: 'body' }, 'send the whole body'],
    [{ do: 'body', to: -1 }, 'send the body up to 1 before its end'],
    [{ do: 'body', from: 5 }, 'send the body from byte 5'],
    [{ do: 'body', from: 5, to: 9, cut: { at: [7] } }, 'send the body from byte 5 to byte 9, cut after byte 7'],
    [{ do: 'send', bytes: hex('00'), cut: { every: 1 } }, 'send 00, in pieces of 1'],
    [{ do: 'send', bytes: hex('00') }, 'send 00'],
    [{ do: 'take' }, 'wait for the whole body'],
    [{ do: 'take', to: 3 }, 'wait for the body up to byte 3'],
    [{ do: 'pause' }, 'let a while pass'],
    [{ do: 'pause', ms: 3 }, 'let 3 ms pass'],
    [{ do: 'change file', how: { kind: 'remove' } }, 'remove the file'],
    [{ do: 'change file', how: { kind: 'truncate', to: 1 } }, 'cut the file to 1 byte'],
    [{ do: 'change file', how: { kind: 'append', bytes: hex('00') } }, 'append 00 to the file'],
    [{ do: 'change file', how: { kind: 'rewrite', at: 2, bytes: hex('00') } }, 'change the file at byte 2: 00'],
    [{ do: 'change file', how: { kind: 'replace', bytes: hex('00') } }, 'put another file in its place: 00'],
  ];
  for (const [step, words] of steps) t.equal(describeStep(step), words);
});

t.test('how a process ended', async (t) => {
  const none: Exit = { code: null, signal: null, stderr: '', stdout: '', killed: false };
  const table: [Partial<Exit>, string][] = [
    [{ failedToStart: 'ENOENT' }, 'could not be started: ENOENT'],
    [{ killed: true, signal: 'SIGKILL' }, 'had to be killed'],
    [{ signal: 'SIGTERM' }, 'was ended by SIGTERM'],
    [{ code: 3, stderr: 'a\nb\nc\nd\n' }, 'exited with status 3; stderr ends: b | c | d'],
    // As Node ends: the fault is further up, and the last lines say nothing.
    [
      {
        code: 1,
        stderr:
          "node:events:502\n      throw er;\n      ^\n\nTypeError [ERR_X]: no\n    at write (a.js:1:2)\n    at b\n    at c {\n  code: 'ERR_X'\n}\n\nNode.js v20.20.2\n",
      },
      'exited with status 1; stderr ends: TypeError [ERR_X]: no | at write (a.js:1:2)',
    ],
    [
      { code: 1, stderr: 'Traceback:\n  File "a.py", line 3\n    x = y\nValueError: no\n' },
      'exited with status 1; stderr ends: File "a.py", line 3 | x = y | ValueError: no',
    ],
    [{}, 'exited with status ?'],
  ];
  for (const [exit, words] of table) t.equal(describeExit({ ...none, ...exit }), words);
});

t.test('a client that sent what it must not, and one of which nobody knows how it ended', async (t) => {
  const received = Buffer.from('a');
  const observed = { ...notConnected('c', '', []), connectError: null, received, receivedLength: 1 };
  const exit: Exit = { code: null, signal: null, stderr: '', stdout: '', killed: false };
  const file = { kind: 'file', size: hex(''), name: text('a'), body: hex('') } as const;
  const outcome = { connects: true, header: 'none', body: 'any', closed: ['open'], exit: 'zero' } as const;
  const run = { variables, further: 0, segments: [], exit, headers: [received] as const };
  const told = judgeClient({ ...run, observed, exchange: { file, steps: [], expect: [outcome] } });
  t.match(told, [
    { axis: 'wire', ok: false, expected: 'no byte', actual: '"a"' },
    { axis: 'close', ok: true },
    { axis: 'exit', ok: false, actual: 'status ?' },
  ]);
});

t.test('what can be told of an exception', async (t) => {
  const bare = new Error('a word');
  t.match(traceOf(bare), /^Error: a word\n +at /);
  delete bare.stack;
  t.equal(traceOf(bare), 'Error: a word');
  t.equal(traceOf('a word'), 'a word');
  t.equal(codeOf(bare), 'a word');
  t.equal(codeOf(Object.assign(bare, { code: 'EPIPE' })), 'EPIPE');
  t.equal(firstLine('one\ntwo\nthree'), 'one');
  t.equal(firstLine(''), '');
});

t.test('a path that must be a directory', async (t) => {
  const folder = t.testdir({ file: '' });
  await mustBeDirectory(folder, '--dir');
  const wrong = (name: string): Promise<unknown> =>
    mustBeDirectory(join(folder, name), '--dir').catch((error: unknown) => error);
  t.match(await wrong('file'), { code: 'OPTION_INVALID', actual: 'something else' });
  t.match(await wrong('none'), { code: 'OPTION_INVALID', actual: 'nothing' });
});

t.test('a baseline says nothing of what was not judged', async (t) => {
  const failures = [{ id: 'a', reason: 'x', expires: '2026-01-01' }];
  const baseline = parseBaseline(JSON.stringify({ version: 1, failures }));
  t.strictSame(problems(baseline, [], ['a'], '2026-01-01'), []);
  t.strictSame(problems(undefined, [], ['a'], '2026-01-01'), []);
  const result = { ...sampleResult('fail', 0, false), id: 'b' };
  t.equal(mark(result, undefined, '2026-01-01'), result);
});

t.test('doubts: a second run, as long as there is time', async (t) => {
  let now = 0;
  const [fail, pass] = [sampleResult('fail', 0, false), sampleResult('pass', 0, false)];
  const again = (second: Result) => (): Promise<Result> => Promise.resolve(second);
  const never = (): Promise<Result> => Promise.reject(new Error('run again'));
  const doubts = new Doubts<Result>(true, () => now);
  const other = { ...fail };
  t.strictSame([doubts.raise(pass, pass), doubts.raise(fail, fail), doubts.raise(other, fail)], [false, true, true]);
  t.strictSame(await doubts.settle(pass, again(pass)), { result: pass, notes: [] }, 'no doubt');
  t.strictSame(await doubts.settle(fail, again(fail)), { result: fail, notes: [] });
  t.match(await doubts.settle(fail, again(pass)), { result: pass, notes: [/passed by itself.*: fail, disk:/] });
  now = 20_001;
  t.strictSame(await doubts.settle(other, never), { result: fail, notes: [] }, 'the first verdict stands');
  t.strictSame(await doubts.settle(pass, again(pass)), { result: pass, notes: [] });
  t.equal(new Doubts<Result>(false).raise(fail, fail), false);
});

t.test('a run that was ended before it began', async (t) => {
  const start = { role: 'server', profile: 'full', target: 'x', observation: 'wire', seed: 1, declared: {} } as const;
  const recorder = new Recorder({ signal: AbortSignal.abort() }, [], start);
  t.equal(recorder.aborted, true);
  await recorder.run(() => new Promise(() => undefined));
});

// ---- the reporters, and the trace

const FILE = { path: 'a', kind: 'file', size: 1, sha256: 'a'.repeat(64) } as const;
const FOLDER = { path: 'd', kind: 'directory', size: 4096 } as const;
const LINE: WireEntry = { at: 0, event: 'sent', length: 1, hex: '00', text: '\\x00' };

/** As sparse, and as full, as evidence can be. */
function variants(verdict: Verdict, n: number): Result {
  const base = sampleResult(verdict, n, false);
  const many = Array.from({ length: 20 }, (_, i) => ({
    label: i === 1 ? 'twin' : `connection ${i}`,
    log: Array.from({ length: i === 0 ? 100 : 1 }, () => LINE),
  }));
  const twin = { axis: 'twin', ok: true, expected: 'accepted', actual: 'accepted' } as const;
  const plenty = {
    ...base,
    reason: 'one\ntwo',
    axes: [...base.axes, twin],
    evidence: {
      connections: many,
      disk: {
        before: [FILE, FOLDER, { ...FILE, path: 'c' }],
        after: [FILE, { ...FOLDER, size: 1 }, { ...FILE, path: 'b' }, { ...FILE, path: 'c', sha256: 'b'.repeat(64) }],
      },
    },
  };

  const bare: Result = { ...base, reason: '', axes: [], evidence: { connections: [], disk: null } };
  return n % 3 === 0
    ? plenty
    : n % 3 === 1
      ? bare
      : { ...bare, evidence: { connections: [], disk: { before: [], after: [] } } };
}

function written(name: ReporterName, of: Sample, options = {}): string {
  let all = '';
  const output = streamOutput((piece) => (all += piece));
  play(createReporter(name, output, options), of);
  return all;
}

const verdicts = ['pass', 'fail', 'warn', 'inconclusive', 'suite fault', 'untestable', 'not applicable'] as const;
const results = Array.from({ length: 21 }, (_, n) => variants(verdicts[n % 7] ?? 'pass', n));
const odd = sample(results);

t.test('every reporter tells every case, with much evidence or with none', async (t) => {
  const table: Record<ReporterName, RegExp[]> = {
    pretty: [/on disk: new/, /on disk: changed/, /and 2 more|not applicable/],
    tap: [/reason:\n +- "one"\n +- "two"/, /disk:\n +- "same file/],
    json: [/"disk":null/],
    junit: [/message="one"/, /disk: same/],
    html: [
      /20 further lines in the JSON report/,
      /8 further connections in/,
      /No connection was made/,
      /Nothing, before and after/,
      /the same without the fault/,
      /<td>directory<\/td><td><\/td>/,
    ],
    markdown: [/disk: same directory "d"/],
  };
  for (const name of REPORTER_NAMES) {
    const all = written(name, odd);
    const told = ({ id }: Result): boolean => all.includes(id) || all.includes(id.replaceAll('-', '\\-'));
    t.strictSame(
      results.filter((one) => !told(one) && one.verdict !== 'pass'),
      [],
      name,
    );
    t.notMatch(all, /undefined|\[object|NaN/, name);
    for (const part of table[name]) t.match(all, part, name);
  }
  const verbose = written('pretty', odd, { verbose: true });
  t.match(verbose, /twin:/, 'the twin too');
  t.ok(results.every(({ id }) => verbose.includes(id)));
});

t.test('what is known of the target is on the page', async (t) => {
  const one = sample([sampleResult('pass', 0, false)]);
  const told = {
    capabilities: { ...one.report.capabilities, lasting: 'yes' },
    declared: { idleTimeout: 5 },
    suffix: '',
  } as const;
  const page = written('html', { ...one, report: { ...one.report, ...told } });
  t.match(page, /Found out<\/dt><dd>lasting: yes</);
  t.match(page, /Declared<\/dt><dd>idleTimeout: 5</);
  t.notMatch(page, /Suffix of names/);
});

t.test('what an exit code means', async (t) => {
  const one = (verdict: Verdict): Sample => sample([{ ...sampleResult(verdict, 0, false), level: 'should' }]);
  const told = (name: ReporterName, of: Sample): string => written(name, of);
  t.match(told('pretty', one('warn')), 'exit 3: only a SHOULD is broken');
  t.match(told('pretty', one('pass')), 'exit 0: every required case passed\n');
  const two = sample([sampleResult('pass', 0, false), sampleResult('untestable', 1, false)]);
  t.match(told('pretty', two), /exit 0: every required case that could be tested passed; 1 could not be tested/);
  t.match(told('pretty', one('untestable')), 'exit 6: nothing could be judged');
  const cut = sample([sampleResult('pass', 0, false)], { cases: 2, baseline: [] });
  t.match(told('pretty', cut), 'exit 6: the run was cut off');
  t.match(told('pretty', sample([], { baseline: ['stale'] })), /baseline: stale\n/);
  const client = one('fail');
  t.match(told('html', { ...client, report: { ...client.report, role: 'client', target: '' } }), /<dt>Client<\/dt>/);
  t.match(told('markdown', { ...client, report: { ...client.report, target: '' } }), /^, profile full/m);
});

t.test('why the exit code is 1', async (t) => {
  const meaning = (verdict: Verdict, baseline: string[] = []): string =>
    exitMeaning({
      ...sample([{ ...sampleResult(verdict, 0, false), level: 'must' }], { baseline }).report,
      exitCode: 1,
    });
  t.equal(meaning('fail'), 'a MUST is broken');
  t.equal(meaning('inconclusive', ['stale']), 'a required case could not be shown, and the baseline is out of date');
});

t.test('a document that was not begun is not written, and one that cannot be written is no loss', async (t) => {
  const folder = t.testdir({ gone: {} });
  let all = '';
  createReporter(
    'html',
    streamOutput((piece) => (all += piece)),
  ).result?.(results[0]!);
  t.equal(all, '');
  const path = join(folder, 'gone', 'report');
  const output = new FileOutput(path);
  output.close();

  rmSync(join(folder, 'gone'), { recursive: true });
  output.document(() => 'part', false);
  t.throws(() => output.document(() => 'whole', true), { code: 'ENOENT' });
});

const TRACED: readonly WireEntry[] = [
  { at: 0, event: 'connected', time: 1000 },
  { at: 1, event: 'sent', length: 2, hex: '61 62', text: 'ab', bytes: 'YWI=', time: 1001 },
  { at: 2, event: 'time-out', note: 'nothing came', time: 1002 },
  { at: 9, event: 'received', length: 1, hex: '00', text: '\\x00', bytes: 'AA==', time: 1009 },
  { at: 9, event: 'note', note: 'a note', time: 1009 },
  { at: 10, event: 'sent', length: 70_000, hex: '00 …', text: '\\x00 …', time: 1010 },
];
const ends = (
  event: 'sent FIN' | 'sent RST' | 'closed' | 'received FIN' | 'received RST' | 'refused',
): readonly WireEntry[] => [{ at: 11, event, time: 1011 }];

/** The flags of every TCP packet of a capture: RFC 9293, 3.1. */
function flagsOf(capture: Buffer): number[] {
  const flags: number[] = [];
  for (let at = 0; at < capture.length; at += capture.readUInt32LE(at + 4))
    if (capture.readUInt32LE(at) === 6) flags.push(capture.readUInt8(at + 28 + 20 + 13));
  return flags;
}

t.test('a capture has each event', async (t) => {
  const table: [readonly WireEntry[], number[]][] = [
    [TRACED, [2, 18, 16, 24, 24, 24, 24, 24]],
    [ends('refused'), [2, 20]],
    [ends('sent FIN'), [17]],
    [ends('closed'), [17]],
    [ends('received FIN'), [17]],
    [ends('sent RST'), [20]],
    [ends('received RST'), [20]],
    [[], []],
  ];
  for (const role of ['server', 'client'] as const)
    for (const [log, flags] of table) t.strictSame(flagsOf(pcapng([{ label: 'c', log }], role)), flags, role);
});

t.test('a script has each step', async (t) => {
  const result = { ...sampleResult('fail', 0, false), title: 'a title \u{1f4e6}' };
  const script = (log: readonly WireEntry[], role: 'server' | 'client', target = '127.0.0.1:5'): string =>
    replayScript(result, [{ label: 'c\u00e9', log }], { role, target, file: null });
  const server = script([...TRACED, ...ends('received FIN'), ...ends('sent FIN')], 'server');
  t.match(server, 'ADDRESS = ("127.0.0.1", 5)');
  t.match(server, /c\.send\(h\("61 62"\)\)\n +c\.wait\(1\)\n/);
  t.match(server, '# 70000 bytes too many to keep');
  t.match(server, /c\.until_end\(\)\n +c\.fin\(\)\n +c\.until_end\(\)/);
  t.match(server, '@connection("c\\u00e9"');
  t.match(script([...TRACED.slice(0, 2), ...ends('sent RST')], 'server'), /sleep\(0\.0100\)\n +c\.rst\(\)/);
  t.match(script(ends('closed'), 'server'), 'c.close()');
  t.match(script([TRACED[3]!, TRACED[1]!], 'client', 'client {file}'), /COMMAND = "client {file}"[^]*c\.header\(1\)/);
  t.match(script([], 'client'), /def connection_0\(c\):\n +c\.until_end\(\)/);
  const file = { kind: 'file', name: Buffer.from('n'), size: 3n, body: null } as const;
  const client = (body: Buffer | null): string =>
    replayScript(result, [], { role: 'client', target: 'x', file: { ...file, body } });
  t.match(client(null), 'KIND = "file"\nNAME = h("6e")\nSIZE = 3\nBODY = None\n');
  t.match(client(Buffer.alloc(100)), /BODY = z\(\n +"/);
  t.strictSame(spanOf({ label: '', log: [] }), { from: 0, to: 0 });
  t.strictSame(spanOf({ label: '', log: TRACED }), { from: 1000, to: 1010 });
  const later = TRACED.map((entry) => ({ ...entry, time: 2000 }));
  const two = replayScript(
    result,
    [TRACED, later].map((log) => ({ label: 'c', log })),
    { role: 'server', target: 'x', file: null },
  );
  t.match(two, '@connection("c", after=[0], wait=0.9900)');
});

t.test('a trace is written for each case', async (t) => {
  const folder = t.testdir({ file: '' });
  t.throws(() => new Trace(join(folder, 'file'), { role: 'client', target: 'x' }), { code: 'OPTION_INVALID' });
  const [one] = CLIENT_CASES;
  const large = CLIENT_CASES.find(({ exchange }) => lengthOf(exchange.file.body, variables) > 2n ** 21n);
  const trace = new Trace(folder, { role: 'client', target: 'x {file}' });
  for (const id of [one!.id, large!.id, 'client/no/such'])
    trace.result({
      ...sampleResult('fail', 0, false),
      id,
      evidence: { connections: [{ label: 'c', log: TRACED }], disk: null },
    });
  trace.result({
    ...sampleResult('pass', 0, false),
    id: 'client/no/connection',
    evidence: { connections: [], disk: null },
  });
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const of = (id: string): string[] => files.filter((name) => name.startsWith(id)).sort();
  t.strictSame(of('client/no/connection'), ['client/no/connection.txt']);
  t.strictSame(
    of('client/no/such'),
    ['pcapng', 'py', 'txt'].map((end) => `client/no/such.${end}`),
  );
  const script = (id: string): string => readFileSync(join(folder, `${id}.py`), 'utf8');
  t.match(script(one!.id), /^KIND = /m);
  t.match(script(large!.id), /^BODY = None$/m);
  t.notMatch(script('client/no/such'), /^KIND = /m);
});

t.test('the text of a trace', async (t) => {
  const bare = variants('pass', 1);
  t.notMatch(traceText(bare), /reason:|process:|## /);
  const told = traceText({
    ...sampleResult('fail', 0, false),
    evidence: { connections: [{ label: 'c', log: TRACED }], disk: { before: [FILE], after: [] }, process: 'ended' },
  });
  for (const part of [
    /^reason: {3}disk/m,
    /^process: {2}ended/m,
    /^ok {2}wire/m,
    /^NOT disk/m,
    /^\? {3}alive/m,
    /^gone {4}file "a"/m,
    /sent 2 bytes\n +000000 {2}61 62/,
    /70000 bytes: 00 …/,
  ])
    t.match(told, part);
  const long: WireEntry = { ...LINE, length: 600, bytes: Buffer.alloc(600).toString('base64') };
  t.match(
    traceText({
      ...bare,
      evidence: { connections: [{ label: 'c', log: [long, { ...LINE, bytes: 'AA==' }] }], disk: null },
    }),
    /\.\.\. 88 more\n[^]*sent 1 byte\n/,
  );
});

t.test('a long log is cut, and the last line says so', async (t) => {
  const log = Array.from({ length: 203 }, (_, at): WireEntry => ({ at, event: 'note', note: 'x', time: at }));
  const short = abridged(log);
  t.equal(short.length, 200);
  t.strictSame(short.at(-1), { at: 202, event: 'note', note: 'after 3 lines not shown' });
  t.strictSame(abridged(TRACED.slice(1, 2)), [{ at: 1, event: 'sent', length: 2, hex: '61 62', text: 'ab' }]);
  t.strictSame(abridged([]), []);
});

t.test('what somebody may have meant', async (t) => {
  const ids = CASES.map(({ id }) => id);
  const table: [string, string | undefined][] = [
    ['server/size/zer', 'server/size/zero'],
    ['server/nmae/plain', 'server/name/plain'],
    ['SERVER/SIZE/ZERO', 'server/size/zero'],
    ['client/replay/capital', 'client/reply/capital'],
    ['reply/capital', 'client/reply/capital'],
    ['fin-mid-body', 'server/end/fin-mid-body'],
    ['server/end/fin-midbody', 'server/end/fin-mid-body'],
    ['nothing like it at all', undefined],
    ['', undefined],
  ];
  for (const [text, first] of table) {
    const found = nearest(text, ids);
    t.equal(found[0], first, text);
    t.ok(found.length <= 3, text);
  }
  t.strictSame(
    [distance('kitten', 'sitting'), distance('ab', 'ba'), distance('', 'abc'), distance('abc', ''), distance('a', 'a')],
    [3, 1, 3, 3, 0],
  );
});

t.test('the last words of a process are told once', async (t) => {
  const words = new LastWords();
  const dead = (id: string, process: string, verdict: Verdict = 'fail'): string | undefined =>
    words.once({ ...sampleResult(verdict, 0, false), id, evidence: { connections: [], disk: null, process } }).evidence
      .process;
  const crash = (name: string): string =>
    `exited with status 1; stderr ends: Error: line 2: no such file: '/tmp/${name}'`;
  t.equal(dead('a', crash('xyz0001a.bin')), crash('xyz0001a.bin'));
  t.equal(
    dead('b', crash('xyz0002b.bin')),
    'exited with status 1; stderr ends as in a',
    'but for the name of the file',
  );
  t.equal(dead('c', crash('x1').replace('line 2', 'line 3')), crash('x1').replace('line 2', 'line 3'), 'another line');
  t.equal(dead('d', crash('x1').replace('status 1', 'status 2')), crash('x1').replace('status 1', 'status 2'));
  t.equal(dead('e', crash('x1'), 'pass'), crash('x1'), 'a pass is no failure that is told again');
  t.equal(dead('f', 'had to be killed'), 'had to be killed');
});
