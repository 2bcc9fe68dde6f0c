/** What somebody may have meant who wrote what is not there. */

/** How many letters must be put in, left out or changed (Levenshtein); two that changed places are one change. */
export function distance(a: string, b: string): number {
  let before: readonly number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          (above[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (above[j - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (before[j - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    before = above;
    above = row;
  }
  return above[b.length] ?? 0;
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
