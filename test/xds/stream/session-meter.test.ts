import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../../src/model/type-url.ts';
import { refusalOf } from '../push/slot-story.ts';
import { SLOT, StreamStory } from './session-story.ts';

/** It runs `a@1`, and nothing is on its way. */
function running(): StreamStory {
  const story = new StreamStory().exist({ slots: { [SLOT]: 'a@1' } });
  story.ask(CLUSTER_TYPE).ask(EXTENSION_CONFIG_TYPE, {}, [SLOT]).settle();
  story.get('a@1', 'started').get('a@1', 'sent').settle();
  assert.equal(story.verdict()?.state, 'accepted');
  story.counted.length = 0;
  return story;
}

test('a push and its ACK are counted by type, and a start is no change that converged', () => {
  const story = new StreamStory()
    .exist({ listeners: { l1: '1' } })
    .ask(CLUSTER_TYPE)
    .ask(LISTENER_TYPE);
  story.settle();
  assert.deepEqual(story.counted, ['push cds', 'ack cds', 'push lds', 'ack lds']);
});

test('a change has converged when its last answer is an ACK', () => {
  const story = running().exist({ slots: { [SLOT]: 'a@2' }, listeners: {} });
  const sent = story.one();
  story.clock.run(2_000);
  story.answer(sent);
  assert.deepEqual(story.counted, ['push ecds', 'ack ecds', 'converged 2']);
  story.exist({ slots: { [SLOT]: 'a@2' } }).settle();
  assert.equal(story.counted.length, 3, 'what changes nothing converges to nothing');
});

test('a NACK with a GET is a module that was missing, and the change goes on', () => {
  const story = running().exist({ slots: { [SLOT]: 'a@2' } });
  story.answer(story.one(), refusalOf('a'));
  assert.deepEqual(story.counted, ['push ecds'], 'nobody knows yet why');
  story.get('a@2', 'started', 2);
  assert.deepEqual(story.counted, ['push ecds', 'nack ecds missing']);
  story.clock.run(3_000);
  story.get('a@2', 'sent', 2).settle();
  assert.deepEqual(story.counted.slice(2), ['push ecds', 'ack ecds', 'converged 3']);
});

test('a refusal is counted as each of its NACKs, and never as converged', () => {
  const story = running().exist({ slots: { [SLOT]: 'a@2' } });
  story.answer(story.one(), refusalOf('a')).clock.run(1_100);
  const probe = story.one();
  story.get('probe@0', 'started', 5).get('probe@0', 'failed', 5).answer(probe, refusalOf('probe'));
  story.answer(story.one(), refusalOf('a')).clock.run(1_100);
  assert.equal(story.verdict()?.state, 'refused');
  story.settle();
  const answers = ['nack ecds unconfirmed', 'nack ecds probe', 'nack ecds refused', 'ack ecds'];
  assert.deepEqual(
    story.counted.filter(one => one !== 'push ecds'),
    answers,
  );
});

test('an Envoy that does not reach the module port is told apart by the probe', () => {
  const story = running().exist({ slots: { [SLOT]: 'a@2' } });
  for (let i = 0; i < 2; i++) {
    story.answer(story.one(), refusalOf('a'));
    story.clock.run(1_100);
  }
  assert.deepEqual(
    story.counted.filter(one => one.startsWith('nack')),
    ['nack ecds unconfirmed', 'nack ecds unreachable'],
  );
});

test('a NACK whose stream ends before its reason is known is counted once', () => {
  const story = running().exist({ slots: { [SLOT]: 'a@2' } });
  story.answer(story.one(), refusalOf('a'));
  story.close();
  story.clock.run(5_000);
  assert.deepEqual(story.counted, ['push ecds', 'nack ecds superseded']);
});

test('a listener that blames a plugin is sent again, and any other that is refused is refused', () => {
  const story = new StreamStory().exist({ listeners: { l1: '1' } }).ask(LISTENER_TYPE);
  story.answer(story.one(), 'Error adding/updating listener(s) l1: Unable to create Wasm plugin default/a\n');
  story.exist({ listeners: { l1: '2' } });
  story.answer(story.one(), 'Error adding/updating listener(s) l1: no\n');
  assert.deepEqual(
    story.counted.filter(one => one.startsWith('nack')),
    ['nack lds unconfirmed', 'nack lds refused'],
  );
});
