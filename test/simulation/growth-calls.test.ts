import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OF_ANY } from './growth/changes.ts';
import { type Calls, FunctionCalls } from './growth/function-calls.ts';
import { GrowthWorld, type Size } from './growth/growth-world.ts';

const SIZE: Size = { nodes: 40, plugins: 60, resources: 60, groups: 4, period: 5 };
/** Sorting needs a little more than twice the comparisons for twice as much. What is quadratic needs four times as many. */
const TWICE = 2.5;
const FEW = 300;
/** Of a search in what is sorted. */
const SOME = 20;

/** What is old is written together now and then, and by whom is chance: see src/store/segment-log.ts. */
const NOW_AND_THEN = /^src\/store\/(observed-records|segment|segment-heads|segment-log|joint-json)\.ts /;

/** By the name of the change. */
async function callsOf(
  size: Size,
  names: Iterable<string> = OF_ANY.keys(),
): Promise<ReadonlyMap<string, Calls>> {
  const world = await GrowthWorld.start(size);
  const counter = await FunctionCalls.start();
  try {
    const calls = new Map<string, Calls>();
    for (const name of names) {
      await counter.take();
      await OF_ANY.get(name)?.(world);
      calls.set(name, await counter.take());
    }
    assert.deepEqual(world.errors, []);
    return calls;
  } finally {
    await counter.end();
    world.end();
  }
}

let base: Promise<ReadonlyMap<string, Calls>> | undefined;

for (const dimension of ['nodes', 'resources', 'plugins'] as const)
  test(`twice the ${dimension}: no function runs more than in proportion`, async () => {
    base ??= callsOf(SIZE);
    const once = await base;
    const twice = await callsOf({ ...SIZE, [dimension]: 2 * SIZE[dimension] });
    const faults: string[] = [];
    for (const [name, calls] of twice)
      for (const [code, count] of calls) {
        if (NOW_AND_THEN.test(code)) continue;
        const before = once.get(name)?.get(code) ?? 0;
        if (count > TWICE * before + FEW) faults.push(`${name}: ${code} ran ${before} times, then ${count}`);
      }
    assert.deepEqual(faults, []);
  });

test('a node that connects: no function runs more often in a larger fleet', async () => {
  base ??= callsOf(SIZE);
  const few = await base;
  const many = await callsOf({ ...SIZE, nodes: 10 * SIZE.nodes }, ['a node connects', 'a node reconnects']);
  const faults: string[] = [];
  for (const [name, calls] of many)
    for (const [code, count] of calls) {
      const before = few.get(name)?.get(code) ?? 0;
      if (count > before + SOME) faults.push(`${name}: ${code} ran ${before} times, then ${count}`);
    }
  assert.deepEqual(faults, []);
});
