/** tus-js-client, the whole file in one request (its default). */
import { createReadStream } from 'node:fs';
import { Agent } from 'node:http';
import { basename } from 'node:path';
import tus from 'tus-js-client';
import { drive, forEach } from './driver.mjs';

await drive(async ({ host, port, concurrency, files }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const httpStack = new tus.DefaultHttpStack({ agent });
  await forEach(
    files,
    concurrency,
    (path) =>
      new Promise((resolve, reject) => {
        new tus.Upload(createReadStream(path), {
          endpoint: `http://${host}:${port}/files`,
          metadata: { filename: basename(path) },
          httpStack,
          retryDelays: null,
          storeFingerprintForResuming: false,
          onSuccess: resolve,
          onError: reject,
        }).start();
      }),
  );
  agent.destroy();
});
