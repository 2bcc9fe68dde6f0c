/** What the runs of servers and of clients put into a report in the same way. */
import { stat } from 'node:fs/promises';
import { GoAheadError } from '../../errors.js';
import type { Declared } from '../model/capabilities.js';
import type { Case } from '../model/case.js';
import { describeExit, type Exit } from '../target/child.js';
import { clauseLevel } from '../model/clause.js';
import { CLAUSES } from '../model/clauses.js';
import type { Evidence, Result } from './report.js';

const NO_EVIDENCE: Evidence = { connections: [], disk: null };

export function resultOf(
  testCase: Pick<Case, 'id' | 'title' | 'clause' | 'needs'>,
  rest: Pick<Result, 'verdict' | 'reason' | 'replay'> & Partial<Pick<Result, 'axes' | 'evidence' | 'ms'>>,
): Result {
  const { id, title, clause, needs } = testCase;
  const base = { id, title, clause, needs, level: clauseLevel(clause), sentence: CLAUSES[clause] };
  return { ...base, axes: [], evidence: NO_EVIDENCE, ms: 0, ...rest };
}

/** The cause of everything where the control transfer at the start fails. */
export function plainFailure(broken: string, exit: Exit | null): string {
  const end = exit === null ? '' : `. The process ${describeExit(exit)}`;
  return `a plain transfer does not work, so nothing can pass: ${broken}${end}`;
}

/** What the reader must know where the control transfer failed once. */
export function stumbledNote(broken: string): string {
  return `a plain transfer failed, and went well when it was tried again: ${broken}`;
}

/** Throws `OPTION_INVALID`. */
export async function mustBeDirectory(path: string, option: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() === true) return;
  throw new GoAheadError('OPTION_INVALID', `${option} ${path} is not a directory.`, {
    expected: 'a directory that is there',
    actual: found === null ? 'nothing' : 'something else',
  });
}

/** The options that declare the same again. */
export function declarations(declared: Declared = {}): readonly string[] {
  return Object.entries(declared).map(([name, value]) => `--declare ${quoted(`${name}=${value}`)}`);
}

/** A word of a command line for a POSIX shell. */
export function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
