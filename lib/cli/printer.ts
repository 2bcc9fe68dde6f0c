import { styleText } from 'node:util';
import { printable, printableJson } from '../printable.js';
import type { Environment, Output } from './environment.js';

export type Style = Parameters<typeof styleText>[0];

/** Lines on one output. An output that is gone (a closed pipe, a full disk) is no reason to stop sending or storing. */
export class Printer {
  readonly output: Output;
  readonly isTerminal: boolean;
  readonly #colour: boolean;
  #gone = false;

  constructor(output: Output, { NO_COLOR = '', TERM }: Environment['variables']) {
    this.output = output;
    this.isTerminal = output.isTTY === true;
    // https://no-color.org: when present and not empty.
    this.#colour = this.isTerminal && NO_COLOR === '' && TERM !== 'dumb';
    output.on('error', () => (this.#gone = true));
  }

  /** Of a terminal, as it is now. */
  get columns(): number {
    const { columns = 80 } = this.output;
    return columns;
  }

  line(text: string): void {
    this.write(`${text}\n`);
  }

  write(text: string): void {
    if (this.#gone) return;
    try {
      this.output.write(text);
    } catch {
      // Writes to files are synchronous, and throw.
      this.#gone = true;
    }
  }

  /** An object on a line of its own. */
  json(value: object): void {
    this.line(toJsonLine(value));
  }

  paint(style: Style, text: string): string {
    return this.#colour ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** On one line, with nothing raw in it that a terminal would obey. */
export function toJsonLine(value: object): string {
  return printableJson(
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? jsonSize(part) : part)),
  );
}

/** Beyond 2^53 - 1 most JSON readers would round a number. */
function jsonSize(size: bigint): number | string {
  return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : String(size);
}

/**
 * The message of an error, safe to print. Messages quote peers and paths, some escaped already, so a backslash is not
 * escaped once more.
 */
export function printableMessage(message: string): string {
  return printable(message).replaceAll('\\\\', '\\');
}
