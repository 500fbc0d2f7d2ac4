import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OF_ANY, OF_ONE_NODE } from './growth/changes.ts';
import { GrowthWorld, type Size, type Work } from './growth/growth-world.ts';

/** What does not grow with anything, such as a second commit where the first one came too early. */
const FEW = 2;
/** Numbers in texts have more digits. */
const FEW_BYTES = 200;
const PERIOD = 5;

/** Whole numbers of everything for each group, so that twice as many are twice as many for each. */
const sizes = fc
  .record({
    groups: fc.integer({ min: 2, max: 6 }),
    nodesEach: fc.integer({ min: 2, max: 12 }),
    pluginPeriods: fc.integer({ min: 1, max: 2 }),
    resourcePeriods: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ groups, nodesEach, pluginPeriods, resourcePeriods }) => ({
    groups,
    period: PERIOD,
    nodes: groups * nodesEach,
    plugins: PERIOD * groups * pluginPeriods,
    resources: PERIOD * groups * resourcePeriods,
  }));

for (const dimension of ['nodes', 'plugins', 'resources'] as const)
  test(`twice the ${dimension} at most doubles what a change costs, whatever it is`, async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom(...OF_ANY.keys()), async (size, name) => {
        const once = await costOf(name, size);
        const twice = await costOf(name, { ...size, [dimension]: 2 * size[dimension] });
        for (const counter of countersOf(once)) {
          const bound = 2 * once[counter] + slackOf(counter);
          assert.ok(twice[counter] <= bound, `${counter} grew from ${once[counter]} to ${twice[counter]}`);
        }
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });

test('a change that touches one node costs the same with 10,000 nodes as with 100', async () => {
  // None says the same of itself as another one, also of those that the changes add.
  const size = { plugins: 40, resources: 40, groups: 20_000, period: PERIOD };
  const few = await costsOfOneNode({ ...size, nodes: 100 });
  const many = await costsOfOneNode({ ...size, nodes: 10_000 });
  for (const [name, work] of few) {
    assert.ok(work.commits > 0, `${name}: nothing happened`);
    const grown = many.get(name);
    for (const counter of countersOf(work)) {
      const isSame = Math.abs((grown?.[counter] ?? 0) - work[counter]) <= (isBytes(counter) ? FEW_BYTES : 0);
      assert.ok(isSame, `${name}: ${counter} was ${work[counter]}, and is ${grown?.[counter]}`);
    }
  }
});

async function costOf(name: string, size: Size): Promise<Work> {
  const world = await GrowthWorld.start(size);
  try {
    const work = await OF_ANY.get(name)?.(world);
    assert.ok(work !== undefined && work.commits > 0, `${name}: nothing happened`);
    assert.deepEqual(world.errors, []);
    return work;
  } finally {
    world.end();
  }
}

/** One after the other in one world: to bring a large one up takes longer than they do. */
async function costsOfOneNode(size: Size): Promise<ReadonlyMap<string, Work>> {
  const world = await GrowthWorld.start(size);
  try {
    const costs = new Map<string, Work>();
    for (const [name, measure] of OF_ONE_NODE) costs.set(name, await measure(world));
    assert.deepEqual(world.errors, []);
    return costs;
  } finally {
    world.end();
  }
}

function countersOf(work: Work): readonly (keyof Work)[] {
  return Object.keys(work) as (keyof Work)[];
}

function slackOf(counter: keyof Work): number {
  return isBytes(counter) ? FEW_BYTES : FEW;
}

function isBytes(counter: keyof Work): boolean {
  return counter.startsWith('bytes');
}
