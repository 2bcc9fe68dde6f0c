/** Which cases run, and in which order. */
import type { Case, Profile } from './case.js';
import { nearest } from './nearest.js';

export interface Selection {
  readonly profile: Profile;
  /** Ids or globs (`server/size/*`); empty for all. */
  readonly only: readonly string[];
  readonly skip: readonly string[];
  readonly quick: boolean;
}

function globToRegExp(glob: string): RegExp {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`);
}

export function matchesAny(id: string, globs: readonly string[]): boolean {
  return globs.some((glob) => globToRegExp(glob).test(id));
}

export function select<T extends Case>(cases: readonly T[], selection: Selection): readonly T[] {
  return cases.filter(
    ({ id, profiles, quick }) =>
      profiles.includes(selection.profile) &&
      (selection.only.length === 0 || matchesAny(id, selection.only)) &&
      !matchesAny(id, selection.skip) &&
      (!selection.quick || quick === true),
  );
}

/** Why nothing was selected, in a sentence without its full stop. */
export function whyNone(cases: readonly Case[], { profile, only }: Pick<Selection, 'profile' | 'only'>): string {
  const [first] = only;
  const none = 'No case was selected';
  if (first === undefined) return none;
  const named = cases.filter(({ id }) => matchesAny(id, only));
  const ids = cases.map(({ id }) => id);
  if (named.length > 0) {
    const others = named.every(({ profiles }) => !profiles.includes(profile));
    return others ? `${none}: ${only.join(', ')} is not in the profile ${profile}` : none;
  }
  const near = nearest(first, ids);
  const role = cases[0]?.role ?? 'server';
  return `${none}: no case for a ${role} is called ${first}${near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`}`;
}

/** mulberry32: a small generator whose whole state is the seed that the report prints. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffle<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** How many characters all tokens of a run have in common. */
export const RUN_MARK = 8;

/** Names that no two runs share, short enough for a name of 255 bytes, and never part of one another. */
export function tokens(random: () => number): () => string {
  const alphabet = 'abcdefghjkmnpqrstvwxyz';
  const run = Array.from({ length: 4 }, () => alphabet.charAt(Math.floor(random() * alphabet.length))).join('');
  let count = 0;
  return () => {
    count += 1;
    return `${run}${process.pid.toString(36).padStart(4, '0').slice(-4)}${count.toString(36).padStart(4, '0')}`;
  };
}
