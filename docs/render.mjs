// Renders the generated pages from the tables of the library. Knows nothing of the library but their shapes, so that
// both the generator (with the compiled tables) and the spec (with the sources) can use it.

const NOTICE = '<!-- Generated from the code by `npm run docs`. Do not edit. -->';

/** Every generated page: its file in this folder and its text. */
export function renderPages({ receive, send, errors, conformance }) {
  return [
    { file: 'states.md', text: renderStates({ receive, send }) },
    { file: 'errors.md', text: renderErrors(errors) },
    { file: 'conformance.md', text: renderConformance(conformance) },
  ];
}

const CASES_BEGIN = '<!-- Generated from the code by `npm run docs`, from here on. Do not edit. -->';

/** The page as it stands, with its list of cases renewed: everything below the mark. */
export function renderConformance({ page: text, cases }) {
  const at = text.indexOf(CASES_BEGIN);
  if (at < 0) throw new Error(`docs/conformance.md has no line ${CASES_BEGIN}`);
  const lines = ['server', 'client'].flatMap((role) => {
    const own = cases.filter((one) => one.role === role);
    const quick = own.filter((one) => one.quick).length;
    const classic = own.filter((one) => one.profiles.includes('classic')).length;
    return [
      `### For ${role}s`,
      '',
      `${own.length} cases, ${classic} of them in \`classic\`, ${quick} in \`--quick\`.`,
      '',
      '| Case | Clause | Level | Profiles | Needs | What is done |',
      '| --- | --- | --- | --- | --- | --- |',
      ...own.map(({ id, clause, level, profiles, needs, quick: isQuick, title }) => {
        const where = [...profiles, ...(isQuick ? ['quick'] : [])].join(', ');
        return cells(`\`${id}\``, clause, level.toUpperCase(), where, needs, title);
      }),
      '',
    ];
  });
  return `${[text.slice(0, at) + CASES_BEGIN, '', ...lines].join('\n').trimEnd()}\n`;
}

export function renderStates({ receive, send }) {
  return page(
    '# The states of a session',
    'Each transfer is two state machines, one on each side. The tables below are the ones that the code runs on',
    '(`lib/session/states.ts`). Numbers in brackets are the clauses of [protocol.md](protocol.md).',
    '',
    'The events are those of the machine. What happens on a connection becomes an event that the state lists, and where there',
    'is no such event it means nothing any more. One thing is only remembered: a FIN in **opening**, which is a fault when the',
    'storage has answered and a body was announced.',
    '',
    '## The receiver',
    '',
    ...machine(receive),
    '',
    '## The sender',
    '',
    ...machine(send),
  );
}

function machine({ transitions, meanings }) {
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...diagram(transitions),
    '```',
    '',
    '| State | Meaning | Event: next state |',
    '| --- | --- | --- |',
    ...Object.entries(transitions).map(([state, row]) => {
      const next = Object.entries(row).map(([event, to]) => `${event}: ${to}`);
      return cells(`**${state}**`, meanings.states[state], next.join('<br>') || '(the end)');
    }),
    '',
    '| Event | Meaning |',
    '| --- | --- |',
    ...Object.entries(meanings.events).map(([event, meaning]) => cells(`**${event}**`, meaning)),
  ];
}

function diagram(transitions) {
  // A name with a space needs an identifier without one.
  const id = (state) => state.replaceAll(' ', '_');
  const states = Object.keys(transitions);
  const lines = states.filter((state) => id(state) !== state).map((state) => `    ${id(state)} : ${state}`);
  lines.push(`    [*] --> ${id(states[0])}`);
  for (const [state, row] of Object.entries(transitions)) {
    const events = new Map();
    for (const [event, to] of Object.entries(row)) events.set(to, [...(events.get(to) ?? []), event]);
    for (const [to, names] of events) lines.push(`    ${id(state)} --> ${id(to)} : ${names.join(', ')}`);
    if (events.size === 0) lines.push(`    ${id(state)} --> [*]`);
  }
  return lines;
}

export function renderErrors(errors) {
  const side = { local: 'this process', peer: 'the other end, or the network' };
  const clause = (entry) => entry.clause ?? 'none';
  return page(
    '# Errors',
    'Every failure is a `GoAheadError` with a `code` from this list. A code keeps its meaning in every release of the',
    'same major version. The error also says whose fault it is (`side`), which clause of [protocol.md](protocol.md) was',
    'broken or applied (`clause`), what was `expected` and what came instead (`actual`), and what was behind it (`cause`).',
    '',
    ...Object.entries(errors).flatMap(([code, entry]) => [
      `## ${code}`,
      '',
      entry.meaning,
      '',
      `- Side: \`${entry.side}\` (${side[entry.side]})`,
      `- Clause: ${clause(entry)}`,
      `- On the receiver's disk: ${entry.disk}`,
      `- The other end sees: ${entry.wire}`,
      '',
    ]),
  );
}

function page(title, ...lines) {
  return `${[title, '', NOTICE, '', ...lines].join('\n').trimEnd()}\n`;
}

function cells(...contents) {
  return `| ${contents.map((content) => content.replaceAll('|', '\\|')).join(' | ')} |`;
}
