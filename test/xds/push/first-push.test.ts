import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as machine from '../../../src/xds/push/process-machine.ts';
import { describeAttempt, refusalOf, SlotStory, toWant } from './slot-story.ts';

/** ACKs whatever comes, ends every wait, and says all that was pushed. */
function settle(story: SlotStory): string[] {
  const pushed: string[] = [];
  for (let next = story.sleepUntilDue(); next !== 'nothing'; next = story.sleepUntilDue()) {
    pushed.push(next);
    story.ack();
  }
  return pushed;
}

test('a slot begins with what is proven good, then with what is wanted; what was never proven is waited for', () => {
  const table: readonly [
    string,
    string,
    string,
    { mayWarm?: boolean; gained?: boolean },
    readonly string[],
  ][] = [
    ['all good already', 'a@1', 'a@1', { mayWarm: true }, ['warming a@1', 'verdict a@1']],
    ['a newer revision', 'a@2', 'a@1', { mayWarm: true }, ['warming a@1', 'verdict a@1', 'verdict a@2']],
    ['nothing proven yet', 'a@1', '', { mayWarm: true }, ['warming a@1', 'verdict a@1']],
    [
      'one of two proven',
      'a@2 b@1',
      'a@1',
      { mayWarm: true },
      ['warming a@1 b@1', 'verdict a@1 b@1', 'verdict a@2 b@1'],
    ],
    [
      'another is being taken out',
      'a@2',
      'a@1 b@1',
      { mayWarm: true },
      ['warming a@1', 'verdict a@1', 'verdict a@2'],
    ],
    ['all are being taken out', '', 'a@1', { mayWarm: true }, ['verdict pass-through']],
    ['in the verdict form', 'a@2', 'a@1', {}, ['verdict a@2']],
    [
      'its listener served without it, nothing proven',
      'a@1',
      '',
      { mayWarm: true, gained: true },
      ['verdict pass-through', 'verdict a@1'],
    ],
    [
      'its listener served without it, one proven',
      'a@1 b@1',
      'b@1',
      { mayWarm: true, gained: true },
      ['warming b@1', 'verdict b@1', 'verdict a@1 b@1'],
    ],
  ];
  for (const [name, wanted, good, how, expected] of table)
    assert.deepEqual(settle(new SlotStory().want(wanted, good).subscribe(how)), expected, name);
});

test('a new plugin that Envoy refuses never reaches the live listener that gained its slot', () => {
  const story = new SlotStory().want('a@1').subscribe({ mayWarm: true, gained: true });
  assert.equal(story.push(), 'verdict pass-through');
  assert.equal(story.ack().push(), 'verdict a@1');
  story.refuse('a');
  assert.equal(story.state.refused?.revision, 1);
  assert.equal(story.push(), 'verdict pass-through');
  assert.equal(story.ack().sleepUntilDue(), 'nothing');
});

test('while one plugin is taken out, what Envoy refuses of another reaches no Envoy that begins', () => {
  const story = new SlotStory().want('a@2', 'a@1 b@1').subscribe({ mayWarm: true });
  assert.deepEqual([story.push(), story.ack().sleepUntilDue()], ['warming a@1', 'verdict a@1']);
  assert.equal(story.ack().push(), 'verdict a@2');
  story.refuse('a');
  assert.equal(story.push(), 'verdict a@1');
  assert.equal(story.ack().sleepUntilDue(), 'nothing');
});

test('a slot is gained only where every listener that brought it has served without it', () => {
  const table: readonly [string, readonly boolean[], string][] = [
    ['a new listener', [false], 'warming a@1'],
    ['a known listener', [true], 'verdict pass-through'],
    ['a known one, then a new one', [true, false], 'warming a@1'],
    ['a new one, then a known one', [false, true], 'warming a@1'],
  ];
  for (const [name, listeners, expected] of table) {
    let state = machine.newProcess({ fresh: false, bootstrapDenies: false });
    for (const isKnown of listeners)
      state = machine.onListenerSent(state, { slots: ['x'], fetchTimeoutMs: 0 }, 1, isKnown);
    const request = { subscribe: ['x'], unsubscribe: [], versions: new Map<string, string>(), isWhole: true };
    state = machine.onSlotRequest(state, request, () => toWant('a@1'), 2);
    const due = machine.nextProcessPush(state, 2, () => '0'.repeat(16));
    assert.equal(due && describeAttempt(due.attempt), expected, name);
  }
});

test('a proven first answer that is missed is waited for like any other', () => {
  const story = new SlotStory().want('a@2', 'a@1').subscribe({ mayWarm: true });
  story.push();
  const end = story.get('a@1');
  story.event({ type: 'nack', message: refusalOf('a') });
  end('sent');
  assert.deepEqual(settle(story), ['verdict a@1', 'verdict a@2']);
});
