/** Everyone who takes part: how each is started, and why it cannot be where it cannot. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Contender
 * @property {string} label
 * @property {readonly string[]} command of a receiver, `{}` is its directory; of a sender, its options follow
 * @property {string} [missing] why it cannot take part here
 */

/**
 * @typedef {object} Contenders
 * @property {Readonly<Record<string, Contender>>} receivers
 * @property {Readonly<Record<string, Contender>>} senders
 * @property {Readonly<Record<string, readonly [receiver: string, sender: string]>>} pairs
 */

/** @param {string} path from bench/ */
const local = (path) => fileURLToPath(new URL(path, import.meta.url));
const node = process.execPath;
const server = local('../dist/net/server.js');
const main = local('../dist/cli/main.js');
const MEBIBYTE = String(2 ** 20);

/**
 * @param {import('./tools.mjs').Tools} tools
 * @returns {Contenders}
 */
export function contenders({ compiled, noCompiler, noPython }) {
  const notBuilt = existsSync(server) ? undefined : 'dist/net/server.js is not built';
  const noCommand = existsSync(main) ? undefined : 'dist/cli/main.js is not built';
  const cores = String(availableParallelism());
  /** @param {string} label @param {string} script @param {string[]} args */
  const script = (label, script, ...args) => ({ label, command: [node, local(`peers/${script}`), ...args] });
  /** @param {string} label @param {string} name @param {string[]} args */
  const ours = (label, name, ...args) => ({ ...script(label, name, ...args), missing: notBuilt });
  /** @param {string} label @param {string} script @param {string[]} args */
  const python = (label, script, ...args) => ({
    label,
    command: ['python3', local(`peers/${script}`), ...args],
    missing: noPython,
  });

  return {
    receivers: {
      ours: ours('go-ahead', 'go-ahead-receiver.mjs', '{}'),
      'ours-synced': ours('go-ahead, synced', 'go-ahead-receiver.mjs', '{}', '--sync'),
      'ours-workers': {
        ...ours(`go-ahead, ${cores} workers`, 'go-ahead-receiver.mjs', '{}', '--workers', cores),
        missing: notBuilt,
      },
      'ours-command': {
        label: 'go-ahead serve',
        command: [node, main, 'serve', '{}', '--port', '0', '--no-sync', '--json'],
        missing: noCommand,
      },
      c: { label: 'C (recv, write)', command: [`${compiled}/receiver`, '{}'], missing: noCompiler },
      classic: python('classic Python, 1 KiB', 'classic-receiver.py', '{}'),
      'classic-large': python('classic Python, 1 MiB', 'classic-receiver.py', '{}', MEBIBYTE),
      plain: script('plain Node', 'plain-node-receiver.mjs', '{}'),
      http: script('HTTP, node:http', 'http-receiver.mjs', '{}'),
      tus: script('tus, @tus/server', 'tus-receiver.mjs', '{}'),
      ftp: script('FTP, ftp-srv', 'ftp-receiver.mjs', '{}'),
    },
    senders: {
      ours: ours('go-ahead', 'go-ahead-sender.mjs'),
      'ours-command': { ...script('go-ahead send', 'command-sender.mjs', main), missing: noCommand },
      c: { label: 'C (sendfile)', command: [`${compiled}/sender`], missing: noCompiler },
      'c-copy': { label: 'C (read, send)', command: [`${compiled}/sender`, '--copy'], missing: noCompiler },
      classic: python('classic Python, 1 KiB', 'classic-sender.py'),
      'classic-large': python('classic Python, 1 MiB', 'classic-sender.py', '--buffer', MEBIBYTE),
      plain: script('plain Node', 'plain-node-sender.mjs'),
      http: script('HTTP, node:http', 'http-sender.mjs'),
      undici: script('HTTP, undici', 'undici-sender.mjs'),
      tus: script('tus, tus-js-client', 'tus-sender.mjs'),
      ftp: script('FTP, basic-ftp', 'ftp-sender.mjs'),
    },
    pairs: {
      ours: ['ours', 'ours'],
      'ours-command': ['ours-command', 'ours-command'],
      c: ['c', 'c'],
      classic: ['classic', 'classic'],
      'classic-large': ['classic-large', 'classic-large'],
      plain: ['plain', 'plain'],
      http: ['http', 'http'],
      undici: ['http', 'undici'],
      tus: ['tus', 'tus'],
      ftp: ['ftp', 'ftp'],
    },
  };
}
