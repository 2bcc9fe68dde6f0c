/**
 * The report as JSON (`docs/report.schema.json`), as the results come: the first line opens the document and its list of
 * results, each result is one line, the last one closes it. What is cut off is made valid by dropping an unfinished last
 * line and a comma at the end, and adding `]}`.
 */
import type { Report, Reporter, Result, RunStart } from '../report/report.js';
import { jsonText } from './text.js';

export class JsonReporter implements Reporter {
  readonly #write: (text: string) => void;
  #separator = '\n';

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  begin(start: RunStart): void {
    this.#write(`${jsonText(start).slice(0, -1)},"results":[`);
  }

  result(result: Result): void {
    this.#write(this.#separator + jsonText(result));
    this.#separator = ',\n';
  }

  end(report: Report): void {
    const { ms, times, capabilities, suffix, cause, notes, baseline, complete, summary, exitCode } = report;
    const rest = { ms, times, capabilities, suffix, cause, notes, baseline, complete, summary, exitCode };
    this.#write(`\n],${jsonText(rest).slice(1)}\n`);
  }
}
