/**
 * JUnit XML. The format has no schema of its own; this keeps to what the schemas of Ant's reports and of Jenkins' xunit
 * plugin have in common, so either accepts it.
 *
 * fail, warn and inconclusive are failures, a fault of the suite is an error; untestable, not applicable and what the
 * baseline expects are skipped, with the reason. What concerns the run as a whole is a test case of its own.
 */
import { countsAgainst, type Report, type Result } from '../report/report.js';
import { remembered } from './document-reporter.js';
import {
  causeText,
  diskChanges,
  diskLine,
  exitMeaning,
  firstLine,
  judgedOf,
  shown,
  shownLines,
  sums,
  verdictText,
  wireLine,
} from './text.js';

function xml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xml(shown(String(value)))}"`)
    .join('');
}

function detail(result: Result): string {
  const { clause, level, sentence, reason, axes, evidence, replay } = result;
  const { disk, connections, process } = evidence;
  return [
    `${clause} (${level.toUpperCase()}): ${sentence}`,
    ...shownLines(reason),
    '',
    ...axes.map(({ axis, ok, expected, actual }) => {
      const sign = ok === null ? '?' : ok ? 'ok' : 'NOT OK';
      return `${axis}: ${sign}; expected ${shown(expected)}; was ${shown(actual)}`;
    }),
    ...connections.flatMap(({ label, log }) => ['', shown(label), ...log.map((entry) => wireLine(entry))]),
    '',
    ...(disk === null
      ? []
      : diskChanges(disk.before, disk.after).map(({ change, entry }) => `disk: ${change} ${diskLine(entry)}`)),
    ...(process === undefined ? [] : [`the process ${shown(process)}`]),
    `again: ${shown(replay)}`,
  ].join('\n');
}

function outcome(result: Result): string {
  const { verdict, reason, known } = result;
  if (verdict === 'pass') return '';
  if (!countsAgainst(result)) {
    const why = known === undefined ? `${verdict}: ${reason}` : `${verdictText(result)}: ${reason}`;
    return `<skipped${attributes({ message: why })}/>`;
  }
  const element = verdict === 'suite fault' ? 'error' : 'failure';
  const message = firstLine(reason);
  return `<${element}${attributes({ type: verdict, message })}>${xml(detail(result))}</${element}>`;
}

const testCase = remembered((result) => {
  const group = result.id.split('/').slice(0, -1).join('.');
  const time = (result.ms / 1000).toFixed(3);
  const values = attributes({ classname: `go-ahead.${group}`, name: `${result.id}: ${result.title}`, time });
  return `    <testcase${values}>${outcome(result)}</testcase>\n`;
});

function causes({ cause }: Report): readonly string[] {
  return cause === null ? [] : [causeText(cause)];
}

/** Null when the verdicts of the cases say all there is to say. */
function wholeRun(report: Report): string | null {
  const { exitCode, complete, baseline } = report;
  if ((exitCode === 0 || exitCode === 1 || exitCode === 3 || exitCode === 5) && complete && baseline.length === 0)
    return null;
  const message = `exit ${exitCode}: ${exitMeaning(report)}`;
  const lines = [...causes(report), ...baseline, ...report.notes, `${judgedOf(report)} judged`];
  const values = attributes({ classname: 'go-ahead.run', name: 'the run as a whole', time: '0' });
  const error = `<error${attributes({ type: 'run', message })}>${xml(lines.map(shown).join('\n'))}</error>`;
  return `    <testcase${values}>${error}</testcase>\n`;
}

export function junit(report: Report): string {
  const { results, role, target, profile, seed, startedAt, observation, ms, exitCode } = report;
  const run = wholeRun(report);
  const counted = results.filter((result) => countsAgainst(result));
  const errors = counted.filter(({ verdict }) => verdict === 'suite fault').length;
  const skipped = results.filter((result) => result.verdict !== 'pass' && !countsAgainst(result)).length;
  const suite = attributes({
    name: `go-ahead conformance, ${role}`,
    package: 'go-ahead',
    id: 0,
    // The schemas allow neither a fraction nor a zone.
    timestamp: startedAt.slice(0, 19),
    hostname: 'localhost',
    tests: results.length + (run === null ? 0 : 1),
    failures: counted.length - errors,
    errors: errors + (run === null ? 0 : 1),
    skipped,
    time: (ms / 1000).toFixed(3),
  });
  const properties = Object.entries({ role, target, profile, observation, seed, exitCode }).map(
    ([name, value]) => `      <property${attributes({ name, value })}/>\n`,
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n',
    `  <testsuite${suite}>\n    <properties>\n`,
    ...properties,
    '    </properties>\n',
    ...results.map((result) => testCase(result)),
    run ?? '',
    `    <system-out>${xml(sums(report))}</system-out>\n`,
    `    <system-err>${xml([...causes(report), ...report.notes].map(shown).join('\n'))}</system-err>\n`,
    '  </testsuite>\n</testsuites>\n',
  ].join('');
}
