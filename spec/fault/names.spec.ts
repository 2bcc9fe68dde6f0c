import { spawnSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { printable } from '../../lib/printable.js';
import { TemporaryNames } from '../../lib/storage/temporary-name.js';
import { hex } from '../wire/bytes.js';
import { LONG, missingTool, Program, Serving, sha256, transfer } from './rig.js';
import { MAIN } from '../support/built.js';

/*
 * What a name from the wire may do to a disk: one row a case, over TCP, against a directory with canaries in it and
 * around it. After each row the whole tree is compared: it is as before, but for the one file that the row allows.
 */

type Wire = string | Uint8Array;

/** What becomes of a name; a text is the name under which it is stored. */
interface Row {
  readonly wire: Wire;
  readonly stored: string | undefined;
  /** Whether `portableNames` refuses it. */
  readonly reserved: boolean;
}

const stored = (wire: Wire, name: string): Row => ({ wire, stored: name, reserved: false });
const same = (name: string): Row => stored(name, name);
const refused = (wire: Wire): Row => ({ wire, stored: undefined, reserved: false });
/** Stored as it is, and refused with `portableNames`. */
const reserved = (wire: string, name = wire): Row => ({ wire, stored: name, reserved: true });

const temporary = new TemporaryNames(
  { host: 'h', boot: 'b', pidNamespace: 'p', pid: 1, startTime: 1 },
  { dev: 1n, ino: 2n },
  () => 1_700_000_000_000,
).next();

const code = (point: number): string => String.fromCodePoint(point);

const TABLE: Readonly<Record<string, readonly Row[]>> = {
  'parents, in every form': [
    ...['..', '.', '../', './', '../..', 'a/..', 'a/.', '../../', '/..', '..//', '/', '//', '../.', 'a/../'].map(
      refused,
    ),
    ...['..\\', '..\\..', 'a\\..', '\\', '\\..', '../\\..', '..\\/'].map(refused),
    stored('../sibling/canary.txt', 'canary.txt'),
    stored('../canary.txt', 'canary.txt'),
    stored('a/../../x1', 'x1'),
    stored('./../x2', 'x2'),
    stored('....//x3', 'x3'),
    stored('..\\..\\x4', 'x4'),
    stored('.../x5', 'x5'),
    stored('../inbox/x6', 'x6'),
  ],
  'absolute, and home': [
    stored('/etc/abs1', 'abs1'),
    stored('//abs2', 'abs2'),
    stored('/../../../../../../abs3', 'abs3'),
    stored('~/home1', 'home1'),
    stored('~root/home2', 'home2'),
    same('~'),
    same('~root'),
    same('$HOME'),
    stored('file:///etc/abs4', 'abs4'),
  ],
  'backslashes, on every system': [
    stored('..\\bs1', 'bs1'),
    stored('a\\bs2', 'bs2'),
    stored('a\\../bs3', 'bs3'),
    stored('a/..\\bs4', 'bs4'),
    refused('a\\'),
    refused('a\\.'),
  ],
  'drives, shares, and what only Windows understands': [
    stored('C:\\drive1', 'drive1'),
    stored('C:/drive2', 'drive2'),
    reserved('C:drive3'),
    stored('\\\\?\\C:\\drive4', 'drive4'),
    stored('\\\\.\\PhysicalDrive0', 'PhysicalDrive0'),
    stored('\\\\server\\share\\unc', 'unc'),
    stored('//server/share/unc2', 'unc2'),
    ...['f.txt:stream', 'f::$DATA', ':', 'dot.', 'space ', 'dots. .', 'a<b', 'a>b', 'a"b', 'a|b', 'a?b', 'a*b'].map(
      (name) => reserved(name),
    ),
    ...['CON', 'con', 'PRN', 'AUX', 'NUL', 'COM1', 'COM9', 'LPT1', 'COM¹', 'LPT³', 'CONIN$', 'CONOUT$', 'CLOCK$'].map(
      (name) => reserved(name),
    ),
    ...['CON.txt', 'nul.tar.gz', 'COM1 .txt', 'COM¹.log', 'Aux.h', 'COM1.'].map((name) => reserved(name)),
    ...['CONSOLE', 'COM10', '.con', 'PROGRA~1', 'xCON', 'desktop.ini'].map(same),
  ],
  'NUL and control characters': [
    ...['nul\0', 'nul\0.sh', '\0', '../nul\0'].map(refused),
    ...Array.from({ length: 0x1f }, (_, index) => refused(`c${code(index + 1)}c`)),
    ...Array.from({ length: 0x21 }, (_, index) => refused(`c${code(index + 0x7f)}c`)),
    refused('\n'),
    refused('line\nstored fake.txt: 5 B'),
    refused('\u001b[2J\u001b[H'),
    refused('\u001b]0;title\u0007'),
    refused('\u009b31m'),
  ],
  'letters that mislead: stored as they are': [
    same('\u202ecod.exe'),
    same('\u2066a\u2069'),
    same('zero\u200bwidth'),
    same('\u2028separator'),
    same('\ue000private'),
    same('tag\u{e0041}'),
    same('soft\u00adhyphen'),
    // A space to the eye, letters to Unicode, and marks that change nothing that is seen.
    ...[0x034f, 0x115f, 0x1160, 0x17b4, 0x180b, 0x3164, 0xfe0f, 0xffa0, 0xe0100].map((unseen) =>
      same(`unseen${code(unseen)}x`),
    ),
    // Every bidi control (Unicode, UAX #9).
    ...[0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069].map((mark) =>
      same(`bidi${code(mark)}x`),
    ),
  ],
  'spaces, and lengths in bytes': [
    refused(' '),
    refused('     '),
    refused('a/ '),
    reserved(' x '),
    same('x'.repeat(255)),
    refused('y'.repeat(256)),
    same('é'.repeat(127)),
    refused('è'.repeat(128)),
    same('😀'.repeat(63)),
    refused('😀'.repeat(64)),
    stored(`${'d'.repeat(700)}/deep`, 'deep'),
    stored(`${'d/'.repeat(500)}deep2`, 'deep2'),
    refused('z'.repeat(1016)),
    refused('z'.repeat(1017)),
    refused('z'.repeat(5000)),
    refused(''),
  ],
  'invalid UTF-8': [
    ...['c0 af', 'e0 80 af', 'f0 80 80 af', 'f8 80 80 80 af', 'fc 80 80 80 80 af', 'c0 80', 'c1 bf'].map((bytes) =>
      refused(hex('61', bytes)),
    ),
    ...['ed a0 80', 'ed bf bf', 'ed a0 80 ed b0 80', 'ed ad bf ed bf bf'].map((bytes) => refused(hex('61', bytes))),
    ...['f4 90 80 80', 'f5 80 80 80', 'f7 bf bf bf', 'fe', 'ff', 'fe fe ff ff'].map((bytes) =>
      refused(hex('61', bytes)),
    ),
    ...['80', 'bf', '80 bf 80'].map((bytes) => refused(hex('61', bytes))),
    ...['c3', 'e4 b8', 'f0 9f 98', 'e2 82 28', 'c3 28'].map((bytes) => refused(hex('61', bytes))),
    refused(hex('2e 2e c0 af 78')),
  ],
  'the byte order mark, normalization, case': [
    same('\ufeffbom'),
    same('bom'),
    stored('caf\u00e9.txt', 'caf\u00e9 (1).txt'),
    same('cafe\u0301.txt'),
    same('ﬁ'),
    same('fi'),
    same('README'),
    same('readme'),
    // Beside `old.txt`.
    same('OLD.TXT'),
    same('ı'),
  ],
  'taken literally': [
    same('%2e%2e%2f'),
    same('..%c0%af'),
    same('%2e%2e'),
    same('&#46;&#46;'),
    same('${HOME}'),
    same('`id`'),
    reserved('a;b|c'),
    reserved('*'),
  ],
  'names like our own, and special ones': [
    refused(temporary),
    refused(`../${temporary}`),
    same(`${temporary}x`),
    same('.go-ahead-notes.part'),
    same('.go-ahead-.part'),
    same('-rf'),
    same('--help'),
    same('-'),
    same('.bashrc'),
    same('.htaccess'),
    same('..x'),
    reserved('...'),
  ],
};

interface Canaries {
  readonly base: string;
  readonly inbox: string;
}

function canaries(t: Test): Canaries {
  const base = t.testdir({
    inbox: { directory: { inside: 'inside' }, 'caf\u00e9.txt': 'old', 'old.txt': 'old' },
    sibling: { 'canary.txt': 'canary' },
    'outside.txt': 'outside',
    'canary.txt': 'canary',
  });
  const inbox = join(base, 'inbox');
  symlinkSync('../outside.txt', join(inbox, 'link-to-file'));
  symlinkSync('../sibling', join(inbox, 'link-to-directory'));
  symlinkSync('../created.txt', join(inbox, 'dangling'));
  symlinkSync('loop', join(inbox, 'loop'));
  writeFileSync(join(base, 'hard.txt'), 'hard');
  linkSync(join(base, 'hard.txt'), join(inbox, 'hard.txt'));
  spawnSync('mkfifo', [join(inbox, 'fifo')]);
  return { base, inbox };
}

/** Everything below a directory: what it is and what is in it. A FIFO is not opened. */
function tree(directory: string, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const stats = lstatSync(path);
    if (stats.isDirectory()) {
      found.set(`${prefix}${name}/`, 'directory');
      for (const [inner, what] of tree(path, `${prefix}${name}/`)) found.set(inner, what);
    } else if (stats.isSymbolicLink()) found.set(prefix + name, `-> ${readlinkSync(path)}`);
    else if (stats.isFile()) found.set(prefix + name, sha256(readFileSync(path)));
    else found.set(prefix + name, 'special file');
  }
  return found;
}

function text(wire: Wire): string {
  return printable(typeof wire === 'string' ? wire : Buffer.from(wire).toString('latin1')).slice(0, 60);
}

let serial = 0;

/** Sends one name and says what it changed in the tree; undefined when it was as it must be. */
async function wrong(
  { base }: Canaries,
  port: number,
  wire: Wire,
  as: string | undefined,
): Promise<string | undefined> {
  const body = Buffer.from(`content ${++serial}`);
  const expected = tree(base);
  const replaced = as !== undefined && expected.has(`inbox/${as}`);
  if (as !== undefined) expected.set(`inbox/${as}`, sha256(body));
  const outcome = await transfer(port, wire, body);
  const now = tree(base);
  // Kept small: the rows do not depend on each other, but for the canaries.
  if (as !== undefined && !replaced && now.has(`inbox/${as}`)) unlinkSync(join(base, 'inbox', as));
  const changes = [...new Set([...expected.keys(), ...now.keys()])].filter((key) => expected.get(key) !== now.get(key));
  const wanted = as === undefined ? 'refused' : 'confirmed';
  // What was not read of a header that is too long turns the close into a reset.
  const tooLong = wire.length > 1016 && outcome === 'failed';
  if ((outcome === wanted || tooLong) && changes.length === 0) return undefined;
  return `"${text(wire)}" is ${outcome}, not ${wanted}; ${changes.map((key) => text(key)).join(', ') || 'no other change'}`;
}

/** What would move a cursor, or reorder or hide text (the newline is the printer's own). */
const RAW = /[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

const WINDOWS = process.platform !== 'linux' && 'the names of the canaries are those of Linux';

for (const json of [true, false]) {
  for (const portable of [false, true]) {
    // The short form has each side of both choices.
    if (json !== portable && !LONG) continue;
    t.test(
      `names, ${portable ? 'portable' : 'as the system allows'}, ${json ? 'JSON' : 'plain'}`,
      { skip: WINDOWS },
      async (t) => {
        const place = canaries(t);
        const flags = [
          ...(portable ? ['--portable-names'] : []),
          '--no-sync',
          '--settle',
          '20',
          '--header-deadline',
          '0.2',
        ];
        const { program, port } = await serving(t, place.inbox, json, flags);
        for (const [what, rows] of Object.entries(TABLE)) {
          const faults: string[] = [];
          for (const row of rows) {
            const as = portable && row.reserved ? undefined : row.stored;
            // A header that never ends, ends with the sender.
            const fault = row.wire.length === 0 ? undefined : await wrong(place, port, row.wire, as);
            if (fault !== undefined) faults.push(fault);
          }
          t.strictSame(faults, [], `${what}: ${rows.length} names`);
        }
        program.kill('SIGTERM');
        t.equal(await program.exit, 0);
        t.notMatch(program.stdout, RAW, 'nothing is printed raw');
        t.equal(program.stderr, '');
        t.ok(program.stdout.includes('u202ecod.exe'), 'but everything is told');
      },
    );
  }
}

async function serving(
  t: Test,
  inbox: string,
  json: boolean,
  flags: readonly string[],
): Promise<{ program: Program; port: number }> {
  if (json) {
    const program = await Serving.start(t, inbox, flags);
    return { program, port: program.port };
  }
  const program = new Program(t, ['serve', inbox, '--port', '0', ...flags]);
  await program.until(() => program.stdout.includes('\n'));
  return { program, port: Number(/127\.0\.0\.1:(\d+)/.exec(program.stdout)?.[1]) };
}

/** [name, as it is stored with each policy] */
const TAKEN: readonly (readonly [string, Record<'rename' | 'replace' | 'refuse', string | undefined>])[] = [
  ['link-to-file', { rename: 'link-to-file (1)', replace: 'link-to-file', refuse: undefined }],
  ['link-to-directory', { rename: 'link-to-directory (1)', replace: 'link-to-directory', refuse: undefined }],
  ['link-to-directory/x', { rename: 'x', replace: 'x', refuse: 'x' }],
  ['dangling', { rename: 'dangling (1)', replace: 'dangling', refuse: undefined }],
  ['loop', { rename: 'loop (1)', replace: 'loop', refuse: undefined }],
  ['fifo', { rename: 'fifo (1)', replace: undefined, refuse: undefined }],
  ['directory', { rename: 'directory (1)', replace: undefined, refuse: undefined }],
  ['directory/', { rename: undefined, replace: undefined, refuse: undefined }],
  ['directory/inside', { rename: 'inside', replace: 'inside', refuse: 'inside' }],
  ['hard.txt', { rename: 'hard (1).txt', replace: 'hard.txt', refuse: undefined }],
  ['old.txt', { rename: 'old (1).txt', replace: 'old.txt', refuse: undefined }],
];

for (const policy of ['rename', 'replace', 'refuse'] as const) {
  t.test(`what stands under the name already: ${policy}`, { skip: WINDOWS || missingTool('mkfifo') }, async (t) => {
    const place = canaries(t);
    const { program, port } = await serving(t, place.inbox, true, ['--on-conflict', policy]);
    const faults: string[] = [];
    for (const [name, expected] of TAKEN) {
      const fault = await wrong(place, port, name, expected[policy]);
      if (fault !== undefined) faults.push(fault);
    }
    t.strictSame(faults, []);
    t.equal(readFileSync(join(place.base, 'hard.txt'), 'utf8'), 'hard', 'the other name keeps its content');
    program.kill('SIGTERM');
    t.equal(await program.exit, 0);
  });
}

t.test('what send prints to a terminal', { skip: WINDOWS || missingTool('script') }, async (t) => {
  const base = t.testdir({ inbox: {} });
  const server = await Serving.start(t, join(base, 'inbox'));
  const evil = ['\u202egnp.exe', 'a\u001b]0;pwned\u0007b', 'c\u009b31md', 'e\nfailed fake.txt', 'g\u2066h'];
  mkdirSync(join(base, 'out'));
  for (const name of evil) writeFileSync(join(base, 'out', name), 'hello');
  // The names come to the command by a pattern of the shell, as they would for a user.
  const command = `"${process.execPath}" "${MAIN}" send "${join(base, 'out')}"/* missing$(printf '\\033')x --to :${server.port}`;
  const env = { ...process.env, NO_COLOR: '1' };
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', env });
  t.match(stdout, /\\u202egnp\.exe/, 'the names are told');
  for (const raw of ['\u202e', '\u001b]0;', '\u0007', '\u009b', '\u2066', '\u001bx']) {
    t.notOk(stdout.includes(raw), `no ${printable(raw)}`);
  }
  t.notMatch(stdout, /^failed fake/m, 'no name makes a line of its own');
  server.kill('SIGTERM');
  t.equal(await server.exit, 0);
});
