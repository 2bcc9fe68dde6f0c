/** What somebody may have meant who wrote what is not there. */

/** How many letters must be put in, left out or changed (Levenshtein); two that changed places are one change. */
export function distance(a: string, b: string): number {
  const known = new Map<number, number>();
  /** Between the first `i` letters of the one and the first `j` of the other. */
  function between(i: number, j: number): number {
    if (i === 0 || j === 0) return i + j;
    const at = i * (b.length + 1) + j;
    const before = known.get(at);
    if (before !== undefined) return before;
    const same = a[i - 1] === b[j - 1];
    const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
    const least = Math.min(
      between(i - 1, j) + 1,
      between(i, j - 1) + 1,
      between(i - 1, j - 1) + (same ? 0 : 1),
      swapped ? between(i - 2, j - 2) + 1 : Infinity,
    );
    known.set(at, least);
    return least;
  }
  return between(a.length, b.length);
}

/** Further than this share of its length a name was not meant. */
const FAR = 0.4;

/** The names that are nearest to `text`, of those that are near at all; those that end like it count as near. */
export function nearest(text: string, names: readonly string[], most = 3): readonly string[] {
  const wanted = text.toLowerCase();
  const last = wanted.slice(wanted.lastIndexOf('/') + 1);
  return names
    .map((name) => ({ name, far: distance(wanted, name), holds: last !== '' && name.includes(last) }))
    .filter(({ name, far, holds }) => holds || far <= FAR * Math.max(wanted.length, name.length))
    .sort((a, b) => a.far - b.far)
    .slice(0, most)
    .map(({ name }) => name);
}
