import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WireTale } from './wire-tale.ts';

const LAST = 'attache.last/in';
const NODES = ['n1', 'n2', 'n3', 'n4'];
/** One node, a minute; half of them, a minute; everybody. */
const STEPS = {
  steps: [
    { nodes: 1, soak: '1m' },
    { share: '50%', soak: '1m' },
  ],
  bake: '1m',
};

/** Revision 1 is everywhere, and its bake is over. */
function settled(): WireTale {
  const tale = new WireTale(NODES).apply(1, { preset: 'all-at-once', bake: '1m' });
  for (const node of NODES) tale.move(node, 'p1@1');
  return tale.wait(20 * 60_000);
}

function verb(action: 'pause' | 'resume' | 'promote' | 'abort' | 'retry', full = false) {
  return { type: 'verb', plugin: 'default/p1', action, full, freeze: false, to: null } as const;
}

test('a rollout in its steps breaks no rule', () => {
  const tale = settled().apply(2, STEPS).move('n1', 'p1@2').wait(60_100).move('n2', 'p1@2').wait(60_100);
  tale.move('n3', 'p1@2').move('n4', 'p1@2').wait(120_000).end();
  assert.deepEqual(tale.checker.violations, []);
});

test('a node beyond the step, a step before its soak is over, and one before its answer', () => {
  assert.deepEqual(settled().apply(2, STEPS).move('n1', 'p1@2').wait(1000).move('n2', 'p1@2').broken, [
    'step',
  ]);
  assert.deepEqual(settled().apply(2, STEPS).move('n1', 'p1@2').wait(59_000).move('n2', 'p1@2').broken, [
    'step',
  ]);
  const unanswered = settled().apply(2, STEPS).push('n1', LAST, ['p1@2']).wait(90_000).move('n2', 'p1@2');
  assert.deepEqual(unanswered.broken, ['step']);
});

test('a step that a person promotes, or all of them', () => {
  const one = settled().apply(2, STEPS).move('n1', 'p1@2').wait(1000).did(verb('promote')).move('n2', 'p1@2');
  assert.deepEqual(one.broken, []);
  assert.deepEqual(one.wait(1000).move('n3', 'p1@2').broken, ['step']);
  const all = settled().apply(2, STEPS).move('n1', 'p1@2').wait(1000).did(verb('promote', true));
  assert.deepEqual(all.move('n2', 'p1@2').move('n3', 'p1@2').move('n4', 'p1@2').broken, []);
});

test('a pause and a freeze stand in the way of the next step, and their time does not count', () => {
  const paused = settled().apply(2, STEPS).move('n1', 'p1@2').wait(1000).did(verb('pause')).wait(90_000);
  assert.deepEqual(paused.move('n2', 'p1@2').broken, ['step']);
  const frozen = settled().apply(2, STEPS).move('n1', 'p1@2').wait(1000).did({ type: 'frozen' }).wait(90_000);
  assert.deepEqual(frozen.move('n2', 'p1@2').broken, ['step']);
  const resumed = settled()
    .apply(2, STEPS)
    .move('n1', 'p1@2')
    .wait(10_000)
    .did({ type: 'frozen' })
    .wait(90_000);
  assert.deepEqual(resumed.did({ type: 'unfrozen' }).wait(20_000).move('n2', 'p1@2').broken, ['step']);
});

test('a step that waits for a person', () => {
  const steps = { steps: [{ nodes: 1, soak: '10s' }, { pause: 'human' }, { share: '100%' }] };
  assert.deepEqual(settled().apply(2, steps).move('n1', 'p1@2').wait(600_000).move('n2', 'p1@2').broken, [
    'step',
  ]);
});

test('two zones at once', () => {
  const zone = (node: string): string => (node < 'n3' ? 'a' : 'b');
  const waves = { waves: [{ selector: { zone: 'a' } }, { selector: { zone: 'b' } }], preset: 'all-at-once' };
  const tale = new WireTale(NODES, zone).apply(1, waves).move('n1', 'p1@1').move('n3', 'p1@1');
  assert.deepEqual(tale.broken, ['step']);
  const inOrder = new WireTale(NODES, zone).apply(1, waves).move('n1', 'p1@1').move('n2', 'p1@1');
  assert.deepEqual(inOrder.move('n3', 'p1@1').broken, []);
});

test('after a refusal nobody else is moved, and who was is back in time', () => {
  const tale = settled().apply(2, { preset: 'all-at-once' }).move('n1', 'p1@2').refuse('n2', 'p1@2');
  tale.push('n2', LAST, ['p1@1!']).ack('n2');
  assert.deepEqual(tale.wait(1000).broken, []);
  tale.move('n3', 'p1@2');
  assert.deepEqual(tale.broken, ['moved-after-failure']);
  assert.deepEqual(tale.wait(10_000).end().broken, ['moved-after-failure', 'not-back', 'wrong-end']);
});

test('a NACK that makes a GET is no refusal', () => {
  const tale = settled()
    .apply(2, { preset: 'all-at-once' })
    .push('n1', LAST, ['p1@2'])
    .nack('n1', 'default/p1');
  tale.get('n1', 'default/p1@2-module').wait(3000).push('n1', LAST, ['p1@2!']).ack('n1').wait(1000);
  assert.deepEqual(tale.move('n2', 'p1@2').broken, []);
});

test('what was refused or aborted is not tried again without retry', () => {
  const tale = settled().apply(2, { preset: 'all-at-once' }).move('n1', 'p1@2').did(verb('abort')).wait(200);
  tale.push('n1', LAST, ['p1@1!']).ack('n1').wait(10_000).apply(2, { preset: 'all-at-once' }).wait(1000);
  assert.deepEqual(tale.broken, []);
  assert.deepEqual(tale.did(verb('retry')).move('n1', 'p1@2').broken, []);
  const again = settled().apply(2, { preset: 'all-at-once' }).move('n1', 'p1@2').did(verb('abort')).wait(200);
  again.push('n1', LAST, ['p1@1!']).ack('n1').wait(10_000).apply(3, { preset: 'all-at-once' }).wait(1000);
  assert.deepEqual(again.move('n1', 'p1@2').broken, ['quarantined']);
});

test('going back without a cause, and a revision that nobody asked for', () => {
  const tale = settled().apply(2, STEPS).move('n1', 'p1@2').wait(30_000);
  assert.deepEqual(tale.push('n1', LAST, ['p1@1!']).ack('n1').broken, ['back-without-cause']);
  assert.deepEqual(settled().move('n1', 'p1@9').broken, ['foreign-content']);
  assert.deepEqual(settled().push('n1', LAST, []).ack('n1').broken, ['back-without-cause']);
});

test('bytes that an Envoy has, also after a restart of Attaché; a tag that changes for nothing', () => {
  assert.deepEqual(settled().push('n1', LAST, ['p1@1']).broken, ['needless-push']);
  const restarted = settled()
    .did({ type: 'killed' })
    .close('n1')
    .wait(1000)
    .did({ type: 'started' })
    .open('n1', false);
  assert.deepEqual(restarted.broken, []);
  assert.deepEqual(restarted.push('n1', LAST, ['p1@1!']).broken, ['needless-push']);
  const tale = settled().apply(1, { preset: 'all-at-once' }, 'default/p2');
  assert.deepEqual(tale.push('n1', LAST, ['p1@1!', 'p2@1']).broken, ['tag-changed']);
});

test('a listener that nobody changed', () => {
  const tale = settled().listener('n1', 'v1').did({ type: 'listener-changed' }).listener('n1', 'v2');
  assert.deepEqual(tale.broken, []);
  assert.deepEqual(tale.listener('n1', 'v2').broken, ['needless-push']);
  assert.deepEqual(settled().listener('n1', 'v1').listener('n1', 'v2').broken, ['listener-changed']);
});

test('an excluded node stays on what was proven', () => {
  const tale = settled().did({ type: 'excluded', node: 'n1' }).wait(1000).apply(2, { preset: 'all-at-once' });
  assert.deepEqual(tale.move('n2', 'p1@2').broken, []);
  assert.deepEqual(tale.move('n1', 'p1@2').broken, ['excluded']);
});

test('what one refuses in a chain takes nothing else back', () => {
  const tale = settled().apply(1, { preset: 'all-at-once' }, 'default/p2');
  for (const node of NODES) tale.move(node, 'p1@1', 'p2@1');
  tale
    .wait(20 * 60_000)
    .apply(2, { preset: 'all-at-once' }, 'default/p2')
    .move('n1', 'p1@1', 'p2@2');
  tale
    .did({ ...verb('abort'), plugin: 'default/p2' })
    .wait(200)
    .move('n1', 'p1@1', 'p2@1!');
  assert.deepEqual(tale.broken, []);
  assert.deepEqual(tale.move('n2', 'p2@1').broken, ['back-without-cause']);
});

test('in the end everybody runs what was asked for', () => {
  const tale = settled().apply(2, { preset: 'all-at-once' }).move('n1', 'p1@2').wait(60_000);
  assert.deepEqual(tale.end().broken, ['wrong-end']);
});

test('what is halted stays where it is, also on a new process, and reaches nobody else', () => {
  const halted = (): WireTale =>
    settled()
      .apply(2, STEPS)
      .move('n1', 'p1@2')
      .did({ ...verb('abort'), freeze: true });
  const tale = halted().wait(10_000).close('n1').wait(5_000).open('n1', true).wait(2_000);
  assert.deepEqual(tale.move('n1', 'p1@2').broken, []);
  assert.deepEqual(halted().wait(90_000).move('n2', 'p1@2').broken, ['moved-after-failure']);
});

test('what is undone comes back only where the undo is refused or aborted', () => {
  const undone = (): WireTale => {
    const tale = settled().apply(2, { preset: 'all-at-once', bake: '1m' });
    for (const node of NODES) tale.move(node, 'p1@2');
    tale
      .wait(10 * 60_000)
      .did({ ...verb('abort'), action: 'undo' })
      .wait(200);
    for (const node of NODES) tale.push(node, LAST, ['p1@1!']).ack(node);
    return tale.wait(1000);
  };
  assert.deepEqual(undone().move('n1', 'p1@2!').broken, ['moved-after-failure']);
  assert.deepEqual(undone().did({ type: 'excluded', node: 'n1' }).wait(1000).move('n1', 'p1@2!').broken, [
    'moved-after-failure',
  ]);
  assert.deepEqual(undone().did(verb('abort')).move('n1', 'p1@2!').broken, []);
});

test('an ACK that nobody heard is told by what the Envoy brings', () => {
  const lost = (): WireTale =>
    settled().apply(2, STEPS).push('n1', LAST, ['p1@2']).close('n1').wait(1000).open('n1', false);
  const tale = lost().brings('n1', 'p1@2').wait(61_000);
  assert.deepEqual(tale.move('n2', 'p1@2').broken, []);
  assert.deepEqual(lost().brings('n1', 'p1@1').wait(61_000).move('n2', 'p1@2').broken, ['step']);
});
