/** The words in which the scripts of the cases are written. */
import type { Bytes } from './bytes.js';
import type { DeclaredTime } from './capabilities.js';
import type { ClientStep, Cut, FileChange, Step } from './case.js';

export const header = (cut?: Cut): Step => (cut ? { do: 'header', cut } : { do: 'header' });
/** A header in pieces, each of which comes only after a silence. */
export const hushed = (cut: Cut): Step => ({ do: 'header', cut, hush: true });
/** A header so slow that each byte comes in time, and the whole does not. */
export const slowHeader = (of: DeclaredTime, share: number): Step => ({
  do: 'header',
  cut: { every: 1 },
  pace: { of, share },
});
export const body = (range: { from?: number; to?: number; cut?: Cut } = {}): Step => ({ do: 'body', ...range });
export const send = (bytes: Bytes, cut?: Cut): Step => (cut ? { do: 'send', bytes, cut } : { do: 'send', bytes });
export const reply: Step = { do: 'reply' };
export const request: Step = { do: 'request' };
export const take = (to?: number): Step => (to === undefined ? { do: 'take' } : { do: 'take', to });
export const silence: Step = { do: 'silence' };
export const pause = (ms?: number): Step => (ms === undefined ? { do: 'pause' } : { do: 'pause', ms });
export const finish: Step = { do: 'finish' };
export const reset: Step = { do: 'reset' };
export const close: Step = { do: 'close' };
export const stopReading: Step = { do: 'stop reading' };
export const resumeReading: Step = { do: 'resume reading' };
export const ended: Step = { do: 'ended' };
export const endedAfter = (after: DeclaredTime): Step => ({ do: 'ended', after });
export const signal = (name: string): Step => ({ do: 'signal', name });
export const awaiting = (name: string): Step => ({ do: 'await', name });
export const meet: Step = { do: 'meet' };
export const look: Step = { do: 'look' };
export const changeFile = (how: FileChange): Step => ({ do: 'change file', how });
export const signalClient = (name: Extract<ClientStep, { do: 'signal client' }>['signal']): Step => ({
  do: 'signal client',
  signal: name,
});
export const stillRunning: Step = { do: 'still running' };
export const exitedAfter = (after: DeclaredTime): Step => ({ do: 'exited', after });
export const countSegments: Step = { do: 'count segments' };
