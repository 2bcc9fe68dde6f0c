/** The kill matrix that is committed: that it says what it must, and, by a sample, that it is true. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { CASES, CLIENT_CASES, conformClient, conformServer, SERVER_CASES } from '../../lib/conformance/index.js';
import type { Report } from '../../lib/conformance/index.js';
import { randomFrom, shuffle } from '../../lib/conformance/model/select.js';
import {
  faultsOf,
  formatMatrix,
  killsOf,
  optionsFor,
  parseMatrix,
  PEERS,
  type PeerName,
  type Row,
} from './zoo/matrix.mjs';
import { noPython } from '../support/python.mjs';

const text = readFileSync(new URL('zoo/kill-matrix.tsv', import.meta.url), 'utf8');
const matrix = parseMatrix(text);

t.test(
  'every case kills a defect, every defect is killed by the case meant for it and only by related ones',
  async (t) => {
    t.strictSame(faultsOf(matrix, CASES), [], 'npm run conform:matrix');
    t.equal(formatMatrix(matrix), text, 'the file is as it is generated');
  },
);

t.test('the zoo is large, and not all of one hand', async (t) => {
  const number = (peer: PeerName): number => Object.keys(PEERS[peer].defects).length;
  t.ok(number('server') >= 75 && number('client') >= 75);
  t.ok(number('student-server') >= 10 && number('student-client') >= 10, 'in Python');
});

t.test('the checks of the matrix can fail', async (t) => {
  const [first, ...others] = matrix.rows;
  if (first === undefined) throw new Error('an empty matrix');
  const [plain] = matrix.rows.filter((row) => row.plain && row.peer === 'server');
  const changed = (row: Row): string[] =>
    faultsOf(
      { ...matrix, rows: matrix.rows.map((old) => (old.defect === row.defect && old.peer === row.peer ? row : old)) },
      CASES,
    );
  t.match(faultsOf({ ...matrix, rows: others }, CASES)[0], /is not in the matrix/);
  t.match(changed({ ...first, kills: [] })[0], /survives/);
  t.match(faultsOf({ ...matrix, cases: matrix.cases.slice(1) }, CASES)[0], /is not in the matrix/);
  if (plain === undefined) throw new Error('no subtle defect');
  const unrelated = changed({
    ...plain,
    kills: [...plain.kills, 'server/size/zero', 'server/foreign/tls', 'server/name/tilde'],
  });
  t.match(unrelated[0], /which is not related/);
});

// ---- the sample; other seeds by GO_AHEAD_MATRIX_SEED

const seed = Number(process.env['GO_AHEAD_MATRIX_SEED'] ?? 20_782);
const random = randomFrom(seed);

async function judge(peer: PeerName, defect: string | undefined, ids: readonly string[]): Promise<Report> {
  const options = optionsFor(peer, defect);
  const wanted = <T extends { readonly id: string }>(cases: readonly T[]): T[] =>
    cases.filter(({ id }) => ids.includes(id));
  return PEERS[peer].role === 'server'
    ? conformServer({ ...options, cases: wanted(SERVER_CASES) })
    : conformClient({ ...options, cases: wanted(CLIENT_CASES) });
}

for (const [peer, size] of [
  ['server', 4],
  ['client', 3],
  ['student-server', 1],
  ['student-client', 2],
] as const) {
  // prettier-ignore
  t.test(`a sample of the ${peer} with defects, seed ${seed}`, { skip: peer.startsWith('student') && noPython }, async (t) => {
    const { defects } = PEERS[peer];
    const rows = shuffle(matrix.rows.filter((row) => row.peer === peer), random).slice(0, size);
    for (const { defect, kills } of rows) {
      const meant = defects[defect]?.cases ?? [];
      const wanted = kills.filter((id) => meant.includes(id));
      const found = killsOf(await judge(peer, defect, wanted));
      t.strictSame(found.kills, wanted, `${defect}: ${defects[defect]?.what ?? ''}`);
    }
    // The same cases do not fail where nothing is wrong: it is the defect that they see.
    const ids = [...new Set(rows.flatMap(({ defect }) => defects[defect]?.cases ?? []))];
    const right = await judge(peer, undefined, ids);
    t.strictSame(right.results.filter(({ verdict }) => verdict !== 'pass').map(({ id, verdict }) => `${verdict} ${id}`), []);
  });
}
