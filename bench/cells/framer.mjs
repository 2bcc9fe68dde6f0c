import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const probe = fileURLToPath(new URL('../peers/framer-probe.mjs', import.meta.url));
const library = fileURLToPath(new URL('../../dist/wire/framer.js', import.meta.url));

const BODY_CHUNKS = [1, 64, 1024, 16_384, 65_536, 1_048_576];

/** The decoder without any IO, against one written by hand. @param {import('../context.mjs').Context} context */
export async function framer(context) {
  const { quick } = context.options;
  const missing = existsSync(library) ? undefined : 'dist/wire/framer.js is not built';

  /** @param {string} who @param {string} what */
  const run = (who, what) => async () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [probe, who, what, quick ? '100' : '500'], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(/^\w*Error: .*/m.exec(stderr)?.[0] ?? stderr);
    return { seconds: JSON.parse(stdout).seconds };
  };
  /** @param {string} what @param {string} title @param {number} [bytes] */
  const series = (what, title, bytes) => ({
    id: `framer-${what}`,
    title,
    bytes,
    baseline: 'hand',
    contestants: [
      { id: 'hand', label: 'written by hand', run: run('hand', what) },
      { id: 'ours', label: 'go-ahead', missing, run: run('ours', what) },
    ],
  });

  const headers = [
    series('decode', 'Decode a header'),
    series('header-1024', 'A decoder from its making to the header event, the header in one chunk'),
    series('header-1', 'The same, the header byte by byte'),
  ];
  const bodies = BODY_CHUNKS.map((size) =>
    series(`body-${size}`, `Body in chunks of ${size.toLocaleString('en')} bytes`, size),
  );
  return context.run(quick ? [headers[0], bodies[4]] : [...headers, ...bodies], 5, 1);
}
