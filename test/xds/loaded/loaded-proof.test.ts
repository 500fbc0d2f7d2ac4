/** When counts of VMs prove that a plugin runs on every worker. What they do is measured in test/e2e/traps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeVerdict } from '../../../src/model/node-verdict.ts';
import { restoreProof } from '../../../src/xds/loaded/loaded-proof.ts';
import { toContent } from '../push/slot-story.ts';
import { LoadedStory } from './loaded-story.ts';

/** A live process with `content` in slot `s`, and time enough since. */
const running = (content: string): LoadedStory => new LoadedStory().push('s', content).flushes(4);

test('a first plugin is proven from the second flush on, when nothing is to go', () => {
  const story = running('').push('s', 'a@1');
  assert.equal(story.flush().loaded, '');
  assert.equal(story.flush().loaded, 's: a');
});

test('a plugin that replaces another is proven once a flush before found no request under way', () => {
  const story = running('a@1').push('s', 'a@2').flushes(2);
  assert.equal(story.loaded, '');
  assert.equal(story.flush().loaded, 's: a');
});

test('a new configuration in the same VM is proven alike', () => {
  assert.equal(running('a@1:m').push('s', 'a@2:m').flushes(3).loaded, 's: a');
});

test('on a node that is never quiet only what replaces nothing is proven', () => {
  const story = running('a@1');
  story.vms.beginRequest(0);
  assert.equal(story.push('s', 'a@2').flushes(9).loaded, '');
  assert.equal(story.push('s', 'a@2 b@1').flushes(3).loaded, 's: b');
});

for (const threads of [[1], [2], [1, 2], [0, 1, 2], [0]])
  for (const [how, from, to] of [
    ['as the first', '', 'a@1'],
    ['as one more', 'b@1', 'b@1 a@1'],
    ['from a new module', 'a@1', 'a@2'],
    ['with a new configuration', 'a@1:m', 'a@2:m'],
  ] as const)
    test(`a plugin that does not start on threads ${threads} is never proven: ${how}`, () => {
      const story = running(from).push('s', to, { failsOn: threads }).flushes(100);
      assert.doesNotMatch(story.loaded, /a/);
    });

test('old VMs that a request keeps do not stand in for new ones that are missing', () => {
  const story = running('a@1');
  story.vms.beginRequest(0);
  story.push('s', 'a@2', { failsOn: [1, 2] });
  assert.equal(story.reading().active, running('a@1').reading().active);
  story.flushes(20);
  story.vms.endRequest();
  assert.equal(story.flushes(20).loaded, '');
});

test('a request that ends lets the proof come late', () => {
  const story = running('a@1');
  story.vms.beginRequest(0);
  story.push('s', 'a@2').flushes(20);
  story.vms.endRequest();
  assert.equal(story.flushes(2).loaded, 's: a');
});

test('a new process begins with no VM: what it starts with is proven, the warming form included', () => {
  assert.equal(new LoadedStory().push('s', 'a@1 b@1', { warm: true }).flushes(3).loaded, 's: a b');
  assert.equal(new LoadedStory().push('s', 'a@1', { warm: true, failsOn: [2] }).flushes(9).loaded, '');
});

test('places without plugins do not matter', () => {
  const story = new LoadedStory().push('t', '').push('u', '').push('s', 'a@1', { warm: true });
  assert.equal(story.flushes(3).loaded, 's: a');
});

test('VMs of others from before leave the first plugin at Accepted: Envoy may drop its counts unseen', () => {
  const story = new LoadedStory();
  story.vms.foreign(4);
  assert.equal(story.flushes(2).push('s', 'a@1').flushes(9).loaded, '');
});

test('a process that we did not see begin needs a flush before the push', () => {
  assert.equal(new LoadedStory({ fresh: false }).push('s', 'a@1').flushes(9).loaded, '');
  assert.equal(new LoadedStory().push('s', 'a@1').versions().flushes(9).loaded, '');
  assert.equal(new LoadedStory({ fresh: false }).flushes(2).push('s', 'a@1').flushes(2).loaded, 's: a');
});

test('several changes between two flushes add up', () => {
  assert.equal(running('').push('s', 'a@1').push('s', 'a@1 b@1').flushes(2).loaded, 's: a b');
  assert.equal(running('a@1').push('s', 'a@2').push('s', 'a@3').flushes(3).loaded, 's: a');
  assert.equal(
    running('a@1')
      .push('s', 'a@2')
      .push('s', 'a@3', { failsOn: [1] })
      .flushes(9).loaded,
    '',
  );
  assert.equal(running('a@1').push('s', 'a@2').push('s', 'a@1').flushes(3).loaded, 's: a');
});

test('a request that began between two changes is waited for, too', () => {
  const story = new LoadedStory().push('s', 'a@1:m');
  story.vms.beginRequest(0);
  assert.equal(story.push('s', 'a@2:m', { failsOn: [1] }).flushes(9).loaded, '');
});

test('a place that goes makes what is pushed meanwhile unknown', () => {
  const story = running('').push('t', 'b@1').flushes(3).push('s', 'a@1').drop('t');
  assert.equal(story.flushes(9).loaded, '');
});

test('the same change in two slots is one', () => {
  const story = running('a@1').push('t', 'a@1').flushes(3);
  story.push('s', 'a@2').push('t', 'a@2');
  assert.equal(story.flushes(3).loaded, 's: a, t: a');
});

test('a plugin with two configurations in one VM is not proven: each keeps it alive for the other', () => {
  const story = running('')
    .push('s', 'a@1:m')
    .push('t', 'a@2:m', { failsOn: [1] });
  assert.equal(story.flushes(9).loaded, '');
});

test('a refusal on the way, and VMs of others, leave it at Accepted', () => {
  const refused = running('a@1').refuse('s', 'a@2').push('s', 'a@3');
  assert.equal(refused.flushes(9).loaded, '');
  const others = running('a@1').push('s', 'a@2');
  others.vms.foreign(1);
  assert.equal(others.flushes(9).loaded, '');
});

test('a hot restart proves nothing, and neither does an Envoy that does not say how many workers it has', () => {
  const story = running('').push('s', 'a@1');
  for (const more of [{ hotRestarted: true }, { workers: null }])
    for (let i = 0; i < 5; i++) assert.equal(story.flush(more).loaded, '');
  assert.equal(story.flush().loaded, 's: a');
});

test('a flush that comes while a push is out tells nothing', () => {
  const story = running('');
  const early = story.reading();
  story.push('s', 'a@1').flush(early);
  assert.equal(story.loaded, '');
  assert.equal(story.flushes(2).loaded, 's: a');
});

test('what is proven stays while its own part stays, and over a broken stream', () => {
  const story = running('').push('s', 'a@1').flushes(3);
  assert.equal(story.push('s', 'a@1 b@1').loaded, 's: a');
  assert.equal(story.flushes(3).loaded, 's: a b');
  assert.equal(story.reconnect().loaded, 's: a b');
  assert.equal(story.push('s', 'b@1 a@2').loaded, 's: b');
  assert.equal(story.push('s', 'b@1 a@1').loaded, 's: b');
  assert.equal(story.drop('s').loaded, '');
});

test('what was proven before our start stays until its part changes', () => {
  const { contentHash, plugins } = toContent('a@1 b@1');
  const accepted = { contentHash, at: 1, plugins, loaded: ['default/a', 'default/b'] };
  const verdict: NodeVerdict = {
    ...{ node: 'n', process: 'p', slot: 's', state: 'accepted', since: 1, tried: null, refused: null },
    accepted,
  };
  const restored = (): LoadedStory =>
    new LoadedStory({ fresh: false, proof: restoreProof([verdict]) }).restore('s', 'a@1 b@1');
  assert.equal(restored().loaded, 's: a b');
  // The snapshot says what the content was before anything changes.
  assert.equal(restored().want('s', 'a@1 b@1').push('s', 'a@2 b@1').loaded, 's: b');
  // It does not where the change came first: nobody knows whether the part is the same.
  assert.equal(restored().want('s', 'a@2 b@1').push('s', 'a@2 b@1').loaded, '');
});

test('what replaces a plugin that was not whole is not proven by it', () => {
  const story = running('')
    .push('s', 'a@1', { failsOn: [1] })
    .flushes(5);
  assert.equal(story.push('s', 'a@2', { failsOn: [2] }).flushes(9).loaded, '');
  assert.equal(story.push('s', 'a@3').flushes(9).loaded, 's: a');
});

test('a VM that crashed and was made again changes nothing; one that was not leaves what replaces it at Accepted', () => {
  const made = running('a@1');
  made.vms.crash(1, true);
  assert.equal(made.flushes(3).push('s', 'a@2').flushes(9).loaded, 's: a');
  const lost = running('a@1');
  lost.vms.crash(1, false);
  assert.equal(
    lost
      .flushes(3)
      .push('s', 'a@2', { failsOn: [2] })
      .flushes(9).loaded,
    '',
  );
  const hidden = running('a@1');
  hidden.vms.crash(1, false);
  hidden.vms.foreign(1);
  assert.equal(
    hidden
      .flushes(3)
      .push('s', 'a@2', { failsOn: [2] })
      .flushes(9).loaded,
    '',
  );
});
