import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toVersion } from '../../../src/xds/push/attempt.ts';
import { SlotStory, toContent } from './slot-story.ts';

const versionOf = (content: string) => toVersion(toContent(content).contentHash, 'verdict');

/** Revision 2 was refused, revision 1 serves again and is wanted. */
function wentBack(): SlotStory {
  const story = SlotStory.accepted('a@1').want('a@2', 'a@1');
  story.push();
  story.refuse('a').push();
  return story.ack().want('a@1', 'a@1');
}

test('revision 3 was accepted in the moment we were killed: its version supersedes the refusal of 2', () => {
  const story = wentBack().want('a@3', 'a@1');
  story.push();
  story.event({ type: 'stream-closed' }).subscribe({ version: versionOf('a@3') });
  assert.equal(story.state.refused, null);
  assert.equal(story.state.accepted?.contentHash, toContent('a@3').contentHash, 'it was accepted by now');
  assert.equal(story.push(), 'nothing');
});

test('a reconnect with what was accepted before says nothing new about a refusal', () => {
  const story = wentBack();
  story.event({ type: 'stream-closed' }).subscribe({ version: versionOf('a@1') });
  assert.equal(story.state.refused?.revision, 2);
});

test('a refused revision that is older than what serves stays refused: it is not pushed again and again', () => {
  const story = SlotStory.accepted('a@3').want('a@2', 'a@3');
  assert.equal(story.push(), 'verdict a@2');
  story.refuse('a');
  assert.equal(story.push(), 'verdict a@3');
  assert.equal(story.ack().state.refused?.revision, 2);
  assert.equal(story.push(), 'nothing');
  assert.equal(story.want('a@3', 'a@3').push(), 'nothing');
  assert.equal(story.state.refused?.revision, 2, 'and it stays on record');
});

test('two plugins of a chain are refused on their own, one after the other, and not in turns for ever', () => {
  const story = SlotStory.accepted('').want('a@1 b@1');
  assert.equal(story.push(), 'verdict a@1 b@1');
  story.refuse('a');
  assert.equal(story.push(), 'verdict pass-through', 'what Envoy tried last is healed first');
  story.ack();
  assert.equal(story.push(), 'verdict b@1', 'b moves on without a');
  story.refuse('b');
  assert.deepEqual([story.state.refused?.plugin, story.state.refused?.revision], ['default/b', 1]);
  assert.equal(story.push(), 'verdict pass-through');
  story.ack();
  // Perhaps a goes without b; then nothing is left to try.
  assert.equal(story.push(), 'verdict a@1');
  story.refuse('a');
  assert.equal(story.push(), 'verdict pass-through');
  assert.equal(story.ack().push(), 'nothing');
});
