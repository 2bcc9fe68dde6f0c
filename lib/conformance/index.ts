/** The conformance suite's face: names only. */
export { parseBaseline, type Baseline, type KnownFailure } from './report/baseline.js';
export { CASES, CLIENT_CASES, SERVER_CASES } from './cases/index.js';
export { CLAUSES } from './model/clauses.js';
export { conformClient, type ConformClientOptions } from './conform-client.js';
export { conformServer } from './conform-server.js';
export type { ConformOptions, ConformServerOptions } from './options.js';
export { createReporter, REPORTER_NAMES, type ReporterName } from './reporters/create.js';
export { FileOutput, streamOutput, type ReportOutput } from './reporters/output.js';
export { PrettyReporter } from './reporters/pretty.js';
export type { Case, ClientCase, Profile, Role, ServerCase } from './model/case.js';
export type { ClauseId, Level } from './model/clause.js';
export type { Axis, Evidence, ExitCode, Report, Reporter, Result, RunStart, Verdict } from './report/report.js';
