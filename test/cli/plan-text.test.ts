import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan, PlanStep, PluginPlan, ResourcePlan } from '../../src/api/schema/plan-view.ts';
import { toDiffExitCode } from '../../src/cli/commands/diff.ts';
import { describePlan, listPlanWarnings } from '../../src/cli/plan-text.ts';
import { at, NOW } from './rollout-views.ts';

const STEP: PlanStep = {
  number: 1,
  wave: null,
  asked: '100 % asked',
  reaches: 1,
  count: 1,
  nodes: ['laptop'],
  soakMs: 0,
  pause: null,
  text: 'step 1   100 % asked, 1 of 1 node: laptop',
};

const ROLLOUT: NonNullable<PluginPlan['rollout']> = {
  id: 'default.auth.2',
  supersedes: null,
  preset: 'fast',
  targets: 1,
  disconnected: 0,
  steps: [STEP],
  bakeMs: 60_000,
  expectedMs: 60_000,
  text: 'steps: 1 laptop; then 1 min bake',
};

const CHAIN: PluginPlan['chains'][number] = {
  count: 1,
  nodes: ['laptop'],
  layout: 'chain',
  where: 'listener ingress',
  before: [],
  after: [],
  order: 'unchanged',
  listenerUpdate: false,
  beforeText: 'auth (AUTHN) → router',
  afterText: 'auth (AUTHN) → router',
  text: 'chain on 1 node (laptop), listener ingress: auth (AUTHN) → router; order unchanged, no listener update',
};

function pluginPlan(fields: Partial<PluginPlan> = {}): PluginPlan {
  return {
    kind: 'PluginPlan',
    plugin: 'default/auth',
    result: 'configured',
    differs: true,
    before: 1,
    after: 2,
    newRevision: true,
    title: 'revision 1 → 2',
    changes: [{ path: 'spec.pluginConfig.realm', before: '"example"', after: '"laptop"' }],
    module: {
      before: '9f2c4be01d77',
      after: '9f2c4be01d77',
      changed: false,
      url: 'oci://127.0.0.1:18002/auth:1.4',
      sizeBytes: 254_000,
      abi: '0.2.1',
      importCount: 27,
      text: 'unchanged (9f2c4be01d77)',
    },
    problem: null,
    chains: [CHAIN],
    rollout: ROLLOUT,
    outside: [],
    held: null,
    frozen: null,
    warnings: [],
    ...fields,
  };
}

function describe(item: PluginPlan | ResourcePlan): readonly string[] {
  return describePlan({ kind: 'Plan', differs: item.differs, items: [item] }, NOW);
}

test('acceptance 9: the document, the chain of each group, the nodes of each step', () => {
  assert.deepEqual(describe(pluginPlan()), [
    'default/auth   revision 1 → 2',
    '  spec.pluginConfig.realm   "example" → "laptop"',
    '  module                    unchanged (9f2c4be01d77)',
    'chain on 1 node (laptop), listener ingress: auth (AUTHN) → router; order unchanged, no listener update',
    'steps: 1 laptop; then 1 min bake',
    'about 1 min in all, if nothing goes wrong',
  ]);
});

test('a chain that changes is shown before and after; several steps with their nodes', () => {
  const steps = [
    { ...STEP, text: 'step 1   1 node asked, 1 of 4 nodes: a; then 2 min soak' },
    { ...STEP, number: 2, text: 'step 2   100 % asked, 4 of 4 nodes: b, c, d' },
  ];
  const rollout = {
    ...ROLLOUT,
    steps,
    supersedes: 'default.auth.1',
    text: 'steps, preset standard: 1, 4 nodes',
  };
  const text = 'chain on 4 nodes (a, b, c and 1 more), listener ingress: order changed, no listener update';
  const chain = { ...CHAIN, beforeText: 'router', text };
  assert.deepEqual(describe(pluginPlan({ changes: [], module: null, chains: [chain], rollout })).slice(1), [
    text,
    '  before   router',
    '  after    auth (AUTHN) → router',
    'steps, preset standard: 1, 4 nodes',
    '  step 1   1 node asked, 1 of 4 nodes: a; then 2 min soak',
    '  step 2   100 % asked, 4 of 4 nodes: b, c, d',
    'about 1 min in all, if nothing goes wrong',
    'takes over from default.auth.1, which is under way',
  ]);
});

test('what stands in the way is said: the module, held back content, a freeze, nodes that take no part', () => {
  const none: Partial<PluginPlan> = { changes: [], module: null, chains: [], rollout: null };
  const problem = { code: 'unknown-tag', message: 'no tag 9.9', hint: 'Push it.', transient: true };
  assert.deepEqual(describe(pluginPlan({ ...none, result: 'failed', title: 'revision 1', problem })), [
    'default/auth   revision 1   failed',
    '  the module cannot be used: no tag 9.9   (code unknown-tag)',
    '  Push it.',
    '  applied, it would be tried again for an hour; no node would be touched',
  ]);
  const held = {
    revision: 2,
    text: `revision 2 was undone by admin at ${at('03:01:40')}`,
    next: [{ command: 'attache rollout retry auth', text: 'to roll it out again' }],
  };
  const frozen = {
    kind: 'Freeze',
    frozen: true,
    by: 'admin',
    since: at('03:01:00'),
    message: null,
    text: `frozen by admin since ${at('03:01:00')}`,
  } as const;
  const outside = [{ node: 'bare', reason: 'NoPlace', text: 'no listener' }];
  assert.deepEqual(describe(pluginPlan({ ...none, result: 'held-back', held, frozen, outside })), [
    'default/auth   revision 1 → 2   held back',
    '  revision 2 was undone by admin at 03:01:40',
    '  next: attache rollout retry auth   to roll it out again',
    'not counted: bare (NoPlace: no listener)',
    'frozen by admin since 03:01:00: applied now, it would be refused',
  ]);
});

const RESOURCE: ResourcePlan = {
  kind: 'ResourcePlan',
  type: 'listeners',
  namespace: 'default',
  name: 'ingress',
  envoyName: 'ingress',
  result: 'configured',
  differs: true,
  changes: [{ path: 'spec.resource.address.port', before: '10000', after: '10001' }],
  count: 300,
  nodes: ['a', 'b'],
  disconnected: 0,
  listeners: [],
  frozen: null,
  text: 'sent to 300 nodes at once',
  warnings: ['mind the gap'],
};

test('a raw resource has no steps: what changes, and the nodes that get it', () => {
  assert.deepEqual(describe(RESOURCE), [
    'listener default/ingress   configured: sent to 300 nodes at once',
    '  spec.resource.address.port   10000 → 10001',
    '  nodes   a, b and 298 more',
  ]);
  assert.deepEqual(describe({ ...RESOURCE, result: 'unchanged', differs: false, changes: [] }), [
    'listener default/ingress   unchanged',
  ]);
  assert.deepEqual(listPlanWarnings({ kind: 'Plan', differs: true, items: [RESOURCE] }), ['mind the gap']);
});

test('a listener that goes or breaks stands out, with its traffic', () => {
  const some = { count: 0, nodes: [] };
  const removed = {
    listener: 'ingress',
    effect: 'removed' as const,
    detail: 'it is removed',
    count: 1,
    nodes: ['a'],
    traffic: { carries: { count: 1, nodes: ['a'] }, idle: some, unknown: some },
    open: 1,
    opened: 2,
    text: 'listener ingress: it is removed. It carries traffic on 1 node (a): 1 connection open',
  };
  assert.equal(
    describe({ ...RESOURCE, listeners: [removed] }).at(-1),
    '  ! listener ingress: it is removed. It carries traffic on 1 node (a): 1 connection open',
  );
});

test('exit 3 for differences, 1 where something cannot be used, else 0', () => {
  const code = (item: PluginPlan) => {
    const plan: Plan = { kind: 'Plan', differs: item.differs, items: [item] };
    return toDiffExitCode(plan);
  };
  assert.equal(code(pluginPlan()), 3);
  assert.equal(code(pluginPlan({ result: 'unchanged', differs: false })), 0);
  assert.equal(code(pluginPlan({ result: 'failed' })), 1);
});
