/** For the summary page of a CI job: the sums, what failed and why; the exchanges are folded away. */
import { countsAgainst, type Report, type Result } from '../report/report.js';
import { WHY } from '../model/why.js';
import {
  AXES,
  BY_URGENCY,
  byUrgency,
  causeText,
  diskChanges,
  diskLine,
  exitMeaning,
  judgedOf,
  shown,
  shownLines,
  verdictText,
  wireLine,
} from './text.js';

/** More cases than this are only listed: such pages have a limit (GitHub's is 1 MiB). */
const IN_FULL = 40;
/** Where one cause explains most failures, more of them show nothing new. */
const IN_FULL_OF_ONE_CAUSE = 3;
const LINES = 40;

/** No markup, no link, no mention can come out of it. */
function md(text: string): string {
  return shown(text)
    .replace(/[\\`*_{}[\]()#|~!+-]/g, '\\$&')
    .replace(/[&<>@]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A code span holds anything, as long as its fence is longer than any run of backticks in it. */
function code(text: string): string {
  const plain = shown(text);
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return plain === '' ? '' : `${fence} ${plain} ${fence}`;
}

function block(lines: readonly string[]): readonly string[] {
  const longest = Math.max(2, ...lines.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length)));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...lines, fence];
}

function evidence({ evidence: { connections, disk, process } }: Result): readonly string[] {
  return [
    ...connections.flatMap(({ label, log }) => [
      `${shown(label)}:`,
      ...log.slice(0, LINES).map((entry) => wireLine(entry, 32)),
    ]),
    ...(disk === null
      ? []
      : diskChanges(disk.before, disk.after).map(({ change, entry }) => `disk: ${change} ${diskLine(entry, 12)}`)),
    ...(process === undefined ? [] : [`the process ${shown(process)}`]),
  ];
}

function section(result: Result): readonly string[] {
  const { id, title, level, clause, sentence, reason, axes, replay } = result;
  return [
    `### ${md(verdictText(result))}: ${md(title)}`,
    '',
    code(id),
    '',
    `> **${clause}** (${level.toUpperCase()}) ${md(sentence)}`,
    '',
    md(WHY[clause]),
    '',
    ...(axes.length === 0 ? shownLines(reason).map((line) => `    ${line}`) : axisTable(axes)),
    '',
    '<details><summary>The exchange</summary>',
    '',
    ...block(evidence(result)),
    '',
    '</details>',
    '',
    'Again:',
    '',
    ...block([shown(replay)]),
    '',
  ];
}

function axisTable(axes: Result['axes']): readonly string[] {
  return [
    '| | expected | actual |',
    '| --- | --- | --- |',
    ...axes.map(({ axis, ok, expected, actual }) => {
      const sign = ok === null ? 'not seen' : ok ? 'ok' : '**not ok**';
      return `| ${AXES[axis]}: ${sign} | ${md(expected)} | ${md(actual)} |`;
    }),
  ];
}

function listOf(title: string, results: readonly Result[]): readonly string[] {
  if (results.length === 0) return [];
  return [
    `<details><summary>${title}: ${results.length}</summary>`,
    '',
    '| case | clause | why |',
    '| --- | --- | --- |',
    ...results.map(({ id, title, clause, reason, known }) => {
      const why = known === undefined ? reason || title : `known until ${known.expires}: ${known.reason}`;
      return `| ${md(id)} | ${clause} | ${md(why)} |`;
    }),
    '',
    '</details>',
    '',
  ];
}

export function markdown(report: Report): string {
  const { role, target, profile, seed, results, complete, summary, exitCode, baseline, notes, cause } = report;
  const most = cause === null ? IN_FULL : IN_FULL_OF_ONE_CAUSE;
  const open = byUrgency(results.filter((result) => countsAgainst(result)));
  const known = results.filter((result) => result.known !== undefined);
  const of = (verdict: Result['verdict']): readonly Result[] => results.filter((one) => one.verdict === verdict);
  return [
    `## go-ahead conformance: ${role}, exit ${exitCode}`,
    '',
    `**${exitMeaning(report)}.**`,
    '',
    ...(cause === null ? [] : [`> ${md(causeText(cause))}`, '']),
    `${code(target)}, profile ${profile}, seed ${seed}, ${judgedOf(report)}${complete ? '' : ' (not complete)'}`,
    '',
    '| verdict | cases |',
    '| --- | ---: |',
    ...BY_URGENCY.filter((verdict) => summary[verdict] > 0).map((verdict) => `| ${verdict} | ${summary[verdict]} |`),
    ...(results.length === 0 ? ['| nothing ran | 0 |'] : []),
    '',
    ...[...baseline.map((problem) => `baseline: ${problem}`), ...notes].map((note) => `- ${md(note)}`),
    '',
    ...open.slice(0, most).flatMap((result) => section(result)),
    ...listOf('More that failed', open.slice(most)),
    ...listOf('Known failures', known),
    ...listOf('Untestable here', of('untestable')),
    ...listOf('Not applicable', of('not applicable')),
    ...listOf('Passed', of('pass')),
  ]
    .join('\n')
    .replace(/\n{3,}/g, '\n\n');
}
