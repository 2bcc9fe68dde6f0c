// Writes the generated pages of this folder from the compiled library: `npm run docs`.
// With --check it writes nothing, names the pages that differ, and exits with 1 if there are any.
import { readFileSync, writeFileSync } from 'node:fs';
import { CASES } from '../dist/conformance/cases/index.js';
import { clauseLevel } from '../dist/conformance/model/clause.js';
import { ERROR_CODES } from '../dist/errors.js';
import { RECEIVE_MEANINGS, RECEIVE_TRANSITIONS, SEND_MEANINGS, SEND_TRANSITIONS } from '../dist/session/states.js';
import { renderPages } from './render.mjs';

const pages = renderPages({
  receive: { transitions: RECEIVE_TRANSITIONS, meanings: RECEIVE_MEANINGS },
  send: { transitions: SEND_TRANSITIONS, meanings: SEND_MEANINGS },
  errors: ERROR_CODES,
  conformance: {
    page: readFileSync(new URL('conformance.md', import.meta.url), 'utf8'),
    cases: CASES.map((one) => ({ ...one, level: clauseLevel(one.clause) })),
  },
});

const check = process.argv.includes('--check');
for (const { file, text } of pages) {
  const path = new URL(file, import.meta.url);
  if (read(path) === text) continue;
  if (check) {
    console.error(`docs/${file} is not what the code says; run \`npm run docs\``);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`wrote docs/${file}`);
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
