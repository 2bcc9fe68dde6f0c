/** What the runs of servers and of clients put into a report in the same way. */
import { release } from 'node:os';
import type { Case } from './case.js';
import { clauseLevel } from './clause.js';
import { CLAUSES } from './clauses.js';
import type { Evidence, Report, Result } from './report.js';

const NO_EVIDENCE: Evidence = { connections: [], disk: null };

export function resultOf(
  testCase: Pick<Case, 'id' | 'title' | 'clause' | 'needs'>,
  rest: Pick<Result, 'verdict' | 'reason' | 'replay'> & Partial<Pick<Result, 'axes' | 'evidence' | 'ms'>>,
): Result {
  const { id, title, clause, needs } = testCase;
  const base = { id, title, clause, needs, level: clauseLevel(clause), sentence: CLAUSES[clause] };
  return { ...base, axes: [], evidence: NO_EVIDENCE, ms: 0, ...rest };
}

export function environment(): Report['environment'] {
  return { node: process.version, platform: process.platform, arch: process.arch, release: release() };
}

/** A word of a command line for a POSIX shell. */
export function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
