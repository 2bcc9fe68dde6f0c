/** What `npm run build` makes, for the specs that start it. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const LIB = path('../../lib');

/** The command line. */
export const MAIN = path('../../dist/cli/main.js');

function isOld(): boolean {
  const built = statSync(MAIN).mtimeMs;
  const sources = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return sources.some((file) => statSync(join(LIB, file)).mtimeMs > built);
}

/** What `skip` of a test takes. */
export const notBuilt: string | false =
  existsSync(MAIN) && !isOld() ? false : 'what is built is not of these sources: npm run build';
