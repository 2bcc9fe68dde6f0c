/** What a target is able to do or has chosen to do, where the protocol leaves a choice: probed, or declared by its user. */

export interface Capabilities {
  /** `kept`: a plain name is stored as name plus suffix. `opaque`: under a name of the target's own. */
  readonly naming: 'kept' | 'opaque' | 'unknown';
  /** What becomes of `dir/name`. */
  readonly paths: 'last component' | 'refused' | 'other' | 'unknown';
  /** What becomes of a name that is taken. */
  readonly conflict: 'numbered' | 'replaced' | 'refused' | 'other' | 'unknown';
  /** Whether a second connection is served while the first one is open. */
  readonly concurrent: 'yes' | 'no' | 'unknown';
  /** Whether the process serves a second connection after the first. */
  readonly lasting: 'yes' | 'no' | 'unknown';
  /** When the target closes after the last byte: on its own, or only after the sender has. */
  readonly closes: 'on its own' | 'after the sender' | 'unknown';
}

/** Deadlines of the target in ms that nobody can probe in seconds. */
export type DeclaredTime = 'headerTimeout' | 'idleTimeout' | 'replyTimeout' | 'sendTimeout' | 'confirmTimeout';

/** What the user says of the target (`--declare`); it is not probed then. */
export interface Declared extends Partial<Capabilities>, Partial<Readonly<Record<DeclaredTime, number>>> {
  /** What the target adds to names. */
  readonly suffix?: string;
}

/** For each capability the values that the case makes sense with. */
export type Requirements = { readonly [K in keyof Capabilities]?: readonly Capabilities[K][] };

export const UNKNOWN: Capabilities = {
  naming: 'unknown',
  paths: 'unknown',
  conflict: 'unknown',
  concurrent: 'unknown',
  lasting: 'unknown',
  closes: 'unknown',
};

const MEANING: Readonly<Record<keyof Capabilities, string>> = {
  naming: 'names on disk',
  paths: 'names with a path',
  conflict: 'names that are taken',
  concurrent: 'several connections at a time',
  lasting: 'several connections in turn',
  closes: 'closing after the last byte',
};

const KEYS = ['naming', 'paths', 'conflict', 'concurrent', 'lasting', 'closes'] as const;

/** Which declaration of the user's excuses the target from a case, or null. */
export function excused(unless: Requirements | undefined, declared: Partial<Capabilities>): string | null {
  for (const key of KEYS) {
    const excuses: readonly string[] | undefined = unless?.[key];
    const chosen = declared[key];
    if (chosen !== undefined && excuses?.includes(chosen) === true)
      return `${MEANING[key]}: declared as "${chosen}", so this is the user's choice`;
  }
  return null;
}

/** Why a case does not apply, or null when it does. What is unknown gates nothing. */
export function gate(requirements: Requirements | undefined, capabilities: Capabilities): string | null {
  for (const key of KEYS) {
    const allowed: readonly string[] | undefined = requirements?.[key];
    const actual = capabilities[key];
    if (allowed && actual !== 'unknown' && !allowed.includes(actual)) {
      return `${MEANING[key]}: the case is for "${allowed.join('" or "')}", this target is "${actual}"`;
    }
  }
  return null;
}
