/** For a terminal: what failed and why, in the order of the run; the sums at the end. */
import type { Report, Reporter, Result, Verdict } from '../report.js';
import type { WireEntry } from '../wire.js';

const SIGN: Readonly<Record<Verdict, string>> = {
  pass: 'ok  ',
  fail: 'FAIL',
  warn: 'warn',
  untestable: '?   ',
  'not applicable': '-   ',
  inconclusive: '??  ',
  'suite fault': 'BUG ',
};

/** One line of a wire log, as all text reporters show it. */
export function wireLine({ at, event, length, hex, text, note }: WireEntry): string {
  const bytes = hex === undefined ? '' : ` ${length ?? 0} bytes: ${hex}  "${text ?? ''}"`;
  return `${at.toFixed(1).padStart(8)} ms  ${event}${bytes}${note === undefined ? '' : ` (${note})`}`;
}

export class PrettyReporter implements Reporter {
  readonly #write: (text: string) => void;
  readonly #verbose: boolean;

  constructor(write: (text: string) => void, options: { readonly verbose?: boolean } = {}) {
    this.#write = write;
    this.#verbose = options.verbose ?? false;
  }

  begin(run: Parameters<NonNullable<Reporter['begin']>>[0]): void {
    this.#write(`${run.role} ${run.target}, profile ${run.profile}, ${run.cases} cases, seed ${run.seed}\n`);
  }

  result(result: Result): void {
    const { verdict, id, title, reason, clause, sentence } = result;
    if (verdict === 'pass' && !this.#verbose) return;
    this.#write(`${SIGN[verdict]} ${id}  ${title}\n`);
    if (reason !== '') this.#write(`       ${reason}\n`);
    if (verdict !== 'fail' && verdict !== 'warn' && !this.#verbose) return;
    this.#write(`       ${clause}: ${sentence}\n`);
    for (const { label, log } of result.evidence.connections) {
      this.#write(`       ${label}\n`);
      for (const entry of log.slice(0, this.#verbose ? undefined : 12)) this.#write(`       ${wireLine(entry)}\n`);
    }
    this.#write(`       again: ${result.replay}\n`);
  }

  end(report: Report): void {
    for (const note of report.notes) this.#write(`note: ${note}\n`);
    const sums = Object.entries(report.summary).filter(([, count]) => count > 0);
    this.#write(`${sums.map(([verdict, count]) => `${count} ${verdict}`).join(', ')} in ${report.ms} ms\n`);
  }
}
