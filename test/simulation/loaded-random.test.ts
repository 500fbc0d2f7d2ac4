/** Pushes, failures on any thread, open requests, crashes and VMs of others in any order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LoadedStory } from '../xds/loaded/loaded-story.ts';

/** What happens, and how the story of a failure tells it. */
interface Step {
  readonly text: string;
  readonly take: (story: LoadedStory) => void;
}

const slot = fc.constantFrom('s', 't');
const content = fc.constantFrom('', 'a@1', 'a@2', 'a@1:m', 'a@2:m', 'a@1 b@1', 'b@1 a@2', 'b@2', 'a@3:n b@1');
const failsOn = fc.constantFrom([], [], [], [1], [2], [1, 2], [0, 1, 2]);

const push = fc.tuple(slot, content, fc.boolean(), failsOn).map(
  ([name, what, warm, threads]): Step => ({
    text: `push ${name}: ${what}${warm ? ', warm' : ''}, fails on [${threads}]`,
    take: story => story.push(name, what, { warm, failsOn: threads }),
  }),
);
const flushes = fc
  .integer({ min: 1, max: 4 })
  .map((count): Step => ({ text: `${count} flushes`, take: story => story.flushes(count) }));
const request = fc.tuple(fc.boolean(), fc.nat(1)).map(
  ([begins, worker]): Step => ({
    text: begins ? `request on worker ${worker}` : 'a request ends',
    take: ({ vms }) => (begins ? vms.beginRequest(worker) : vms.endRequest()),
  }),
);
const foreign = fc
  .integer({ min: -2, max: 2 })
  .map((count): Step => ({ text: `${count} VMs of others`, take: ({ vms }) => vms.foreign(count) }));
const crash = fc.tuple(fc.nat(2), fc.boolean()).map(
  ([thread, isMadeAgain]): Step => ({
    text: `crash on ${thread}, ${isMadeAgain ? 'made again' : 'for good'}`,
    take: ({ vms }) => vms.crash(thread, isMadeAgain),
  }),
);
const refusal = fc
  .tuple(slot, content)
  .map(
    ([name, what]): Step => ({ text: `refuse ${name}: ${what}`, take: story => story.refuse(name, what) }),
  );
const drop = slot.map((name): Step => ({ text: `drop ${name}`, take: story => story.drop(name) }));
const reconnect = fc.constant<Step>({ text: 'reconnect', take: story => story.reconnect() });

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
      for (const { take } of steps) {
        take(story);
        const { count, wrong } = story.takeProven();
        proofs += count;
        assert.deepEqual(wrong, [], steps.map(({ text }) => text).join('\n'));
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(proofs > 50, `${proofs} proofs`);
});
