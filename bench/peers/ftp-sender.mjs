/** basic-ftp: a control connection for each of the concurrent senders, a data connection for each file. */
import { basename } from 'node:path';
import { Client } from 'basic-ftp';
import { drive, forEach } from './driver.mjs';

await drive(async ({ host, port, concurrency, files }) => {
  const queue = files.values();
  const clients = Array.from({ length: Math.min(concurrency, files.length) }, () => new Client(0));
  await forEach(clients, clients.length, async (client) => {
    await client.access({ host, port, user: 'anonymous', password: 'x' });
    for (const path of queue) await client.uploadFrom(path, basename(path));
    client.close();
  });
});
