import { isUtf8 } from 'node:buffer';
import { GoAheadError } from '../../errors.js';

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

/** @throws GoAheadError `OPTION_INVALID` for a command that cannot know its port */
export function mustKnowPort(words: readonly string[], exec: string, fixed: number | null): void {
  if (fixed !== null || mentions(words, 'port')) return;
  throw new GoAheadError(
    'OPTION_INVALID',
    'The command of --exec is not told a port: put {port} into it, or say its fixed one with --port.',
    { expected: '{port} in the command, or --port', actual: exec },
  );
}

/** Bytes as a word of a command: what is not UTF-8 stands as lone surrogates, U+DC80 for 0x80 (as in Python, PEP 383). */
export function wordOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  return [...bytes].map((byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join('');
}

const LONE = /[\udc80-\udcff]/;

function bytesOf(word: string): Buffer {
  if (word.isWellFormed() || !LONE.test(word)) return Buffer.from(word);
  // With a lone surrogate in it none of its bytes was decoded, so each is one character.
  return Buffer.from(Array.from({ length: word.length }, (_, i) => word.charCodeAt(i) & 0xff));
}

/**
 * Words that Node can give to a process. It can only give UTF-8, so other bytes go through a shell that makes them;
 * its `$( )` drops line feeds at the end, hence the x.
 */
export function spawnable(words: readonly string[]): readonly string[] {
  if (words.every((word) => word.isWellFormed())) return words;
  const made = words.map((word, i) => {
    const octal = [...bytesOf(word)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
    return `w${i}=$(printf '${octal}x'); w${i}=\${w${i}%x}`;
  });
  return ['sh', '-c', `LC_ALL=C; ${made.join('; ')}; unset LC_ALL; exec ${words.map((_, i) => `"$w${i}"`).join(' ')}`];
}
