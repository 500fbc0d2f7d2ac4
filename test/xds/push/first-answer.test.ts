import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotStory } from './slot-story.ts';

/** A fresh Envoy that begins to load the warming form, and gets all of it. */
function warm(
  wanted: string,
  good: string,
  gained = false,
): { readonly story: SlotStory; readonly first: string } {
  const story = new SlotStory().want(wanted, good).subscribe({ mayWarm: true, gained });
  const first = story.push();
  for (const plugin of story.last?.content.plugins ?? [])
    story.get(`${plugin.plugin.replace('default/', '')}@${plugin.revision}`)('sent');
  return { story: story.ack().pass(1), first };
}

test('a fresh Envoy first gets what is known to be good, and serves it while the new revision is tried', () => {
  const { story, first } = warm('a@2', 'a@1');
  assert.equal(first, 'warming a@1');
  assert.equal(story.push(), 'verdict a@1', 'proven before anything else');
  assert.equal(story.ack().push(), 'verdict a@2');
  assert.equal(story.refuse('a').push(), 'verdict a@1');
  assert.equal(story.ack().push(), 'nothing');
});

test('a plugin without a good revision is waited for: nothing may pass without it', () => {
  assert.equal(warm('a@1', '').first, 'warming a@1');
  assert.equal(warm('a@2 b@1', 'a@1').first, 'warming a@1 b@1');
});

test('where everything wanted is good already, or nothing is wanted, there is nothing else to begin with', () => {
  assert.equal(warm('a@1', 'a@1').first, 'warming a@1');
  assert.equal(warm('', 'a@1').first, 'verdict pass-through');
});

test('a first answer that cannot be loaded does not hold the wanted one back', () => {
  const story = new SlotStory().want('a@2', 'a@1').subscribe({ mayWarm: true });
  assert.equal(story.push(), 'warming a@1');
  story.get('a@1')('failed');
  story.ack().pass(1001);
  assert.equal(story.push(), 'verdict a@1');
  story.get('a@1')('failed');
  assert.equal(story.nack('a').push(), 'verdict a@2');
});

test('the stream breaks after the first answer: it is still proven first', () => {
  const { story } = warm('a@2', 'a@1');
  story.event({ type: 'stream-closed' }).subscribe();
  assert.equal(story.push(), 'verdict a@1');
  assert.equal(story.ack().push(), 'verdict a@2');
});

test('listeners that served without a plugin go on so until it is proven: a refusal costs no request', () => {
  const story = new SlotStory().want('a@1').subscribe({ mayWarm: true, gained: true });
  assert.equal(story.push(), 'verdict pass-through');
  assert.equal(story.ack().push(), 'verdict a@1');
  assert.equal(story.refuse('a').push(), 'verdict pass-through');
});

test('listeners that gain a slot whose plugin is good elsewhere wait for it', () => {
  const { story, first } = warm('a@1', 'a@1', true);
  assert.equal(first, 'warming a@1');
  assert.equal(story.push(), 'verdict a@1');
  assert.equal(story.ack().push(), 'nothing');
});
