/** A server in few lines that can be told to be odd. As a program: node small-server.mjs PORT DIR [JSON of the policy]. */
import { fork } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';

const GO_AHEAD = Buffer.from('676f206168656164', 'hex');

/** What becomes of a name; null refuses it, and '' takes the bytes and forgets them. */
function placeOf(
  name,
  dir,
  { prefix = '', suffix = '', paths = 'last component', conflict = 'numbered', refuses, forgets },
) {
  if (name.length > 255 || (refuses && name.includes(refuses))) return null;
  if (forgets && name.includes(forgets)) return '';
  if (name.includes('/') && paths !== 'last component') return paths === 'refused' ? null : '';
  const place = prefix + basename(name) + suffix;
  if (!existsSync(join(dir, place)) || conflict === 'replaced') return place;
  return { refused: null, other: '', numbered: `${place}.1` }[conflict];
}

/**
 * Policies: `prefix`, `suffix`, `paths`, `conflict`; `closes: 'after the sender'`; `serial`: one connection after the
 * other; `deaf`: after the nth connection nobody listens; `breaks`: from the nth on it hangs up; `stumbles`: it does so
 * on the nth; `refuses`, `forgets`: names with this in them; `frail`: a long name ends the process, as a name with "die"
 * in it does always; `late`: after a file with "late" in its name the process ends so many ms later. For the program also
 * `stubborn`: it is not ended by SIGTERM, and this file has its number; `worker`: a second process serves, and lives on
 * when a name with "leave" in it ends the first.
 */
export function smallServer(dir, policy) {
  let connections = 0;
  let before = Promise.resolve();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections += 1;
    if (connections === policy.deaf) server.close();
    const broken = connections >= policy.breaks || connections === policy.stumbles;
    const turn = before;
    if (policy.serial) before = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined);
    void turn.then(() => (broken ? socket.end() : receive(socket)));
  });
  function receive(socket) {
    let late = false;
    let [place, size, body, head] = [null, null, Buffer.alloc(0), Buffer.alloc(0)];
    const finish = () => {
      if (late) setTimeout(() => process.exit(70), policy.late);
      if (place) writeFileSync(join(dir, place), body);
      size = null;
      socket.end();
    };
    socket.on('end', () => {
      if (size !== null && body.length === size) finish();
      else socket.end();
    });
    socket.on('data', (bytes) => {
      if (size !== null) body = Buffer.concat([body, bytes]);
      else {
        head = Buffer.concat([head, bytes]);
        // Longer than the size, so whole: nobody here cuts a name.
        if (head.length <= 8) return;
        const name = head.subarray(8).toString();
        if (name.includes('die') || (policy.frail && name.length > 255)) process.exit(70);
        late = policy.late && name.includes('late');
        if (policy.worker && name.includes('leave')) process.send('leave');
        place = placeOf(name, dir, policy);
        if (place === null) return void socket.end();
        size = Number(head.readBigUInt64BE());
        socket.write(GO_AHEAD);
      }
      if (body.length === size && policy.closes !== 'after the sender') finish();
    });
  }
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const [port, dir, policy = '{}'] = process.argv.slice(2);
  const policies = JSON.parse(policy);
  if (policies.stubborn) {
    writeFileSync(policies.stubborn, `${process.pid}`);
    process.on('SIGTERM', () => undefined);
  }
  if (policies.worker && !process.send)
    fork(process.argv[1], [port, dir, policy]).on('message', () => process.exit(70));
  else smallServer(dir, policies).listen(Number(port), '127.0.0.1');
}
