// node client.mjs FILE HOST PORT [--reply-timeout MS] [--send-timeout MS] [--confirm-timeout MS] [--defect NAME]
import { parseArgs } from 'node:util';
import { CLIENT_DEFECTS } from './client-defects/index.mjs';
import { withMethods } from './defect.mjs';
import { Sender } from './sender.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'reply-timeout': { type: 'string', default: '10000' },
    'send-timeout': { type: 'string', default: '10000' },
    'confirm-timeout': { type: 'string', default: '10000' },
    defect: { type: 'string' },
  },
});
const [path, host, port] = positionals;
const defect = values.defect === undefined ? {} : CLIENT_DEFECTS[values.defect];
if (defect === undefined) throw new Error(`no such defect: ${values.defect}`);

const TheSender = withMethods(Sender, defect.methods);
new TheSender({
  path,
  host,
  port: Number(port),
  replyTimeout: Number(values['reply-timeout']),
  sendTimeout: Number(values['send-timeout']),
  confirmTimeout: Number(values['confirm-timeout']),
}).run();
