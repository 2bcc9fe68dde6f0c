import { tmpdir } from 'node:os';
import { systemCode } from '../cause.js';
import { GoAheadError } from '../errors.js';
import type { Environment } from './environment.js';
import { EXIT } from './exit-code.js';
import { Printer, printableMessage } from './printer.js';
import { runProgram } from './program.js';

/** Runs one command line and returns what the process is to exit with. */
export async function run(environment: Environment): Promise<number> {
  const out = new Printer(environment.stdout, environment.variables);
  const err = new Printer(environment.stderr, environment.variables);
  try {
    return await runProgram(environment, out, err);
  } catch (reason) {
    const text = describe(reason);
    // Anything else is a bug, and worth its stack.
    if (text === undefined) throw reason;
    err.line(err.paint('red', `go-ahead: ${printableMessage(text)}`));
    return reason instanceof GoAheadError && reason.code === 'OPTION_INVALID' ? EXIT.usage : EXIT.failed;
  }
}

/** Of an error that a user can do something about: ours, or the system's (such as a temporary directory that is full). */
function describe(reason: unknown): string | undefined {
  if (reason instanceof GoAheadError) return `${reason.message} (${reason.code})`;
  if (!(reason instanceof Error && 'syscall' in reason)) return undefined;
  return reason.syscall === 'mkdtemp'
    ? `cannot make a temporary folder in ${tmpdir()} (${systemCode(reason)}); set TMPDIR to a folder to which you may write`
    : reason.message;
}
