/** HTTP PUT with undici: a stream for each file, a pool of connections. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Pool } from 'undici';
import { drive, forEach } from './driver.mjs';

await drive(async ({ host, port, concurrency, files }) => {
  const pool = new Pool(`http://${host}:${port}`, { connections: concurrency, bodyTimeout: 0, headersTimeout: 0 });
  await forEach(files, concurrency, async (path) => {
    const { size } = await stat(path);
    const { statusCode, body } = await pool.request({
      method: 'PUT',
      path: `/${basename(path)}`,
      headers: { 'content-length': String(size) },
      body: createReadStream(path),
    });
    if (statusCode !== 201) throw new Error(`HTTP ${statusCode}`);
    await body.dump();
  });
  await pool.close();
});
