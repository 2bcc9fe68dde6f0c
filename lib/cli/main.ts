#!/usr/bin/env node
import { packageVersion } from './version.js';

const argv = process.argv.slice(2);
const [first] = argv;
if (first === '--version' || first === '-V') {
  // Asked for often, by scripts: answered before anything is loaded. Who does not listen any more need not be told.
  process.stdout.on('error', () => undefined);
  process.stdout.write(`${packageVersion()}\n`);
} else {
  const { run } = await import('./run.js');
  const exitCode = await run({
    argv,
    // Asking for it opens it, and most commands do not read it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    variables: process.env,
    signals: process,
    now: () => new Date(),
  });
  // The lookup of a host cannot be called off: the process would stay for as long as the resolver tries.
  await Promise.all([process.stdout, process.stderr].map(written));
  process.exit(exitCode);
}

/** Settles when what was printed is out, or cannot go out any more. */
function written(output: NodeJS.WriteStream): Promise<void> {
  return new Promise((settled) => output.write('', () => settled()));
}
