/**
 * One page for people: the sum on top, what failed first, each case with the clause that it broke, what was expected and
 * what came, the exchange byte by byte, and how to run it again. Self-contained, without a script; a content security
 * policy forbids what the escaping should have made impossible.
 */
import { countsAgainst, type ExitCode, type Report, type Result, type Verdict } from '../report/report.js';
import { anchor, badge, BRIEF, CARD, esc, LOOK, type Look } from './html-case.js';
import { STYLE } from './html-style.js';
import { BY_URGENCY, byUrgency, causeText, exitMeaning, firstLine, judgedOf, sums } from './text.js';

const MEANING: Readonly<Record<Verdict, string>> = {
  pass: 'as the clause asks, and proved by a whole transfer',
  fail: 'a MUST is broken',
  warn: 'a SHOULD is broken',
  untestable: 'something is missing to see it',
  'not applicable': 'the target does it another way that is allowed',
  inconclusive: 'a plain transfer fails too, so this shows nothing',
  'suite fault': 'a fault of the suite, not of the target',
};

function section(title: string, explanation: string, items: readonly string[], brief: boolean): string {
  if (items.length === 0) return '';
  return (
    `<section${brief ? ' class="brief"' : ''}><h2>${title} (${items.length})</h2>\n` +
    `<p class="soft">${explanation}</p>\n${items.join('')}</section>\n`
  );
}

const BANNER: Readonly<Record<ExitCode, readonly [look: Look, words: string]>> = {
  0: ['pass', 'Passed'],
  1: ['fail', 'Failed'],
  3: ['warn', 'Passed with warnings'],
  4: ['fail', 'Not reachable'],
  5: ['fail', 'Suite fault'],
  6: ['open', 'Nothing shown'],
};

function banner(report: Report): string {
  const { exitCode, complete } = report;
  const [look, words] = BANNER[exitCode];
  const part = complete ? '' : ` The run is not complete: ${judgedOf(report)}.`;
  return (
    `<p class="banner is-${look}" role="status"><strong>${words}</strong> ` +
    `${esc(`${sums(report)}: ${exitMeaning(report)}.${part}`)} <span class="soft">Exit code ${exitCode}.</span></p>\n`
  );
}

function counts({ summary }: Report): string {
  const items = BY_URGENCY.filter((verdict) => summary[verdict] > 0).map(
    (verdict) =>
      `<li class="is-${LOOK[verdict]}"><b>${summary[verdict]}</b> ${verdict}<br><small class="soft">${MEANING[verdict]}</small></li>\n`,
  );
  return items.length === 0 ? '' : `<ul class="counts">\n${items.join('')}</ul>\n`;
}

function facts(report: Report): string {
  const { target, role, profile, observation, seed, startedAt, ms, environment, suffix, capabilities, declared } =
    report;
  const sees = {
    wire: 'the connection only',
    dir: 'the connection and the directory',
    exec: 'the connection and the process',
  };
  const does = Object.entries(capabilities).filter(([, value]) => value !== 'unknown');
  const said = Object.entries(declared);
  const rows = [
    [role === 'server' ? 'Server' : 'Client', `<code>${esc(target)}</code>`],
    ['Profile', profile],
    ['The suite sees', sees[observation]],
    ['Started', `${esc(startedAt)}, ${(ms / 1000).toFixed(1)} s`],
    ['Seed', `${seed}`],
    ['Runs on', esc(`${environment.platform} ${environment.release}, ${environment.arch}, Node ${environment.node}`)],
    ...(suffix === '' ? [] : [['Suffix of names', `<code>${esc(suffix)}</code>`]]),
    ...(does.length === 0 ? [] : [['Found out', esc(does.map(([name, value]) => `${name}: ${value}`).join(', '))]]),
    ...(said.length === 0 ? [] : [['Declared', esc(said.map(([name, value]) => `${name}: ${value}`).join(', '))]]),
  ];
  return `<dl class="facts">${rows.map(([name = '', value = '']) => `<dt>${name}</dt><dd>${value}</dd>`).join('\n')}</dl>\n`;
}

function remarks({ notes, baseline }: Report): string {
  const all = [...baseline.map((problem) => `Baseline: ${problem}`), ...notes];
  return all.length === 0
    ? ''
    : `<h2>About the run as a whole</h2>\n<ul>${all.map((note) => `<li>${esc(note)}</li>`).join('\n')}</ul>\n`;
}

function contents(open: readonly Result[]): string {
  if (open.length === 0) return '';
  const rows = open.map(
    (result) =>
      `<tr><td>${badge(result)}</td><td><a href="#${anchor(result.id)}">${esc(result.title)}</a></td>` +
      `<td>${result.clause}</td><td>${esc(firstLine(result.reason))}</td></tr>\n`,
  );
  return (
    '<h2>What is wrong, in short</h2>\n<div class="scroll"><table><thead><tr><th scope="col">Verdict</th><th scope="col">Case</th>' +
    `<th scope="col">Clause</th><th scope="col">Reason</th></tr></thead><tbody>\n${rows.join('')}</tbody></table></div>\n`
  );
}

export function html(report: Report): string {
  const { role, target, results } = report;
  const open = byUrgency(results.filter((result) => countsAgainst(result)));
  const known = results.filter((result) => result.known !== undefined);
  const of = (verdict: Verdict): readonly string[] =>
    results.filter((one) => one.verdict === verdict && one.known === undefined).map((one) => BRIEF[role](one));
  const title = `go-ahead conformance: ${role} ${target}`;
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">\n`,
    `<title>${esc(title)}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<main>\n`,
    `<h1>Conformance of a go-ahead ${role}</h1>\n<p class="mono">${esc(target)}</p>\n`,
    banner(report),
    report.cause === null ? '' : `<p class="banner is-fail">${esc(causeText(report.cause))}</p>\n`,
    counts(report),
    contents(open),
    remarks(report),
    section(
      'What failed',
      'Worst first. Each with the clause, what was done and what came.',
      open.map((one) => CARD[role](one)),
      false,
    ),
    section(
      'Known failures',
      'The baseline expects them; they do not count.',
      known.map((one) => BRIEF[role](one)),
      true,
    ),
    section(
      'Untestable here',
      'Neither passed nor failed: each says what is missing to see it.',
      of('untestable'),
      true,
    ),
    section(
      'Not applicable',
      'The target has chosen another way that the protocol allows.',
      of('not applicable'),
      true,
    ),
    section('Passed', 'Each rests on a whole transfer that was seen.', of('pass'), true),
    `<h2>About this run</h2>\n${facts(report)}`,
    '</main>\n</body>\n</html>\n',
  ].join('');
}
