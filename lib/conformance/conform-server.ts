import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { GoAheadError } from '../errors.js';
import { SERVER_CASES } from './cases/index.js';
import { mentions, splitCommand } from './target/command.js';
import { Directory } from './target/directory.js';
import type { ConformServerOptions } from './options.js';
import { Recorder } from './report/recorder.js';
import type { Report } from './report/report.js';
import { mustBeDirectory } from './report/result.js';
import { randomFrom, RUN_MARK, select, shuffle, tokens, whyNone } from './model/select.js';
import { LOCAL, ServerRun } from './server-run.js';
import { ServerTarget } from './target/server-target.js';

/** Judges a server. Throws `OPTION_INVALID` on options that contradict each other; everything else is in the report. */
export async function conformServer(options: ConformServerOptions): Promise<Report> {
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const random = randomFrom(seed);
  const profile = options.profile ?? 'full';
  const all = options.cases ?? SERVER_CASES;
  const { only = [], skip = [], quick = false } = options;
  const cases = select(all, { profile, only, skip, quick });
  const directory = await directoryOf(options);
  try {
    const target = await ServerTarget.open({
      host: options.host ?? LOCAL,
      port: options.port ?? null,
      exec: options.exec ?? null,
      cwd: options.cwd ?? null,
      dir: directory?.path ?? null,
      patience: options.patience,
    });
    try {
      const recorder = new Recorder(options, cases, {
        role: 'server',
        profile,
        target: options.exec ?? `${target.host}:${target.port}`,
        observation: target.restartable ? 'exec' : directory === null ? 'wire' : 'dir',
        seed,
        declared: options.declared ?? {},
      });
      const token = tokens(random);
      const run = new ServerRun(options, { target, directory, profile, token, seed, recorder });
      await recorder.run(async () => {
        if (cases.length === 0) {
          recorder.notes.push(whyNone(all, { profile, only }));
          return;
        }
        await directory?.begin();
        await run.begin();
        await run.all(shuffle(cases, random));
      });
      await directory?.clean(token().slice(0, RUN_MARK));
      const { ground, capabilities, reachable } = run;
      return recorder.end({ times: ground.times, capabilities, suffix: ground.suffix, reachable });
    } finally {
      await target.stop();
    }
  } finally {
    await directory?.remove();
  }
}

async function directoryOf(options: ConformServerOptions): Promise<Directory | null> {
  const { dir, exec, cwd } = options;
  if (cwd !== undefined) {
    if (exec === undefined) {
      throw new GoAheadError('OPTION_INVALID', '--cwd says where --exec runs, and there is no --exec.', {
        expected: '--exec with --cwd, or --dir alone',
        actual: cwd,
      });
    }
    await mustBeDirectory(cwd, '--cwd');
  }
  if (dir !== undefined) {
    await mustBeDirectory(dir, '--dir');
    return Directory.existing(resolve(dir));
  }
  if (exec === undefined) return null;
  if (mentions(splitCommand(exec), 'dir')) return Directory.sandbox(tmpdir());
  return cwd === undefined ? null : Directory.existing(resolve(cwd));
}
