/** Plain Node: what a user would write. createReadStream(file).pipe(socket) after the reply. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename } from 'node:path';
import { drive, forEach } from './driver.mjs';

/**
 * @param {string} host
 * @param {number} port
 * @param {string} path
 */
async function send(host, port, path) {
  const { size } = await stat(path);
  const socket = connect({ host, port, allowHalfOpen: true });
  await once(socket, 'connect');
  const header = Buffer.alloc(8);
  header.writeBigUInt64BE(BigInt(size));
  socket.write(Buffer.concat([header, Buffer.from(basename(path))]));
  const [reply] = await once(socket, 'data');
  if (reply.toString() !== 'go ahead') throw new Error(`the reply was ${reply}`);
  const end = once(socket, 'end');
  createReadStream(path).pipe(socket);
  await end;
  if (socket.bytesWritten !== header.length + Buffer.byteLength(basename(path)) + size) throw new Error('closed early');
}

await drive(({ host, port, concurrency, files }) => forEach(files, concurrency, (file) => send(host, port, file)));
