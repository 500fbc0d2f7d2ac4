import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { nextWake, type SlotEvent } from '../../../src/xds/push/slot-machine.ts';
import { holdsListener } from '../../../src/xds/push/slot-state.ts';
import { refusalOf, SlotStory, toContent, toWant } from './slot-story.ts';

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

const warmed = (): SlotStory => new SlotStory().want('a@1').subscribe({ mayWarm: true });

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

const judged = (): SlotStory => {
  const story = SlotStory.accepted('a@1').want('a@2', 'a@1');
  story.push();
  return story.nack('a');
};

const downloading = (): SlotStory => {
  const story = SlotStory.accepted('a@1').want('a@2', 'a@1');
  story.push();
  story.get('a@2');
  return story.nack('a');
};

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

// --- 4. tags ----------------------------------------------------------------------------------------------

test('4. a plugin that did not change keeps its tag; the one that changed gets a fresh one', () => {
  const story = SlotStory.accepted('a@1 b@1');
  const before = story.tags;
  story.want('a@1 b@2').push();
  assert.equal(story.tags['default/a@1'], before['default/a@1']);
  assert.notEqual(story.tags['default/b@2'], before['default/b@1']);
  assert.match(story.tags['default/b@2'] ?? '', /^[0-9a-f]{16}$/);
});

test('4. reordering keeps every tag', () => {
  const story = SlotStory.accepted('a@1 b@1');
  const before = story.tags;
  assert.equal(story.want('b@1 a@1').push(), 'verdict b@1 a@1');
  assert.deepEqual(story.tags, before);
});

test('4. after a miss only the plugin that Envoy named gets a new tag', () => {
  const story = SlotStory.accepted('a@1').want('a@1 b@1');
  story.push();
  const before = story.tags;
  const end = story.get('b@1');
  story.nack('b');
  end('sent');
  assert.equal(story.push(), 'verdict a@1 b@1');
  assert.equal(story.tags['default/a@1'], before['default/a@1']);
  assert.notEqual(story.tags['default/b@1'], before['default/b@1']);
});

test('4. a chain whose unchanged plugin was missed gets a new tag for that one', () => {
  const story = SlotStory.accepted('a@1 b@1').want('a@1 b@2');
  const before = story.tags;
  story.push();
  const end = story.get('a@1');
  story.nack('a');
  end('sent');
  assert.equal(story.push(), 'verdict a@1 b@2');
  assert.notEqual(story.tags['default/a@1'], before['default/a@1']);
});

test('4. bytes are never sent twice in a row: content, form and tags are not all equal', () => {
  const stories: readonly (() => SlotStory)[] = [
    () => SlotStory.accepted('a@1').event({ type: 'heal' }),
    () => downloading().pass(11_000),
    () => judged().pass(1001),
  ];
  for (const make of stories) {
    const story = make();
    for (let i = 0; i < 12; i++) {
      const before = story.last;
      if (story.push() === 'nothing') story.sleep();
      else {
        const { last } = story;
        const equal =
          before?.content.contentHash === last?.content.contentHash && before?.variant === last?.variant;
        if (equal) assert.notDeepEqual(last?.tags, before?.tags);
        story.nack('a');
      }
    }
  }
});

// --- 5. versions, reconnect, restored state ----------------------------------------------------------------

test('5. a reconnect that brings the wanted content in the verdict form gets nothing', () => {
  const story = SlotStory.accepted('a@1').event({ type: 'stream-closed' });
  assert.equal(story.subscribe({ version: `${hashOf('a@1')}.v` }).push(), 'nothing');
});

test('5. a process nothing is known of is believed what it has', () => {
  const story = new SlotStory().want('a@1').subscribe({ version: `${hashOf('a@1')}.v` });
  assert.equal(story.push(), 'nothing');
  assert.equal(story.state.accepted?.contentHash, hashOf('a@1'));
  assert.equal(
    new SlotStory()
      .want('a@2')
      .subscribe({ version: `${hashOf('a@1')}.v` })
      .push(),
    'verdict a@2',
  );
});

test('5. a version that is not ours, or a warming one, gets a push', () => {
  for (const version of ['1', 'v', `${hashOf('a@1')}.x`, `${hashOf('a@1')}.w`])
    assert.equal(new SlotStory().want('a@1').subscribe({ version }).push(), 'verdict a@1', version);
});

test('5. a slot that comes back without a version has nothing, whatever we remember', () => {
  const story = SlotStory.accepted('a@1').event({ type: 'stream-closed' });
  assert.equal(story.subscribe().push(), 'verdict a@1');
});

test('5. a refusal that was not healed when the stream broke causes one push of the last good', () => {
  const story = judged().pass(1001);
  story.push();
  story.get('probe@0');
  story.nack('probe');
  story.push();
  story.nack('a').pass(1001);
  story.event({ type: 'stream-closed' }).subscribe({ version: `${hashOf('a@1')}.v` });
  assert.equal(story.push(), 'verdict a@1');
  assert.equal(story.ack().push(), 'nothing');
});

test('5. the same content once more in flight when the stream broke: its version does not tell the end', () => {
  const story = SlotStory.accepted('a@1').event({ type: 'heal' });
  story.push();
  story.event({ type: 'stream-closed' }).subscribe({ version: `${hashOf('a@1')}.v` });
  assert.equal(story.push(), 'verdict a@1');
});

test('5. an ACK that was lost with the stream is made up for by the version that Envoy brings', () => {
  const story = SlotStory.accepted('a@1').want('a@2', 'a@1');
  story.push();
  story.event({ type: 'stream-closed' }).subscribe({ version: `${hashOf('a@2')}.v` });
  assert.equal(story.push(), 'nothing');
  assert.equal(story.state.accepted?.contentHash, hashOf('a@2'));
});

// --- 7. listeners -----------------------------------------------------------------------------------------

test('7. a listener is held while its slot is un-ACKed, judged, downloading, warming or refused', () => {
  const table: readonly [string, boolean, SlotStory][] = [
    ['never answered', false, new SlotStory().want('a@1').subscribe()],
    ['accepted', false, SlotStory.accepted('a@1')],
    ['judging', true, judged()],
    ['downloading', true, downloading()],
  ];
  for (const [name, held, story] of table) assert.equal(holdsListener(story.state), held, name);

  const story = warmed();
  story.push();
  assert.equal(holdsListener(story.state), true, 'in flight');
  assert.equal(holdsListener(story.ack().state), true, 'warming');
  assert.equal(holdsListener(story.pass(1001).state), false, "between the forms Envoy's last try was good");

  const refused = SlotStory.accepted('a@1').want('a@2', 'a@1');
  refused.push();
  refused.refuse('a');
  assert.equal(holdsListener(refused.state), true, 'refused, not healed');
  refused.push();
  assert.equal(holdsListener(refused.state), true, 'the last good is in flight');
  assert.equal(holdsListener(refused.ack().state), false, 'healed');
});

// --- wake-ups ---------------------------------------------------------------------------------------------

test('a wake-up is asked for exactly where time can change something', () => {
  const inFlight = new SlotStory().want('a@1').subscribe();
  inFlight.push();
  assert.equal(nextWake(inFlight.state, inFlight.now), undefined);
  const idle = SlotStory.accepted('a@1');
  assert.equal(nextWake(idle.state, idle.now), undefined);
  const judging = judged();
  assert.equal(nextWake(judging.state, judging.now), judging.now + 1001);
  const slow = downloading();
  assert.equal(nextWake(slow.state, slow.now), slow.now + 10_101);
});

test('an event never changes the state that it was given', () => {
  const events: readonly SlotEvent[] = [
    { type: 'subscribed', mayWarm: false },
    { type: 'unsubscribed' },
    { type: 'wanted', want: toWant('c@1') },
    { type: 'ack' },
    { type: 'nack', message: refusalOf('a') },
    { type: 'tick' },
    { type: 'stream-closed' },
    { type: 'heal' },
  ];
  for (const make of [() => SlotStory.accepted('a@1'), judged, downloading, warmed])
    for (const event of events) {
      const story = make();
      const before = story.state;
      const text = inspect(before, { depth: null });
      story.event(event);
      assert.equal(inspect(before, { depth: null }), text, event.type);
    }
});
