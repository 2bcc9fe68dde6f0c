/** This library's client. */
import { sendAll } from '../../dist/index.js';
import { drive } from './driver.mjs';

await drive(async ({ host, port, concurrency, files }) => {
  const results = await sendAll(files, { host, port, concurrency });
  for (const result of results) if (result.kind === 'failed') throw result.error;
});
