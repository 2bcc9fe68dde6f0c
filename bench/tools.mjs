/** What the machine has, and what it is. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const peers = fileURLToPath(new URL('peers', import.meta.url));

/**
 * @typedef {object} Tools
 * @property {string} compiled where the C peers are
 * @property {string} [noCompiler] why they are not there
 * @property {string} [noPython]
 */

/** Compiles the C peers. @param {string} compiled a folder @returns {Tools} */
export function findTools(compiled) {
  const python = spawnSync('python3', ['--version']);
  const noPython = python.status === 0 ? undefined : 'python3 is not installed';
  for (const name of ['receiver', 'sender']) {
    const cc = spawnSync('cc', ['-O2', '-pthread', '-o', `${compiled}/${name}`, `${peers}/${name}.c`], {
      encoding: 'utf8',
    });
    if (cc.error) return { compiled, noPython, noCompiler: 'cc is not installed' };
    if (cc.status !== 0) return { compiled, noPython, noCompiler: `cc failed: ${cc.stderr.split('\n')[0]}` };
  }
  return { compiled, noPython };
}

/** @param {string} program @param {string[]} args */
function firstLine(program, ...args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n')[0];
  } catch {
    return 'none';
  }
}

/** The machine, the versions and the commit, as they stand in every result. */
export function describeMachine() {
  /** @type {{ dependencies: Record<string, string> }} */
  const bench = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
  const versions = Object.keys(bench.dependencies).map((name) => {
    const manifest = readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8');
    return [name, JSON.parse(manifest).version];
  });
  const repository = fileURLToPath(new URL('..', import.meta.url));
  const dirty = firstLine('git', '-C', repository, 'status', '--porcelain', '--', 'lib') !== '';
  return {
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memory: totalmem(),
      kernel: release(),
    },
    versions: {
      node: process.version,
      cc: firstLine('cc', '--version'),
      python: firstLine('python3', '--version'),
      ...Object.fromEntries(versions),
    },
    commit: firstLine('git', '-C', repository, 'rev-parse', 'HEAD') + (dirty ? ' (lib/ changed)' : ''),
  };
}
