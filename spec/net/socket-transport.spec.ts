import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { SocketTransport } from '../../lib/net/socket-transport.js';

/** A stream that takes everything, and whose other end says nothing. */
function stream(): Duplex {
  return new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => done(),
  });
}

t.test('close ends what has not ended, then destroys', async (t) => {
  const duplex = stream();
  const closed = once(duplex, 'close');
  new SocketTransport(duplex).close();
  t.notOk(duplex.destroyed, 'the end has still to go out');
  await closed;
  t.ok(duplex.writableFinished);
});

t.test('close does not end what has ended: Node would make an error of that, with its stack trace', async (t) => {
  const duplex = stream();
  const transport = new SocketTransport(duplex);
  transport.end();
  await once(duplex, 'finish');
  const ends = t.capture(duplex, 'end');
  transport.close();
  t.ok(duplex.destroyed);
  await turn();
  transport.close();
  t.strictSame(ends(), [], 'nor what is gone');
});
