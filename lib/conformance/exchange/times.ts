/** How long the suite waits; all in ms, all from what was measured on the target. */
export interface Times {
  /** From the header to the reply of a control transfer. */
  readonly roundTrip: number;
  /** From a header that can be refused on sight to the close: what a wait of the target's does not lengthen. */
  readonly turnaround: number;
  /** Between two pieces that are to arrive as two; shorter than the quiet of a receiver (3.10). */
  readonly gap: number;
  /** How long nothing must come, until it counts as silence. Longer than the target's own settle time. */
  readonly quiet: number;
  /** How long what must come may take. */
  readonly patience: number;
  /** The longest a case may take in all. */
  readonly cap: number;
}

export interface Measured {
  readonly roundTrip: number;
  /** By default the round trip. */
  readonly turnaround?: number;
  /** From the last piece of a header in pieces to the reply; 0 when not measured. */
  readonly settle: number;
  /** From the last byte to the close, with the sender's side kept open; 0 when not measured. */
  readonly grace: number;
}

/** Before anything was measured. */
export const UNMEASURED: Times = { roundTrip: 0, turnaround: 0, gap: 10, quiet: 100, patience: 3000, cap: 10_000 };

/** The same with what the user asks for. */
export function unmeasured(patience = UNMEASURED.patience): Times {
  return { ...UNMEASURED, patience, cap: capOf(patience) };
}

function capOf(patience: number): number {
  return Math.max(UNMEASURED.cap, 3 * patience);
}

/**
 * A wait for what comes ends when it comes, so patience costs only where the target is at fault: it can be long, and a
 * loaded machine makes no false failure. Silence is paid by every case that asks for it, so quiet is short.
 */
export function calibrate(measured: Measured, patience?: number): Times {
  const { roundTrip, settle, grace } = measured;
  return {
    roundTrip,
    turnaround: measured.turnaround ?? roundTrip,
    gap: Math.min(15, Math.max(5, measured.turnaround ?? roundTrip)),
    quiet: Math.min(2000, Math.max(60, 3 * roundTrip, 1.5 * settle)),
    patience: patience ?? Math.min(6000, Math.max(1500, 20 * roundTrip, 6 * grace)),
    cap: capOf(patience ?? 0),
  };
}
