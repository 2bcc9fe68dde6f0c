/** What a process wrote last: one that fails alike in every case says it alike, and a reader wants it once. */
import { splitExit } from '../target/child.js';
import { countsAgainst, type Result } from './report.js';

/** Words of letters and digits: the names of files, which no two cases share. */
const NAME = /\S*(?:\d\S*[a-z]|[a-z]\S*\d)\S*/gi;

export class LastWords {
  /** What was said without the names, and the case in which it was first. */
  readonly #told = new Map<string, string>();

  /** Of a failure whose last words were told before, where they were. */
  once(result: Result): Result {
    const { id, evidence } = result;
    if (evidence.process === undefined || !countsAgainst(result)) return result;
    const { how, stderr } = splitExit(evidence.process);
    if (stderr === null) return result;
    const alike = `${how}\n${stderr.replace(NAME, '')}`;
    const first = this.#told.get(alike);
    if (first === undefined) {
      this.#told.set(alike, id);
      return result;
    }
    return { ...result, evidence: { ...evidence, process: `${how}; stderr ends as in ${first}` } };
  }
}
