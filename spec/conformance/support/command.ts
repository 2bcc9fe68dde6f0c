/** The built suite, in a process of its own: there it takes half of what it takes below tap, which follows every promise. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Report } from '../../../lib/conformance/index.js';

/** The built command line. */
export const GO_AHEAD = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

const LIB = fileURLToPath(new URL('../../../lib', import.meta.url));

function isOld(): boolean {
  const built = statSync(GO_AHEAD).mtimeMs;
  const sources = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return sources.some((file) => statSync(join(LIB, file)).mtimeMs > built);
}

/** What `skip` of a test takes. */
export const notBuilt: string | false =
  existsSync(GO_AHEAD) && !isOld() ? false : 'what is built is not of these sources: npm run build';

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
