/*
 * A connection without `net.Socket`: see `handle-connection.ts`. What the socket is made of is not documented: the object that
 * libuv's connection has in JavaScript (the handle), its methods, and a binding with which the two sides tell each other what a
 * call did. Nothing outside of this file knows their names. Where one of them is not as expected, there is a socket.
 */

/** The handle of a TCP connection. Statuses are 0, or the negative number of an error. */
export interface TcpHandle {
  /** Called after each read, as {@link StreamInternals.lastRead} tells. It returns the memory for the next one. */
  onread: (() => Uint8Array | undefined) | null;
  /** Reads into this memory, of which it keeps no reference. Once for each handle. */
  useUserBuffer(memory: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: StreamRequest, bytes: Uint8Array): number;
  /** 1 when it is done already. */
  shutdown(request: StreamRequest): number;
  close(closed: () => void): void;
  /** Close by RST. */
  reset(closed: () => void): number;
  getpeername(found: { address?: string; port?: number }): number;
}

/** What a call leaves behind until it is complete. */
export interface StreamRequest {
  oncomplete?: (status: number) => void;
  /** Kept until then. */
  bytes?: Uint8Array;
}

export interface StreamInternals {
  /** Bytes of the read that is being told of, or the negative number of an error, or {@link END_OF_STREAM}. */
  lastRead(): number;
  /** Whether the last write calls `oncomplete`; else it was complete when it returned. */
  lastWriteIsLater(): boolean;
  writeRequest(): StreamRequest;
  shutdownRequest(): StreamRequest;
}

/** UV__EOF (libuv, include/uv/errno.h). */
export const END_OF_STREAM = -4095;

const METHODS = [
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'shutdown',
  'close',
  'reset',
  'getpeername',
] as const satisfies readonly (keyof TcpHandle)[];

/** What handles inherit their methods from, once it was looked at: there is one handle for each connection. */
const known = new WeakSet();

export function isTcpHandle(handle: object): handle is TcpHandle {
  const prototype: unknown = Object.getPrototypeOf(handle);
  if (typeof prototype !== 'object' || prototype === null) return false;
  if (known.has(prototype)) return true;
  const isOne = 'onread' in prototype && METHODS.every((name) => typeof Reflect.get(prototype, name) === 'function');
  if (isOne) known.add(prototype);
  return isOne;
}

type RequestType = new () => StreamRequest;

function isRequestType(value: unknown): value is RequestType {
  return typeof value === 'function';
}

/**
 * What this Node has; undefined where that is not what is expected, or is forbidden (`--permission`).
 *
 * @param bindings `process.binding` (DEP0111): the only door to it
 */
export function streamInternals(bindings: unknown = Reflect.get(process, 'binding')): StreamInternals | undefined {
  let binding: unknown;
  try {
    binding = typeof bindings === 'function' ? Reflect.apply(bindings, process, ['stream_wrap']) : undefined;
  } catch {
    return undefined;
  }
  if (typeof binding !== 'object' || binding === null) return undefined;
  const state: unknown = Reflect.get(binding, 'streamBaseState');
  const readIndex: unknown = Reflect.get(binding, 'kReadBytesOrError');
  const laterIndex: unknown = Reflect.get(binding, 'kLastWriteWasAsync');
  const WriteRequest: unknown = Reflect.get(binding, 'WriteWrap');
  const ShutdownRequest: unknown = Reflect.get(binding, 'ShutdownWrap');
  if (!(state instanceof Int32Array) || typeof readIndex !== 'number' || typeof laterIndex !== 'number')
    return undefined;
  if (!isRequestType(WriteRequest) || !isRequestType(ShutdownRequest)) return undefined;
  return {
    lastRead: () => state[readIndex] ?? END_OF_STREAM,
    lastWriteIsLater: () => state[laterIndex] !== 0,
    writeRequest: () => new WriteRequest(),
    shutdownRequest: () => new ShutdownRequest(),
  };
}
