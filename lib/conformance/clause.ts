import { CLAUSES } from './clauses.js';

export type ClauseId = keyof typeof CLAUSES;

/** `must` decides the exit code 1, `should` a warning and the exit code 3, `may` neither. */
export type Level = 'must' | 'should' | 'may';

/** The level that a sentence has by its strongest RFC 2119 word. A sentence without one is not a clause. */
export function levelOf(sentence: string): Level | null {
  if (/\bMUST\b/.test(sentence)) return 'must';
  if (/\bSHOULD\b/.test(sentence)) return 'should';
  return /\bMAY\b/.test(sentence) ? 'may' : null;
}

export function clauseLevel(id: ClauseId): Level {
  return levelOf(CLAUSES[id]) ?? 'may';
}

/** The clauses of a text in the form of `docs/protocol.md`: its list lines `- **3.4** A sender MUST ...`. */
export function parseClauses(markdown: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, id, sentence] of markdown.matchAll(/^- \*\*(\d+\.\d+)\*\* (.+)$/gm)) {
    if (id !== undefined && sentence !== undefined) found[id] = sentence;
  }
  return found;
}
