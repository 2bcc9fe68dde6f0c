/** This library's client. */
import { send } from '../../dist/index.js';
import { drive, forEach } from './driver.mjs';

await drive(({ host, port, concurrency, files }) => forEach(files, concurrency, (file) => send(file, { host, port })));
