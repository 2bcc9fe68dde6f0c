import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PeerProcess } from '../peer-process.mjs';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How long a command takes to start. @param {import('../context.mjs').Context} context */
export async function start(context) {
  const missing = existsSync(main) ? undefined : 'dist/cli/main.js is not built';
  const directory = join(context.directory, 'start');
  mkdirSync(directory);

  /** @param {string[]} args */
  const untilExit = (...args) => {
    return async () => {
      const began = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      const seconds = (performance.now() - began) / 1000;
      if (status !== 0) throw new Error(`exit ${status}: ${stderr}`);
      return { seconds };
    };
  };
  /** @param {readonly string[]} command */
  const untilListening = (command) => async () => {
    const began = performance.now();
    const receiver = new PeerProcess(
      command.map((word) => (word === '{}' ? directory : word)),
      10_000,
    );
    try {
      await receiver.event('listening');
      return { seconds: (performance.now() - began) / 1000 };
    } finally {
      await receiver.stop();
    }
  };

  const version = {
    id: 'start-version',
    title: 'Until `--version` has ended',
    baseline: 'node',
    contestants: [
      { id: 'node', label: 'node -e 0', run: untilExit('-e', '0') },
      { id: 'ours', label: 'go-ahead --version', missing, run: untilExit(main, '--version') },
    ],
  };
  const { 'ours-command': ours, plain, http, classic, c } = context.all.receivers;
  const listening = {
    id: 'start-listening',
    title: 'Until a server listens',
    baseline: 'plain',
    contestants: Object.entries({ plain, ours, http, classic, c }).map(([id, { label, missing, command }]) => ({
      id,
      label,
      missing,
      run: untilListening(command),
    })),
  };
  const results = await context.run([version, listening], 21, 5);
  rmSync(directory, { recursive: true });
  return results;
}
