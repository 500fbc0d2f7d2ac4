import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushed, SlotStory, toContent } from './slot-story.ts';

const hashOf = (content: string): string => toContent(content).contentHash;

/** Accepted `from`, then pushed `to`, which was NACKed over `named`. */
function nacked(from: string, to: string, named: string): SlotStory {
  const story = pushed(from, to);
  return story.nack(named);
}

/** A refusal of a@2 that fell back to a@1, not healed yet. */
function refused(): SlotStory {
  return pushed('a@1', 'a@2').refuse('a');
}

// --- a miss: there was a GET ------------------------------------------------------------------------------

test('3. a GET from the push until a second after the NACK makes it a miss; one before or later does not', () => {
  const table: readonly [string, string, (story: SlotStory) => void][] = [
    [
      'between push and NACK',
      'downloading',
      story => {
        story.get('a@2');
        story.pass(5).nack('a');
      },
    ],
    [
      'at the last moment',
      'downloading',
      story => {
        story.nack('a').pass(1000);
        story.get('a@2');
      },
    ],
    [
      'too late',
      'idle',
      story => {
        story.nack('a').pass(1001);
        story.get('a@2');
      },
    ],
    [
      'of another module',
      'judging',
      story => {
        story.get('b@7');
        story.nack('a');
      },
    ],
  ];
  for (const [name, phase, tell] of table) {
    const story = pushed('a@1', 'a@2');
    tell(story);
    assert.equal(story.state.phase.kind, phase, name);
  }
});

test('3. a GET before the push proves nothing', () => {
  const story = SlotStory.accepted('a@1');
  story.get('a@2')('sent');
  story.pass(1).want('a@2', 'a@1').push();
  assert.equal(story.nack('a').state.phase.kind, 'judging');
});

test('3. a miss waits for the end of the downloads, then pushes the same content with a new tag', () => {
  const story = pushed('a@1', 'a@2');
  const before = story.tags;
  const end = story.get('a@2');
  story.nack('a').pass(5000);
  assert.equal(story.push(), 'nothing');
  end('sent');
  assert.equal(story.push(), 'verdict a@2');
  assert.notDeepEqual(story.tags, before);
  assert.equal(story.ack().state.accepted?.contentHash, hashOf('a@2'));
});

test('3. a miss in a chain waits for every download that runs, not only for the named one', () => {
  const story = pushed('a@1', 'a@2 b@1');
  const [a, b] = [story.get('a@2'), story.get('b@1')];
  story.nack('a');
  a('sent');
  assert.equal(story.push(), 'nothing');
  b('sent');
  assert.equal(story.push(), 'verdict a@2 b@1');
});

test('3. an unchanged plugin of a chain can miss too: the evidence is the GET, not history', () => {
  const story = pushed('a@1 b@1', 'a@2 b@1');
  const end = story.get('b@1');
  story.nack('b');
  end('sent');
  assert.equal(story.push(), 'verdict a@2 b@1');
  assert.equal(story.ack().state.refused, null);
});

test('3. misses of one module in a row are given ever more time; after six the attempts back off', () => {
  const story = pushed('a@1', 'a@2');
  for (const settleMs of [0, 100, 200, 400, 800, 1600]) {
    story.get('a@2')('sent');
    story.nack('a');
    if (settleMs > 0) {
      assert.equal(story.push(), 'nothing', 'Envoy may still be reading what we handed over');
      assert.equal(story.state.phase.kind, 'downloading');
      story.pass(settleMs - 1);
      assert.equal(story.push(), 'nothing');
      story.pass(1);
    }
    assert.equal(story.push(), 'verdict a@2', `after ${settleMs} ms`);
  }
  story.get('a@2')('sent');
  story.nack('a').pass(3200);
  assert.equal(story.target, 'a@1');
  assert.equal(story.state.blocked.get(hashOf('a@2'))?.failures, 1);
  assert.equal(story.state.refused, null);
});

test('3. an ACK forgets the misses', () => {
  const story = pushed('a@1', 'a@2');
  story.get('a@2')('sent');
  story.nack('a').push();
  assert.equal(story.state.misses.size, 1);
  assert.equal(story.ack().state.misses.size, 0);
});

// --- a refusal: no GET, and the plugin changed ------------------------------------------------------------

test('3. a NACK without a GET is probed, then confirmed by one more attempt, then recorded', () => {
  const story = nacked('a@1', 'a@2', 'a');
  const { tags } = story;
  assert.equal(story.push(), 'nothing', 'a GET may still come');
  story.pass(1001);
  assert.equal(story.push(), 'probe');
  story.get('probe@0');
  story.nack('probe');
  assert.equal(story.state.refused, null, 'a suspicion is no verdict');
  assert.equal(story.push(), 'verdict a@2');
  assert.notDeepEqual(story.tags, tags);
  story.nack('a').pass(1000);
  assert.equal(story.state.refused, null);
  story.pass(1);
  assert.deepEqual(story.state.refused, {
    contentHash: hashOf('a@2'),
    plugin: 'default/a',
    revision: 2,
    message: 'Unable to create Wasm plugin default/a',
    at: story.now,
    healed: false,
    active: true,
  });
});

test('3. a confirming attempt that is accepted ends the suspicion', () => {
  const story = nacked('a@1', 'a@2', 'a').pass(1001);
  story.push();
  story.get('probe@0');
  story.nack('probe').push();
  assert.equal(story.ack().state.suspected, null);
  assert.equal(story.state.accepted?.contentHash, hashOf('a@2'));
});

test('3. a confirming attempt that makes a GET is a miss, not a refusal', () => {
  const story = nacked('a@1', 'a@2', 'a').pass(1001);
  story.push();
  story.get('probe@0');
  story.nack('probe').push();
  const end = story.get('a@2');
  story.nack('a').pass(1001);
  end('sent');
  assert.equal(story.state.refused, null);
  assert.equal(story.state.suspected, null);
  assert.equal(story.push(), 'verdict a@2');
});

test('3. a GET that came too late for the first attempt makes a miss of the confirming one', () => {
  const story = nacked('a@1', 'a@2', 'a').pass(1001);
  story.push();
  const end = story.get('a@2');
  story.get('probe@0');
  story.pass(10).nack('probe').push();
  story.nack('a').pass(1001);
  assert.equal(story.state.refused, null, 'the download goes on: it cannot have been tried');
  end('sent');
  assert.equal(story.push(), 'verdict a@2');
  story.nack('a').pass(1001);
  assert.equal(story.push(), 'probe', 'a refusal of what is there is found as ever');
});

for (const getsAgain of [false, true])
  test(`3. a download that began late, and lasts, refuses nothing, ${getsAgain ? 'with' : 'without'} a GET of the confirming attempt`, () => {
    const story = nacked('a@1', 'a@2', 'a').pass(1001);
    assert.equal(story.push(), 'probe');
    const ends = [story.pass(100).get('a@2')];
    story.get('probe@0');
    story.pass(5).nack('probe');
    assert.equal(story.push(), 'verdict a@2');
    if (getsAgain) ends.push(story.pass(1).get('a@2'));
    story.pass(5).nack('a').pass(8000);
    assert.equal(story.push(), 'nothing', 'it is waited for');
    assert.equal(story.state.refused, null);
    for (const end of ends) end('sent');
    assert.equal(story.push(), 'verdict a@2');
    assert.equal(story.ack().state.refused, null);
  });

test("3. a late download that fails is nobody's refusal", () => {
  const story = nacked('a@1', 'a@2', 'a').pass(1001);
  story.push();
  const end = story.pass(100).get('a@2');
  story.get('probe@0');
  story.nack('probe').push();
  story.nack('a').pass(2000);
  end('failed');
  assert.match(story.state.blocked.get(hashOf('a@2'))?.message ?? '', /did not complete/);
  assert.equal(story.push(), 'verdict a@1');
});

test('3. a GET of the probe counts when it comes within a second after the NACK', () => {
  const story = nacked('a@1', 'a@2', 'a').pass(1001);
  story.push();
  story.nack('probe').pass(900);
  assert.equal(story.push(), 'nothing');
  story.get('probe@0');
  assert.equal(story.push(), 'verdict a@2');
});

test('3. a probe without a GET: the node does not reach the module port, so nobody is refused', () => {
  const story = nacked('a@1', 'a@2', 'a').pass(1001);
  assert.equal(story.push(), 'probe');
  story.nack('probe').pass(1001);
  assert.equal(story.state.refused, null);
  assert.match(story.state.blocked.get(hashOf('a@2'))?.message ?? '', /does not reach the module port/);
  assert.equal(story.push(), 'verdict a@1');
});

test('3. something else wanted during the probe or the confirmation ends the suspicion', () => {
  for (const confirming of [false, true]) {
    const story = nacked('a@1', 'a@2', 'a').pass(1001);
    story.push();
    if (confirming) {
      story.get('probe@0');
      story.nack('probe').push();
    }
    story.want('a@3', 'a@1');
    assert.equal(story.push(), 'nothing', 'one is out');
    story.nack(confirming ? 'a' : 'probe');
    assert.equal(story.state.suspected, null);
    assert.equal(story.push(), 'verdict a@3');
  }
});

test('3. Envoy named nobody: the plugin is to blame only if it is the one that changed', () => {
  const table: readonly [string, string, string | undefined][] = [
    ['a@1 b@1', 'a@2 b@1', 'default/a'],
    ['a@1 b@1', 'a@2 b@2', undefined],
  ];
  for (const [from, to, culprit] of table) {
    const story = pushed(from, to);
    const unnamed = (): SlotStory => story.event({ type: 'nack', message: 'no factory found' });
    unnamed().pass(1001);
    assert.equal(story.push(), 'probe');
    story.get('probe@0');
    story.nack('probe').push();
    unnamed().pass(1001);
    assert.equal(story.state.refused?.plugin, culprit, to);
    assert.equal(story.state.refused?.message, 'no factory found');
    assert.equal(story.target, from);
  }
});

test("3. Envoy's text is recorded trimmed", () => {
  const story = pushed('a@1', 'a@2');
  const message = ' Unable to create Wasm plugin default/a\n';
  story.event({ type: 'nack', message }).pass(1001).push();
  story.get('probe@0');
  story.nack('probe').push();
  story.event({ type: 'nack', message }).pass(1001);
  assert.equal(story.state.refused?.message, message.trim());
});

// --- a plugin unchanged since the last ACK is never refused ------------------------------------------------

test('3. a plugin unchanged since the last ACK is never refused, however often it is named without a GET', () => {
  const story = pushed('a@1 b@1', 'a@2 b@1');
  for (let i = 0; i < 5; i++) {
    story.nack('b').pass(1001);
    assert.equal(story.state.refused, null);
    const next = story.sleepUntilDue();
    if (next === 'verdict a@1 b@1') {
      story.ack();
      assert.equal(story.sleepUntilDue(), 'verdict a@2 b@1');
    }
  }
});

test('3. the last accepted content itself, pushed again and NACKed, is not refused', () => {
  const story = refused();
  assert.equal(story.push(), 'verdict a@1');
  story.event({ type: 'nack', message: 'something else' }).pass(1001);
  assert.equal(story.state.refused?.revision, 2);
  assert.equal(story.state.blocked.get(hashOf('a@1'))?.failures, 1);
});

test('3. after our restart a plugin is unchanged by name and revision, as its content is not known', () => {
  const story = new SlotStory().want('a@1 b@1').subscribe({ version: `${hashOf('a@1 b@1')}.v` });
  story.want('a@1 b@2', 'a@1 b@1').push();
  story.nack('a').pass(1001);
  assert.notEqual(story.push(), 'probe');
  assert.equal(story.state.refused, null);
});

// --- what serves after a refusal ---------------------------------------------------------------------------

test('3. after a refusal the last accepted content is pushed at once, and differs from what Envoy tried last', () => {
  const story = refused();
  const before = story.tags;
  assert.equal(story.push(), 'verdict a@1');
  assert.notDeepEqual(story.tags, before);
  assert.equal(story.ack().push(), 'nothing');
});

test('3. the rest of a chain keeps its tags when the last accepted content comes back', () => {
  const story = SlotStory.accepted('a@1 b@1');
  const good = story.tags;
  story.want('a@2 b@1', 'a@1 b@1').push();
  story.refuse('a');
  assert.equal(story.push(), 'verdict a@1 b@1');
  assert.equal(story.tags['default/b@1'], good['default/b@1']);
});

test('3. what was never accepted falls back to the good revisions, or to a pass-through where there are none', () => {
  for (const [good, fallback] of [
    ['', 'verdict pass-through'],
    ['b@1', 'verdict b@1'],
  ] as const) {
    const story = new SlotStory().want('a@1 b@1', good).subscribe();
    story.push();
    story.refuse('a');
    assert.equal(story.push(), fallback);
  }
});

test('3. a place whose first answer was refused stays closed where the good revision is the refused one', () => {
  const story = new SlotStory().want('a@1', 'a@1').subscribe();
  story.push();
  story.refuse('a');
  assert.equal(story.target, 'nothing');
  assert.equal(story.sleepUntilDue(), 'nothing');
});

test('3. after a refusal the last good comes first, and then the others move on without the refused one', () => {
  const story = SlotStory.accepted('a@1 b@1').want('a@2 b@2', 'a@1 b@1');
  story.push();
  assert.equal(story.refuse('a').push(), 'verdict a@1 b@1');
  assert.equal(story.ack().push(), 'verdict a@1 b@2');
  story.get('b@2')('sent');
  assert.equal(story.nack('b').push(), 'verdict a@1 b@2', 'a miss of theirs is judged as any other');
  assert.equal(story.ack().want('a@1 b@2', 'a@1 b@1').push(), 'nothing');
});

test('3. what one plugin fails at keeps no other on the node', () => {
  const refused = SlotStory.accepted('a@1 b@1').want('a@2', 'a@1');
  refused.push();
  assert.equal(refused.refuse('a').push(), 'verdict a@1', 'b was undone meanwhile');
  const stuck = SlotStory.accepted('a@1 b@1').want('a@2', 'a@1');
  stuck.push();
  stuck.get('a@2')('failed');
  assert.equal(stuck.nack('a').push(), 'verdict a@1');
});
