import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushed, SlotStory, toContent } from './slot-story.ts';

const hashOf = (content: string): string => toContent(content).contentHash;

/** A refusal of a@2 that fell back to a@1, not healed yet. */
function refused(): SlotStory {
  return pushed('a@1', 'a@2').refuse('a');
}

// --- memory of a refusal ------------------------------------------------------------------------------------

test('a refused part is not pushed again while it is wanted, in whatever company', () => {
  const story = refused();
  story.push();
  story.ack();
  assert.equal(story.want('a@2', 'a@1').push(), 'nothing');
  assert.equal(story.want('a@2 b@1', 'a@1').push(), 'verdict a@1 b@1');
  assert.equal(story.ack().want('b@1 a@2', 'a@1').push(), 'verdict b@1 a@1');
  story.ack();
  assert.equal(story.pass(3_600_000).sleepUntilDue(), 'nothing');
  assert.equal(story.state.refused?.active, true);
});

test('a refusal is active until the plugin moved away; wanting the same revision again is a retry', () => {
  const story = refused();
  story.push();
  story.ack().want('a@1', 'a@1');
  assert.equal(story.state.refused?.active, false);
  assert.equal(story.push(), 'nothing');
  assert.equal(story.want('a@2', 'a@1').push(), 'verdict a@2');
});

test('a retry that is refused again is active again', () => {
  const story = refused();
  story.push();
  story.ack().want('a@1', 'a@1').want('a@2', 'a@1').push();
  story.pass(1).refuse('a');
  assert.equal(story.state.refused?.active, true);
  assert.equal(story.state.refused?.at, story.now);
  assert.equal(story.push(), 'verdict a@1');
});

test('a refusal stays on record, healed, until a revision of its plugin at least as new is accepted', () => {
  const story = refused();
  assert.equal(story.state.refused?.healed, false);
  story.push();
  assert.equal(story.ack().state.refused?.healed, true);
  story.want('a@1 b@1', 'a@1').push();
  assert.equal(story.ack().state.refused?.revision, 2, 'another plugin and an older revision say nothing');
  story.want('a@3 b@1', 'a@1').push();
  assert.equal(story.ack().state.refused, null);
});

test('a retry that is accepted clears the record', () => {
  const story = refused();
  story.push();
  story.ack().want('a@1', 'a@1').want('a@2', 'a@1').push();
  assert.equal(story.ack().state.refused, null);
});

// --- unreachable ------------------------------------------------------------------------------------------

test("3. a download that does not complete is nobody's refusal: back off, say so, let the last good serve", () => {
  const failed = pushed('a@1', 'a@2');
  failed.get('a@2')('failed');
  failed.nack('a');
  const stuck = pushed('a@1', 'a@2');
  stuck.get('a@2');
  stuck.nack('a').pass(10_101);
  for (const story of [failed, stuck]) {
    assert.equal(story.state.refused, null);
    assert.match(story.state.blocked.get(hashOf('a@2'))?.message ?? '', /did not complete/);
    assert.equal(story.push(), 'verdict a@1');
    assert.equal(story.ack().push(), 'nothing');
  }
});

test('3. the pause between attempts doubles from 1 s to 60 s, and an ACK forgets it', () => {
  const story = pushed('a@1', 'a@2');
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    story.get('a@2')('failed');
    const at = story.nack('a').now;
    assert.equal(story.push(), 'verdict a@1');
    story.ack();
    assert.equal(story.sleepUntilDue(), 'verdict a@2');
    pauses.push((story.now - at) / 1000);
  }
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
  assert.equal(story.ack().state.blocked.size, 0);
});

test('3. new content is not kept waiting by the pause of the old', () => {
  const story = pushed('a@1', 'a@2');
  story.get('a@2')('failed');
  story.nack('a').push();
  assert.equal(story.ack().want('a@3', 'a@1').push(), 'verdict a@3');
  assert.equal(story.state.blocked.size, 0);
});

test('3. the first content of a node that cannot be loaded leaves no empty place behind, and is tried again', () => {
  const story = new SlotStory().want('a@1').subscribe();
  story.push();
  story.get('a@1')('failed');
  story.nack('a');
  assert.equal(story.push(), 'nothing');
  assert.equal(story.sleepUntilDue(), 'verdict a@1');
});
