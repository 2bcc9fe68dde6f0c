import { readFileSync } from 'node:fs';
import t from 'tap';
import ts from 'typescript';
import { renderPages, type Tables } from '../docs/render.mjs';
import { CASES } from '../lib/conformance/cases/index.js';
import { clauseLevel } from '../lib/conformance/model/clause.js';
import { ERROR_CODES } from '../lib/errors.js';
import { RECEIVE_MEANINGS, RECEIVE_TRANSITIONS, SEND_MEANINGS, SEND_TRANSITIONS } from '../lib/session/states.js';

const read = (file: string): string => readFileSync(new URL(`../docs/${file}`, import.meta.url), 'utf8');
const tables: Tables = {
  receive: { transitions: RECEIVE_TRANSITIONS, meanings: RECEIVE_MEANINGS },
  send: { transitions: SEND_TRANSITIONS, meanings: SEND_MEANINGS },
  errors: ERROR_CODES,
  conformance: {
    page: read('conformance.md'),
    cases: CASES.map((one) => ({ ...one, level: clauseLevel(one.clause) })),
  },
};

t.test('the generated pages are what the code says (`npm run docs` writes them)', async (t) => {
  const pages = renderPages(tables);
  t.strictSame(
    pages.map(({ file }) => file),
    ['states.md', 'errors.md', 'conformance.md'],
  );
  for (const { file, text } of pages) t.equal(read(file), text, file);
});

t.test('whatever is in the tables is on the pages', async (t) => {
  const [states, errors] = renderPages(tables).map(({ text }) => text);
  for (const { transitions, meanings } of [tables.receive, tables.send]) {
    t.strictSame(Object.keys(meanings.states), Object.keys(transitions), 'every state has a meaning, in one order');
    const events = new Set(Object.values(transitions).flatMap((row) => Object.keys(row)));
    t.strictSame(new Set(Object.keys(meanings.events)), events, 'every event has a meaning, and no other word');
    for (const [state, row] of Object.entries(transitions)) {
      t.ok(states?.includes(`| **${state}** | ${meanings.states[state] ?? '?'} |`), state);
      for (const [event, next] of Object.entries(row)) {
        const id = (name: string): string => name.replaceAll(' ', '_');
        const arrow = states?.split('\n').find((line) => line.startsWith(`    ${id(state)} --> ${id(next)} : `));
        t.ok(arrow?.split(' : ')[1]?.split(', ').includes(event), `${state} --${event}--> ${next}`);
      }
    }
  }
  for (const [code, { meaning, disk, wire }] of Object.entries(ERROR_CODES)) {
    const section = errors?.split('\n## ').find((part) => part.startsWith(`${code}\n`));
    for (const said of [meaning, disk, wire]) t.ok(section?.includes(said), `${code}: ${said}`);
  }
});

t.test('every case is on the page of the suite, and what stands above the list is kept', async (t) => {
  const page = read('conformance.md');
  for (const { id, clause } of CASES) t.ok(page.includes(`| \`${id}\` | ${clause} | `), id);
  const changed = tables.conformance.cases.slice(1);
  const text = renderPages({ ...tables, conformance: { page: `above\n${page}`, cases: changed } })[2]?.text;
  t.match(text, /^above\n/);
  t.notOk(text?.includes(`\`${CASES[0]?.id ?? ''}\` |`), 'a case that is gone is gone');
  t.throws(() => renderPages({ ...tables, conformance: { page: 'no mark', cases: [] } }));
});

t.test('a change of any table changes its page', async (t) => {
  const text = (changed: Tables): string[] => renderPages(changed).map((page) => page.text);
  const [states, errors] = text(tables);
  const stored = { ...RECEIVE_TRANSITIONS, stored: { fault: 'failing' } };
  t.not(text({ ...tables, receive: { ...tables.receive, transitions: stored } })[0], states);
  const meanings = { ...SEND_MEANINGS, events: { ...SEND_MEANINGS.events, fin: 'something else' } };
  t.not(text({ ...tables, send: { ...tables.send, meanings } })[0], states);
  const refused = { ...ERROR_CODES.REFUSED, disk: 'something else' };
  t.not(text({ ...tables, errors: { ...ERROR_CODES, REFUSED: refused } })[1], errors);
});

t.test('every clause that the code cites is in the protocol', async (t) => {
  const protocol = read('protocol.md');
  const exists = (clause: string): boolean =>
    clause.includes('.') ? protocol.includes(`- **${clause}** `) : protocol.includes(`## ${clause}. `);
  for (const [code, { clause }] of Object.entries(ERROR_CODES))
    if (clause !== null) t.ok(exists(clause), `${code}: ${clause}`);
  for (const { states, events } of [RECEIVE_MEANINGS, SEND_MEANINGS]) {
    for (const meaning of [...Object.values(states), ...Object.values(events)]) {
      for (const [, list] of meaning.matchAll(/\(([\d., ]+)\)/g)) {
        for (const clause of list?.split(', ') ?? []) t.ok(exists(clause), `${clause} in "${meaning}"`);
      }
    }
  }
});

t.test('every public name has a docstring, and every error code in one exists', async (t) => {
  const source = (file: string): ts.SourceFile => {
    const text = readFileSync(new URL(`../lib/${file}`, import.meta.url), 'utf8');
    return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  };
  const docsOf = (node: ts.Node): string =>
    ts.getJSDocCommentsAndTags(node).map((doc) => doc.getText()).join('\n'); // prettier-ignore
  let checked = 0;
  for (const line of source('index.ts').statements.filter(ts.isExportDeclaration)) {
    const { moduleSpecifier, exportClause } = line;
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier) || !exportClause || !ts.isNamedExports(exportClause))
      throw new Error(`unexpected: ${line.getText()}`); // prettier-ignore
    const file = source(moduleSpecifier.text.replace(/\.js$/, '.ts'));
    const declarations = file.statements.flatMap((statement): [string, ts.Node][] => {
      if (ts.isVariableStatement(statement))
        return statement.declarationList.declarations.map((one) => [one.name.getText(), statement]);
      const named = statement as ts.Node as { name?: ts.Identifier };
      return named.name === undefined ? [] : [[named.name.text, statement]];
    });
    for (const { name } of exportClause.elements) {
      const found = declarations.filter(([declared]) => declared === name.getText()).map(([, node]) => node);
      const docs = found.map(docsOf).join('\n');
      t.ok(docs.length > 0, `${file.fileName}: ${name.getText()}`);
      for (const [, code = ''] of found.map((node) => node.getText()).join('\n').matchAll(/`([A-Z]+_[A-Z_]+)`/g))
        t.ok(code in ERROR_CODES || declarations.some(([declared]) => declared === code) || code.startsWith('SO_'), code); // prettier-ignore
      checked += 1;
    }
  }
  t.ok(checked > 70, 'the names were found');
});
