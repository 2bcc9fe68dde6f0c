/** The built suite, in a process of its own: there it takes half of what it takes below tap, which follows every promise. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../../lib/conformance/index.js';
import { MAIN } from '../../support/built.js';

/** In ms; no run takes a quarter of it. */
const LONGEST = 240_000;

/** What a program of Node prints. */
async function printed(argv: readonly string[]): Promise<{ status: unknown; stdout: string }> {
  return new Promise((done, failed) => {
    execFile(process.execPath, argv, { maxBuffer: 2 ** 28, timeout: LONGEST }, (error, stdout, stderr) => {
      const status = error === null ? 0 : (error.code ?? error.signal);
      if (stdout === '') failed(new Error(`nothing printed, exit status ${String(status)}: ${stderr}`));
      else done({ status, stdout });
    });
  });
}

/** The report of `go-ahead conform`. */
export async function conform(role: 'server' | 'client', ...flags: readonly string[]): Promise<Report> {
  const { status, stdout } = await printed([MAIN, 'conform', role, ...flags, '--reporter', 'json']);
  const report = JSON.parse(stdout) as Report;
  if (report.exitCode !== status) throw new Error(`exit status ${String(status)}, and the report says otherwise`);
  return report;
}

/** Flags that tell what the target does. */
export const declare = (values: object): string[] =>
  Object.entries(values).flatMap(([name, value]) => ['--declare', `${name}=${value}`]);

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
