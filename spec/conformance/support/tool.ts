import { execFileSync } from 'node:child_process';

/** Why a program cannot be used here, or false: what `skip` of a test takes. */
export function tool(name: string, ...args: readonly string[]): string | false {
  try {
    execFileSync(name, args.length === 0 ? ['--version'] : args, { stdio: 'ignore' });
    return false;
  } catch {
    return `${name} is not installed`;
  }
}
