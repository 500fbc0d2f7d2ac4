/** The clock is set back while an answer is judged: nothing waits for it to catch up, and nobody is blamed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { downloading, judged, pushed, type SlotStory, warmed } from './slot-story.ts';

const HOUR = 3_600_000;

function setBack(story: SlotStory, ms = HOUR): SlotStory {
  story.now -= ms;
  return story.pass(1001);
}

test('what is waited for after an answer is pushed once more', () => {
  assert.equal(setBack(judged()).push(), 'verdict a@2');
  assert.equal(setBack(downloading()).push(), 'verdict a@2');
  const story = warmed();
  story.push();
  assert.equal(setBack(story.ack()).push(), 'verdict a@1');
});

test('a small step is waited out', () => {
  const story = setBack(judged(), 500);
  assert.equal(story.push(), 'nothing');
  assert.equal(story.sleepUntilDue(), 'probe');
});

test('the download of the confirming attempt counts, though it seems to be older than the first', () => {
  const story = pushed('a@1', 'a@2').nack('a').pass(1001);
  assert.equal(story.push(), 'probe');
  story.get('probe@0');
  story.nack('probe');
  story.now -= HOUR;
  assert.equal(story.push(), 'verdict a@2');
  const end = story.get('a@2');
  story.nack('a').pass(1001);
  assert.equal(story.state.refused, null);
  end('sent');
  assert.equal(story.push(), 'verdict a@2');
});
