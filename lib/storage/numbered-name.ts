import type { FileName } from './file-name.js';
import { LONGEST_NAME } from './file-name.js';

/** An extension of this length or more, in bytes with its dot, is not one: it is left in the stem, which may be trimmed. */
const LONGEST_EXTENSION = 32;

interface Parts {
  readonly stem: string;
  readonly extension: string;
}

/** `a.tar.gz` is `a` and `.tar.gz`; `.bashrc` and `.tar.gz` begin with their stems. */
function partsOf(name: string): Parts {
  const [, stem, extension] = /^(\.*[^.].*?)((?:\.tar)?\.[^. ]+)$/isu.exec(name) ?? [];
  if (stem === undefined || extension === undefined || Buffer.byteLength(extension) > LONGEST_EXTENSION)
    return { stem: name, extension: '' };
  return { stem, extension };
}

/** As much of the text as fits, never half a character. */
function trimmed(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let room = bytes;
  let kept = '';
  for (const character of text) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    kept += character;
  }
  return kept;
}

/** `report (2).pdf` for `report.pdf` and 2; for 0 the name itself. Then the suffix. Never longer than a name may be. */
export function numberedName(name: FileName, number: number, suffix: string): string {
  if (number === 0) return name + suffix;
  const { stem, extension } = partsOf(name);
  const rest = ` (${number})${extension}${suffix}`;
  return trimmed(stem, LONGEST_NAME - Buffer.byteLength(rest)) + rest;
}

const NAMES_REMEMBERED = 1_000;

/** The number that was given last for each of the latest names, so that a search does not begin at 1 every time. */
export class LastNumbers {
  readonly #numbers = new Map<string, number>();

  of(name: string): number {
    return this.#numbers.get(name) ?? 0;
  }

  /** Does not lower a number. */
  raise(name: string, number: number): void {
    const raised = Math.max(number, this.of(name));
    this.#numbers.delete(name);
    this.#numbers.set(name, raised);
    const oldest = this.#numbers.keys().next();
    if (this.#numbers.size > NAMES_REMEMBERED && oldest.done !== true) this.#numbers.delete(oldest.value);
  }
}
