/** ftp-srv, anonymous, passive data connections on loopback. usage: DIR */
import { createRequire } from 'node:module';
import FtpServer from 'ftp-srv';
import { print } from './driver.mjs';

const [directory = '.'] = process.argv.slice(2);

// ftp-srv logs every command through bunyan unless it is given another logger.
const bunyan = createRequire(createRequire(import.meta.url).resolve('ftp-srv'))('bunyan');
const ftp = new FtpServer({
  url: 'ftp://127.0.0.1:0',
  pasv_url: '127.0.0.1',
  anonymous: true,
  log: bunyan.createLogger({ name: 'ftp', level: bunyan.FATAL + 1 }),
});
ftp.on('login', (_login, resolve) => resolve({ root: directory }));
await ftp.listen();
print({ event: 'listening', port: ftp.server.address().port });
