import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GrowthWorld } from '../simulation/growth/growth-world.ts';

/** 100 nodes in each group, two of them connected; 20 plugins and 2 resources are for every node. */
const SIZE = { nodes: 200, away: 9800, plugins: 1000, resources: 100, groups: 100, period: 50 };
const IN_GROUP = 2;

test('1,000 plugins on 10,000 nodes: a change for a group is worked out for that group', async t => {
  const world = await GrowthWorld.start(SIZE);
  t.after(() => world.end());

  const plugin = await world.measure(() => world.applyPlugin('plugin-2', 1));
  assert.equal(plugin.pushes, IN_GROUP);
  // While its nodes move, and once more when the rollout is over.
  assert.equal(plugin.compilations, 2);
  // Both forms of a place, and each of the 30 plugins in it.
  assert.ok(plugin.encodings < 40, `${plugin.encodings} encodings`);

  const resource = await world.measure(() => world.putCluster('cluster-2', 1));
  assert.equal(resource.pushes, IN_GROUP);
  assert.equal(resource.compilations, 1);
  assert.equal(resource.encodings, 1);

  const back = await world.measure(() => world.first.reconnect());
  assert.equal(back.compilations + back.encodings + back.pushes, 0);
  assert.equal(back.commits, 1);
  assert.deepEqual(world.errors, []);
});
