import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseBaseline, type Baseline } from '../conformance/report/baseline.js';
import type { Case } from '../conformance/model/case.js';
import { CASES } from '../conformance/cases/index.js';
import { conformClient } from '../conformance/conform-client.js';
import { conformServer } from '../conformance/conform-server.js';
import type { ConformOptions } from '../conformance/options.js';
import { parseDeclarations } from '../conformance/model/declare.js';
import { describeCase, explain } from '../conformance/model/describe.js';
import { clauseLevel } from '../conformance/model/clause.js';
import { nearest } from '../conformance/model/nearest.js';
import type { Report } from '../conformance/report/report.js';
import { createReporter, type ReporterName } from '../conformance/reporters/create.js';
import { FileOutput, streamOutput } from '../conformance/reporters/output.js';
import { select } from '../conformance/model/select.js';
import { traceOf } from '../cause.js';
import { GoAheadError } from '../errors.js';
import type { Environment, Signal } from './environment.js';
import { EXIT, EXIT_BY_SIGNAL } from './exit-code.js';
import { Printer, printableMessage, toJsonLine, type Style } from './printer.js';
import { onSignals } from './signals.js';
import { table } from './table.js';

/** A report, and where it goes; null for standard output. */
export interface ReportRequest {
  readonly name: ReporterName;
  readonly file: string | null;
}

interface SelectFlags {
  readonly profile?: 'classic' | 'full';
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly quick?: boolean;
}

interface JudgeFlags extends SelectFlags {
  readonly reporter?: readonly ReportRequest[];
  readonly verbose?: boolean;
  readonly seed?: number;
  readonly baseline?: string;
  readonly trace?: string;
  readonly declare?: readonly string[];
  readonly patience?: number;
  readonly parallel?: number;
  readonly cwd?: string;
  readonly port?: number;
}

export interface ConformServerFlags extends JudgeFlags {
  readonly host: string;
  readonly dir?: string;
  readonly suffix?: string;
  readonly exec?: string;
}

export interface ConformClientFlags extends JudgeFlags {
  readonly exec: string;
}

export interface ListFlags extends SelectFlags {
  readonly role?: 'server' | 'client';
  readonly json?: boolean;
}

/** What a shell that cannot find the suite's reason expects: the exit codes of `docs/conformance.md`. */
const SUITE_FAULT = 5;

export function judgeServer(flags: ConformServerFlags, environment: Environment): Promise<number> {
  const { host, port, dir, suffix, exec, cwd } = flags;
  const target = {
    host,
    ...(port !== undefined && { port }),
    ...(dir !== undefined && { dir }),
    ...(suffix !== undefined && { suffix }),
    ...(exec !== undefined && { exec }),
    ...(cwd !== undefined && { cwd }),
  };
  return judge(flags, environment, (options) => conformServer({ ...options, ...target }));
}

export function judgeClient(flags: ConformClientFlags, environment: Environment): Promise<number> {
  const { exec, port, cwd } = flags;
  const target = { exec, ...(port !== undefined && { port }), ...(cwd !== undefined && { cwd }) };
  return judge(flags, environment, (options) => conformClient({ ...options, ...target }));
}

type Conform = (options: ConformOptions) => Promise<Report>;

/**
 * @returns the exit code
 * @throws GoAheadError `OPTION_INVALID` for what the command line got wrong
 */
async function judge(flags: JudgeFlags, environment: Environment, conform: Conform): Promise<number> {
  try {
    return await judged(flags, environment, conform);
  } catch (reason) {
    if (reason instanceof GoAheadError && reason.code === 'OPTION_INVALID') throw reason;
    const text = traceOf(reason);
    const err = new Printer(environment.stderr, environment.variables);
    err.line(err.paint('red', `go-ahead: the suite failed: ${text.split('\n').map(printableMessage).join('\n')}`));
    return SUITE_FAULT;
  }
}

async function judged(flags: JudgeFlags, environment: Environment, conform: Conform): Promise<number> {
  const { profile, only = [], skip = [], quick = false, seed, baseline, trace, patience, parallel } = flags;
  const out = new Printer(environment.stdout, environment.variables);
  const declared = parseDeclarations(flags.declare ?? []);
  const known = baseline === undefined ? undefined : readBaseline(baseline);
  const requests = reportsOf(flags.reporter ?? []);
  const files: FileOutput[] = [];
  const abort = new AbortController();
  let ended: Signal | null = null;
  const end = (signal: Signal): void => {
    ended ??= signal;
    abort.abort();
  };
  const off = onSignals(environment.signals, end);
  // A terminal that is closed hangs up more than once, and nobody is left who could be in a hurry.
  environment.signals.on('SIGHUP', end);
  try {
    const reporters = requests.map(({ name, file }) => {
      const paint = (style: Style, text: string): string => out.paint(style, text);
      const terminal = { verbose: flags.verbose, paint };
      if (file === null)
        return createReporter(
          name,
          streamOutput((text) => out.write(text)),
          terminal,
        );
      const output = new FileOutput(file);
      files.push(output);
      return createReporter(name, output, { verbose: flags.verbose });
    });
    const { exitCode } = await conform({
      reporters,
      declared,
      only,
      skip,
      quick,
      signal: abort.signal,
      ...(profile !== undefined && { profile }),
      ...(known && { baseline: known }),
      ...(trace !== undefined && { trace }),
      ...(seed !== undefined && { seed }),
      ...(patience !== undefined && { patience }),
      ...(parallel !== undefined && { width: parallel }),
    });
    return exitBy(ended) ?? exitCode;
  } finally {
    off();
    environment.signals.off('SIGHUP', end);
    for (const file of files) file.close();
  }
}

function exitBy(signal: Signal | null): number | null {
  return signal === null ? null : EXIT_BY_SIGNAL[signal];
}

function invalid(message: string, expected: string, actual: string): GoAheadError {
  return new GoAheadError('OPTION_INVALID', message, { expected, actual });
}

const PRETTY: ReportRequest = { name: 'pretty', file: null };

/** With `pretty` on standard output, unless another one is there. That one comes last, so that it knows of files that failed. */
function reportsOf(asked: readonly ReportRequest[]): readonly ReportRequest[] {
  const toStandardOutput = asked.filter(({ file }) => file === null).map(({ name }) => name);
  if (toStandardOutput.length > 1) {
    const names = toStandardOutput.join(' and ');
    throw invalid(
      `Only one report can go to standard output, not ${names}; give the others a file.`,
      'NAME=FILE',
      names,
    );
  }
  const files = asked.flatMap(({ file }) => (file === null ? [] : [resolve(file)]));
  const twice = files.find((file, n) => files.indexOf(file) !== n);
  if (twice !== undefined) throw invalid(`Two reports would go to one file: ${twice}`, 'a file for each', twice);
  const inFiles = asked.filter(({ file }) => file !== null);
  return [...inFiles, ...asked.filter(({ file }) => file === null), ...(toStandardOutput.length === 0 ? [PRETTY] : [])];
}

function readBaseline(path: string): Baseline {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new GoAheadError('OPTION_INVALID', `The baseline ${path} cannot be read: ${String(cause)}`, { cause });
  }
  return parseBaseline(text);
}

function summaryOf({ id, role, clause, profiles, needs, quick = false, title }: Case): {
  readonly id: string;
  readonly role: string;
  readonly level: string;
  readonly clause: string;
  readonly profiles: readonly string[];
  readonly needs: string;
  readonly quick: boolean;
  readonly title: string;
} {
  return { id, role, level: clauseLevel(clause), clause, profiles, needs, quick, title };
}

/** Without a profile all of them. */
export function listCases(flags: ListFlags, environment: Environment): number {
  const { role, json = false, only = [], skip = [], quick = false } = flags;
  const out = new Printer(environment.stdout, environment.variables);
  const profiles = flags.profile === undefined ? (['classic', 'full'] as const) : [flags.profile];
  const wanted = new Set(profiles.flatMap((profile) => select(CASES, { profile, only, skip, quick })));
  const rows = CASES.filter((one) => wanted.has(one) && (role === undefined || one.role === role)).map(summaryOf);
  if (json) {
    out.line(rows.length === 0 ? '[]' : `[\n${rows.map((row) => toJsonLine(row)).join(',\n')}\n]`);
    return EXIT.ok;
  }
  const columns = ['ID', 'LEVEL', 'CLAUSE', 'PROFILES', 'NEEDS', 'QUICK', 'TITLE'].map((title) => ({ title }));
  const cells = rows.map((row) => {
    const { id, level, clause, needs, quick: isQuick, title } = row;
    return [id, level, clause, row.profiles.join(','), needs, isQuick ? 'yes' : '', title];
  });
  for (const line of table(columns, cells)) out.line(line);
  out.line(`${rows.length} of ${CASES.length} cases`);
  return EXIT.ok;
}

/** @throws GoAheadError `OPTION_INVALID` for an id that no case has */
export function explainCase(
  id: string,
  { json = false }: { readonly json?: boolean },
  environment: Environment,
): number {
  const out = new Printer(environment.stdout, environment.variables);
  const found = CASES.find((one) => one.id === id);
  if (found === undefined) {
    const ids = CASES.map((one) => one.id);
    const near = nearest(id, ids);
    const hint = near.length === 0 ? 'see go-ahead conform list' : `did you mean ${near.join(' or ')}?`;
    throw invalid(`There is no case "${id}"; ${hint}`, 'the id of a case', id);
  }
  const described = describeCase(found);
  if (json) out.json(described);
  else for (const line of explain(described)) out.line(line);
  return EXIT.ok;
}
