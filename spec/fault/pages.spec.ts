import { existsSync, readdirSync, readFileSync } from 'node:fs';
import t from 'tap';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

t.test('security.md cites specs that exist, and every spec of this folder', async (t) => {
  const cited = new Set([...read('docs/security.md').matchAll(/`(spec\/[\w/.-]+)`/g)].map(([, path = '']) => path));
  t.ok(cited.size > 10);
  for (const path of cited) t.ok(existsSync(new URL(path, root)), path);
  for (const file of readdirSync(new URL('.', import.meta.url)))
    if (file.endsWith('.spec.ts') && file !== 'pages.spec.ts') t.ok(cited.has(`spec/fault/${file}`), file);
});

t.test('every row of the guards names a spec', async (t) => {
  const table = read('docs/security.md').split('## Which spec guards what')[1]?.split('\n## ')[0] ?? '';
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2);
  t.ok(rows.length > 15);
  for (const row of rows) t.match(row, /\| `spec\/[^|]+ \|$/, row.slice(2, 60));
});
