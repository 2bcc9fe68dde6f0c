/** The conformance suite's face: names only. */
export { CASES, CLIENT_CASES, SERVER_CASES } from './cases/index.js';
export { CLAUSES } from './clauses.js';
export { conformClient, type ConformClientOptions } from './conform-client.js';
export { conformServer, type ConformOptions, type ConformServerOptions } from './conform-server.js';
export { PrettyReporter } from './reporters/pretty.js';
export type { Case, ClientCase, Profile, Role, ServerCase } from './case.js';
export type { ClauseId, Level } from './clause.js';
export type { Axis, ExitCode, Report, Reporter, Result, Verdict } from './report.js';
