import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSide } from '../../src/model/assignment.ts';
import { verdictKey } from '../../src/store/record-kinds.ts';
import { makeSample } from '../model/metric-records.ts';
import { makeVerdict, PLACE } from './records.ts';
import { type Stage, withStage } from './stage.ts';

/** Two plugins in one place of the same nodes, through the real stage: what one does to a node the other one sees. */
const GOOD = 'default/good';
const BAD = 'default/bad';
const NODES = ['edge-1', 'edge-2', 'edge-3', 'edge-4'];
const EVERYONE = { rollout: { steps: [{ share: '100%' }], bake: '10m' } };

/** Every node takes what both plugins are to be there. */
async function answer(stage: Stage): Promise<void> {
  const assignments = (await stage.store.list('Assignment')).records;
  for (const node of NODES) {
    const plugins = assignments.flatMap(({ key: plugin, value }) => {
      const { revision } = findSide(value, node);
      return revision === null ? [] : [{ plugin, revision }];
    });
    const contentHash = JSON.stringify(plugins);
    const key = verdictKey(node, PLACE);
    if ((await stage.store.get('NodeVerdict', key))?.value.accepted?.contentHash === contentHash) continue;
    const at = stage.clock.now();
    const taken = makeVerdict({ node, since: at });
    const tried = { contentHash, acked: true, plugins };
    await stage.store.put('NodeVerdict', key, { ...taken, tried, accepted: { contentHash, at, plugins } });
  }
  await stage.rest();
}

/** 100 requests of each node every five seconds, of some all with 503. */
async function serve(stage: Stage, ms: number, failing: readonly string[] = []): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5_000) {
    await stage.pass(5_000);
    for (const node of NODES) {
      const samples = stage.metrics.get(node)?.samples ?? [];
      const [, ok = 0, , , bad = 0] = samples.at(-1)?.byClass ?? [];
      const isFailing = failing.includes(node);
      const byClass = [0, ok + (isFailing ? 0 : 100), 0, 0, bad + (isFailing ? 100 : 0)] as const;
      const sample = makeSample(stage.clock.now(), { byClass });
      stage.metrics.set(node, { node, process: 'p1', samples: [...samples, sample] });
    }
    await stage.pass(600);
    await answer(stage);
  }
}

async function begin(stage: Stage): Promise<void> {
  await stage.start();
  await stage.join(...NODES);
  for (const plugin of [GOOD, BAD]) {
    await stage.apply(1, { preset: 'all-at-once' }, plugin);
    await answer(stage);
  }
  await stage.pass(620_000);
  await serve(stage, 15_000);
}

/** Revision 2 of both is on all nodes, and all of them answer 503 since. */
async function failTogether(stage: Stage): Promise<void> {
  await begin(stage);
  for (const plugin of [GOOD, BAD]) await stage.apply(2, EVERYONE, plugin);
  await answer(stage);
  await serve(stage, 15_000, NODES);
}

async function abort(stage: Stage, plugin: string): Promise<void> {
  const rollout = (await stage.latest(plugin))?.id ?? null;
  const at = stage.clock.now();
  await stage.store.put('RolloutIntent', plugin, {
    id: 1,
    plugin,
    rollout,
    action: 'abort',
    by: 'admin',
    at,
  });
  await stage.rest();
}

async function standings(stage: Stage): Promise<readonly string[]> {
  const rollouts = await Promise.all([GOOD, BAD].map(plugin => stage.latest(plugin)));
  return rollouts.map(rollout => `${rollout?.phase} ${rollout?.reason ?? ''}`.trim());
}

test('of two that may be at fault one is aborted: the other one stays paused', async () => {
  await withStage(async stage => {
    await failTogether(stage);
    assert.deepEqual(await standings(stage), ['Paused Unattributed', 'Paused Unattributed']);
    await abort(stage, BAD);
    await answer(stage);
    await serve(stage, 20_000);
    assert.deepEqual(await standings(stage), ['Paused Unattributed', 'Aborted Person']);
  });
});

test('of two that may be at fault the one that is left goes back where nodes go on failing', async () => {
  await withStage(async stage => {
    await failTogether(stage);
    await abort(stage, GOOD);
    await answer(stage);
    await serve(stage, 5_000, NODES);
    assert.deepEqual(await standings(stage), ['Aborted Person', 'Paused Unattributed']);
    await serve(stage, 10_000, NODES);
    assert.deepEqual(await standings(stage), ['Aborted Person', 'RolledBack Broken']);
  });
});

test('one that goes back by itself takes no other with it', async () => {
  await withStage(async stage => {
    await begin(stage);
    await stage.apply(2, EVERYONE, GOOD);
    await answer(stage);
    await serve(stage, 10_000);
    await stage.apply(2, { rollout: { steps: [{ nodes: 1, soak: '5m' }], bake: '10m' } }, BAD);
    await answer(stage);
    const canary = (await stage.store.get('Assignment', BAD))?.value.moved[0]?.nodes as readonly string[];
    assert.equal(canary.length, 1);
    for (let i = 0; (await stage.latest(BAD))?.phase === 'Progressing'; i += 1) {
      assert.ok(i < 10, 'it does not go back');
      await serve(stage, 5_000, canary);
    }
    await serve(stage, 20_000);
    assert.deepEqual(await standings(stage), ['Baking', 'RolledBack Broken']);
  });
});

test('a refusal that names nobody is not the other one’s because one of the two was aborted', async () => {
  await withStage(async stage => {
    await begin(stage);
    for (const plugin of [GOOD, BAD]) await stage.apply(2, EVERYONE, plugin);
    await stage.pass(100);
    const at = stage.clock.now();
    const refuse = async (state: 'refused' | 'sent', revisions: readonly [number, number]): Promise<void> => {
      const plugins = [GOOD, BAD].map((plugin, i) => ({ plugin, revision: revisions[i] ?? 0 }));
      const key = verdictKey('edge-1', PLACE);
      const before = (await stage.store.get('NodeVerdict', key))?.value;
      assert.ok(before !== undefined);
      const tried = { contentHash: JSON.stringify(plugins), acked: false, plugins };
      const refused = { contentHash: 'both', message: 'no', at, healed: false };
      await stage.store.put('NodeVerdict', key, { ...before, state, tried, refused });
      await stage.rest();
    };
    await refuse('refused', [2, 2]);
    await stage.pass(5_000);
    assert.deepEqual(await standings(stage), ['Paused Unattributed', 'Paused Unattributed']);
    await abort(stage, BAD);
    // What is wanted now was sent, and not answered for a moment.
    await refuse('sent', [2, 1]);
    assert.equal((await standings(stage))[0], 'Paused Unattributed');
  });
});
