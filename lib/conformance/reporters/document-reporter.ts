import { unfinished, type Report, type Reporter, type Result, type RunStart } from '../report/report.js';
import type { ReportOutput } from './output.js';

/** A report that is one document: written again as results come, so that a run that is killed leaves a valid one. */
export class DocumentReporter implements Reporter {
  readonly #render: (report: Report) => string;
  readonly #output: ReportOutput;
  readonly #results: Result[] = [];
  readonly #begun = performance.now();
  #start: RunStart | null = null;
  #cause: string | null = null;

  constructor(output: ReportOutput, render: (report: Report) => string) {
    this.#output = output;
    this.#render = render;
  }

  begin(start: RunStart): void {
    this.#start = start;
    this.#partly();
  }

  cause(text: string): void {
    this.#cause = text;
    this.#partly();
  }

  result(result: Result): void {
    this.#results.push(result);
    this.#partly();
  }

  end(report: Report): void {
    this.#output.document(() => this.#render(report), true);
  }

  #partly(): void {
    const start = this.#start;
    if (start === null) return;
    const ms = Math.round(performance.now() - this.#begun);
    this.#output.document(() => this.#render(unfinished(start, [...this.#results], ms, this.#cause)), false);
  }
}

/** Remembers what was rendered of a result, so that the next version of the document costs little. */
export function remembered(render: (result: Result) => string): (result: Result) => string {
  const known = new WeakMap<Result, string>();
  return (result) => {
    const text = known.get(result) ?? render(result);
    known.set(result, text);
    return text;
  };
}
