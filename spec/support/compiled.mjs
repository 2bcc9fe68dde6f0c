// Lets Node run what `npm run types` compiled of lib/ and spec/, under the names of the sources: no spec waits for a
// compiler. tap loads it into every process that it starts.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import processOnSpawn from 'process-on-spawn';

const ROOT = new URL('../../', import.meta.url).href;
const COMPILED = new URL('.tap/compiled/', ROOT);
const sources = [`${ROOT}lib/`, `${ROOT}spec/`];
/** What only a program that asks somebody outside needs, and which only the specs that start one give to it. */
export const outside = { NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS };
/** The compiler dates this file anew whenever it has looked at all sources, and a compiled one only when it differs. */
const looked = statSync(new URL('spec.tsbuildinfo', COMPILED), { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (isMainThread) {
  register(import.meta.url);
  // The programs that a spec starts are those that people have: without what tap adds to each of them, by its listener and
  // by the environment. It would double the time of a start.
  processOnSpawn.removeAllListeners();
  delete process.env.NODE_OPTIONS;
  // Node reads the certificates that this names at each start, which takes it longer than all else that it does there.
  delete process.env.NODE_EXTRA_CA_CERTS;
}

/** Of a URL without its query, which tap's mocks add. */
const isSource = (url) => url.endsWith('.ts') && sources.some((source) => url.startsWith(source));

/** Imports name the file that is to be: `x.js`, where there is no such file, stands for `x.ts`. */
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (missing) {
    const url = String(missing.url).replace(/\.js(?=\?|$)/, '.ts');
    const [plain] = url.split('?');
    if (isSource(plain) && existsSync(fileURLToPath(plain))) return { url, format: 'module', shortCircuit: true };
    throw missing;
  }
}

export async function load(url, context, next) {
  const [source] = url.split('?');
  if (!isSource(source)) return next(url, context);
  const file = new URL(source.slice(ROOT.length).replace(/ts$/, 'js'), COMPILED);
  if (!existsSync(file) || statSync(new URL(source)).mtimeMs > looked) {
    throw new Error(`${source} is newer than what was compiled of it: npm run types`);
  }
  return { format: 'module', source: mappedTo(url, readFileSync(file, 'utf8')), shortCircuit: true };
}

const MAP = /(?<=^\/\/# sourceMappingURL=data:application\/json;base64,).*$/m;

/** The map leads from where the compiled file lies to its source; here both go by one name. */
function mappedTo(url, source) {
  return source.replace(MAP, (base64) => {
    const map = JSON.parse(Buffer.from(base64, 'base64').toString());
    return Buffer.from(JSON.stringify({ ...map, sources: [url] })).toString('base64');
  });
}
