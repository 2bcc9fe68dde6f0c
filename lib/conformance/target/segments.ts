/**
 * In how many segments the bytes of a connection came: `tcpi_data_segs_in` of TCP_INFO (linux/tcp.h, since 4.6), which
 * Node cannot ask for. The socket is lent to a child that can: perl is nearly everywhere, python3 often.
 */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** Offset of `tcpi_data_segs_in` in `struct tcp_info`. */
const OFFSET = 152;

// IPPROTO_TCP is 6, TCP_INFO 11; the socket is descriptor 3.
const PROGRAMS = [
  ['perl', '-e', 'open(S, "+<&=3") or exit 1; print unpack("H*", getsockopt(S, 6, 11))'],
  ['python3', '-c', 'import socket; print(socket.socket(fileno=3).getsockopt(6, 11, 256).hex())'],
] as const;

/** Null where nobody can tell. */
export async function segmentsReceived(socket: Socket): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  for (const [command, ...args] of PROGRAMS) {
    const info = Buffer.from((await outputOf(command, args, socket)).trim(), 'hex');
    // Node stops reading from a socket that it lends.
    socket.resume();
    if (info.length >= OFFSET + 4) return info.readUInt32LE(OFFSET);
  }
  return null;
}

function outputOf(command: string, args: readonly string[], socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore', socket] });
    let output = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      output += bytes.toString('latin1');
    });
    child.on('error', () => resolve(''));
    child.on('close', () => resolve(output));
  });
}
