import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:net';

/*
 * When a process is killed, the kernel closes its connections: with a FIN, where nothing is left unread. To a sender that is
 * the receipt (7.5), whether or not the file has its name. With SO_LINGER on and at zero seconds (socket(7)) every close is a
 * reset, the kernel's own too, unless both sides have sent their FIN before. An accepted socket has the option from its
 * listener. That is so on Linux, and has been seen nowhere else.
 *
 * Node has no call for it, but `resetAndDestroy` sets it on the way to its close (`uv_tcp_close_reset`, src/unix/tcp.c). The
 * option is one of the socket, not of the descriptor: so a child process does that to a descriptor of its own for our
 * listener, which stays open and keeps the option. The one undocumented name is the `_handle` of the server, for its number.
 */
const RESET = "new (require('node:net').Socket)({ fd: 3, readable: false, writable: false }).resetAndDestroy()";

/** Whether a listener can be made to reset what it has accepted when the process is killed. */
export const RESETS_IF_KILLED = process.platform === 'linux';

/**
 * Makes the kernel reset the connections that the server will accept, should this process die without closing them. A close
 * of ours must then wait for TCP: see `delivered-close.ts`.
 *
 * @returns the reason why it could not, or undefined
 */
export async function resetIfKilled(listener: Server): Promise<unknown> {
  const handle: unknown = Reflect.get(listener, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  // A worker of node:cluster whose primary accepts for it has no descriptor.
  if (typeof fd !== 'number' || fd < 0) return new Error('the listening socket has no descriptor in this process');
  try {
    // What the environment has Node load or write besides is not for this one.
    const unset = { NODE_OPTIONS: '', NODE_V8_COVERAGE: '', NODE_EXTRA_CA_CERTS: '' };
    const env = { ...process.env, ...unset, ELECTRON_RUN_AS_NODE: '1' };
    const child = spawn(process.execPath, ['-e', RESET], { env, stdio: ['ignore', 'ignore', 'ignore', fd] });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    return code === 0 ? undefined : new Error(`the child process ended with ${String(signal ?? code)}`);
  } catch (reason) {
    return reason;
  }
}
