/** What only the benchmarks need is installed when it is needed first. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function installDependencies() {
  const here = fileURLToPath(new URL('.', import.meta.url));
  if (existsSync(join(here, 'node_modules'))) return;
  const { status } = spawnSync('npm', ['ci', '--prefix', here], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
