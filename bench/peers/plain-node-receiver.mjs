/** Plain Node: what a user would write. socket.on('data') into createWriteStream. usage: DIR */
import { createWriteStream, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { print } from './driver.mjs';

const [directory = '.'] = process.argv.slice(2);

/** @param {import('node:net').Socket} socket */
function receive(socket) {
  /** @type {import('node:fs').WriteStream | undefined} */
  let file;
  let path = '';
  let left = 0;

  socket.on('data', (chunk) => {
    if (file === undefined) {
      left = Number(chunk.readBigUInt64BE(0));
      path = join(directory, basename(chunk.toString('utf8', 8)));
      file = createWriteStream(path);
      file.on('error', () => socket.resetAndDestroy());
      file.on('finish', () => socket.end());
      socket.write('go ahead');
    } else {
      left -= chunk.length;
      if (!file.write(chunk)) {
        socket.pause();
        file.once('drain', () => socket.resume());
      }
    }
    if (left === 0) file.end();
  });
  socket.on('close', () => {
    if (left !== 0 && file !== undefined) rmSync(path, { force: true });
  });
  socket.on('error', () => file?.destroy());
}

const server = createServer({ allowHalfOpen: true }, receive);
server.listen(0, '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  print({ event: 'listening', port: address.port });
});
