import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import t from 'tap';
import { Crowd } from '../../lib/net/crowd.js';

t.test('who comes is there until he leaves', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), (steps) => {
      const crowd = new Crowd<{ place: number }>();
      const model: { place: number }[] = [];
      for (const step of steps) {
        const leaving = model[step];
        if (leaving === undefined) {
          const member = { place: 0 };
          crowd.add(member);
          model.push(member);
        } else {
          crowd.remove(leaving);
          model.splice(step, 1);
        }
        if (crowd.size !== model.length || new Set([...crowd, ...model]).size !== model.length) return false;
      }
      return true;
    }),
  );
});

t.test('members may leave while the crowd is looked through', async (t) => {
  const crowd = new Crowd<{ place: number }>();
  for (let index = 0; index < 5; index++) crowd.add({ place: 0 });
  let seen = 0;
  for (const member of crowd) {
    crowd.remove(member);
    seen += 1;
  }
  t.same([seen, crowd.size], [5, 0]);
});

t.test('who has left is collected with the young', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;
  type Heavy = { place: number; readonly load: readonly number[] };
  const crowd = new Crowd<Heavy>();
  const staying: Heavy[] = [];
  const held: number[] = [];
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let count = 0; count < 10_000; count++) {
    const member = { place: 0, load: new Array<number>(256).fill(count) };
    const leaving = staying[count % 64];
    staying[count % 64] = member;
    crowd.add(member);
    if (leaving !== undefined) crowd.remove(leaving);
    if (count % 500 !== 499) continue;
    collect({ type: 'minor' });
    held.push(process.memoryUsage().heapUsed - before);
  }
  // All of them have 20 MiB, those who stay 128 KiB. A Map or a Set holds nearly all.
  t.ok(Math.max(...held) < 4 * 2 ** 20, `${Math.max(...held)} bytes at most`);
});
