import { existsSync, readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { RECEIVE_DEFAULTS, SEND_DEFAULTS } from '../../lib/session/options.js';
import { MAX_HEADER_LENGTH } from '../../lib/wire/header.js';

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

t.test('the limits of security.md are those of the code, each with a reason', async (t) => {
  const table = read('docs/security.md').split('## Limits')[1]?.split('\n## ')[0] ?? '';
  const rows = table.split('\n').flatMap((line) => {
    const [, limit, value, why] = /^\| (.+?) \| (.+?) \| (.+) \|$/.exec(line) ?? [];
    return limit === undefined || value === undefined || why === undefined || limit === 'limit'
      ? []
      : [{ limit, value, why }];
  });
  const { headerDeadline, bodyDeadline, grace, minRate, rateWindow, maxPendingBytes } = RECEIVE_DEFAULTS;
  const seconds = (ms: number): string => `${ms / 1000} s`;
  const expected: Record<string, string> = {
    maxConnections: '10,000',
    maxConnectionsPerAddress: 'as many as in all',
    headerDeadline: seconds(headerDeadline),
    bodyDeadline: seconds(bodyDeadline),
    grace: `${grace} ms`,
    minRate: `${minRate} bytes a second (off), over ${seconds(rateWindow)}`,
    maxPendingBytes: `${maxPendingBytes / 2 ** 20} MiB`,
    maxSize: 'what the disk can hold',
    drain: '10 s',
    'header, in bytes': `${MAX_HEADER_LENGTH.toLocaleString('en')} bytes`,
  };
  for (const [option, value] of Object.entries(expected)) {
    const row = rows.find(({ limit }) => limit.includes(`\`${option}\``) || limit === option);
    t.equal(row?.value, value, option);
  }
  for (const { limit, why } of rows.slice(1)) t.ok(why.length > 20, limit);
  const { connectTimeout, ...timeouts } = { connectTimeout: 10_000, ...SEND_DEFAULTS };
  t.match(table, `${seconds(connectTimeout)} for the connection`);
  for (const option of ['replyTimeout', 'sendTimeout', 'confirmTimeout'] as const)
    t.match(
      table.replaceAll('\n', ' '),
      new RegExp(`${seconds(timeouts[option])} for [^,]*\\(\`${option}\`\\)`),
      option,
    );
});
