import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ajv from 'ajv';
import t from 'tap';
import { Parser, type FinalResults } from 'tap-parser';
import { parseBaseline, mark, problems } from '../../lib/conformance/report/baseline.js';
import { CASES } from '../../lib/conformance/cases/index.js';
import { describeCase, explain } from '../../lib/conformance/model/describe.js';
import { Recorder } from '../../lib/conformance/report/recorder.js';
import { exitCodeOf, VERDICTS, type Report, type Result, type Verdict } from '../../lib/conformance/report/report.js';
import { createReporter, REPORTER_NAMES, type ReporterName } from '../../lib/conformance/reporters/create.js';
import { FileOutput, streamOutput } from '../../lib/conformance/reporters/output.js';
import { wireLine } from '../../lib/conformance/reporters/text.js';
import { UNKNOWN } from '../../lib/conformance/model/capabilities.js';
import { UNMEASURED } from '../../lib/conformance/exchange/times.js';
import { all, parseXml } from './support/markup.js';
import { tool } from './support/tool.js';
import { everyVerdict, play, sample, sampleResult, type Sample } from './support/sample-report.js';
import { until } from '../support/until.js';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

function written(name: ReporterName, of: Sample): string {
  let text = '';
  play(
    createReporter(
      name,
      streamOutput((piece) => (text += piece)),
    ),
    of,
  );
  return text;
}

function tap(text: string): FinalResults {
  const final: FinalResults[] = [];
  new Parser({ strict: true }, (results) => final.push(results)).end(text);
  const [results] = final;
  if (results === undefined) throw new Error('the parser gave no result');
  return results;
}

const validate = new ajv().compile(JSON.parse(readFileSync(path('../../docs/report.schema.json'), 'utf8')) as object);

function valid(text: string): unknown[] {
  return validate(JSON.parse(text)) === true ? [] : (validate.errors ?? []);
}

const samples = {
  'every verdict': everyVerdict(false),
  'every verdict, hostile texts': everyVerdict(true),
  'nothing ran': sample([]),
  'not reachable': sample([sampleResult('inconclusive', 0, false)], { reachable: false }),
  'cut off': sample([sampleResult('pass', 0, false)], { cases: 5 }),
  'a stale baseline': sample([sampleResult('pass', 0, false)], { baseline: ['stale: x passes now'] }),
  'all is well': sample([sampleResult('pass', 0, false), sampleResult('not applicable', 1, false)]),
} as const;

t.test('no format lets a raw control, bidi or separator character through', async (t) => {
  for (const name of REPORTER_NAMES) {
    const text = written(name, samples['every verdict, hostile texts']);
    const bad = [...text.matchAll(/[^\P{C}\n\p{Co}]|[\p{Zl}\p{Zp}]/gu)].map(([c]) => c.codePointAt(0)?.toString(16));
    // JSON.stringify escapes lone surrogates itself; noncharacters are harmless in JSON.
    t.same(
      bad.filter((code) => name !== 'json' || !/^(f[fd]|1fff)/.test(code ?? '')),
      [],
      name,
    );
  }
});

t.test('what is counted stands in the singular where it is one', async (t) => {
  const one = sample([sampleResult('fail', 0, false)], { cases: 1 });
  for (const name of REPORTER_NAMES)
    t.notMatch(written(name, one), /\b1 (cases|bytes|lines|connections|times)\b/, name);
  for (const [name, counted] of Object.entries({
    pretty: /profile full, 1 case, seed[^]*; 1 of 1 case in/,
    markdown: /, 1 of 1 case$/m,
  } as const)) {
    t.match(written(name as ReporterName, one), counted, name);
  }
});

t.test('the cause of most failures stands before all of them', async (t) => {
  const cause = 'a plain transfer does not work, so nothing can pass: the reply was wrong';
  const results = [0, 1, 2, 3, 4].map((n) => sampleResult('fail', n, false));
  const of = sample(results, { cause });
  const ids = results.map(({ id }) => id);
  for (const name of REPORTER_NAMES) {
    const text = written(name, of);
    const at = text.indexOf('First of all: a plain transfer');
    if (name === 'json' || name === 'junit') continue;
    t.ok(at >= 0 && ids.every((id) => !text.slice(0, at).includes(id)), name);
  }
  t.equal((JSON.parse(written('json', of)) as Report).cause, cause);
  t.match(written('junit', of), /<system-err>First of all: a plain transfer/);
  const pretty = written('pretty', of);
  t.equal([...pretty.matchAll(/^ +again: /gm)].length, 1, 'one exchange shows it');
  t.match(
    pretty,
    /\n\nFirst of all: .*\n(note: .*\n)*5 fail; /,
    'and once more at the end, where a reader of a terminal is',
  );
  t.equal([...written('markdown', of).matchAll(/^Again:/gm)].length, 3);

  const [first, ...others] = [0, 1, 2].map((n) => sampleResult(n === 0 ? 'inconclusive' : 'fail', n, false));
  const mixed = written('pretty', sample([first!, ...others], { cause }));
  t.match(
    mixed,
    new RegExp(`^ +again: .*--only ${others[0]!.id}`, 'm'),
    'of a case that failed: the others prove nothing',
  );
});

t.test('TAP', async (t) => {
  for (const [what, of] of Object.entries(samples)) {
    const text = written('tap', of);
    const results = tap(text);
    t.equal(results.ok, of.report.exitCode === 0, `${what}: ok exactly when the exit code is 0`);
    t.equal(results.plan.end, of.report.cases + 1, what);
    t.notOk(results.bailout, what);
    if (of.report.complete) {
      t.equal(results.count, of.report.cases + 1, what);
      const noise = results.failures.filter(({ tapError }) => typeof tapError === 'string');
      t.same(noise, [], what);
    }
  }
  const { todo, skip, fail } = tap(written('tap', samples['every verdict']));
  // untestable and the known failure; not applicable; the four others and the run as a whole.
  t.strictSame([todo, skip, fail - todo], [2, 1, 5]);
  const hostile = tap(written('tap', samples['every verdict, hostile texts']));
  t.strictSame(
    [hostile.todo, hostile.skip, hostile.fail - hostile.todo, hostile.count],
    [2, 1, 5, 9],
    'nothing is forged',
  );
});

t.test('TAP that is cut off anywhere is not ok', async (t) => {
  const lines = written('tap', samples['all is well']).split('\n');
  // The version and the plan are one write.
  for (let n = 2; n < lines.length - 1; n += 1) {
    t.notOk(tap(`${lines.slice(0, n).join('\n')}\n`).ok, `after line ${n}`);
  }
});

t.test('JSON', async (t) => {
  for (const [what, of] of Object.entries(samples)) {
    const text = written('json', of);
    t.same(valid(text), [], what);
    const read = JSON.parse(text) as Report;
    const sorted = [...read.results].sort((a, b) => (a.id < b.id ? -1 : 1));
    t.same({ ...read, results: sorted }, JSON.parse(JSON.stringify(of.report)), `${what}: it is the report`);
  }
  const { results } = JSON.parse(written('json', samples['every verdict'])) as Report;
  t.strictSame(
    results.slice(0, 7).map(({ verdict }) => verdict),
    ['pass', 'fail', 'warn', 'untestable', 'not applicable', 'inconclusive', 'suite fault'],
  );
  const missing = JSON.parse(written('json', samples['every verdict'])) as { results: { clause?: string }[] };
  delete missing.results[0]?.clause;
  t.not(valid(JSON.stringify(missing)).length, 0, 'the schema can fail');
});

t.test('JSON that is cut off at any byte keeps every whole result', async (t) => {
  const text = written('json', samples['every verdict']);
  const whole = text.split('\n').length;
  for (let n = text.indexOf('\n') + 1; n < text.length; n += 97) {
    const lines = text.slice(0, n).split('\n').slice(0, -1);
    if (lines.length >= whole - 2) continue;
    const mended = JSON.parse(`${lines.join('\n').replace(/,$/, '')}]}`) as Report;
    t.equal(mended.results.length, lines.length - 1, `${n} bytes`);
  }
});

t.test('JUnit', async (t) => {
  const skip = tool('xmllint', '--version');
  const folder = t.testdir();
  for (const [what, of] of Object.entries(samples)) {
    const text = written('junit', of);
    const suite = all(parseXml(text), 'testsuite')[0];
    const { tests, failures, errors, skipped } = suite?.attributes ?? {};
    const counted = ['testcase', 'failure', 'error', 'skipped'].map((name) => String(all(parseXml(text), name).length));
    t.strictSame([tests, failures, errors, skipped], counted, `${what}: the sums are right`);
    const green = failures === '0' && errors === '0';
    t.equal(green, of.report.exitCode === 0, `${what}: green exactly when the exit code is 0`);
    if (skip === false) {
      const file = join(folder, 'report.xml');
      writeFileSync(file, text);
      const schema = path('support/junit.xsd');
      t.doesNotThrow(() => execFileSync('xmllint', ['--noout', '--schema', schema, file], { stdio: 'pipe' }), what);
    }
  }
  t.test('its schema', { skip }, async (t) => {
    const file = join(folder, 'wrong.xml');
    writeFileSync(file, written('junit', samples['all is well']).replace(' hostname="localhost"', ''));
    const schema = path('support/junit.xsd');
    t.throws(() => execFileSync('xmllint', ['--noout', '--schema', schema, file], { stdio: 'pipe' }), 'can fail');
  });
  const cases = all(parseXml(written('junit', samples['every verdict'])), 'testcase');
  const outcomes = VERDICTS.map((verdict, n) => {
    const id = sampleResult(verdict, n, false).id;
    return cases.find(({ attributes }) => attributes['name']?.startsWith(`${id}: `))?.children[0]?.name ?? 'passed';
  });
  t.strictSame(outcomes, ['passed', 'failure', 'failure', 'skipped', 'skipped', 'failure', 'error']);
});

t.test('HTML', async (t) => {
  const page = written('html', samples['every verdict, hostile texts']);
  t.notMatch(page, /<(script|img|svg|iframe|object|link|base|form)\b/i, 'no element that was sent in');
  t.notMatch(
    page.replace(/<style>[^]*?<\/style>/, ''),
    /\s(on\w+|src|style)\s*=\s*"/i,
    'no attribute that does anything',
  );
  t.notMatch(page, /href="(?!#case-)/, 'links stay on the page');
  t.match(page, /default-src 'none'/);
  const plain = written('html', samples['every verdict']);
  const { results } = samples['every verdict'];
  for (const { id, sentence, replay } of results) {
    t.ok(plain.includes(id) && plain.includes(sentence.slice(0, 30)) && plain.includes(replay), id);
  }
  const order = ['suite fault', 'fail', 'inconclusive', 'warn'].map(
    (verdict) =>
      plain.indexOf('<article', plain.indexOf('What failed')) +
      plain.slice(plain.indexOf('What failed')).indexOf(`>${verdict}</span>`),
  );
  t.strictSame(
    [...order].sort((a, b) => a - b),
    order,
    'worst first',
  );
  t.ok(plain.indexOf('class="banner') < plain.indexOf('What failed'), 'the sum is on top');
  for (const [what, of] of Object.entries(samples)) {
    t.equal(written('html', of).includes('banner is-pass'), of.report.exitCode === 0, `${what}: green only for 0`);
  }
});

t.test('the page in a browser', { skip: tool('chromium', '--version') }, async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'report.html');
  // A script of the page would change the title; the policy is taken out, so that only the escaping is on trial.
  const page = written('html', samples['every verdict, hostile texts']).replace(/<meta http-equiv[^>]*>/, '');
  writeFileSync(file, page.replaceAll('alert(1)', "document.title='owned'"));
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    `--user-data-dir=${join(folder, 'profile')}`,
  ];
  const run = (...args: string[]): string =>
    execFileSync('chromium', [...flags, ...args, pathToFileURL(file).href], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const dom = run('--dump-dom');
  t.notMatch(dom, /<title>owned/);
  t.equal([...dom.matchAll(/<article class="case/g)].length, 4, 'a card for each that counts');
  t.equal([...dom.matchAll(/<details id="case-/g)].length, 4, 'a fold for each of the others');
  const picture = join(folder, 'report.png');
  run('--window-size=1000,1400', `--screenshot=${picture}`);
  t.ok(readFileSync(picture).length > 50_000, 'something is drawn');
});

t.test('Markdown', async (t) => {
  const text = written('markdown', samples['every verdict, hostile texts']);
  const outside = text.replace(/^(`{3,})text\n[^]*?^\1$/gm, '').replace(/(`+) [^\n]*? \1/g, '');
  t.notMatch(outside, /<(?!\/?details>|\/?summary>)/, 'no markup but our own');
  t.notMatch(outside, /(?<!\\)!\[|@everyone|<http/, 'no image, no mention, no link');
  const rows = outside.split('\n').filter((line) => line.startsWith('|'));
  for (const row of rows)
    t.ok([...row.replaceAll(/\\./g, '').matchAll(/\|/g)].length <= 4, `no further column: ${row}`);
  for (const [what, of] of Object.entries(samples)) {
    t.match(written('markdown', of), `exit ${of.report.exitCode}`, what);
  }
});

t.test('pretty', async (t) => {
  const text = written('pretty', samples['every verdict']);
  for (const verdict of ['FAIL', 'warn', '?   ', '-   ', '??  ', 'BUG '])
    t.match(text, new RegExp(`^${verdict.replaceAll('?', '\\?')}`, 'm'));
  t.notMatch(text, /^ok/m, 'what passes is silent');
  t.match(text, /known until 2099-12-31: issue 7/);
  t.match(written('pretty', samples['nothing ran']), /nothing ran; 0 of 0 cases.*\nexit 6: nothing ran/);
  let verbose = '';
  play(
    createReporter(
      'pretty',
      streamOutput((piece) => (verbose += piece)),
      { verbose: true },
    ),
    samples['all is well'],
  );
  t.match(verbose, /^ok {3}/m);
});

t.test('pretty tells one reason once, for however many cases nothing was seen of', async (t) => {
  const { report, results } = samples['every verdict'];
  const [untestable] = results.filter(({ verdict }) => verdict === 'untestable');
  if (untestable === undefined) throw new Error('no sample');
  const of = (count: number, reason: string): Result[] =>
    Array.from({ length: count }, (_, index) => ({
      ...untestable,
      axes: [],
      id: `server/${reason.slice(0, 4)}/${index}`,
      reason,
    }));
  const unseen = [...of(5, 'dir'), ...of(1, 'exec'), ...of(2, 'name\u001b[2J')];
  const text = written('pretty', { ...samples['every verdict'], report, results: unseen });
  const lines = text.split('\n').filter((line) => /^(\?| {7})/.test(line));
  t.strictSame(lines, [
    '?    5 cases could not be tested: dir',
    '       server/dir/0, server/dir/1, server/dir/2 and 2 more (--verbose)',
    '?    1 case could not be tested: exec',
    '       server/exec/0',
    '?    2 cases could not be tested: name\\u001b[2J',
    '       server/name/0, server/name/1',
  ]);
});

t.test('a piece of the log is cut between characters', async (t) => {
  const entry = { at: 1, event: 'sent', length: 20, hex: '00 41 42 43', text: '\\x00ABC' } as const;
  t.match(wireLine(entry, 2), '"\\x00A …"');
  t.match(wireLine({ ...entry, length: 1 }, 2), '1 byte: 00 41 42 43  "\\x00ABC"');
});

t.test('the exit code', async (t) => {
  const one = (
    verdict: Verdict,
    level: Result['level'] = 'must',
    known = false,
  ): Parameters<typeof exitCodeOf>[1][number] =>
    known ? { verdict, level, known: { reason: 'x', expires: '2099-01-01' } } : { verdict, level };
  const complete = { baseline: [], complete: true };
  const table: [number, ReturnType<typeof one>[], Parameters<typeof exitCodeOf>[2]?, boolean?][] = [
    [0, [one('pass')]],
    [0, [one('pass'), one('untestable'), one('not applicable')]],
    [1, [one('pass'), one('fail')]],
    [1, [one('pass'), one('inconclusive')]],
    [3, [one('pass'), one('inconclusive', 'should')]],
    [3, [one('pass'), one('warn', 'should')]],
    [1, [one('fail'), one('warn', 'should')]],
    [0, [one('pass'), one('fail', 'must', true), one('inconclusive', 'must', true)]],
    [1, [one('pass'), one('fail', 'must', true), one('fail')]],
    [6, [one('fail', 'must', true)]],
    [1, [one('pass')], { baseline: ['stale'], complete: true }],
    [1, [one('pass'), one('warn', 'should')], { baseline: ['stale'], complete: true }],
    [6, [one('pass')], { baseline: [], complete: false }],
    [1, [one('fail')], { baseline: [], complete: false }],
    [4, [one('inconclusive')], complete, false],
    [5, [one('fail'), one('suite fault')]],
    [6, []],
    [6, [one('untestable'), one('not applicable')]],
  ];
  for (const [code, results, state, reachable = true] of table) {
    t.equal(exitCodeOf(reachable, results, state), code, JSON.stringify([results, state, reachable]));
  }
});

t.test('a baseline', async (t) => {
  const entry = { id: 'server/end/overrun', reason: 'issue 7', expires: '2026-06-30' };
  const file = (failures: unknown, version: unknown = 1): string => JSON.stringify({ version, failures });
  const wrong: [string, RegExp][] = [
    ['{', /not JSON/],
    ['[]', /not an object/],
    [file([], 2), /"version"/],
    [file({}), /not a list/],
    [file([7]), /failures\[0\] is not an object/],
    [file([{ ...entry, id: '' }]), /no "id"/],
    [file([{ id: entry.id, expires: entry.expires }]), /overrun\) has no "reason"/],
    [file([{ ...entry, reason: ' ' }]), /has no "reason"/],
    [file([{ id: entry.id, reason: 'x' }]), /has no "expires"/],
    [file([{ ...entry, expires: '2026-02-31' }]), /has no "expires"/],
    [file([{ ...entry, expires: 'never' }]), /has no "expires"/],
    [file([{ ...entry, expiry: 'x' }]), /has "expiry"/],
    [file([{ ...entry, contains: '' }]), /empty "contains"/],
    [file([entry, entry]), /twice/],
  ];
  for (const [text, message] of wrong) t.throws(() => parseBaseline(text), { code: 'OPTION_INVALID', message }, text);

  const result = { ...sampleResult('fail', 0, false), id: entry.id, reason: 'disk: expected nothing' };
  const judged = (failure: object, verdict: Verdict, today: string): { known: boolean; said: string } => {
    const baseline = parseBaseline(file([{ ...entry, ...failure }]));
    const marked = mark({ ...result, verdict, reason: verdict === 'pass' ? '' : result.reason }, baseline, today);
    return { known: marked.known !== undefined, said: problems(baseline, [marked], [entry.id], today).join() };
  };
  t.same(judged({}, 'fail', '2026-06-30'), { known: true, said: '' }, 'on its last day');
  t.match(judged({}, 'fail', '2026-07-01'), { known: false, said: /^expired: .*2026-06-30/ });
  t.match(judged({}, 'pass', '2026-01-01'), { known: false, said: /^stale: .*passes now/ });
  t.match(judged({}, 'pass', '2026-07-01'), { known: false, said: /^stale/ });
  t.same(judged({}, 'inconclusive', '2026-01-01').known, true);
  t.same(judged({}, 'suite fault', '2026-01-01'), { known: false, said: '' }, 'never ours');
  t.same(judged({}, 'untestable', '2026-01-01'), { known: false, said: '' }, 'not seen, so not stale');
  t.same(judged({ contains: 'expected nothing' }, 'fail', '2026-01-01'), { known: true, said: '' });
  t.match(judged({ contains: 'other' }, 'fail', '2026-01-01'), { known: false, said: /^other failure/ });
  t.match(judged({ id: 'server/no/such' }, 'fail', '2026-01-01').said, /^stale: there is no case server\/no\/such/);
});

t.test('the recorder', async (t) => {
  const start = { role: 'server', profile: 'full', target: 'x', observation: 'wire', seed: 1, declared: {} } as const;
  const rest = { times: UNMEASURED, capabilities: UNKNOWN, suffix: '', reachable: true };
  const two = [sampleResult('pass', 0, false), sampleResult('pass', 1, false)] as const;

  t.test('a reporter that fails does not lose the run, and never ends with 0', async (t) => {
    const seen: string[] = [];
    const broken = { result: () => { throw new Error('disk full'); }, end: () => seen.push('never') }; // prettier-ignore
    const sound = { end: (report: Report) => seen.push(String(report.exitCode)) };
    const recorder = new Recorder({ reporters: [broken, sound] }, two, start);
    for (const result of two) recorder.publish(result);
    const report = recorder.end(rest);
    t.equal(report.exitCode, 5);
    t.match(report.notes, ['A report could not be written: Error: disk full']);
    t.strictSame(seen, ['5']);
  });

  t.test('a run that the user ends is reported as far as it came', async (t) => {
    const abort = new AbortController();
    const recorder = new Recorder({ signal: abort.signal }, two, start);
    await recorder.run(() => {
      recorder.publish(two[0]);
      abort.abort();
      return new Promise(() => undefined);
    });
    const report = recorder.end(rest);
    recorder.publish(two[1]);
    t.equal(report.complete, false);
    t.equal(report.exitCode, 6);
    t.match(report.notes, ['Ended after 1 of 2 cases']);
    t.equal(report.results.length, 1);
  });

  t.test('no case at all', async (t) => {
    const report = new Recorder({}, [], start).end(rest);
    t.equal(report.exitCode, 6);
  });
});

t.test('a report in a file', async (t) => {
  const folder = t.testdir({ 'old.html': 'a report of last week' });
  t.test('a document is valid from the first case on, and says that it is not all', async (t) => {
    for (const name of ['junit', 'html', 'markdown'] as const) {
      const file = join(folder, `part.${name}`);
      const output = new FileOutput(file);
      const reporter = createReporter(name, output);
      const of = sample([sampleResult('pass', 0, false), sampleResult('pass', 1, false)]);
      reporter.begin?.(of.start);
      await until(() => readFileSync(file, 'utf8') !== '');
      const part = readFileSync(file, 'utf8');
      t.match(part, /0 of 2/, name);
      t.notMatch(part, /banner is-pass/);
      if (name === 'junit') t.equal(all(parseXml(part), 'error').length, 1);
      play(reporter, of);
      output.close();
      t.notMatch(readFileSync(file, 'utf8'), /0 of 2/);
    }
    // A version that was on its way when the last one came is removed a little later; a file that stays ends in a time-out.
    await until(() => !readdirSync(folder).some((file) => /\.(part|new)$/.test(file)));
  });
  t.test('an earlier report is gone at once', async (t) => {
    const file = join(folder, 'old.html');
    new FileOutput(file).close();
    t.equal(readFileSync(file, 'utf8'), '');
  });
  t.test('a device is written to, not replaced', async (t) => {
    const output = new FileOutput('/dev/null');
    play(createReporter('html', output), samples['all is well']);
    output.close();
    t.ok(existsSync('/dev/null'));
    t.equal(execFileSync('stat', ['-c', '%F', '/dev/null'], { encoding: 'utf8' }), 'character special file\n');
  });
  t.throws(() => new FileOutput(join(folder, 'no', 'such', 'folder')), { code: 'OPTION_INVALID' });
});

t.test('every case can be explained', async (t) => {
  for (const one of CASES) {
    const described = describeCase(one);
    const text = explain(described).join('\n');
    for (const part of [one.id, one.clause, described.sentence, described.why])
      t.ok(text.includes(part), `${one.id}: ${part}`);
    t.ok(
      described.connections.every(({ file, steps, expected }) => file.length + steps.length > 3 && expected.length > 0),
      one.id,
    );
    t.equal(described.twin === null, one.twin === undefined, one.id);
    t.notMatch(text, /undefined|\[object|NaN/, one.id);
  }
});
