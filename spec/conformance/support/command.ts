/** The built suite, in a process of its own: there it takes half of what it takes below tap, which follows every promise. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../../lib/conformance/index.js';

/** The built command line. */
export const GO_AHEAD = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** What `skip` of a test takes. */
export const notBuilt: string | false = existsSync(GO_AHEAD) ? false : 'npm run build';

/** What a program of Node prints. */
async function printed(argv: readonly string[]): Promise<{ status: unknown; stdout: string }> {
  return new Promise((done, failed) => {
    execFile(process.execPath, argv, { maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      const status = error?.code ?? 0;
      if (stdout === '') failed(new Error(`nothing printed, exit status ${String(status)}: ${stderr}`));
      else done({ status, stdout });
    });
  });
}

/** The report of `go-ahead conform`. */
export async function conform(role: 'server' | 'client', ...flags: readonly string[]): Promise<Report> {
  const { status, stdout } = await printed([GO_AHEAD, 'conform', role, ...flags, '--reporter', 'json']);
  const report = JSON.parse(stdout) as Report;
  if (report.exitCode !== status) throw new Error(`exit status ${String(status)}, and the report says otherwise`);
  return report;
}

interface NullRun {
  readonly name: string;
  readonly where: string;
  /** Number of cases. */
  readonly asked: number;
  readonly report: Report;
}

/** What the suite says of all servers that implement nothing. */
export async function judgeNullServers(dir: string): Promise<readonly NullRun[]> {
  const program = fileURLToPath(new URL('judge-null-servers.mjs', import.meta.url));
  return JSON.parse((await printed([program, dir])).stdout) as NullRun[];
}
