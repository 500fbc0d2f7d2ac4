import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeDirectory } from './actors.ts';
import { CollectionWorld, shaOf } from './collection-world.ts';

const module = fc.nat({ max: 7 });
const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant('pull' as const), module }) },
  { weight: 2, arbitrary: fc.constant({ what: 'undo' as const }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('delete' as const), purge: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('push' as const, 'plan' as const), module }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('pass' as const), hours: fc.constantFrom(1, 2, 30, 100) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('collect' as const),
      neededBytes: fc.constantFrom(0, 9, 1_000),
      removals: fc.constantFrom(0, 1, 2, 99),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ what: 'restart' as const }) },
  // Everything that was begun so far ends.
  { weight: 2, arbitrary: fc.constant({ what: 'settle' as const }) },
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** Two revisions, some bytes that nothing names and some in the registry, and a day later. */
const BEFORE: readonly Act[] = [
  { what: 'pull', module: 0 },
  { what: 'settle' },
  { what: 'pull', module: 1 },
  { what: 'settle' },
  ...[2, 3, 4, 5].map(module => ({ what: 'plan', module }) as const),
  ...[6, 7].map(module => ({ what: 'push', module }) as const),
  { what: 'settle' },
  { what: 'pass', hours: 30 },
  { what: 'settle' },
];

test('whatever is pulled, undone, deleted and pushed meanwhile: what is held is never deleted, crashes or not', async t => {
  const directory = await makeDirectory(t);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(act, { minLength: 4, maxLength: 30 }), async (gates, acts) => {
      const world = await CollectionWorld.open(gates, join(directory, `${runs++}`));
      let running: Promise<void>[] = [];
      const settle = async () => {
        await gates.waitFor(Promise.all(running));
        running = [];
      };
      const begin = async (one: Act): Promise<void> => {
        if (one.what === 'settle') return settle();
        if (one.what === 'restart') return settle().then(() => world.restart());
        const work = {
          pull: () => world.pull('module' in one ? one.module : 0),
          undo: () => world.undo(),
          pass: () => world.pass('hours' in one ? one.hours : 0),
          delete: () => world.delete('purge' in one && one.purge),
          push: () => world.push('module' in one ? one.module : 0),
          plan: () => world.plan('module' in one ? one.module : 0),
          collect: () =>
            'removals' in one ? world.collect(one.neededBytes, one.removals) : Promise.resolve(),
        }[one.what]();
        running.push(work);
      };
      for (const one of [...BEFORE, ...acts]) await begin(one);
      await settle();
      await world.check();
    }),
    { numRuns: 15 },
  );
});

test('what nobody names any more goes after a day, and all of it in the end', async t => {
  const directory = await makeDirectory(t);
  const instant = { schedule: <T>(task: Promise<T>) => task } as unknown as fc.Scheduler;
  const world = await CollectionWorld.open(instant, directory);
  const names = async () => (await readdir(join(directory, 'blobs', 'sha256'))).sort();
  await world.pull(1);
  await world.pull(2);
  await world.push(3);
  await world.pass(100);
  await world.collect(0, 99);
  assert.deepEqual(await names(), [shaOf(1), shaOf(2), shaOf(3)].sort());
  await world.delete(true);
  await world.store.delete('NodeVerdict', 'edge-1\nattache.last');
  await world.push(3);
  await world.collect(0, 99);
  assert.deepEqual(await names(), [shaOf(3)], 'what was used last stays for a day');
  await world.pass(100);
  await world.collect(0, 99);
  assert.deepEqual(await names(), []);
});
