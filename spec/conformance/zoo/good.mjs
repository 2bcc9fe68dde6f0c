// Right peers, written by different hands: none may fail, on any network that is right.
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PYTHON } from '../../support/python.mjs';
import { DECLARED } from './matrix.mjs';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));
const NODE = process.execPath;
const SECONDS = String(DECLARED.headerTimeout / 1000);
const MS = String(DECLARED.replyTimeout);
const OURS = here('../../../dist/cli/main.js');

/** `words` make the command; `port`, `dir`, `file` and `host` are what the suite or a proxy puts in. */
export const GOOD_SERVERS = {
  ours: {
    profile: 'full',
    words: (port, dir) => [
      ...[NODE, OURS, 'serve', dir, '--port', port],
      ...['--header-deadline', SECONDS, '--body-deadline', String(DECLARED.idleTimeout / 1000)],
    ],
  },
  'zoo, without a defect': {
    profile: 'full',
    words: (port, dir) => [
      ...[NODE, here('server.mjs'), port, dir],
      ...['--header-timeout', String(DECLARED.headerTimeout), '--idle-timeout', String(DECLARED.idleTimeout)],
    ],
  },
  'Python, every clause': {
    profile: 'full',
    words: (port, dir) => [
      ...[PYTHON, here('../support/full_server.py'), port, dir],
      ...['--header-deadline', SECONDS, '--body-deadline', String(DECLARED.idleTimeout / 1000)],
    ],
  },
  'Python, threads': classicServer(PYTHON, here('../../interop/classic_server.py')),
  'Python, asyncio': classicServer(PYTHON, here('good/asyncio_server.py')),
  'Python, 1 MiB buffers': classicServer(PYTHON, here('good/large_buffer_server.py')),
  'C, processes': { ...classicServer(here('good/server.c')), compiled: 'cc' },
  'Rust, threads': { ...classicServer(here('good/server.rs')), compiled: 'rustc' },
  'Go, goroutines': { ...classicServer(here('good/server.go')), compiled: 'go' },
};

export const GOOD_CLIENTS = {
  ours: {
    profile: 'full',
    words: (file, host, port) => [
      ...[NODE, OURS, 'send', file, '--to', `${host}:${port}`],
      ...['--reply-timeout', SECONDS, '--send-timeout', SECONDS, '--confirm-timeout', SECONDS],
    ],
  },
  'zoo, without a defect': {
    profile: 'full',
    words: (file, host, port) => [
      ...[NODE, here('client.mjs'), file, host, port],
      ...['--reply-timeout', MS, '--send-timeout', MS, '--confirm-timeout', MS],
    ],
  },
  'Python, every clause': {
    profile: 'full',
    words: (file, host, port) => [PYTHON, '-S', here('../support/full_client.py'), file, host, port, SECONDS],
  },
  'Python, 1,024-byte buffers': oneRecv(classicClient(PYTHON, here('../../interop/classic_client.py'))),
  'Python, asyncio': classicClient(PYTHON, here('good/asyncio_client.py')),
  'Python, 1 MiB buffers': oneRecv(classicClient(PYTHON, here('good/large_buffer_client.py'))),
  C: { ...classicClient(here('good/client.c')), compiled: 'cc' },
  Rust: { ...classicClient(here('good/client.rs')), compiled: 'rustc' },
  Go: { ...classicClient(here('good/client.go')), compiled: 'go' },
};

function classicServer(...command) {
  return oneRecv({ profile: 'classic', words: (port, dir) => [...command, port, dir] });
}
function classicClient(...command) {
  return { profile: 'classic', words: (file, host, port) => [...command, file, host, port] };
}

/** As the course teaches it, one call of recv takes the header, or the reply, so both must arrive in one piece. */
function oneRecv(peer) {
  return { ...peer, oneRecv: true };
}

/** A network that cuts everything into single bytes is one on which such peers cannot work, and need not. */
export function modeFor({ oneRecv = false }, mode) {
  return mode === 'chop' && oneRecv ? 'chop-body' : mode;
}

/** Cases that ask for what a network does not let through, each with the reason. */
export const NOT_MEANINGFUL = {
  chop: {},
  'chop-body': {},
  coalesce: {},
  delay: {},
};

const COMPILERS = {
  cc: (source, output) => ['cc', ['-O1', '-Wall', '-o', output, source]],
  rustc: (source, output) => ['rustc', ['--edition', '2021', '-O', '-o', output, source]],
  go: (source, output) => ['go', ['build', '-o', output, source]],
};

/** Null, or why this peer cannot be tried here. Compiled ones are compiled into `folder` by `commandOf`. */
export function missing({ words, compiled }) {
  const tool = compiled ?? words('', '', '')[0];
  try {
    execFileSync(tool, [tool === 'go' ? 'version' : '--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return `${tool} is not installed`;
  }
}

const built = new Map();
let folder = null;

function build(source, compiled) {
  folder ??= mkdtempSync(join(tmpdir(), 'go-ahead-zoo-'));
  const output = built.get(source) ?? join(folder, `peer-${built.size}`);
  if (!built.has(source)) execFileSync(...COMPILERS[compiled](source, output), { stdio: 'ignore' });
  built.set(source, output);
  return output;
}

/** Where the compiled peers are; null when there are none. To be removed at the end. */
export function buildFolder() {
  return folder;
}

const quoted = (word) => (/^[\w@%+=:,./{}-]+$/.test(word) ? word : `'${word}'`);

/** The command of a right peer for --exec, behind a network or (mode null) not. */
export function commandOf(role, peer, mode) {
  const inner = role === 'server' ? ['{dir}'] : [];
  const proxied = mode !== null;
  const words =
    role === 'server'
      ? peer.words(proxied ? '@port' : '{port}', ...inner)
      : peer.words('{file}', proxied ? '127.0.0.1' : '{host}', proxied ? '@port' : '{port}');
  if (peer.compiled !== undefined) words[0] = build(words[0], peer.compiled);
  const proxy = [NODE, here('proxy.mjs'), role, mode ?? '', ...(role === 'server' ? ['{port}'] : ['{host}', '{port}'])];
  return [...(proxied ? proxy : []), ...words].map(quoted).join(' ');
}

/** Options for conformServer or conformClient. */
export function goodOptions(role, peer, mode) {
  return {
    exec: commandOf(role, peer, mode),
    profile: peer.profile,
    declared: DECLARED,
    skip: mode === null ? [] : Object.keys(NOT_MEANINGFUL[mode]),
  };
}

/** What went wrong; empty for a right verdict. */
export function falseFailures({ results }) {
  return results
    .filter(({ verdict }) => verdict !== 'pass' && verdict !== 'not applicable' && verdict !== 'untestable')
    .map(({ id, verdict, reason }) => `${verdict} ${id}: ${reason}`);
}
