import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import { holdsListener } from '../../src/xds/push/slot-state.ts';
import { restoreSlot, toVerdict, toVerdictState } from '../../src/xds/verdict-record.ts';
import { nextPush } from './push/next-push.ts';
import { SlotStory, toContent } from './push/slot-story.ts';

const pushed = (from: string, to: string): SlotStory => {
  const story = SlotStory.accepted(from).want(to, from);
  story.push();
  return story;
};

const record = (story: SlotStory, previous?: NodeVerdict): NodeVerdict =>
  toVerdict(PROCESS, story.state, previous, story.now);

const PROCESS = { nodeId: 'edge-1', id: 'p1', acceptedAt: new Map() };

/** A slot after our restart: what was stored comes back, then Envoy with what it has. */
function restarted(story: SlotStory, wanted: string, has: string): SlotStory {
  const stored = JSON.parse(JSON.stringify(record(story))) as NodeVerdict;
  const next = new SlotStory();
  next.now = story.now + 1000;
  next.state = restoreSlot(stored);
  return next.want(wanted, has).subscribe({ version: `${toContent(has).contentHash}.v` });
}

test('each state has its word', () => {
  const miss = pushed('a@1', 'a@2');
  miss.get('a@2');
  miss.nack('a');
  const warming = new SlotStory().want('a@1').subscribe({ mayWarm: true });
  warming.push();
  warming.ack();
  const blocked = pushed('a@1', 'a@2');
  blocked.get('a@2')('failed');
  blocked.nack('a');
  const table: readonly [string, SlotStory, string][] = [
    ['asked for, nothing sent', new SlotStory().want('a@1').subscribe(), 'sent'],
    ['in flight', pushed('a@1', 'a@2'), 'sent'],
    ['judging', pushed('a@1', 'a@2').nack('a'), 'sent'],
    ['a miss', miss, 'fetching'],
    ['the warming form was ACKed', warming, 'fetching'],
    ['a download that failed', blocked, 'unreachable'],
    ['accepted', SlotStory.accepted('a@1'), 'accepted'],
    ['accepted, but something else is wanted', SlotStory.accepted('a@1').want('a@2'), 'sent'],
    ['refused', pushed('a@1', 'a@2').refuse('a'), 'refused'],
  ];
  for (const [name, story, word] of table) assert.equal(toVerdictState(story.state), word, name);
});

test('a refusal is the word as long as the refused revision is wanted, also once the last good is back', () => {
  const story = pushed('a@1', 'a@2').refuse('a');
  story.push();
  assert.equal(toVerdictState(story.ack().state), 'refused');
  assert.equal(toVerdictState(story.want('a@1', 'a@1').state), 'accepted');
});

test('a record says what was tried, accepted and refused, and whose it is', () => {
  const story = pushed('a@1', 'a@2').refuse('a');
  const { node, process, slot, state, tried, accepted, refused } = record(story);
  assert.deepEqual([node, process, slot, state], ['edge-1', 'p1', 'attache.authn/ingress', 'refused']);
  assert.equal(tried?.contentHash, toContent('a@2').contentHash);
  assert.equal(accepted?.contentHash, toContent('a@1').contentHash);
  assert.equal(refused?.contentHash, toContent('a@2').contentHash);
  assert.deepEqual([refused?.plugin, refused?.revision, refused?.healed], ['default/a', 2, false]);
});

test('a record survives JSON, and holds neither bytes nor flags of ours', () => {
  const made = record(pushed('a@1', 'a@2').refuse('a'));
  assert.deepEqual(JSON.parse(JSON.stringify(made)), made);
  assert.doesNotMatch(JSON.stringify(made), /"(active|bytes|content|clean)"/);
});

test('since is when the state began, in this process', () => {
  const story = pushed('a@1', 'a@2');
  const first = record(story);
  story.pass(500);
  const same = record(story, first);
  assert.equal(same.since, first.since);
  assert.equal(record(story, { ...first, process: 'p0' }).since, story.now);
  assert.equal(record(story.ack(), same).since, story.now);
});

test('a slot without anything is a record without anything', () => {
  const { tried, accepted, refused } = record(new SlotStory());
  assert.deepEqual([tried, accepted, refused], [null, null, null]);
});

test('5. our restart moves no byte of a slot that stands as wanted', () => {
  const story = restarted(SlotStory.accepted('a@1 b@1'), 'a@1 b@1', 'a@1 b@1');
  assert.equal(story.push(), 'nothing');
  assert.equal(toVerdictState(story.state), 'accepted');
  assert.equal(holdsListener(story.state), false);
});

test('5. a stored refusal that was healed is remembered: nothing is pushed', () => {
  const healed = pushed('a@1', 'a@2').refuse('a');
  healed.push();
  const story = restarted(healed.ack(), 'a@2', 'a@1');
  assert.equal(story.push(), 'nothing');
  assert.equal(toVerdictState(story.state), 'refused');
});

test('5. a stored refusal that was not healed causes one push of the last good, in bytes never sent before', () => {
  const story = restarted(pushed('a@1', 'a@2').refuse('a'), 'a@2', 'a@1');
  assert.equal(holdsListener(story.state), true);
  assert.equal(story.push(), 'verdict a@1');
  assert.equal(story.ack().push(), 'nothing');
  assert.equal(story.state.refused?.healed, true);
  assert.equal(toVerdictState(story.state), 'refused');
});

test('5. what was out when we went is unknown: it is pushed again with tags of its own', () => {
  const story = restarted(pushed('a@1', 'a@2'), 'a@2', 'a@1');
  assert.equal(holdsListener(story.state), true);
  assert.equal(story.push(), 'verdict a@2');
});

test('5. the last good content on its way back when we went may not have arrived: it is pushed once more', () => {
  const healing = pushed('a@1', 'a@2').refuse('a');
  healing.push();
  const story = restarted(healing, 'a@2', 'a@1');
  assert.equal(holdsListener(story.state), true, 'what Envoy tried last may be what it refused');
  assert.equal(story.push(), 'verdict a@1');
  assert.equal(holdsListener(story.ack().state), false);
});

test('5. after our restart a node falls back on what it ran, not on what was proven elsewhere', () => {
  const story = restarted(SlotStory.accepted('a@2 b@1'), 'a@2 b@1', 'a@2 b@1');
  story.want('a@3 b@1', 'a@1 b@1').push();
  assert.equal(story.refuse('a').push(), 'verdict a@2 b@1');
});

test('5. with a revision of it gone, it falls back on what was proven', () => {
  const story = restarted(SlotStory.accepted('a@2'), 'a@2', 'a@2').want('a@3', 'a@1');
  const { want } = story.state;
  if (want !== undefined) story.state = { ...story.state, want: { ...want, recall: () => undefined } };
  story.push();
  assert.equal(story.refuse('a').push(), 'verdict a@1');
});

test('5. a restored slot takes no tag from before, as the last push may not have been recorded', () => {
  const restored = restoreSlot(record(pushed('a@1', 'a@2')));
  assert.equal(restored.tried?.tags.tags.length, 0);
  assert.equal(restored.accepted?.tags.tags.length, 0);
});

test("a restored slot is nobody's until Envoy names it", () => {
  const restored = restoreSlot(record(SlotStory.accepted('a@1')));
  assert.equal(restored.subscribed, false);
  assert.equal(
    nextPush({ ...restored, want: SlotStory.accepted('a@2').state.want }, 0, () => ''),
    undefined,
  );
});

test('a record names what was proven to be loaded, of the revision that was accepted', () => {
  const story = SlotStory.accepted('a@2 b@1');
  const loadedOf = (...parts: readonly [string, number][]) => {
    const proven = new Map(parts.map(([plugin, revision]) => [plugin, { revision, partHash: undefined }]));
    return toVerdict(PROCESS, story.state, undefined, story.now, proven).accepted?.loaded;
  };
  assert.deepEqual(loadedOf(['default/b', 1]), ['default/b']);
  assert.deepEqual(loadedOf(['default/a', 1]), undefined);
  assert.deepEqual(record(story).accepted?.loaded, undefined);
});
