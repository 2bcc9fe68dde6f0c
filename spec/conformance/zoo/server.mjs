// node server.mjs PORT DIR [--suffix S] [--header-timeout MS] [--idle-timeout MS] [--no-sync] [--defect NAME]
import { parseArgs } from 'node:util';
import { withMethods } from './defect.mjs';
import { Receiver, Server } from './receiver.mjs';
import { SERVER_DEFECTS } from './server-defects/index.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    suffix: { type: 'string', default: '' },
    'header-timeout': { type: 'string', default: '5000' },
    'idle-timeout': { type: 'string', default: '30000' },
    'no-sync': { type: 'boolean', default: false },
    defect: { type: 'string' },
  },
});
const [port, directory] = positionals;
const defect = values.defect === undefined ? {} : SERVER_DEFECTS[values.defect];
if (defect === undefined) throw new Error(`no such defect: ${values.defect}`);

const TheServer = withMethods(Server, defect.server);
const server = new TheServer({
  directory,
  suffix: values.suffix,
  headerTimeout: Number(values['header-timeout']),
  idleTimeout: Number(values['idle-timeout']),
  durable: !values['no-sync'],
  Receiver: withMethods(Receiver, defect.methods),
});
server.listen(Number(port));
