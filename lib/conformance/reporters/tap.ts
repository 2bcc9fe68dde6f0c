/**
 * TAP version 14 (https://testanything.org/tap-version-14-specification.html), as the results come. The plan stands at the
 * top and the last test point is the run as a whole, so what is cut off, or ran nothing, fails.
 *
 * `untestable` and what the baseline expects are `not ok ... # TODO`: not green, and not a failure either.
 */
import { countsAgainst, type Report, type Reporter, type Result, type RunStart } from '../report/report.js';
import {
  causeText,
  diskChanges,
  diskLine,
  exitMeaning,
  shown,
  shownLines,
  sums,
  verdictText,
  wireLine,
} from './text.js';

function escaped(text: string): string {
  return shown(text).replace(/[\\#]/g, '\\$&');
}

/** A JSON string is a YAML string. */
function yaml(text: string): string {
  return JSON.stringify(shown(text));
}

function list(key: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${key}:`, ...lines.map((line) => `  - ${yaml(line)}`)];
}

function diagnostics(result: Result): readonly string[] {
  const { verdict, level, clause, sentence, reason, axes, evidence, replay } = result;
  const { connections, disk, process } = evidence;
  const logs = connections.flatMap(({ label, log }) => log.map((entry) => `${label} ${wireLine(entry)}`));
  // A key may stand there once only; the first broken one of an axis speaks for it.
  const broken = axes.filter(
    ({ axis, ok }, n) => ok !== true && axes.findIndex((one) => one.axis === axis && one.ok !== true) === n,
  );
  const changes = disk === null ? [] : diskChanges(disk.before, disk.after);
  return [
    `verdict: ${yaml(verdict)}`,
    `level: ${level}`,
    `clause: ${yaml(clause)}`,
    `sentence: ${yaml(sentence)}`,
    ...list('reason', reason === '' ? [] : shownLines(reason)),
    ...(broken.length === 0 ? [] : ['axes:']),
    ...broken.flatMap(({ axis, expected, actual }) => [
      `  ${axis}:`,
      `    expected: ${yaml(expected)}`,
      `    actual: ${yaml(actual)}`,
    ]),
    ...list('exchange', logs),
    ...list(
      'disk',
      changes.map(({ change, entry }) => `${change} ${diskLine(entry)}`),
    ),
    ...(process === undefined ? [] : [`process: ${yaml(process)}`]),
    `replay: ${yaml(replay)}`,
  ];
}

function directive(result: Result): string {
  const { verdict, reason, known } = result;
  if (verdict === 'not applicable') return ` # SKIP ${escaped(reason)}`;
  if (verdict === 'untestable') return ` # TODO untestable: ${escaped(reason)}`;
  return known === undefined ? '' : ` # TODO ${escaped(verdictText(result))}`;
}

export class TapReporter implements Reporter {
  readonly #write: (text: string) => void;
  #count = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  begin({ cases, role, target, profile, seed }: RunStart): void {
    this.#lines('TAP version 14', `1..${cases + 1}`, `# ${role} ${shown(target)}, profile ${profile}, seed ${seed}`);
  }

  cause(text: string): void {
    this.#lines(`# ${shown(causeText(text))}`);
  }

  result(result: Result): void {
    const { id, title, verdict } = result;
    const ok = verdict === 'pass' || verdict === 'not applicable';
    this.#point(ok, `${id}: ${title}`, directive(result));
    if (ok) return;
    this.#lines('  ---', ...diagnostics(result).map((line) => `  ${line}`), '  ...');
  }

  end(report: Report): void {
    const { notes, baseline, results, cases, exitCode } = report;
    for (const note of notes) this.#lines(`# ${shown(note)}`);
    this.#lines(`# ${sums(report)}`);
    // What never came is missing from the plan; the run itself keeps its number all the same.
    this.#count = cases;
    this.#point(exitCode === 0, `the run as a whole: exit ${exitCode}, ${exitMeaning(report)}`, '');
    const open = results.filter((result) => countsAgainst(result)).map(({ id, verdict }) => `${verdict}: ${id}`);
    if (exitCode !== 0) {
      const lines = [`exit: ${exitCode}`, ...list('results', open), ...list('baseline', baseline)];
      this.#lines('  ---', ...lines.map((line) => `  ${line}`), '  ...');
    }
  }

  #point(ok: boolean, description: string, end: string): void {
    this.#count += 1;
    this.#lines(`${ok ? 'ok' : 'not ok'} ${this.#count} - ${escaped(description)}${end}`);
  }

  #lines(...lines: readonly string[]): void {
    this.#write(`${lines.join('\n')}\n`);
  }
}
