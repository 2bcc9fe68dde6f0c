// The interpreter itself. What the PATH has under this name may be a script that looks for one (pyenv's takes half a
// second of a core for each start), and the specs start hundreds.
import { spawnSync } from 'node:child_process';

const asked = spawnSync('python3', ['-c', 'import sys; print(sys.executable if sys.version_info >= (3, 6) else "")'], {
  encoding: 'utf8',
});

export const PYTHON = asked.status === 0 ? asked.stdout.trim() : '';

/** What `skip` of a test takes. */
export const noPython = PYTHON === '' && 'python3, from 3.6 on, is not installed';
