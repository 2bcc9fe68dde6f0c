/** Writes what a case did into a folder: `ID.txt` to read, `ID.pcapng` for Wireshark, `ID.py` to send the same bytes again. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { GoAheadError } from '../../errors.js';
import { bufferOf, lengthOf } from '../model/bytes.js';
import { CLIENT_CASES } from '../cases/index.js';
import type { Result, RunStart } from '../report/report.js';
import { byteCount, diskChanges, diskLine, eventAt, shown, verdictText, wireLine } from '../reporters/text.js';
import { bytesOf, type TracedConnection } from './connection.js';
import { pcapng } from './pcapng.js';
import { replayScript, type ScriptFile } from './script.js';

/** What a script may hold of a client's file, in bytes. */
const LARGEST_BODY = 2n * 1024n * 1024n;
/** What the text shows of one piece, in bytes. */
const SHOWN = 512;

export class Trace {
  readonly #folder: string;
  readonly #start: Pick<RunStart, 'role' | 'target'>;

  /** Throws `OPTION_INVALID` when the folder cannot be made. */
  constructor(folder: string, start: Pick<RunStart, 'role' | 'target'>) {
    this.#folder = resolve(folder);
    this.#start = start;
    try {
      mkdirSync(this.#folder, { recursive: true });
    } catch (cause) {
      throw new GoAheadError('OPTION_INVALID', `--trace ${folder}: no folder can be made there.`, {
        expected: 'a folder',
        cause,
      });
    }
  }

  result(result: Result): void {
    const { connections } = result.evidence;
    const path = join(this.#folder, ...result.id.split('/'));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.txt`, traceText(result));
    if (connections.length === 0) return;
    const { role, target } = this.#start;
    writeFileSync(`${path}.pcapng`, pcapng(connections, role));
    writeFileSync(`${path}.py`, replayScript(result, connections, { role, target, file: fileOf(result.id) }), {
      mode: 0o755,
    });
  }
}

/** The file of a client case, under a name that is as long as it was. */
function fileOf(id: string): ScriptFile | null {
  const found = CLIENT_CASES.find((one) => one.id === id);
  if (found === undefined) return null;
  const variables = { t: 'again-123456', i: 0 };
  const { kind, name, body } = found.exchange.file;
  const size = lengthOf(body, variables);
  return { kind, name: bufferOf(name, variables), size, body: size > LARGEST_BODY ? null : bufferOf(body, variables) };
}

function hexDump(bytes: Buffer): readonly string[] {
  const kept = bytes.subarray(0, SHOWN);
  const lines = Array.from({ length: Math.ceil(kept.length / 16) }, (_, row) => {
    const piece = kept.subarray(row * 16, row * 16 + 16);
    const hex = piece.toString('hex').replace(/(..)(?=.)/g, '$1 ');
    const text = piece.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    return `                ${(row * 16).toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`;
  });
  return bytes.length > SHOWN ? [...lines, `                ... ${bytes.length - SHOWN} more`] : lines;
}

function logLines({ label, log }: TracedConnection): readonly string[] {
  return [
    '',
    `## ${shown(label)}`,
    '',
    ...log.flatMap((entry) => {
      if (!('bytes' in entry)) return [wireLine(entry)];
      return [`${eventAt(entry)} ${byteCount(entry.length)}`, ...hexDump(bytesOf(entry))];
    }),
  ];
}

export function traceText(result: Result): string {
  const { id, title, level, clause, sentence, reason, axes, evidence, replay } = result;
  const { disk, connections } = evidence;
  return [
    `# ${id}: ${shown(title)}`,
    '',
    `verdict:  ${verdictText(result)}`,
    ...(reason === '' ? [] : [`reason:   ${shown(reason)}`]),
    `clause:   ${clause} (${level.toUpperCase()}) ${sentence}`,
    ...(evidence.process === undefined ? [] : [`process:  ${shown(evidence.process)}`]),
    `again:    ${shown(replay)}`,
    '',
    ...axes.map(({ axis, ok, expected, actual }) => {
      const sign = ok === null ? '?  ' : ok ? 'ok ' : 'NOT';
      return `${sign} ${axis}: expected ${shown(expected)}; was ${shown(actual)}`;
    }),
    ...(disk === null
      ? []
      : [
          '',
          '## On disk',
          '',
          ...diskChanges(disk.before, disk.after).map(({ change, entry }) => `${change.padEnd(7)} ${diskLine(entry)}`),
        ]),
    ...connections.flatMap(logLines),
    '',
  ].join('\n');
}
