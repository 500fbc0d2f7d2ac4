import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { nextWake } from '../../../src/xds/push/next-push.ts';
import type { SlotEvent } from '../../../src/xds/push/slot-machine.ts';
import { holdsListener } from '../../../src/xds/push/slot-state.ts';
import { downloading, judged, refusalOf, SlotStory, toContent, toWant, warmed } from './slot-story.ts';

const hashOf = (content: string): string => toContent(content).contentHash;

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
