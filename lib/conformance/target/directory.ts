/** Looks at the directory of a server from outside: what appears in it, beside it, and what is left behind. */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { bufferOf, escaped, type Variables } from '../model/bytes.js';
import type { Plant } from '../model/case.js';
import { entryAt, kindAndSize, list, statOf, type DiskEntry, type Snapshot } from './disk-entry.js';
import { RUN_MARK } from '../model/select.js';

const DEPTH = 4;

/** The bytes that `escaped` was given. */
function unescaped(shown: string): Buffer {
  const raw = shown.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(raw, 'latin1');
}

interface Walk {
  readonly wanted: (path: string) => boolean;
  /** Paths known to be no directories: a look at one case's files need not ask about everybody else's. */
  readonly leaves: Set<string>;
}

async function walk(root: Buffer, shown: string, how: Walk, depth: number): Promise<DiskEntry[]> {
  const found: DiskEntry[] = [];
  for (const name of list(root)) {
    const path = Buffer.concat([root, Buffer.from('/'), name]);
    const label = shown + escaped(name);
    const wanted = how.wanted(label);
    if (!wanted && how.leaves.has(label)) continue;
    const stat = statOf(path);
    if (stat === null) continue;
    if (!stat.isDirectory()) how.leaves.add(label);
    if (wanted) {
      const entry = await entryAt(path, label, stat);
      if (entry !== null) found.push(entry);
    }
    if (stat.isDirectory() && depth > 1) found.push(...(await walk(path, `${label}/`, how, depth - 1)));
  }
  return found;
}

/** Also below the server's own directories, as deep as a look goes. */
async function removeMarked(root: Buffer, mark: string, depth: number): Promise<void> {
  for (const name of list(root)) {
    const path = Buffer.concat([root, Buffer.from('/'), name]);
    if (escaped(name).includes(mark)) await fs.rm(path, { recursive: true, force: true });
    else if (depth > 1 && statOf(path)?.isDirectory() === true) await removeMarked(path, mark, depth - 1);
  }
}

const CANARIES = { 'outside.txt': 'outside: nobody may touch this\n', 'sibling/canary.txt': 'sibling: nor this\n' };

export class Directory {
  readonly path: string;
  readonly #parent: string;
  /** The parent is ours: it holds nothing but the directory and the canaries, and is removed at the end. */
  readonly #sandbox: boolean;
  readonly #leaves = new Set<string>();
  /** What stood there before the run. */
  #first: ReadonlySet<string> = new Set();
  /** Of cases that are over and left no choice: whatever still appears with one of these comes too late. */
  readonly #closed = new Set<string>();

  private constructor(path: string, sandbox: boolean) {
    this.path = path;
    this.#parent = join(path, '..');
    this.#sandbox = sandbox;
  }

  /** A directory of the user's. Around it only names that carry a token are looked at. */
  static existing(path: string): Directory {
    return new Directory(path, false);
  }

  /** A new directory with canaries around it. */
  static async sandbox(root: string): Promise<Directory> {
    const outer = await fs.mkdtemp(join(root, 'go-ahead-conformance-'));
    await fs.mkdir(join(outer, 'uploads'));
    await fs.mkdir(join(outer, 'sibling'));
    for (const [name, content] of Object.entries(CANARIES)) await fs.writeFile(join(outer, name), content);
    return new Directory(join(outer, 'uploads'), true);
  }

  get sandboxed(): boolean {
    return this.#sandbox;
  }

  /** What `{beside}` stands for. */
  get beside(): string {
    return join(this.#parent, 'sibling');
  }

  /** Bytes that a user may still store on its filesystem. */
  async freeSpace(): Promise<bigint> {
    const { bavail, bsize } = await fs.statfs(this.path, { bigint: true });
    return bavail * bsize;
  }

  /** From here on whatever appears is of this run. */
  async begin(): Promise<void> {
    this.#first = new Set((await this.inside(null)).map(({ path }) => path));
  }

  /**
   * Removes what an exchange left, which has been judged, so that a look stays short. `names`: those that it announced.
   * `certain`: nothing may follow.
   */
  async tidy(
    token: string,
    left: Snapshot,
    plants: readonly Plant[],
    names: readonly Buffer[],
    certain: boolean,
  ): Promise<void> {
    const mark = token.slice(0, RUN_MARK);
    const announced = new Set(names.flatMap((name) => [escaped(name), escaped(name) + this.suffix]));
    // Others may use a directory of the user's meanwhile, another run of the suite among them.
    const ours = (path: string): boolean => this.#sandbox || path.includes(mark) || announced.has(path);
    const paths = left.filter(({ path }) => !path.includes('/') && ours(path)).map(({ path }) => unescaped(path));
    const planted = plants.map(({ at }) => Buffer.from(this.#fill(at, { t: token, i: 0 })));
    for (const path of [...paths, ...planted]) {
      await fs.rm(Buffer.concat([Buffer.from(`${this.path}/`), path]), { recursive: true, force: true });
    }
    if (certain) this.#closed.add(token);
  }

  /** What no case accounts for: it bears no mark of the run and was not there before, or came after its case was over. */
  async residue(mark: string): Promise<Snapshot> {
    const fromStart = mark.length + 4;
    return (await this.inside(null)).filter(({ path }) => {
      if (this.#first.has(path)) return false;
      const at = path.indexOf(mark);
      if (at < 0) return true;
      return this.#closed.has(path.slice(at, at + fromStart));
    });
  }

  /** Leaves a directory of the user's without the files of this run, whose names all begin with `mark`. */
  async clean(mark: string): Promise<void> {
    if (!this.#sandbox) await removeMarked(Buffer.from(this.path), mark, DEPTH);
  }

  /** How many bytes stand under names with the token. */
  stored(token: string): number {
    const root = Buffer.from(`${this.path}/`);
    return list(root)
      .filter((name) => escaped(name).includes(token))
      .map((name) => statOf(Buffer.concat([root, name])))
      .filter((entry) => entry !== null)
      .reduce((sum, { size }) => sum + Number(size), 0);
  }

  async remove(): Promise<void> {
    if (this.#sandbox) await fs.rm(this.#parent, { recursive: true, force: true });
  }

  /** Everything in the directory whose path contains the token; without a token everything. */
  async inside(token: string | null): Promise<Snapshot> {
    const wanted = (path: string): boolean => token === null || path.includes(token);
    return walk(Buffer.from(this.path), '', { wanted, leaves: this.#leaves }, DEPTH);
  }

  /**
   * What stands beside the directory: in a sandbox everything but the files of other cases, elsewhere only what carries
   * the token.
   */
  async outside(token: string | null): Promise<Snapshot> {
    const found: DiskEntry[] = [];
    const mark = token?.slice(0, RUN_MARK);
    const ofAnother = (path: string): boolean =>
      token !== null && mark !== undefined && path.includes(mark) && !path.includes(token);
    const inner = escaped(Buffer.from(basename(this.path)));
    for (const name of list(Buffer.from(this.#parent))) {
      const label = escaped(name);
      if (label === inner || ofAnother(label) || (!this.#sandbox && (token === null || !label.includes(token))))
        continue;
      const path = Buffer.concat([Buffer.from(`${this.#parent}/`), name]);
      const entry = await entryAt(path, `../${label}`);
      if (entry !== null) found.push(entry);
      if (this.#sandbox && entry?.kind === 'directory')
        found.push(
          ...(await walk(path, `../${label}/`, { wanted: (path) => !ofAnother(path), leaves: new Set() }, DEPTH)),
        );
    }
    return found;
  }

  /** What carries the token in the places that hostile names aim at. It is removed: nobody else's name has a token. */
  async elsewhere(token: string, cwd: string | null): Promise<Snapshot> {
    const roots = new Set([tmpdir(), homedir(), cwd ?? process.cwd(), '/'].map((root) => resolve(root)));
    roots.delete(resolve(this.path));
    roots.delete(resolve(this.#parent));
    const found: DiskEntry[] = [];
    for (const root of roots) {
      for (const name of list(Buffer.from(root))) {
        if (!escaped(name).includes(token)) continue;
        const path = Buffer.concat([Buffer.from(join(root, '/')), name]);
        const entry = await entryAt(path, escaped(path));
        if (entry !== null) found.push(entry);
        await fs.rm(path, { recursive: true, force: true });
      }
    }
    return found;
  }

  /** What stands under one name; null when nothing does. */
  async at(name: Buffer): Promise<DiskEntry | null> {
    return entryAt(Buffer.concat([Buffer.from(`${this.path}/`), name, Buffer.from(this.suffix)]), escaped(name));
  }

  /** What the server adds to names; `{suffix}` in a plant stands for it. */
  suffix = '';

  async plant(plants: readonly Plant[], variables: Variables): Promise<void> {
    for (const plant of plants) {
      const path = this.resolve(plant.at, variables);
      switch (plant.kind) {
        case 'file':
          await fs.writeFile(
            path,
            bufferOf(plant.bytes, variables),
            plant.mode === undefined ? {} : { mode: plant.mode },
          );
          break;
        case 'directory':
          await fs.mkdir(path);
          break;
        case 'symlink':
          await fs.symlink(fillTarget(plant.to, variables), path);
          break;
        case 'hard link':
          await fs.link(this.resolve(plant.to, variables), path);
          break;
        case 'fifo':
          execFileSync('mkfifo', [path]);
          break;
        case 'nothing':
          break;
      }
    }
  }

  /** Whether the plants stand as they were planted; the ones that may change are left out. */
  async unchanged(plants: readonly Plant[], variables: Variables): Promise<string | null> {
    for (const plant of plants) {
      const at = this.#fill(plant.at, variables);
      const entry = await entryAt(Buffer.from(this.resolve(plant.at, variables)), at);
      const problem = plantProblem(plant, entry, variables);
      if (problem !== null) return `${at} ${problem}`;
    }
    return null;
  }

  /** A path that a plant names: relative to the directory. */
  resolve(at: string, variables: Variables): string {
    return join(this.path, this.#fill(at, variables));
  }

  #fill(at: string, variables: Variables): string {
    return at.replaceAll('{t}', variables.t).replaceAll('{suffix}', this.suffix);
  }
}

function fillTarget(to: string, variables: Variables): string {
  return to
    .replaceAll('{t}', variables.t)
    .replaceAll('{suffix}', variables.suffix ?? '')
    .replaceAll('{tmp}', tmpdir())
    .replaceAll('{beside}', variables.beside ?? '');
}

function plantProblem(plant: Plant, entry: DiskEntry | null, variables: Variables): string | null {
  if ('mayChange' in plant) return null;
  if (plant.kind === 'nothing') return entry === null ? null : `appeared ${kindAndSize(entry)}`;
  if (entry === null) return 'stood there before and is gone';
  const kinds = {
    file: 'file',
    'hard link': 'file',
    directory: 'directory',
    symlink: 'symlink',
    fifo: 'other',
  } as const;
  if (entry.kind !== kinds[plant.kind]) return `was a ${plant.kind} and is now a ${entry.kind}`;
  if (plant.kind === 'file') {
    const content = createHash('sha256').update(bufferOf(plant.bytes, variables)).digest('hex');
    if (entry.sha256 !== content) return `has other bytes than before (${entry.size} now)`;
  }
  if (plant.kind === 'symlink' && entry.target !== fillTarget(plant.to, variables)) return 'points elsewhere';
  return null;
}
