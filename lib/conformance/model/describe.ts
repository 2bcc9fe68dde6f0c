/** A case in words and bytes, for `go-ahead conform explain`. */
import { escaped } from './bytes.js';
import {
  exchangesOf,
  type Case,
  type ClientExchange,
  type ClientOutcome,
  type Ending,
  type LocalFile,
  type Plant,
  type ServerExchange,
  type ServerOutcome,
  type Watch,
  type WireFile,
} from './case.js';
import { clauseLevel } from './clause.js';
import { CLAUSES } from './clauses.js';
import { describeBytes, describeStep } from './describe-step.js';
import { WHY } from './why.js';

const ENDINGS: Readonly<Record<Ending, string>> = { fin: 'FIN', rst: 'RST', open: 'no end' };

function ending(closed: readonly Ending[]): string {
  return closed.map((one) => ENDINGS[one]).join(' or ');
}

function serverOutcome({ reply, closed, disk, as, within, atClose }: ServerOutcome): readonly string[] {
  const replies = { 'go ahead': '"go ahead" and no other byte', none: 'no byte', any: 'anything' } as const;
  const name = as === undefined ? 'the name that was sent' : as === 'any' ? 'a name of its choice' : describeBytes(as);
  const whole = `the whole body under ${name}, plus the suffix of the server`;
  const left = {
    whole,
    nothing: 'nothing new',
    either: `${whole}; or nothing new`,
    one: `exactly one of the bodies that were sent, whole`,
    any: 'not looked at',
  } as const;
  return [
    `received: ${replies[reply]}`,
    `closed by: ${ending(closed)}`,
    `on disk: ${left[disk]}${atClose === true ? ', already when the FIN comes' : ''}`,
    ...(within === undefined ? [] : [`time: the ${within.to} within ${within.ms} ms and two round trips`]),
  ];
}

function clientOutcome(outcome: ClientOutcome): readonly string[] {
  const { connects, header, body, closed, exit, message, connections } = outcome;
  const headers = {
    exact: 'size and name (the last component or the path as given), bit by bit, then silence',
    'last component': 'size and the last component of the path',
    'one piece': 'the same in one segment',
    none: 'nothing is sent',
    any: 'anything',
  } as const;
  const bodies = {
    whole: 'every byte of the file',
    part: 'a beginning of the file',
    prefix: 'a beginning of the file, or all of it',
    none: 'none',
    any: 'not looked at',
  } as const;
  const status = {
    zero: '0',
    'not zero': 'another than 0',
    'not zero or signal': 'another than 0, or by the signal',
  } as const;
  return [
    `the client ${connects ? 'connects' : 'does not connect'}${connections === 'one' ? ', once' : ''}`,
    `header: ${headers[header]}`,
    `body: ${bodies[body]}`,
    `closed by: ${ending(closed)}`,
    `exit status: ${status[exit]}`,
    ...(message === undefined ? [] : ['a message on standard error or standard output']),
  ];
}

function expected(all: readonly (readonly string[])[]): readonly string[] {
  return all.flatMap((lines, n) => (n === 0 ? lines : ['or', ...lines]));
}

function planted(plant: Plant): string {
  const at = `"${escaped(Buffer.from(plant.at))}"`;
  const may = 'mayChange' in plant ? '' : '; it must stand unchanged afterwards';
  switch (plant.kind) {
    case 'file':
      return `a file ${at}: ${describeBytes(plant.bytes)}${may}`;
    case 'symlink':
      return `a symbolic link ${at} to "${escaped(Buffer.from(plant.to))}"${may}`;
    case 'hard link':
      return `a second name ${at} of "${escaped(Buffer.from(plant.to))}"${may}`;
    case 'directory':
    case 'fifo':
      return `a ${plant.kind === 'fifo' ? 'FIFO' : plant.kind} ${at}${may}`;
    case 'nothing':
      return `nothing at ${at}; nothing may appear there`;
  }
}

function fileLines({ size, name, body }: WireFile | LocalFile): readonly string[] {
  return [`size:  ${describeBytes(size)}`, `name:  ${describeBytes(name)}`, `body:  ${describeBytes(body)}`];
}

export interface Described {
  readonly id: string;
  readonly title: string;
  readonly role: Case['role'];
  readonly level: string;
  readonly clause: string;
  readonly sentence: string;
  readonly why: string;
  readonly profiles: readonly string[];
  readonly needs: string;
  readonly quick: boolean;
  /** When it does not apply or cannot be tested. */
  readonly conditions: readonly string[];
  /** What is there before. */
  readonly before: readonly string[];
  readonly connections: readonly {
    readonly label: string;
    readonly copies: number;
    readonly file: readonly string[];
    readonly steps: readonly string[];
    readonly expected: readonly string[];
  }[];
  /** The same without the fault; null when the case is its own proof. */
  readonly twin: { readonly file: readonly string[]; readonly steps: readonly string[] } | null;
}

const NEEDS = {
  wire: 'the connection only',
  dir: 'the directory where the server stores (--dir, or --exec with {dir})',
  exec: 'to start the process (--exec)',
} as const;

const WATCHED: Readonly<Record<Watch, string>> = {
  descriptors: 'afterwards the process holds no more descriptors than before',
  'resident memory': 'the resident memory of the process grows by less than 64 MiB',
  'reserved memory': 'the data segment of the process grows by less than 256 MiB',
  residue: 'it runs last, and of the whole run nothing is left that no case accounts for',
};

function conditions(one: Case): readonly string[] {
  const values = ([name, all]: [string, readonly string[]]): string => `${name} is ${all.join(' or ')}`;
  const gates = Object.entries(one.requires ?? {}).map((entry) => `It applies only where ${values(entry)}.`);
  const excuses = Object.entries(one.unlessDeclared ?? {}).map(
    (entry) => `It does not apply where the user declares that ${values(entry)}.`,
  );
  const times = (one.declared ?? []).map((name) => `It needs --declare ${name}=MS.`);
  const watched = one.role === 'server' && one.watch !== undefined ? [`Also looked at: ${WATCHED[one.watch]}.`] : [];
  const alone = one.alone === true ? ['It runs while no other case does.'] : [];
  const tries =
    one.tries === undefined ? [] : [`It is tried up to ${one.tries} times, since a busy machine may miss its time.`];
  return [...gates, ...excuses, ...times, ...watched, ...alone, ...tries];
}

function serverConnection(one: ServerExchange, n: number): Described['connections'][number] {
  return {
    label: one.label ?? `connection ${n + 1}`,
    copies: one.copies ?? 1,
    file: fileLines(one.file),
    steps: one.steps.map(describeStep),
    expected: expected(one.expect.map(serverOutcome)),
  };
}

function clientConnection(one: ClientExchange): Described['connections'][number] {
  const { file, steps } = one;
  const kind = [
    ...(file.kind === 'file' ? [] : [`kind:  ${file.kind}`]),
    ...(file.deep === true ? ['in folders so deep that the path does not fit a header'] : []),
    ...(one.refused === true ? ['nothing listens on the port'] : []),
    ...(one.output === 'closed' ? ['nobody reads what the client prints'] : []),
  ];
  return {
    label: 'connection',
    copies: 1,
    file: [...kind, ...fileLines(file)],
    steps: steps.map(describeStep),
    expected: expected(one.expect.map(clientOutcome)),
  };
}

function changedFields(fields: Partial<Record<string, unknown>>, file: WireFile | LocalFile): readonly string[] {
  const lines = fileLines({ ...file, ...fields });
  return lines.filter((line) => Object.keys(fields).some((field) => line.startsWith(field)));
}

export function describeCase(one: Case): Described {
  const { id, title, role, clause, profiles, needs, quick = false, twin } = one;
  const isServer = one.role === 'server';
  const [first] = isServer ? exchangesOf(one) : [one.exchange];
  return {
    id,
    title,
    role,
    level: clauseLevel(clause).toUpperCase(),
    clause,
    sentence: CLAUSES[clause],
    why: WHY[clause],
    profiles,
    needs: NEEDS[needs],
    quick,
    conditions: conditions(one),
    before: isServer ? (one.plant ?? []).map(planted) : [],
    connections: isServer ? exchangesOf(one).map(serverConnection) : [clientConnection(one.exchange)],
    twin:
      twin === undefined
        ? null
        : {
            file: changedFields(twin.file ?? {}, first.file),
            steps: (twin.steps ?? first.steps).map(describeStep),
          },
  };
}

function numbered(steps: readonly string[]): readonly string[] {
  return steps.map((step, n) => `${String(n + 1).padStart(4)}. ${step}`);
}

/** For a terminal. */
export function explain(described: Described): readonly string[] {
  const { id, title, role, level, clause, sentence, why, profiles, needs, quick, before, twin } = described;
  const several = described.connections.length > 1;
  const target = role === 'server' ? 'server' : 'client';
  return [
    `${id}: ${title}`,
    '',
    `Clause ${clause} (${level}): ${sentence}`,
    `Why: ${why}`,
    '',
    `Judges a ${target}, in the profile ${profiles.join(' and ')}${quick ? ', also with --quick' : ''}.`,
    `The suite must see: ${needs}.`,
    ...described.conditions,
    ...(before.length === 0 ? [] : ['', 'There before:', ...before.map((line) => `  ${line}`)]),
    ...described.connections.flatMap(({ label, copies, file, steps, expected: outcome }) => [
      '',
      several || copies > 1
        ? `What is done on "${label}"${copies > 1 ? `, ${copies} times at once` : ''}:`
        : 'What is done:',
      ...file.map((line) => `  ${line}`),
      ...numbered(steps),
      'What is expected:',
      ...outcome.map((line) => `  ${line}`),
    ]),
    '',
    ...(twin === null
      ? ['The case asks for a whole transfer itself, so it is its own proof.']
      : [
          'The twin, without the one fault, which must be accepted by the same process:',
          ...twin.file.map((line) => `  ${line}`),
          ...numbered(twin.steps),
        ]),
    '',
    '{t} is a mark that makes names unique, {i} the number of a copy.',
  ];
}
