/** The bytes and the steps of a case in words. */
import { plural } from '../../plural.js';
import { escaped, type Bytes, type Part } from './bytes.js';
import type { Cut, FileChange, Pace, Step } from './case.js';

function part(one: Part): string {
  switch (one.kind) {
    case 'hex':
      return one.hex.length > 96 ? `${one.hex.length / 2} bytes, ${spaced(one.hex.slice(0, 32))} …` : spaced(one.hex);
    case 'text': {
      const bytes = Buffer.from(one.text);
      return bytes.length > 80
        ? `"${escaped(bytes.subarray(0, 60))}…" (${plural(bytes.length, 'byte')})`
        : `"${escaped(bytes)}"`;
    }
    case 'random':
      return `${one.length} random bytes`;
    case 'repeat':
      return `${plural(one.length, 'byte')}, ${spaced(one.hex)} over and over`;
    case 'repeat less suffix':
      return `${plural(one.length, 'byte')} less the length of the server's suffix, ${spaced(one.hex)} over and over`;
    case 'share of free space':
      return `${one.percent} % of the space that is free, in 8 bytes`;
  }
}

function spaced(hex: string): string {
  return hex.replace(/(..)(?=.)/g, '$1 ');
}

export function describeBytes(bytes: Bytes): string {
  return bytes.length === 0 ? 'nothing' : bytes.map(part).join(', then ');
}

function cut(how: Cut | undefined): string {
  if (how === undefined) return ' in one piece';
  return 'at' in how ? `, cut after byte ${how.at.join(', ')}` : `, in pieces of ${how.every}`;
}

function pace(how: Pace | undefined): string {
  return how === undefined ? '' : `, ${how.share} of its ${how.of} apart`;
}

function range(from: number | undefined, to: number | undefined): string {
  const place = (value: number): string => (value < 0 ? `${-value} before its end` : `byte ${value}`);
  if (from === undefined) return to === undefined ? 'the whole body' : `the body up to ${place(to)}`;
  return to === undefined ? `the body from ${place(from)}` : `the body from ${place(from)} to ${place(to)}`;
}

function changed(how: FileChange): string {
  switch (how.kind) {
    case 'append':
      return `append ${describeBytes(how.bytes)} to the file`;
    case 'truncate':
      return `cut the file to ${plural(how.to, 'byte')}`;
    case 'rewrite':
      return `change the file at byte ${how.at}: ${describeBytes(how.bytes)}`;
    case 'remove':
      return 'remove the file';
    case 'replace':
      return `put another file in its place: ${describeBytes(how.bytes)}`;
  }
}

export function describeStep(step: Step): string {
  switch (step.do) {
    case 'header':
      return `send size and name${cut(step.cut)}${step.hush === true ? '; between them nothing may come' : ''}${pace(step.pace)}`;
    case 'body':
      return `send ${range(step.from, step.to)}${step.cut === undefined ? '' : cut(step.cut)}`;
    case 'send':
      return `send ${describeBytes(step.bytes)}${step.cut === undefined ? '' : cut(step.cut)}`;
    case 'reply':
      return 'wait for the reply';
    case 'request':
      return 'wait for the header';
    case 'take':
      return step.to === undefined ? 'wait for the whole body' : `wait for ${range(undefined, step.to)}`;
    case 'silence':
      return 'for a while nothing may come, and the connection must stay open';
    case 'pause':
      return step.ms === undefined ? 'let a while pass' : `let ${step.ms} ms pass`;
    case 'finish':
      return 'close our side (FIN)';
    case 'reset':
      return 'reset the connection (RST)';
    case 'close':
      return 'close both sides without waiting';
    case 'stop reading':
      return 'stop reading, so that the window fills';
    case 'resume reading':
      return 'read again';
    case 'ended':
      return step.after === undefined
        ? 'wait until the target ends the connection'
        : `wait until the target ends the connection, after its ${step.after}`;
    case 'signal':
      return `let those go on that wait for "${step.name}"`;
    case 'await':
      return `wait for "${step.name}"`;
    case 'meet':
      return 'wait until every copy of this connection is here';
    case 'look':
      return 'what stands under the final name must still be what stood there before, or nothing';
    case 'change file':
      return changed(step.how);
    case 'signal client':
      return `send ${step.signal} to the client`;
    case 'still running':
      return 'after a while the client must still run';
    case 'exited':
      return `the client must exit before its ${step.after}`;
    case 'count segments':
      return 'ask the kernel in how many segments the bytes have come';
  }
}
