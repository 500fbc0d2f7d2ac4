import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomWorld } from '../xds/model/random-world.ts';

const SEEDS = Number(process.env.PUSH_SEEDS ?? 500);
const FIRST = Number(process.env.PUSH_FIRST_SEED ?? 1);

test('random stories against a modelled Envoy: no trap is stepped into, every story ends where it should', async t => {
  const stories = { delta: 0, sotw: 0 };
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const world = new RandomWorld(seed);
    stories[world.form] += 1;
    await world.start();
    for (let i = 0; i < 25; i++) await world.act();
    await world.settle();
    world.check();
    assert.deepEqual(world.violations, [], `seed ${seed}:\n${world.story.join('\n')}`);
  }
  t.diagnostic(`${stories.delta} stories in delta, ${stories.sotw} in the state of the world`);
});
