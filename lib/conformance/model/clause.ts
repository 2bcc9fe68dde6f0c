import { CLAUSES } from './clauses.js';

export type ClauseId = keyof typeof CLAUSES;

/** `must` decides the exit code 1, `should` a warning and the exit code 3, `may` neither. */
export type Level = 'must' | 'should' | 'may';

/** The level that a sentence has by its strongest RFC 2119 word. A sentence without one is not a clause. */
export function levelOf(sentence: string): Level | null {
  return /\b(?:MUST|SHOULD|MAY)\b/.test(sentence) ? strongest(sentence) : null;
}

export function clauseLevel(id: ClauseId): Level {
  return strongest(CLAUSES[id]);
}

function strongest(sentence: string): Level {
  if (/\bMUST\b/.test(sentence)) return 'must';
  return /\bSHOULD\b/.test(sentence) ? 'should' : 'may';
}

/** The clauses of a text in the form of `docs/protocol.md`: its list lines `- **3.4** A sender MUST ...`. */
export function parseClauses(markdown: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, id, sentence] of markdown.matchAll(/^- \*\*(\d+\.\d+)\*\* (.+)$/gm)) {
    if (id !== undefined && sentence !== undefined) found[id] = sentence;
  }
  return found;
}
