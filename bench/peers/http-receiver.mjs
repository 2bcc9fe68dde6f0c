/** HTTP PUT into a file with node:http. usage: DIR */
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { print } from './driver.mjs';

const [directory = '.'] = process.argv.slice(2);

const server = createServer(async (request, response) => {
  try {
    await pipeline(request, createWriteStream(join(directory, basename(request.url ?? ''))));
    response.writeHead(201).end();
  } catch {
    response.destroy();
  }
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  print({ event: 'listening', port: address.port });
});
