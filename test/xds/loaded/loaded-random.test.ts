/** Pushes, failures on any thread, open requests, crashes and VMs of others in any order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LoadedStory } from './loaded-story.ts';

type Step = (story: LoadedStory) => void;

const slot = fc.constantFrom('s', 't');
const content = fc.constantFrom('', 'a@1', 'a@2', 'a@1:m', 'a@2:m', 'a@1 b@1', 'b@1 a@2', 'b@2', 'a@3:n b@1');
const failsOn = fc.constantFrom([], [], [], [1], [2], [1, 2], [0, 1, 2]);

const push = fc.tuple(slot, content, fc.boolean(), failsOn).map(
  ([name, text, warm, threads]): Step =>
    story =>
      story.push(name, text, { warm, failsOn: threads }),
);
const flushes = fc.integer({ min: 1, max: 4 }).map(
  (count): Step =>
    story =>
      story.flushes(count),
);
const request = fc.tuple(fc.boolean(), fc.nat(1)).map(
  ([begins, worker]): Step =>
    ({ vms }) =>
      begins ? vms.beginRequest(worker) : vms.endRequest(),
);
const foreign = fc.integer({ min: -2, max: 2 }).map(
  (count): Step =>
    ({ vms }) =>
      vms.foreign(count),
);
const crash = fc.tuple(fc.nat(2), fc.boolean()).map(
  ([thread, isMadeAgain]): Step =>
    ({ vms }) =>
      vms.crash(thread, isMadeAgain),
);
const refusal = fc.tuple(slot, content).map(
  ([name, text]): Step =>
    story =>
      story.refuse(name, text),
);
const drop = slot.map(
  (name): Step =>
    story =>
      story.drop(name),
);
const reconnect = fc.constant<Step>(story => story.reconnect());

const step = fc.oneof(
  { weight: 8, arbitrary: push },
  { weight: 10, arbitrary: flushes },
  { weight: 3, arbitrary: request },
  ...[foreign, crash, refusal, drop, reconnect].map(arbitrary => ({ weight: 1, arbitrary })),
);

test('nothing is held for proven that does not run on every thread', () => {
  let proofs = 0;
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 30, size: 'max' }), (fresh, steps) => {
      const story = new LoadedStory({ fresh });
      for (const take of steps) {
        take(story);
        const { count, wrong } = story.takeProven();
        proofs += count;
        assert.deepEqual(wrong, []);
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(proofs > 100, `${proofs} proofs`);
});
