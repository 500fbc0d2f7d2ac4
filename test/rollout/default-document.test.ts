/** What a document without `spec.rollout` gets, on few nodes and on many. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { live } from './live.ts';
import { World } from './world.ts';

for (const nodes of [1, 2, 3])
  test(`C-A3: a first apply succeeds in three minutes, without traffic (nodes: ${nodes})`, () => {
    const world = new World(nodes).apply(1);
    assert.equal(world.moved().length, 1, 'at once on the first node');
    const began = world.now;
    while (world.phase() !== 'Succeeded' && world.now < began + 180_000) world.answer().pass(1_000);
    assert.equal(world.phase(), 'Succeeded');
    assert.ok(world.now - began < 180_000, `after ${world.now - began} ms`);
  });

test('C-B4: when the time for the module is over nothing starts, and nothing starts by itself later', () => {
  const world = live().document().module({ state: 'retrying', message: 'no answer' });
  assert.equal(world.pass(3_600_000).phase(), 'Validating');
  world.module({ state: 'failed', code: 'registry-timeout', message: 'no answer' });
  assert.equal(world.phase(), 'NotStarted');
  const { id } = world.latest();
  assert.equal(world.pass(8 * 3_600_000).latest().id, id);
  for (const node of world.fleet.keys()) assert.equal(world.wanted(node), 1, node);
});

test('C-X3: a typo in the selector takes the plugin off one of 300 nodes, and an abort brings it back', () => {
  const world = live(300).apply(1, { selector: { matchLabels: { app: 'typo' } } });
  assert.equal(world.answer().moved().length, 1);
  assert.equal(world.pass(60_000).answer().moved().length, 1);
  world.act('abort').answer();
  assert.deepEqual(world.moved(), []);
  for (const node of world.fleet.keys()) assert.equal(world.running(node), 1, node);
});
