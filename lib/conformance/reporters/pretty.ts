/** For a terminal: what failed and why, in the order of the run; the sums at the end. */
import { plural } from '../../plural.js';
import {
  countsAgainst,
  type Report,
  type Reporter,
  type Result,
  type RunStart,
  type Verdict,
} from '../report/report.js';
import {
  causeText,
  diskChanges,
  diskLine,
  exitMeaning,
  judgedOf,
  shown,
  shownLines,
  sums,
  verdictText,
  wireLine,
} from './text.js';

export type Paint = (colour: 'green' | 'red' | 'yellow' | 'dim' | 'bold', text: string) => string;

const SIGN: Readonly<Record<Verdict, string>> = {
  pass: 'ok  ',
  fail: 'FAIL',
  warn: 'warn',
  untestable: '?   ',
  'not applicable': '-   ',
  inconclusive: '??  ',
  'suite fault': 'BUG ',
};

const COLOUR: Readonly<Record<Verdict, Parameters<Paint>[0]>> = {
  pass: 'green',
  fail: 'red',
  warn: 'yellow',
  untestable: 'yellow',
  'not applicable': 'dim',
  inconclusive: 'red',
  'suite fault': 'red',
};

/** What a terminal is given of one case: connections, lines of each, bytes of a line. The other formats have them all. */
const CONNECTIONS = 3;
const LINES = 12;
const BYTES = 16;

/** Of the cases that nothing was seen of for one reason. */
const NAMED = 3;

const UNSEEN: Partial<Readonly<Record<Verdict, string>>> = {
  untestable: 'could not be tested',
  'not applicable': 'not applicable',
  inconclusive: 'could not be judged',
};

interface Unseen extends Pick<Result, 'verdict' | 'reason'> {
  readonly what: string;
  readonly ids: readonly string[];
}

export class PrettyReporter implements Reporter {
  /** Results without an exchange to show: hundreds of them may have one reason, which is told once, at the end. */
  readonly #unseen = new Map<string, Unseen>();
  readonly #write: (text: string) => void;
  readonly #verbose: boolean;
  #cause: string | null = null;
  #shownOfCause = 0;
  readonly #paint: Paint;

  /** `verbose`: the passing cases too, and everything that is known of each. */
  constructor(
    write: (text: string) => void,
    options: { readonly verbose?: boolean | undefined; readonly paint?: Paint } = {},
  ) {
    this.#write = write;
    this.#verbose = options.verbose ?? false;
    this.#paint = options.paint ?? ((_, text) => text);
  }

  begin({ role, target, profile, cases, seed }: RunStart): void {
    this.#line(this.#paint('bold', `${role} ${shown(target)}`));
    this.#line(`profile ${profile}, ${plural(cases, 'case')}, seed ${seed}`, '');
  }

  cause(text: string): void {
    this.#cause = text;
    this.#line(this.#paint('red', shown(causeText(text))), '');
  }

  result(result: Result): void {
    const { verdict, id, title, reason, clause, sentence, known } = result;
    if (verdict === 'pass' && !this.#verbose) return;
    const what = UNSEEN[verdict];
    if (what !== undefined && known === undefined && result.axes.length === 0 && !this.#verbose) {
      const key = `${verdict}\n${reason}`;
      const { ids } = this.#unseen.get(key) ?? { ids: [] };
      this.#unseen.set(key, { what, verdict, reason, ids: [...ids, id] });
      return;
    }
    const colour = known === undefined ? COLOUR[verdict] : 'dim';
    this.#line(`${this.#paint(colour, SIGN[verdict])} ${id}  ${shown(title)}`);
    if (known !== undefined) this.#indented(verdictText(result));
    for (const line of reason === '' ? [] : shownLines(reason)) this.#indented(line);
    if (!countsAgainst(result) && !this.#verbose) return;
    // Where all fail for one cause, one exchange shows it: of a case that failed, since the others prove nothing.
    if (this.#cause !== null && !this.#verbose && (this.#shownOfCause > 0 || verdict !== 'fail')) return;
    this.#shownOfCause += 1;
    this.#indented(this.#paint('bold', `${clause}: ${sentence}`));
    const { connections, disk, process } = result.evidence;
    const accepted = result.axes.some(({ axis, ok }) => axis === 'twin' && ok === true);
    const telling = connections.filter(({ label }) => this.#verbose || !(accepted && label.startsWith('twin')));
    for (const { label, log } of telling.slice(0, this.#verbose ? undefined : CONNECTIONS)) {
      this.#indented(`${shown(label)}:`);
      for (const entry of log.slice(0, this.#verbose ? undefined : LINES)) {
        this.#indented(this.#paint('dim', wireLine(entry, BYTES)));
      }
    }
    const changes = disk === null ? [] : diskChanges(disk.before, disk.after);
    for (const { change, entry } of changes.filter((one) => one.change !== 'same')) {
      this.#indented(`on disk: ${change} ${diskLine(entry, 12)}`);
    }
    if (process !== undefined) this.#indented(`the process ${shown(process)}`);
    this.#indented(`again: ${shown(result.replay)}`, '');
  }

  end(report: Report): void {
    this.#tellUnseen();
    const { cause } = report;
    const told = [...this.#unseen.values()].some(({ reason }) => reason === cause);
    // Once more, since it has scrolled away by now.
    if (cause !== null && !told) this.#line('', this.#paint('red', shown(causeText(cause))));
    for (const note of report.notes) this.#line(`note: ${shown(note)}`);
    for (const problem of report.baseline) this.#line(this.#paint('red', `baseline: ${shown(problem)}`));
    const colour = report.exitCode === 0 ? 'green' : report.exitCode === 3 ? 'yellow' : 'red';
    const seconds = (report.ms / 1000).toFixed(1);
    this.#line(this.#paint('bold', `${sums(report)}; ${judgedOf(report)} in ${seconds} s`));
    this.#line(this.#paint(colour, `exit ${report.exitCode}: ${exitMeaning(report)}`));
  }

  #tellUnseen(): void {
    for (const { what, verdict, reason, ids } of this.#unseen.values()) {
      const count = plural(ids.length, 'case');
      const sign = this.#paint(COLOUR[verdict], SIGN[verdict]);
      this.#line(`${sign} ${count} ${what}: ${shown(reason)}`);
      const names = ids.slice(0, NAMED);
      const more = ids.length - names.length;
      this.#indented(more === 0 ? names.join(', ') : `${names.join(', ')} and ${more} more (--verbose)`);
    }
    if (this.#unseen.size > 0) this.#line('');
  }

  #line(...texts: readonly string[]): void {
    for (const text of texts) this.#write(`${text}\n`);
  }

  #indented(...texts: readonly string[]): void {
    for (const text of texts) this.#line(text === '' ? '' : `       ${text}`);
  }
}
