#!/usr/bin/env node
import { packageVersion } from './version.js';

const argv = process.argv.slice(2);
const [first] = argv;
if (first === '--version' || first === '-V') {
  // Asked for often, by scripts: answered before anything is loaded.
  process.stdout.write(`${packageVersion()}\n`);
} else {
  const { run } = await import('./run.js');
  process.exitCode = await run({
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
}
