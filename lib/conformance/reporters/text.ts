/** How evidence is worded, in one way for all reporters. Everything that a target or a user chose is made printable. */
import { plural } from '../../plural.js';
import { printable, printableJson } from '../../printable.js';
import type { DiskEntry, Snapshot } from '../target/disk-entry.js';
import { countsAgainst, type AxisName, type Report, type Result, type Verdict } from '../report/report.js';
import type { BytesEntry, WireEntry } from '../exchange/wire.js';

/** U+FFFE and U+FFFF stand in no XML document; the other noncharacters are as useless to a reader. */
const NONCHARACTERS = /[\ufdd0-\ufdef]|[\ufffe\uffff]|[\u{1fffe}\u{1ffff}\u{10fffe}\u{10ffff}]/gu;

/**
 * On one line, safe for a terminal and for every format. The bytes in the evidence are escaped already (`\x1b`), so a
 * backslash stays as it is.
 */
export function shown(text: string): string {
  return printable(text)
    .replaceAll('\\\\', '\\')
    .replace(NONCHARACTERS, (character) => `\\u{${Number(character.codePointAt(0)).toString(16)}}`);
}

/** The same for a text of several lines, such as a stack. */
export function shownLines(text: string): readonly string[] {
  return text.split(/\r?\n/).map(shown);
}

/** Of a reason that may be a stack. */
export function firstLine(text: string): string {
  return text.replace(/\n[^]*/, '');
}

/** The order in which people want to read them. */
export const BY_URGENCY: readonly Verdict[] = [
  'suite fault',
  'fail',
  'inconclusive',
  'warn',
  'untestable',
  'not applicable',
  'pass',
];

/** Worst first; within that as they were. */
export function byUrgency(results: readonly Result[]): readonly Result[] {
  const rank = ({ verdict }: Result): number => BY_URGENCY.indexOf(verdict);
  return [...results].sort((a, b) => rank(a) - rank(b));
}

/** `3 fail, 120 pass`, worst first, without zeros. */
export function sums({ summary }: Pick<Report, 'summary'>): string {
  const counts = BY_URGENCY.filter((verdict) => summary[verdict] > 0).map(
    (verdict) => `${summary[verdict]} ${verdict}`,
  );
  return counts.length === 0 ? 'nothing ran' : counts.join(', ');
}

/** How the cause of most failures is told, which stands before all of them. */
export function causeText(cause: string): string {
  return `First of all: ${cause}`;
}

/** What its exit code says of this run. */
export function exitMeaning({ exitCode, results, baseline, complete, summary }: Report): string {
  switch (exitCode) {
    case 0:
      return summary.untestable === 0
        ? 'every required case passed'
        : `every required case that could be tested passed; ${summary.untestable} could not be tested`;
    case 1: {
      const open = results.filter((result) => countsAgainst(result) && result.level === 'must');
      const whys = [
        ...(open.some(({ verdict }) => verdict === 'fail') ? ['a MUST is broken'] : []),
        ...(open.some(({ verdict }) => verdict === 'inconclusive') ? ['a required case could not be shown'] : []),
        ...(baseline.length > 0 ? ['the baseline is out of date'] : []),
      ];
      return whys.join(', and ');
    }
    case 3:
      return 'only a SHOULD is broken';
    case 4:
      return 'the target could not be reached or started';
    case 5:
      return 'a fault of the suite itself';
    case 6:
      if (results.length === 0) return 'nothing ran';
      return complete ? 'nothing could be judged' : 'the run was cut off, and nothing was wrong so far';
  }
}

/** The axes for a reader who sees them for the first time. */
export const AXES: Readonly<Record<AxisName, string>> = {
  wire: 'Bytes received',
  close: 'How it closed',
  disk: 'On disk',
  time: 'In time',
  exit: 'Exit status',
  message: 'Message',
  alive: 'Alive afterwards',
  resources: 'Resources returned',
  twin: 'The same without the fault',
};

/** `pass`, or `fail (known until 2026-12-31: ...)`. */
export function verdictText({ verdict, known }: Result): string {
  return known === undefined ? verdict : `${verdict} (known until ${known.expires}: ${shown(known.reason)})`;
}

/** How many of the cases were judged. */
export function judgedOf({ results, cases }: Pick<Report, 'results' | 'cases'>): string {
  return `${results.length} of ${plural(cases, 'case')}`;
}

export function byteCount(length: number): string {
  return plural(length, 'byte');
}

/** How a line of a wire log begins. */
export function eventAt({ at, event }: Pick<WireEntry, 'at' | 'event'>): string {
  return `${at.toFixed(1).padStart(8)} ms  ${event}`;
}

/** One line of a wire log; `most` is how many bytes of a piece it shows. */
export function wireLine(entry: WireEntry, most = 64): string {
  const note = entry.note === undefined ? '' : ` (${shown(entry.note)})`;
  return `${eventAt(entry)}${'hex' in entry ? bytesShown(entry, most) : ''}${note}`;
}

function bytesShown({ length, hex, text }: BytesEntry, most: number): string {
  const cut = most < Math.min(length, 64);
  const digits = cut ? `${hex.slice(0, most * 3 - 1)} …` : hex;
  const characters = cut ? text.replace(new RegExp(`^((?:\\\\x..|[^]){${most}})[^]*`), '$1 …') : text;
  return ` ${byteCount(length)}: ${digits}  "${characters}"`;
}

/** `digits` of the hash are shown. */
export function diskLine({ path, kind, size, sha256, target }: DiskEntry, digits = 64): string {
  const bytes = kind === 'directory' ? '' : ` ${byteCount(size)}`;
  const hash = sha256 === undefined ? '' : ` sha256 ${sha256.slice(0, digits)}${digits < 64 ? '…' : ''}`;
  return `${kind} "${shown(path)}"${bytes}${hash}${target === undefined ? '' : ` -> ${shown(target)}`}`;
}

export type DiskChange = 'gone' | 'new' | 'changed' | 'same';

/** What became of each entry between two looks. */
export function diskChanges(before: Snapshot, after: Snapshot): readonly { change: DiskChange; entry: DiskEntry }[] {
  const earlier = new Map(before.map((entry) => [entry.path, entry]));
  // What was looked at again for the twin stands there twice: the last look counts.
  const later = new Map(after.map((entry) => [entry.path, entry]));
  const gone = before.filter(({ path }) => !later.has(path)).map((entry) => ({ change: 'gone', entry }) as const);
  const rest = [...later.values()].map((entry) => {
    const was = earlier.get(entry.path);
    if (was === undefined) return { change: 'new', entry } as const;
    const same = was.kind === entry.kind && was.sha256 === entry.sha256 && was.target === entry.target;
    return {
      change: same && (was.size === entry.size || was.kind === 'directory') ? 'same' : 'changed',
      entry,
    } as const;
  });
  return [...gone, ...rest];
}

/** On one line, with nothing raw in it that a terminal would obey. */
export function jsonText(value: unknown): string {
  return printableJson(JSON.stringify(value));
}
