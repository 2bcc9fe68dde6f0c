// Writes lib/conformance/model/clauses.ts from the clauses of docs/protocol.md: `npm run clauses`.
import { readFileSync, writeFileSync } from 'node:fs';

const protocol = readFileSync(new URL('protocol.md', import.meta.url), 'utf8');
const quote = (s) => (s.includes("'") ? JSON.stringify(s) : `'${s.replaceAll('\\', '\\\\')}'`);
const rows = [...protocol.matchAll(/^- \*\*(\d+\.\d+)\*\* (.+)$/gm)].map(([, id, sentence]) => {
  const one = `  '${id}': ${quote(sentence)},`;
  return one.length <= 120 ? one : `  '${id}':\n    ${quote(sentence)},`;
});
writeFileSync(
  new URL('../lib/conformance/model/clauses.ts', import.meta.url),
  `/** Generated from docs/protocol.md by \`npm run clauses\`; a spec fails when the two differ. */
export const CLAUSES = {
${rows.join('\n')}
} as const;
`,
);
