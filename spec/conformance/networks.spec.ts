/** Right peers on networks that are hard and right: none may fail there. All peers, all cases: `npm run conform:zoo`. */
import t from 'tap';
import { conformClient, conformServer } from '../../lib/conformance/index.js';
import {
  falseFailures,
  GOOD_CLIENTS,
  GOOD_SERVERS,
  goodOptions,
  modeFor,
  type Network,
  type Peer,
} from './zoo/good.mjs';
import { noPython } from '../support/python.mjs';

t.setTimeout(120_000);

const NETWORKS = ['chop', 'coalesce', 'delay'] as const;
const SERVERS = ['zoo, without a defect', 'Python, threads'] as const;
const CLIENTS = ['zoo, without a defect', 'Python, 1,024-byte buffers'] as const;

/** In ms. Right peers make nobody wait, but a busy machine may take long to start two processes for each case. */
const PATIENCE = 20_000;

/** The ends are what networks get wrong; and several connections at once. */
const SERVER_CASES = ['server/header/nothing', 'server/end/reset-mid-body', 'server/many/eight-interleaved'];
const CLIENT_CASES = ['client/end/whole', 'client/reply/fin'];

async function judge(role: 'server' | 'client', peer: Peer, mode: Network): Promise<unknown> {
  const options = goodOptions(role, peer, modeFor(peer, mode));
  const report =
    role === 'server'
      ? await conformServer({ ...options, patience: PATIENCE, only: SERVER_CASES })
      : await conformClient({ ...options, patience: PATIENCE, only: CLIENT_CASES });
  return { wrong: falseFailures(report), pass: report.summary.pass };
}

for (const [role, names, peers, pass] of [
  ['server', SERVERS, GOOD_SERVERS, SERVER_CASES.length],
  ['client', CLIENTS, GOOD_CLIENTS, CLIENT_CASES.length],
] as const) {
  t.test(`right ${role}s`, { skip: noPython }, async (t) => {
    // Most of the time they wait for the network, so all of them run at once.
    const pairs = names.flatMap((name) => NETWORKS.map((mode) => ({ name, mode })));
    const found = await Promise.all(pairs.map(({ name, mode }) => judge(role, peers[name], mode)));
    for (const [i, { name, mode }] of pairs.entries()) t.strictSame(found[i], { wrong: [], pass }, `${name}, ${mode}`);
  });
}
