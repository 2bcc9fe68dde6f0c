/** The reporters by their names on the command line. */
import type { Reporter } from '../report/report.js';
import { DocumentReporter } from './document-reporter.js';
import { html } from './html.js';
import { JsonReporter } from './json.js';
import { junit } from './junit.js';
import { markdown } from './markdown.js';
import type { ReportOutput } from './output.js';
import { PrettyReporter, type Paint } from './pretty.js';
import { TapReporter } from './tap.js';

export const REPORTER_NAMES = ['pretty', 'tap', 'json', 'junit', 'html', 'markdown'] as const;
export type ReporterName = (typeof REPORTER_NAMES)[number];

export interface PrettyOptions {
  readonly verbose?: boolean | undefined;
  readonly paint?: Paint;
}

export function createReporter(name: ReporterName, output: ReportOutput, options: PrettyOptions = {}): Reporter {
  const write = (text: string): void => output.append(text);
  switch (name) {
    case 'pretty':
      return new PrettyReporter(write, options);
    case 'tap':
      return new TapReporter(write);
    case 'json':
      return new JsonReporter(write);
    case 'junit':
      return new DocumentReporter(output, junit);
    case 'html':
      return new DocumentReporter(output, html);
    case 'markdown':
      return new DocumentReporter(output, markdown);
  }
}
