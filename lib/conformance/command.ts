import { GoAheadError } from '../errors.js';

/**
 * Splits a command as a POSIX shell would without expanding anything: blanks separate, '...' is literal, "..." and a
 * backslash quote. No shell runs, so `$`, `*`, `|` and `;` are ordinary characters.
 */
export function splitCommand(command: string): readonly string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: '"' | "'" | null = null;
  for (let i = 0; i < command.length; i += 1) {
    const c = command.charAt(i);
    if (quote === null && /\s/.test(c)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (quote === null && (c === '"' || c === "'")) {
      quote = c;
      word ??= '';
    } else if (c === quote) {
      quote = null;
    } else if (c === '\\' && (quote === null || (quote === '"' && /["\\$`]/.test(command.charAt(i + 1))))) {
      i += 1;
      word = (word ?? '') + command.charAt(i);
    } else {
      word = (word ?? '') + c;
    }
  }
  if (quote !== null) {
    throw new GoAheadError('OPTION_INVALID', `The command has an opening ${quote} and no closing one: ${command}`, {
      expected: `a closing ${quote}`,
      actual: command,
    });
  }
  if (word !== null) words.push(word);
  if (words.length === 0) {
    throw new GoAheadError('OPTION_INVALID', 'The command of --exec is empty.', { expected: 'a command', actual: '' });
  }
  return words;
}

/** Replaces `{key}` in each word, after splitting: a value with blanks or quotes stays one argument. */
export function fillCommand(words: readonly string[], values: Readonly<Record<string, string>>): readonly string[] {
  return words.map((word) => word.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole));
}

export function mentions(words: readonly string[], key: string): boolean {
  return words.some((word) => word.includes(`{${key}}`));
}
