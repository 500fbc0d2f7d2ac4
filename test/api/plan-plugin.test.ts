import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planPlugin } from '../../src/api/plan-plugin.ts';
import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import type { ResourceSpec } from '../../src/model/resource.ts';
import { hashFraction } from '../../src/model/rollout-plan.ts';
import { LISTENER_TYPE } from '../../src/model/type-url.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { quarantineKey, revisionKey, rolloutKey } from '../../src/store/record-kinds.ts';
import {
  makeAssignment,
  makePresence,
  makeRollout,
  makeSide,
  makeSpec,
  NOW,
  PLUGIN,
} from '../model/records.ts';
import { addNodes, planApply, planModule, readState, roll } from './plan-scene.ts';

/** What Envoy 1.36 can do. */
const OLD = { filterChain: false, wasm: true, failReload: true };

const AUTH = makeSpec({ phase: 'AUTHN', pluginConfig: { realm: 'example' } });

test('a new configuration: what differs, the chain as it stays, and the one node (transcript A5)', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'laptop');
  await roll(store, AUTH);
  const plan = await planApply(store, { ...AUTH, pluginConfig: { realm: 'laptop' } });
  assert.deepEqual(
    [plan.result, plan.differs, plan.title, plan.before, plan.after, plan.newRevision],
    ['configured', true, 'revision 1 → 2', 1, 2, true],
  );
  assert.deepEqual(plan.changes, [
    { path: 'spec.pluginConfig.realm', before: '"example"', after: '"laptop"' },
  ]);
  assert.equal(plan.module?.text, 'unchanged (9f2c4be01d77)');
  assert.deepEqual(
    plan.chains.map(({ text }) => text),
    [
      'chain on 1 node (laptop), listener ingress: auth (AUTHN) → router; order unchanged, no listener update',
    ],
  );
  assert.equal(plan.rollout?.text, 'steps: 1 laptop; then 1 min bake');
  assert.deepEqual(plan.warnings, []);
});

test('a first document is all new, on every node that it selects', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a', 'b', 'c');
  const plan = await planApply(store, AUTH);
  assert.deepEqual(
    [plan.result, plan.differs, plan.title, plan.module?.text],
    ['created', true, '– → revision 1', '9f2c4be01d77, 254 KB'],
  );
  assert.deepEqual(
    plan.changes.map(change => [change.path, change.before]),
    ['spec.phase', 'spec.pluginConfig.realm', 'spec.url'].map(path => [path, null]),
  );
  const [chain] = plan.chains;
  assert.deepEqual(
    [chain?.count, chain?.beforeText, chain?.afterText, chain?.order, chain?.listenerUpdate],
    [3, 'router', 'auth (AUTHN) → router', 'changed', false],
  );
  assert.deepEqual(
    [plan.rollout?.id, plan.rollout?.targets, plan.rollout?.preset],
    ['default.auth.1', 3, 'fast'],
  );
});

test('what stands already differs in nothing, and starts nothing', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a');
  await roll(store, AUTH);
  const plan = await planApply(store, { ...AUTH, message: 'again', by: 'somebody' });
  assert.deepEqual(
    [plan.result, plan.differs, plan.title, plan.rollout],
    ['unchanged', false, 'revision 1', null],
  );
});

test('a tag that moved differs though the document does not; older content has its number', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a');
  await roll(store, AUTH);
  const moved = await planApply(store, AUTH, 'two');
  assert.deepEqual(
    [moved.result, moved.differs, moved.title, moved.module?.text],
    ['unchanged', true, 'revision 1 → 2', '9f2c4be01d77 → 41d0aa93be02, 254 KB'],
  );
  await roll(store, AUTH, 'two');
  const back = await planApply(store, AUTH);
  assert.deepEqual([back.title, back.newRevision, back.differs], ['revision 2 → 1', false, true]);
});

test('content that was refused is held back: nothing would start', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a');
  await roll(store, AUTH);
  const bad = { ...AUTH, pluginConfig: { realm: 'bad' } };
  const module = await planModule(store, bad);
  assert.ok(module.kind === 'revision');
  const { contentHash, number } = module.revision;
  await store.put('Revision', revisionKey(PLUGIN, number), module.revision);
  await store.put('Quarantine', quarantineKey(PLUGIN, contentHash), {
    plugin: PLUGIN,
    contentHash,
    revision: number,
    rollout: 'default.auth.2',
    cause: 'refused',
    text: 'was refused by a',
    at: NOW - 1_000,
  });
  const plan = await planApply(store, bad);
  assert.deepEqual([plan.result, plan.rollout, plan.held?.revision], ['held-back', null, 2]);
  assert.match(plan.held?.text ?? '', /revision 2 .* was refused by a at .* and is held back/);
  assert.deepEqual(plan.held?.next[0]?.command, 'attache rollout retry auth');
  assert.equal(plan.chains[0]?.beforeText, plan.chains[0]?.afterText);
});

test('the document that was undone is held back as it stands, and another one is not', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a');
  await roll(store, AUTH);
  await roll(store, { ...AUTH, priority: 1 });
  const stored = await store.get('PluginSpec', PLUGIN);
  const held = { specRevision: stored?.revision ?? 0, revision: 2 };
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(1), held }));
  const again = await planApply(store, { ...AUTH, priority: 1 });
  assert.deepEqual([again.result, again.differs, again.title], ['held-back', true, 'revision 1 → 2']);
  assert.equal((await planApply(store, { ...AUTH, priority: 2 })).result, 'configured');
});

test('a new selector is a rollout to other nodes: some enter, some leave, the rest is not touched', async () => {
  const store = createMemoryStore();
  for (const [id, app] of [
    ['a', 'x'],
    ['b', 'x'],
    ['c', 'y'],
  ] as const)
    await store.put('NodePresence', id, makePresence({}, { id, labels: { app } }));
  await roll(store, { ...AUTH, selector: { matchLabels: { app: 'x' } } });
  const plan = await planApply(store, { ...AUTH, selector: { matchLabels: { app: 'y' } } });
  assert.deepEqual([plan.title, plan.rollout?.targets], ['revision 1, other nodes', 3]);
  assert.deepEqual(
    plan.chains.map(chain => [chain.nodes, chain.beforeText, chain.afterText]),
    [
      [['a', 'b'], 'auth (AUTHN) → router', 'router'],
      [['c'], 'router', 'auth (AUTHN) → router'],
    ],
  );
  const none = await planApply(store, { ...AUTH, selector: { matchLabels: { app: 'z' } } });
  assert.match(none.warnings[0] ?? '', /matches no node, a for instance: it selects label app=z/);
});

test('a delete takes it off its nodes in steps, or all at once', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a', 'b', 'c', 'd', 'e');
  await roll(store, AUTH);
  const remove = async (now: boolean) => {
    const deleted = { at: NOW, by: 'admin', now };
    return planPlugin(await readState(store), { spec: { ...AUTH, deleted }, module: null }).plan;
  };
  const plan = await remove(false);
  assert.deepEqual(
    [plan.result, plan.differs, plan.title, plan.after, plan.module, plan.changes],
    ['deleted', true, 'revision 1 → none', null, null, []],
  );
  assert.deepEqual(
    [plan.chains[0]?.afterText, plan.rollout?.steps.map(step => step.reaches)],
    ['router', [2, 3, 5]],
  );
  assert.deepEqual(
    (await remove(true)).rollout?.steps.map(step => step.reaches),
    [5],
  );
});

test('a rollout that is under way is taken over from; of what it brings already nothing new is planned', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a', 'b');
  await roll(store, AUTH);
  await roll(store, { ...AUTH, priority: 1 });
  const moved = [{ rollout: 'default.auth.2', side: makeSide(2), nodes: ['a'], since: 1 }];
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(1), moved }));
  const rollout = makeRollout({ id: 'default.auth.2', number: 2, phase: 'Progressing' });
  await store.put('Rollout', rolloutKey(PLUGIN, 2), rollout);
  const same = await planApply(store, { ...AUTH, priority: 1 });
  assert.deepEqual([same.result, same.differs, same.rollout], ['unchanged', false, null]);
  const other = await planApply(store, { ...AUTH, priority: 2 });
  assert.deepEqual(
    [other.title, other.rollout?.id, other.rollout?.supersedes, other.rollout?.targets],
    ['revision 2 → 3', 'default.auth.3', 'default.auth.2', 2],
  );
  const back = await planApply(store, AUTH);
  assert.deepEqual([back.title, back.rollout?.targets], ['revision 2 → 1', 1], 'only a was moved');
});

test('nodes that do not take part are named with the reason, and none is counted', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a', 'excluded');
  const noV8 = { filterChain: true, wasm: false, failReload: true };
  await store.put('NodePresence', 'noV8', makePresence({}, { id: 'noV8', capabilities: noV8 }));
  await store.put('NodePresence', 'bare', makePresence({ slots: [] }, { id: 'bare' }));
  await store.put('NodePresence', 'gone', makePresence({ connected: false }, { id: 'gone' }));
  const excluded = { by: 'admin', message: 'repair', at: 1 };
  await store.put('NodePolicy', 'excluded', { node: 'excluded', excluded });
  const plan = await planApply(store, AUTH);
  assert.deepEqual([plan.rollout?.targets, plan.rollout?.disconnected], [2, 1]);
  assert.deepEqual(
    plan.rollout?.steps.flatMap(step => step.nodes),
    ['a', 'gone'],
    'whoever is connected comes first',
  );
  assert.deepEqual(
    plan.outside.map(({ node, reason }) => [node, reason]),
    [
      ['bare', 'NoPlace'],
      ['excluded', 'Excluded'],
      ['noV8', 'NoV8'],
    ],
  );
  assert.match(plan.outside.find(({ node }) => node === 'excluded')?.text ?? '', /excluded by admin: repair/);
  assert.ok(plan.outside.every(({ text }) => text.length > 10));
});

test('with no node connected it is live at once', async () => {
  const store = createMemoryStore();
  const nobody = await planApply(store, AUTH);
  assert.deepEqual([nobody.rollout?.steps, nobody.rollout?.expectedMs], [[], 0]);
  assert.match(nobody.rollout?.text ?? '', /no known node is to change; live at once/);
  assert.match(nobody.warnings[0] ?? '', /no node has connected yet/);
  await store.put('NodePresence', 'gone', makePresence({ connected: false }, { id: 'gone' }));
  assert.match(
    (await planApply(store, AUTH)).rollout?.text ?? '',
    /none of 1 node is connected; live at once/,
  );
});

test('before Envoy 1.39 a plugin that comes or goes updates the listener, and one that changes does not', async () => {
  const store = createMemoryStore();
  await store.put('NodePresence', 'old', makePresence({ slots: [] }, { id: 'old', capabilities: OLD }));
  const listener: ResourceSpec = {
    type: 'listeners',
    namespace: 'default',
    name: 'ingress',
    resource: { '@type': LISTENER_TYPE, name: 'ingress' },
    createdAt: 1,
  };
  const plan = async (spec: PluginSpec) => {
    const module = await planModule(store, spec);
    const { chains } = planPlugin(await readState(store, [listener]), { spec, module }).plan;
    return chains.map(({ layout, where, order, listenerUpdate }) => [layout, where, order, listenerUpdate]);
  };
  assert.deepEqual(await plan(AUTH), [['single', 'ingress', 'changed', true]]);
  await roll(store, AUTH);
  assert.deepEqual(await plan({ ...AUTH, pluginConfig: {} }), [['single', 'ingress', 'unchanged', false]]);
});

test('two plugins that nobody put in an order are told, with what decides', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a');
  await roll(store, AUTH);
  const limit = makeSpec({ name: 'limit', phase: 'AUTHN', createdAt: 2 });
  const plan = await planApply(store, limit);
  assert.match(plan.warnings[0] ?? '', /default\/auth and default\/limit have the same place/);
  assert.deepEqual(
    plan.chains[0]?.after.map(({ plugin, why }) => [plugin, why !== null]),
    [
      ['default/auth', false],
      ['default/limit', true],
    ],
  );
  assert.deepEqual((await planApply(store, { ...limit, priority: 5 })).warnings, []);
});

test('the steps hold the very nodes that the rollout of that number would move', async () => {
  const store = createMemoryStore();
  const ids = Array.from({ length: 300 }, (_, i) => `edge-${String(i).padStart(3, '0')}`);
  await addNodes(store, ...ids);
  await roll(store, AUTH);
  await store.put('Rollout', rolloutKey(PLUGIN, 8), makeRollout({ number: 8, id: 'default.auth.8' }));
  const { rollout } = await planApply(store, { ...AUTH, priority: 1 });
  const ranked = ids.toSorted(
    (a, b) => hashFraction('default.auth.9', a) - hashFraction('default.auth.9', b),
  );
  assert.deepEqual(
    rollout?.steps.map(step => [step.reaches, step.count, step.nodes]),
    [
      [1, 1, ranked.slice(0, 1)],
      [30, 29, ranked.slice(1, 21)],
      [150, 120, ranked.slice(30, 50)],
      [300, 150, ranked.slice(150, 170)],
    ],
  );
  assert.equal(rollout?.text, 'steps, preset standard: 1, 30, 150, 300 nodes; then 10 min bake');
  assert.equal(rollout?.expectedMs, 22 * 60_000);
  assert.match(
    rollout?.steps[1]?.text ?? '',
    /^step 2 {3}10 % asked, 30 of 300 nodes: edge-\d+, edge-\d+, edge-\d+ and 26 more; then 5 min soak$/,
  );
});

test('a module that cannot be used is the answer, and no node would be touched', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a');
  await roll(store, AUTH);
  const problem = { code: 'module-not-found', message: 'no such tag', hint: 'push it', transient: false };
  const spec = { ...AUTH, url: 'oci://r/auth:2' };
  const { plan, after } = planPlugin(await readState(store), { spec, module: { kind: 'problem', problem } });
  assert.deepEqual(
    [plan.result, plan.differs, plan.title, plan.after, plan.rollout, plan.chains],
    ['failed', true, 'revision 1 → not known', null, null, []],
  );
  assert.deepEqual(plan.problem, problem);
  assert.deepEqual([plan.module?.changed, plan.module?.text], [null, 'not known']);
  assert.equal(after.fleet.assignments.get(PLUGIN)?.base.revision, 1);
});

test('while all is frozen a plan says so, and what it would do afterwards', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a');
  await store.put('Freeze', 'fleet', { by: 'admin', message: 'until 09:00', at: 1 });
  const plan = await planApply(store, AUTH);
  assert.equal(plan.frozen?.message, 'until 09:00');
  assert.equal(plan.rollout?.targets, 1);
});

test('of a list each document is planned on what those before it lead to', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a');
  const first = planPlugin(await readState(store), { spec: AUTH, module: await planModule(store, AUTH) });
  const limit = makeSpec({ name: 'limit' });
  const second = planPlugin(first.after, { spec: limit, module: await planModule(store, limit) });
  assert.deepEqual(
    second.plan.chains.map(chain => [chain.beforeText, chain.afterText]),
    [['auth (AUTHN) → router', 'auth (AUTHN) → limit → router']],
  );
});

test('without its module only the document is planned', async () => {
  const store = createMemoryStore();
  await addNodes(store, 'a');
  await roll(store, AUTH);
  const { plan } = planPlugin(await readState(store), { spec: { ...AUTH, priority: 3 }, module: undefined });
  assert.deepEqual(
    [plan.result, plan.differs, plan.rollout, plan.module, plan.problem],
    ['configured', true, null, null, null],
  );
});
