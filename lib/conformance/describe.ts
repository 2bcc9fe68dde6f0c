/** A case in words and bytes, for `go-ahead conform explain`. */
import { escaped, type Bytes, type Part } from './bytes.js';
import type {
  Case,
  ClientExchange,
  ClientOutcome,
  Cut,
  Ending,
  FileChange,
  LocalFile,
  Plant,
  ServerExchange,
  ServerOutcome,
  Step,
  WireFile,
} from './case.js';
import { clauseLevel } from './clause.js';
import { CLAUSES } from './clauses.js';
import { WHY } from './why.js';

function part(one: Part): string {
  switch (one.kind) {
    case 'hex':
      return one.hex.length > 96 ? `${one.hex.length / 2} bytes, ${spaced(one.hex.slice(0, 32))} …` : spaced(one.hex);
    case 'text': {
      const bytes = Buffer.from(one.text);
      return bytes.length > 80 ? `"${escaped(bytes.subarray(0, 60))}…" (${bytes.length} bytes)` : `"${escaped(bytes)}"`;
    }
    case 'random':
      return `${one.length} random bytes`;
    case 'repeat':
      return `${one.length} bytes, ${spaced(one.hex)} over and over`;
  }
}

function spaced(hex: string): string {
  return hex.replace(/(..)(?=.)/g, '$1 ');
}

export function describeBytes(bytes: Bytes): string {
  return bytes.length === 0 ? 'nothing' : bytes.map(part).join(', then ');
}

function cut(how: Cut | undefined): string {
  if (how === undefined) return ' in one piece';
  return 'at' in how ? `, cut after byte ${how.at.join(', ')}` : `, in pieces of ${how.every}`;
}

function range(from: number | undefined, to: number | undefined): string {
  const place = (value: number): string => (value < 0 ? `${-value} before its end` : `byte ${value}`);
  if (from === undefined && to === undefined) return 'the whole body';
  if (from === undefined) return `the body up to ${place(to ?? 0)}`;
  return to === undefined ? `the body from ${place(from)}` : `the body from ${place(from)} to ${place(to)}`;
}

function changed(how: FileChange): string {
  switch (how.kind) {
    case 'append':
      return `append ${describeBytes(how.bytes)} to the file`;
    case 'truncate':
      return `cut the file to ${how.to} bytes`;
    case 'remove':
      return 'remove the file';
    case 'replace':
      return `put another file in its place: ${describeBytes(how.bytes)}`;
  }
}

export function describeStep(step: Step): string {
  switch (step.do) {
    case 'header':
      return `send size and name${cut(step.cut)}`;
    case 'body':
      return `send ${range(step.from, step.to)}${step.cut === undefined ? '' : cut(step.cut)}`;
    case 'send':
      return `send ${describeBytes(step.bytes)}${step.cut === undefined ? '' : cut(step.cut)}`;
    case 'reply':
      return 'wait for the reply';
    case 'request':
      return 'wait for the header';
    case 'take':
      return step.to === undefined ? 'wait for the whole body' : `wait for ${range(undefined, step.to)}`;
    case 'silence':
      return 'for a while nothing may come, and the connection must stay open';
    case 'pause':
      return step.ms === undefined ? 'let a while pass' : `let ${step.ms} ms pass`;
    case 'finish':
      return 'close our side (FIN)';
    case 'reset':
      return 'reset the connection (RST)';
    case 'close':
      return 'close both sides without waiting';
    case 'stop reading':
      return 'stop reading, so that the window fills';
    case 'resume reading':
      return 'read again';
    case 'ended':
      return step.after === undefined
        ? 'wait until the target ends the connection'
        : `wait until the target ends the connection, after its ${step.after}`;
    case 'signal':
      return `let those go on that wait for "${step.name}"`;
    case 'await':
      return `wait for "${step.name}"`;
    case 'change file':
      return changed(step.how);
  }
}

const ENDINGS: Readonly<Record<Ending, string>> = { fin: 'FIN', rst: 'RST', open: 'no end' };

function ending(closed: readonly Ending[]): string {
  return closed.map((one) => ENDINGS[one]).join(' or ');
}

function serverOutcome({ reply, closed, disk, as, within, atClose }: ServerOutcome): readonly string[] {
  const replies = { 'go ahead': '"go ahead" and no other byte', none: 'no byte', any: 'anything' } as const;
  const name = as === undefined ? 'the name that was sent' : as === 'any' ? 'a name of its choice' : describeBytes(as);
  const whole = `the whole body under ${name}, plus the suffix of the server`;
  const left = { whole, nothing: 'nothing new', either: `${whole}; or nothing new`, any: 'not looked at' } as const;
  return [
    `received: ${replies[reply]}`,
    `closed by: ${ending(closed)}`,
    `on disk: ${left[disk]}${atClose === true ? ', already when the FIN comes' : ''}`,
    ...(within === undefined ? [] : [`time: the ${within.to} within ${within.ms} ms and two round trips`]),
  ];
}

function clientOutcome({ connects, header, body, closed, exit, stderr, within }: ClientOutcome): readonly string[] {
  const connecting = connects === 'any' ? 'may connect' : connects ? 'connects' : 'does not connect';
  const headers = {
    exact: 'size and name (the last component or the path as given), bit by bit, then silence',
    'last component': 'size and the last component of the path',
    'one piece': 'in one piece',
    none: 'nothing is sent',
    any: 'anything',
  } as const;
  const bodies = {
    whole: 'every byte of the file',
    part: 'a beginning of the file',
    none: 'none',
    any: 'not looked at',
  } as const;
  const status = { zero: '0', 'not zero': 'another than 0', any: 'not looked at' } as const;
  return [
    `the client ${connecting}`,
    `header: ${headers[header]}`,
    `body: ${bodies[body]}`,
    `closed by: ${ending(closed)}`,
    `exit status: ${status[exit]}`,
    ...(stderr === undefined ? [] : ['on stderr: a message']),
    ...(within === undefined ? [] : [`time: it exits within ${within} ms`]),
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

function conditions(one: Case): readonly string[] {
  const gates = Object.entries(one.requires ?? {}).map(
    ([name, values]) => `only where ${name} is ${values.join(' or ')}`,
  );
  const times = (one.declared ?? []).map((name) => `only with --declare ${name}=MS`);
  return [...gates, ...times, ...(one.alone === true ? ['runs while no other case does'] : [])];
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
  const kind = file.kind === 'file' ? [] : [`kind:  ${file.kind}`];
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
  const exchanges = isServer ? ('file' in one.exchange ? [one.exchange] : one.exchange) : [];
  const file = isServer ? exchanges[0]?.file : one.exchange.file;
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
    connections: isServer ? exchanges.map(serverConnection) : [clientConnection(one.exchange)],
    twin:
      twin === undefined
        ? null
        : {
            file: file === undefined ? [] : changedFields(twin.file ?? {}, file),
            steps: (twin.steps ?? (isServer ? exchanges[0]?.steps : one.exchange.steps) ?? []).map(describeStep),
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
    ...described.conditions.map(
      (condition) => `It ${condition.startsWith('runs') ? condition : `applies ${condition}`}.`,
    ),
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
