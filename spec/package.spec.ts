import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { outside } from './support/compiled.mjs';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');

/** The fenced blocks of one language in a Markdown file. */
function blocks(file: string, language: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1] ?? '');
}

const TYPESCRIPT_CONSUMER = `
import { conformServer, createServer, Framer, GoAheadError, send, type ErrorCode, type Receipt, type Report, type Transport } from 'go-ahead';
const framer = new Framer();
framer.on('header', ({ size, name }) => { const s: bigint = size; const n: string = name; void s; void n; });
// @ts-expect-error there is no such event
framer.on('headers', () => undefined);
// @ts-expect-error the size is a bigint
framer.on('header', ({ size }) => { const s: number = size; void s; });
const code: ErrorCode = 'BODY_OVERRUN';
// @ts-expect-error there is no such code
const wrong: ErrorCode = 'NO_SUCH_CODE';
const server = createServer({ directory: '.', onConflict: 'refuse' });
server.on('stored', (upload, stored) => { const name: string | undefined = upload.name; void name; void stored.size; });
server.on('failed', (_, error) => { const e: GoAheadError = error; void e.code; });
const receipt: Promise<Receipt> = send('x', { port: 1, onProgress: (sent: bigint) => void sent });
declare const transport: Transport;
const report: Promise<Report> = conformServer({ exec: 'server {port} {dir}', profile: 'classic' });
// @ts-expect-error there is no such profile
void conformServer({ profile: 'easy' });
void [report, code, wrong, receipt, transport];
`;

t.test('the packed tarball, installed in an empty folder', async (t) => {
  // Outside the repository: what the package does not bring itself must not be found further up.
  const folder = mkdtempSync(join(tmpdir(), 'go-ahead-package-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'app'));
  writeFileSync(join(folder, 'app', 'package.json'), '{"private":true,"type":"module"}');
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
  });
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  const tarball = join(folder, packed.filename);
  const app = join(folder, 'app');

  await t.test('holds what users need and nothing else', async (t) => {
    const paths = packed.files.map((file) => file.path);
    for (const path of [
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'package.json',
      'dist/index.js',
      'dist/index.d.ts',
      'docs/protocol.md',
      'docs/report.schema.json',
    ]) {
      t.ok(paths.includes(path), path);
    }
    t.same(
      paths.filter((path) => !/^(dist|docs)\/|^(README|CHANGELOG)\.md$|^LICENSE$|^package\.json$/.test(path)),
      [],
    );
  });

  await t.test('publint and attw have nothing to say', async (t) => {
    await t.resolves(run(join(bin, 'publint'), ['run', tarball, '--strict']));
    // The profile is in .attw.json, which is looked for where attw is started.
    await t.resolves(run(join(bin, 'attw'), [tarball], { cwd: root }));
  });

  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], {
    cwd: app,
    env: { ...process.env, ...outside },
  });

  await t.test('the example of the README runs in plain JavaScript', async (t) => {
    const [example] = blocks('README.md', 'js');
    writeFileSync(join(app, 'report.pdf'), 'a report');
    writeFileSync(join(app, 'readme.js'), example ?? '');
    const result = await run(process.execPath, ['readme.js'], { cwd: app });
    t.match(result.stdout, /^127\.0\.0\.1:\d+ sent report\.pdf, 8 bytes\nconfirmed after \d+ ms\n$/);
    t.equal(readFileSync(join(app, 'inbox', 'report.pdf'), 'utf8'), 'a report');
  });

  await t.test('the examples of docs/integrating.md run', async (t) => {
    const [framer, session] = blocks('docs/integrating.md', 'js');
    writeFileSync(join(app, 'framer.js'), framer ?? '');
    writeFileSync(join(app, 'session.js'), session ?? '');
    t.equal(
      (await run(process.execPath, ['framer.js'], { cwd: app })).stdout,
      'notes.txt has 5 bytes\n3 bytes of it\n2 bytes of it\nthat was the last byte\n',
    );
    t.equal(
      (await run(process.execPath, ['session.js'], { cwd: app })).stdout,
      'stored notes.txt, 5 bytes\nconfirmed\n',
    );
  });

  await t.test('CommonJS can require it', async (t) => {
    const script = "console.log(typeof require('go-ahead').createServer)";
    const result = await run(process.execPath, ['--no-warnings', '--input-type=commonjs', '-e', script], { cwd: app });
    t.equal(result.stdout, 'function\n');
  });

  await t.test('the command is installed', async (t) => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    t.match((await run(join(app, 'node_modules', '.bin', 'go-ahead'), ['--version'])).stdout, version);
  });

  // The compiler that most users have, whose two ways to resolve attw has tried above, and its successor.
  for (const [moduleResolution, module, compiler] of [
    ['nodenext', 'nodenext', 'tsc'],
    ['bundler', 'esnext', 'tsgo'],
  ] as const) {
    await t.test(`TypeScript users compile against it (${moduleResolution}, ${compiler})`, async (t) => {
      const compilerOptions = {
        module,
        moduleResolution,
        target: 'es2022',
        lib: ['es2023', 'esnext.disposable'],
        strict: true,
        noEmit: true,
        types: ['node'],
        typeRoots: [join(root, 'node_modules', '@types')],
      };
      writeFileSync(join(app, 'consumer.ts'), TYPESCRIPT_CONSUMER);
      writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
      const compiled = await run(join(bin, compiler), ['-p', app], { cwd: app }).then(
        ({ stdout }) => stdout,
        (error: unknown) => error,
      );
      t.equal(compiled, '');
    });
  }
});

/** Every import of every source file: [file, specifier]. */
function imports(folder: string): [string, string][] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .flatMap((file) => {
      const text = readFileSync(join(root, folder, file), 'utf8');
      const found = text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*)'([^']+)'/g);
      return [...found].map((match): [string, string] => [file, match[1] ?? '']);
    });
}

t.test('the folders of lib/ use only those above them', async (t) => {
  const order = ['', 'wire', 'disk', 'storage', 'sources', 'session', 'net', 'conformance', 'cli'];
  const rank = (path: string): number => order.indexOf(path.includes('/') ? (path.split('/')[0] ?? '') : '');
  let checked = 0;
  for (const [file, specifier] of imports('lib')) {
    if (!specifier.startsWith('.') || file === 'index.ts') continue;
    const target = join(file, '..', specifier);
    checked += 1;
    t.ok(rank(file) >= 0 && rank(target) <= rank(file), `lib/${file} uses ${specifier}`);
    if (rank(file) === order.indexOf('conformance')) {
      // It judges implementations, ours among them, so it must not share their mistakes.
      t.notMatch(
        target,
        /^(session|net|storage|sources|disk|wire)\//,
        `lib/${file} shares nothing with what it judges`,
      );
    }
    if (file.startsWith('wire/') || file.startsWith('session/'))
      t.notMatch(specifier, /^node:(?!events)/, `lib/${file} does no IO`);
  }
  t.ok(checked > 50, 'the imports were found');
});

/** What of the repository is loaded with a file: what the compiler does not erase; with `later` also by import(). */
function reached(start: readonly string[], later = false): Set<string> {
  const atOnce = /^(?:im|ex)port (?!type )(?:[^;]*? from )?'(\.[^']+)';/gms;
  const asked = /\b(?:import|mockImport)(?:<.*?>)?\(\s*'(\.[^']+)'/gs;
  const found = new Set<string>();
  const visit = (file: string): void => {
    if (found.has(file)) return;
    found.add(file);
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, specifier = ''] of [...text.matchAll(atOnce), ...(later ? text.matchAll(asked) : [])]) {
      const next = join(file, '..', specifier.replace(/\.js$/, '.ts'));
      if (next.endsWith('.ts')) visit(next);
    }
  };
  for (const file of start) visit(file);
  return found;
}

t.test('every spec is run, and run once', async (t) => {
  const { tap } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { tap: { include: string[] } };
  const [top, rooms = '', ...more] = tap.include;
  t.strictSame([top, more], ['spec/*.spec.ts', []]);
  const listed = /^spec\/\{([\w,]+)\}\/\*\.spec\.ts$/.exec(rooms)?.[1]?.split(',') ?? [];
  const all = readdirSync(join(root, 'spec'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.spec.ts'))
    .map((file) => join('spec', file));
  const folders = ['spec', ...listed.map((room) => join('spec', room))];
  const files = all.filter((file) => folders.includes(dirname(file)));
  const started = files.flatMap((file) => [...reached([file])].filter((one) => one.endsWith('.spec.ts')));
  t.strictSame(started.sort(), all.sort());
});

t.test('coverage counts every file: each is loaded by a spec', async (t) => {
  const files = (folder: string, end: RegExp): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => end.test(file))
      .map((file) => join(folder, file));
  // What has types only is erased.
  const code = /^(?:export )?(?:async )?(?:const|let|function|class|enum|for|await|if)\b/m;
  const counted = files('lib', /(?<!\.d)\.ts$/).filter((file) => code.test(readFileSync(join(root, file), 'utf8')));
  const loaded = reached(files('spec', /\.spec\.ts$/), true);
  t.ok(counted.length > 100);
  t.strictSame(
    counted.filter((file) => !loaded.has(file)),
    [],
  );
});

t.test('the suite and its cases are loaded by those who ask for them', async (t) => {
  t.ok(
    reached(['lib/conformance/conform-server.ts']).has('lib/conformance/cases/server/index.ts'),
    'the search finds cases',
  );
  const allowed = ['lib/conformance/lazy.ts'];
  for (const start of ['index.ts', 'cli/main.ts', 'cli/run.ts', 'cli/serve.ts', 'cli/send.ts', 'cli/demo.ts']) {
    const loaded = [...reached([`lib/${start}`])].filter(
      (file) => file.startsWith('lib/conformance/') && !allowed.includes(file),
    );
    t.same(loaded, [], start);
  }
  t.ok(reached(['lib/cli/run.ts']).has('lib/cli/conform-program.ts'), 'the command line itself is there');
});

t.test('a sender is not made to wait for what only others need', async (t) => {
  const loaded = reached(['lib/cli/run.ts', 'lib/cli/send.ts']);
  t.ok(loaded.has('lib/session/send-session.ts'), 'the search finds the session');
  for (const file of ['net/secure-stream.ts', 'wire/decode-header.ts', 'net/server.ts', 'storage/directory-storage.ts'])
    t.notOk(loaded.has(`lib/${file}`), file);
});

t.test('what is declared is what is used', async (t) => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object };
  const used = imports('lib')
    .map(([, specifier]) => specifier)
    .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'));
  t.same([...new Set(used)].sort(), Object.keys(dependencies).sort());
  const architecture = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  for (const name of Object.keys(dependencies)) t.ok(architecture.includes(`| \`${name}\` |`), `${name} has a reason`);
});

t.test('docs/architecture.md names every folder of lib/, and only files that are there', async (t) => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
  const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' });
  const folders = new Set(files.flatMap((file) => (file.includes('/') ? [file.slice(0, file.indexOf('/'))] : [])));
  for (const folder of folders) t.match(text, `| \`${folder}/\` |`, `${folder}/ has a row`);
  const named = [...text.matchAll(/`([\w/-]+\.ts)`/g)].map(([, name = '']) => name);
  t.ok(named.length > 20, 'the names were found');
  // Where a folder is clear from the line, only the file's own name stands there.
  for (const name of named)
    t.ok(
      files.some((file) => file === name || file.endsWith(`/${name}`)),
      `lib/${name}`,
    );
});

t.test('the public names are these', async (t) => {
  const names = Object.keys(await import('../lib/index.js')).sort();
  t.same(names, [
    'ClusterServer',
    'DEFAULT_PORT',
    'DirectoryStorage',
    'ERROR_CODES',
    'FileSource',
    'Framer',
    'GoAheadError',
    'MAX_HEADER_LENGTH',
    'MAX_NAME_LENGTH',
    'MAX_SIZE',
    'MemorySource',
    'MemoryStorage',
    'RECEIVE_TRANSITIONS',
    'REPLY',
    'ReceiveSession',
    'ReplyMatcher',
    'SEND_TRANSITIONS',
    'SendSession',
    'Server',
    'SocketTransport',
    'StreamSource',
    'conformClient',
    'conformServer',
    'createServer',
    'decodeHeader',
    'encodeHeader',
    'listenToEnd',
    'printable',
    'readPlainly',
    'send',
    'sendAll',
    'systemClock',
  ]);
});
