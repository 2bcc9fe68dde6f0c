/** A command line as a sender, with what starting it costs. usage: SCRIPT, then the options of driver.mjs */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { drive } from './driver.mjs';

const [script = ''] = process.argv.splice(2, 1);

await drive(async ({ host, port, concurrency, files }) => {
  const args = [script, 'send', ...files, '--to', `${host}:${port}`, '--concurrency', String(concurrency), '--json'];
  const command = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = await once(command, 'exit');
  if (status !== 0) throw new Error(`exit ${status}`);
  // The command has ended, and with it the record of its memory.
  return { memory: 'unknown' };
});
