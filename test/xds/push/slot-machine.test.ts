import assert from 'node:assert/strict';
import { test } from 'node:test';
import { downloading, judged, SlotStory, toContent, warmed } from './slot-story.ts';

const hashOf = (content: string): string => toContent(content).contentHash;

// --- idle -------------------------------------------------------------------------------------------------

test('idle: nothing is due before Envoy asks for the slot, and nothing before it is known what is wanted', () => {
  assert.equal(new SlotStory().want('a@1').push(), 'nothing');
  assert.equal(new SlotStory().subscribe().push(), 'nothing');
  assert.equal(new SlotStory().subscribe().want('a@1').push(), 'verdict a@1');
});

test('idle: what Envoy has and tried last is not pushed again', () => {
  assert.equal(SlotStory.accepted('a@1').push(), 'nothing');
  assert.equal(SlotStory.accepted('a@1').want('a@1').push(), 'nothing');
});

test('idle: another content is pushed, and a removed plugin leaves a pass-through, never a removal', () => {
  assert.equal(SlotStory.accepted('a@1').want('a@2').push(), 'verdict a@2');
  assert.equal(SlotStory.accepted('a@1').want('').push(), 'verdict pass-through');
});

test('idle: an answer that nobody waits for changes nothing', () => {
  const story = SlotStory.accepted('a@1');
  const before = story.state;
  story.ack().nack('a').pass(1);
  assert.equal(story.state, before);
});

test('idle: a heal pushes what Envoy has once more, with new tags', () => {
  const story = SlotStory.accepted('a@1');
  const { tags } = story;
  assert.equal(story.event({ type: 'heal' }).push(), 'verdict a@1');
  assert.notDeepEqual(story.tags, tags);
  assert.equal(story.ack().push(), 'nothing');
});

test('idle: a heal of a slot that was never answered changes nothing', () => {
  const story = new SlotStory().want('a@1');
  const before = story.state;
  assert.equal(story.event({ type: 'heal' }).state, before);
});

// --- in flight --------------------------------------------------------------------------------------------

test('in flight: nothing more is pushed before the answer, whatever is wanted meanwhile; the newest wins', () => {
  const story = new SlotStory().subscribe().want('a@1');
  assert.equal(story.push(), 'verdict a@1');
  for (const revision of [2, 3, 4]) assert.equal(story.want(`a@${revision}`).push(), 'nothing');
  assert.equal(story.pass(60_000).push(), 'nothing');
  assert.equal(story.ack().push(), 'verdict a@4');
});

test('in flight: an ACK of the verdict form is acceptance, of what was pushed, not of what is wanted now', () => {
  const story = new SlotStory().subscribe().want('a@1');
  story.push();
  story.want('a@2').ack();
  assert.equal(story.state.phase.kind, 'idle');
  assert.equal(story.state.accepted?.contentHash, hashOf('a@1'));
  assert.deepEqual(
    story.state.accepted?.plugins.map(({ plugin, revision }) => [plugin, revision]),
    [['default/a', 1]],
  );
});

test('in flight: a NACK of what is wanted no more is not judged', () => {
  const story = new SlotStory().subscribe().want('a@1');
  story.push();
  story.want('a@2').nack('a');
  assert.equal(story.state.phase.kind, 'idle');
  assert.equal(story.state.refused, null);
  assert.equal(story.push(), 'verdict a@2');
});

test('in flight: a NACK of what is wanted is judged', () => {
  const story = new SlotStory().subscribe().want('a@1');
  story.push();
  assert.equal(story.nack('a').state.phase.kind, 'judging');
  assert.equal(story.push(), 'nothing');
});

test('in flight: a NACK after a GET that ran by then is a miss at once', () => {
  const story = new SlotStory().subscribe().want('a@1');
  story.push();
  story.get('a@1');
  assert.equal(story.nack('a').state.phase.kind, 'downloading');
});

test('in flight: a stream that breaks leaves it open how the push ended, so it is made again with a new tag', () => {
  const story = SlotStory.accepted('a@1').want('a@2');
  story.push();
  const { tags } = story;
  story.event({ type: 'stream-closed' });
  assert.equal(story.push(), 'nothing');
  assert.equal(story.subscribe({ version: `${hashOf('a@1')}.v` }).push(), 'verdict a@2');
  assert.notDeepEqual(story.tags, tags);
});

test('in flight: an ACK of the probe proves nothing', () => {
  const story = SlotStory.accepted('a@1').want('a@2');
  story.push();
  story.nack('a').pass(1001);
  assert.equal(story.push(), 'probe');
  story.ack();
  assert.equal(story.state.accepted?.contentHash, hashOf('a@1'));
  assert.equal(story.state.blocked.get(hashOf('a@2'))?.message, 'the probe was ACKed');
});

// --- warming (design 5.1, 5.2) ----------------------------------------------------------------------------

test('1. every condition alone turns the warming form into the verdict form', () => {
  const table: readonly [string, string, (story: SlotStory) => SlotStory][] = [
    ['all hold', 'warming a@1', story => story.subscribe({ mayWarm: true })],
    ['the listener does not surely wait', 'verdict a@1', story => story.subscribe({ mayWarm: false })],
    [
      'the request brings a version',
      'verdict a@1',
      story => story.subscribe({ mayWarm: true, version: `${hashOf('b@1')}.v` }),
    ],
    [
      'the request brings a warming version',
      'verdict a@1',
      story => story.subscribe({ mayWarm: true, version: `${hashOf('b@1')}.w` }),
    ],
    [
      'it was accepted before',
      'verdict a@1',
      story => {
        story.want('').subscribe().push();
        return story.ack().want('a@1').subscribe({ mayWarm: true });
      },
    ],
    [
      'it was tried before',
      'verdict a@1',
      story => {
        story.subscribe().push();
        return story.event({ type: 'stream-closed' }).subscribe({ mayWarm: true });
      },
    ],
    ['it has no plugin', 'verdict pass-through', story => story.want('').subscribe({ mayWarm: true })],
  ];
  for (const [name, expected, tell] of table)
    assert.equal(tell(new SlotStory().want('a@1')).push(), expected, name);
});

test('1. a slot with a refusal on record is not answered in the warming form', () => {
  const story = SlotStory.accepted('a@1').want('a@2', 'a@1');
  story.push();
  story.refuse('a').event({ type: 'unsubscribed' });
  assert.notEqual(story.state.refused, null);
  assert.equal(story.subscribe({ mayWarm: true }).push(), 'verdict a@1');
});

test('1. only the first push of a slot is in the warming form', () => {
  const story = warmed();
  story.push();
  story.want('a@2').nack('a');
  assert.equal(story.push(), 'verdict a@2');
});

test('2. the ACK of the warming form is no acceptance', () => {
  const story = warmed();
  assert.equal(story.push(), 'warming a@1');
  story.ack();
  assert.equal(story.state.phase.kind, 'warming');
  assert.equal(story.state.accepted, null);
  assert.equal(story.push(), 'nothing');
});

test('2. warming: the verdict form follows when every body was sent', () => {
  const story = new SlotStory().want('a@1 b@1').subscribe({ mayWarm: true });
  story.push();
  const [a, b] = [story.get('a@1'), story.get('b@1')];
  story.ack().pass(3000);
  a('sent');
  assert.equal(story.push(), 'nothing');
  b('sent');
  assert.equal(story.push(), 'verdict a@1 b@1');
});

test('2. warming: bodies that were sent before the ACK count', () => {
  const story = warmed();
  story.push();
  story.get('a@1')('sent');
  assert.equal(story.ack().pass(0).push(), 'verdict a@1');
});

test('2. warming: without a GET within a second the verdict form follows at once', () => {
  const story = warmed();
  story.push();
  story.ack().pass(1000);
  assert.equal(story.push(), 'nothing');
  assert.equal(story.pass(1).push(), 'verdict a@1');
});

test('2. warming: at the deadline the verdict form follows although a GET is unfinished', () => {
  const story = warmed();
  story.push();
  story.get('a@1');
  const ackedAt = story.ack().now;
  assert.equal(story.sleepUntilDue(), 'verdict a@1');
  // 10 s and 100 kB at 1 MB/s.
  assert.equal(story.now - ackedAt, 10_101);
});

test('2. warming: a failed GET is not waited for, as Envoy may try it once more', () => {
  const story = warmed();
  story.push();
  const end = story.get('a@1');
  story.ack().pass(1001);
  end('failed');
  assert.equal(story.push(), 'verdict a@1');
});

test('2. warming: content that changes meanwhile follows in the verdict form', () => {
  const story = warmed();
  story.push();
  const end = story.get('a@1');
  story.ack().want('a@2');
  end('sent');
  assert.equal(story.push(), 'verdict a@2');
});

test('2. warming: an answer and a repeated wish change nothing', () => {
  const story = warmed();
  story.push();
  story.ack().ack().nack('a').want('a@1');
  assert.equal(story.state.phase.kind, 'warming');
});

test('2. warming: a broken stream ends it; the warming version brought back is not acceptance', () => {
  const story = warmed();
  story.push();
  story.ack().event({ type: 'stream-closed' });
  assert.equal(story.state.phase.kind, 'idle');
  story.subscribe({ version: `${hashOf('a@1')}.w` });
  assert.equal(story.state.accepted, null);
  assert.equal(story.push(), 'verdict a@1');
});

// --- judging and downloading: transitions (the rules of judgement are in judge.test.ts) --------------------

test('6. judging and downloading end when something else is wanted: the newest wins', () => {
  for (const story of [judged(), downloading()]) {
    assert.equal(story.want('a@3', 'a@1').push(), 'verdict a@3');
    assert.equal(story.state.refused, null);
  }
});

test('judging and downloading go on when the same is wanted again', () => {
  assert.equal(judged().want('a@2', '').state.phase.kind, 'judging');
  assert.equal(downloading().want('a@2', '').state.phase.kind, 'downloading');
});

test('judging and downloading: a stray answer changes nothing', () => {
  for (const story of [judged(), downloading()]) {
    const before = story.state;
    assert.equal(story.ack().nack('a').state, before);
  }
});

test('judging and downloading end with the stream; the content is tried again on the next one', () => {
  for (const story of [judged(), downloading()]) {
    story.event({ type: 'stream-closed' });
    assert.equal(story.state.phase.kind, 'idle');
    story.subscribe({ version: `${hashOf('a@1')}.v` });
    assert.equal(story.push(), 'verdict a@2');
  }
});

// --- unsubscribed -----------------------------------------------------------------------------------------

test('a slot that Envoy dropped is new when it comes back, so its next listener may wait for it', () => {
  for (const story of [SlotStory.accepted('a@1'), warmed(), judged(), downloading()]) {
    story.event({ type: 'unsubscribed' });
    assert.equal(story.push(), 'nothing');
    assert.match(story.subscribe({ mayWarm: true }).push(), /^warming/);
  }
});

test('3. a refusal outlives the slot that Envoy dropped', () => {
  const story = judged();
  story.pass(1001);
  story.push();
  story.get('probe@0');
  story.nack('probe');
  story.push();
  story.nack('a').pass(1001);
  const { refused } = story.state;
  assert.deepEqual(story.event({ type: 'unsubscribed' }).state.refused, refused);
});
