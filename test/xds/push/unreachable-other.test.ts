/** A plugin that a node cannot fetch holds up no other one of its chain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toVersion } from '../../../src/xds/push/attempt.ts';
import { SlotStory, toContent } from './slot-story.ts';

/** ACKs what is pushed for so long, but for what holds one of these: that is missed, and its download fails. */
function run(story: SlotStory, ms: number, ...lost: readonly string[]): readonly string[] {
  const acked: string[] = [];
  for (const end = story.now + ms; story.now < end; ) {
    const due = story.push();
    const missed = lost.find(it => due.includes(it));
    if (due === 'nothing') {
      if (!story.sleep()) break;
    } else if (missed === undefined) {
      acked.push(due);
      story.pass(5).ack();
    } else {
      const fail = story.get(missed);
      story.pass(5).nack(missed.split('@')[0] ?? '');
      fail('failed');
    }
  }
  return acked;
}

/** Revision 2 of both was rolled out; that of b cannot be fetched, and a goes back. */
const undone = (): SlotStory => SlotStory.accepted('a@2 b@1').want('a@1 b@2', 'a@1 b@1');

test('a plugin goes back although another of its chain cannot be fetched: what serves is healed first', () => {
  const story = undone();
  assert.deepEqual(run(story, 900, 'b@2'), ['verdict a@2 b@1', 'verdict a@1 b@1']);
  assert.match(story.state.blocked.get(toContent('a@1 b@2').contentHash)?.message ?? '', /did not complete/);
  run(story, 3_600_000, 'b@2');
  assert.equal(story.state.accepted?.contentHash, toContent('a@1 b@1').contentHash, 'and stays so');
  assert.equal(run(story, 120_000).at(-1), 'verdict a@1 b@2', 'until it can be fetched');
});

test('a plugin moves on although another of its chain cannot be fetched', () => {
  const story = SlotStory.accepted('a@1 b@1').want('a@2 b@2', 'a@1 b@1');
  assert.deepEqual(run(story, 900, 'b@2'), ['verdict a@1 b@1', 'verdict a@2 b@1']);
});

test('so it is on a node that does not reach the module port at all', () => {
  const story = undone();
  assert.equal(story.push(), 'verdict a@1 b@2');
  story.nack('b').pass(1001);
  assert.equal(story.push(), 'probe');
  story.nack('probe').pass(1001);
  assert.equal(story.push(), 'verdict a@2 b@1');
  assert.equal(story.ack().push(), 'verdict a@1 b@1');
});

test('all whose downloads failed stay, and those that share a module', () => {
  const story = SlotStory.accepted('a@1 b@1 c@1 d@1').want('a@2:m b@2:m c@2 d@2', 'a@1 b@1 c@1 d@1');
  assert.equal(story.push(), 'verdict a@2 b@2 c@2 d@2');
  const ends = [story.get('a@2:m'), story.get('c@2')];
  story.nack('a');
  for (const end of ends) end('failed');
  assert.equal(story.push(), 'verdict a@1 b@1 c@1 d@1');
  assert.equal(story.ack().push(), 'verdict a@1 b@1 c@1 d@2');
});

test('where one is refused and another cannot be fetched, the rest goes on without both', () => {
  const story = SlotStory.accepted('a@1 b@1 c@1').want('a@2 b@2 c@2', 'a@1 b@1 c@1');
  story.push();
  story.refuse('a');
  assert.deepEqual(run(story, 900, 'b@2'), [
    'verdict a@1 b@1 c@1',
    'verdict a@1 b@1 c@1',
    'verdict a@1 b@1 c@2',
  ]);
});

test('a plugin of which nobody knows what was accepted does not go with it', () => {
  const story = new SlotStory().want('a@1 b@2', 'a@1 b@1');
  story.subscribe({ version: toVersion('of another time', 'verdict') });
  assert.deepEqual(new Set(run(story, 600_000, 'b@2')), new Set(['verdict a@1 b@1']));
});
