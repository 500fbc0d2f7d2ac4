import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotStory, toContent } from './slot-story.ts';

test('content without a module has no tag to renew: its first NACK is the answer', () => {
  const story = SlotStory.accepted('a@1').want('', 'a@1');
  assert.equal(story.push(), 'verdict pass-through');
  story.event({ type: 'nack', message: 'Unable to parse it' });
  assert.equal(story.state.refused?.message, 'Unable to parse it');
  assert.equal(story.push(), 'verdict a@1', 'no probe, and never the same bytes again');
  story.ack();
  assert.equal(story.sleepUntilDue(), 'nothing');
  assert.equal(story.state.accepted?.contentHash, toContent('a@1').contentHash);
});

test('with the wanted and the good content both refused, neither is pushed in turns: the place stays closed', () => {
  const story = new SlotStory().want('a@2', 'b@1').subscribe();
  assert.equal(story.push(), 'verdict a@2');
  story.refuse('a');
  assert.equal(story.push(), 'verdict b@1');
  story.refuse('b');
  assert.equal(story.target, 'nothing');
  assert.equal(story.sleepUntilDue(), 'nothing');
  assert.equal(story.want('a@3', 'b@1').push(), 'verdict a@3', 'until something else is wanted');
});

test('a first answer that waited for half of the fetch timeout is not given in the warming form any more', () => {
  const story = new SlotStory().want('a@1');
  const warmUntil = story.now + 7500;
  story.event({ type: 'subscribed', mayWarm: true, warmUntil });
  story.now = warmUntil - 1;
  const late = new SlotStory().want('a@1');
  late.event({ type: 'subscribed', mayWarm: true, warmUntil }).pass(warmUntil - late.now);
  assert.equal(story.push(), 'warming a@1');
  assert.equal(late.push(), 'verdict a@1');
});

test('what cannot be fetched is waited for where nothing good is known: no empty place lets requests past it', () => {
  const unreachable = (good: string): SlotStory => {
    const story = new SlotStory().want('a@1', good).subscribe();
    assert.equal(story.push(), 'verdict a@1');
    story.nack('a').pass(1001);
    assert.equal(story.push(), 'probe');
    return story.nack('probe').pass(1001);
  };
  assert.equal(unreachable('').target, 'nothing');
  assert.equal(unreachable('').sleepUntilDue(), 'verdict a@1', 'after the back-off');
  assert.equal(unreachable('b@1').target, 'b@1');
});
