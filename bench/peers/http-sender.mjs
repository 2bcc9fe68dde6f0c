/** HTTP PUT with node:http: a stream for each file, connections kept alive. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { drive, forEach } from './driver.mjs';

await drive(async ({ host, port, concurrency, files }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  await forEach(files, concurrency, async (path) => {
    const { size } = await stat(path);
    const put = request({ host, port, agent, method: 'PUT', path: `/${basename(path)}` });
    put.setHeader('content-length', size);
    const answered = once(put, 'response');
    await pipeline(createReadStream(path), put);
    const [response] = await answered;
    if (response.statusCode !== 201) throw new Error(`HTTP ${response.statusCode}`);
    response.resume();
    await once(response, 'end');
  });
  agent.destroy();
});
