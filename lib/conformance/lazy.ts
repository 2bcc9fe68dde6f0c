/** The suite for the root of the package: its cases are loaded when the first run asks for them. */
import type { ConformClientOptions } from './conform-client.js';
import type { ConformServerOptions } from './options.js';
import type { Report } from './report/report.js';

/** Judges a server. Throws `OPTION_INVALID` on options that contradict each other; everything else is in the report. */
export async function conformServer(options: ConformServerOptions): Promise<Report> {
  const suite = await import('./conform-server.js');
  return suite.conformServer(options);
}

/** Judges a client. Throws `OPTION_INVALID` on options that contradict each other; everything else is in the report. */
export async function conformClient(options: ConformClientOptions): Promise<Report> {
  const suite = await import('./conform-client.js');
  return suite.conformClient(options);
}
