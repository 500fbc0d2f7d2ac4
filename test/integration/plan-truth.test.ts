import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import type { NodeMetrics } from '../../src/model/node-metrics.ts';
import { silentLog } from '../../src/model/ports.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { createModulePlanner } from '../../src/module/plan-module.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { startRolloutController } from '../../src/rollout/rollout-controller.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { rolloutKey } from '../../src/store/record-kinds.ts';
import { startApi } from '../api/api-client.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { makePresence } from '../model/records.ts';
import { makeCache, makeModule, random, startRegistry, systemClock, testSeal } from '../module/actors.ts';

/** What is planned must be what then happens: the api, the module stage and the rollout stage around one store. */
async function setUp(t: TestContext) {
  const { host } = await startRegistry(t);
  const store = createMemoryStore();
  const cache = await makeCache(t);
  const sources = {
    insecureRegistries: () => [host],
    registries: [],
    allowPrivateHosts: [],
    meter: silentMeter,
    dockerConfigPath: undefined,
    moduleDirectory: undefined,
  };
  const shared = {
    store,
    seal: testSeal,
    tagIntervalMs: undefined,
    rootNamespace: 'istio-system',
    clock: systemClock,
    log: silentLog,
  };
  const planner = createModulePlanner({ ...shared, cache, sources });
  const api = await startApi(store, { planModule: planner.plan });
  const rollout = await startRolloutController({
    ...shared,
    format: 1,
    metrics: new LiveTable<NodeMetrics>(),
  });
  const module = await startModuleReconciler({ ...shared, cache, sources, random });
  stopAfter(t, {
    async stop() {
      await api.stop();
      await module.stop();
      await rollout.stop();
      await planner.close();
      await store.close();
    },
  });
  for (const version of ['1', '2'])
    await pushModule({
      bytes: makeModule(version),
      reference: `${host}/auth:${version}`,
      insecureRegistries: [],
      dockerConfigPath: undefined,
    });
  const document = (version: string, spec: object = {}) => ({
    apiVersion: 'attache/v1',
    kind: 'Plugin',
    metadata: { name: 'auth' },
    spec: { url: `oci://${host}/auth:${version}`, ...spec },
  });
  return { ...api, store, document };
}

const PATH = '/v1/plugins/default/auth';

test('a rollout has the id, the steps and the nodes that its plan had', async t => {
  const { call, store, document } = await setUp(t);
  /** Plans, does it, and compares. */
  const check = async (item: object, act: () => Promise<unknown>) => {
    const [plan] = (await call('POST', '/v1/plans', [item])).body.items;
    await act();
    const number = Number(plan.rollout.id.split('.')[2]);
    const key = rolloutKey('default/auth', number);
    const begun = await until(
      async () => {
        const rollout = (await store.get('Rollout', key))?.value;
        return rollout !== undefined && rollout.phase !== 'Validating' && rollout;
      },
      { what: `rollout ${plan.rollout.id}` },
    );
    const { order = [] } = (await store.get('RolloutNodes', key))?.value ?? {};
    const ranked = order.flat();
    assert.deepEqual(
      {
        id: begun.id,
        from: plan.before,
        to: begun.to?.revision,
        targets: begun.targets,
        preset: begun.strategy.preset,
        steps: begun.steps.map(({ reaches, soakMs, pause, wave }) => ({ reaches, soakMs, pause, wave })),
        nodes: begun.steps.map((step, i) => ranked.slice(begun.steps[i - 1]?.reaches ?? 0, step.reaches)),
      },
      {
        id: plan.rollout.id,
        from: plan.before,
        to: plan.after,
        targets: plan.rollout.targets,
        preset: plan.rollout.preset,
        steps: plan.rollout.steps.map(({ reaches, soakMs, pause, wave }: Record<string, unknown>) => ({
          reaches,
          soakMs,
          pause,
          wave,
        })),
        nodes: plan.rollout.steps.map(({ nodes }: { nodes: string[] }) => nodes),
      },
      plan.title,
    );
    return plan;
  };
  const put = (body: object, query = '') => call('PUT', `${PATH}${query}`, body);

  const install = await check(document('1'), () => put(document('1')));
  assert.deepEqual(install.rollout.steps, [], 'nobody is connected');

  for (let i = 0; i < 14; i++) {
    const zone = i % 2 === 0 ? 'a' : 'b';
    const connected = i !== 3;
    const presence = makePresence(
      { connected, since: connected ? Date.now() : 1 },
      { id: `edge-${i}`, zone, labels: { app: i < 10 ? 'x' : 'y' } },
    );
    await store.put('NodePresence', `edge-${i}`, presence);
  }
  const update = await check(document('2'), () => put(document('2')));
  assert.equal(update.rollout.targets, 14);

  const waves = { waves: [{ name: 'first', selector: { zone: 'b' } }, { name: 'rest' }], preset: 'cautious' };
  const other = document('2', { priority: 5, rollout: waves });
  const superseding = await check(other, () => put(other));
  assert.equal(superseding.rollout.supersedes, update.rollout.id);

  const selected = document('2', { priority: 5, rollout: waves, selector: { matchLabels: { app: 'x' } } });
  await check(selected, () => put(selected));

  await check({ delete: { kind: 'Plugin', name: 'auth', now: true } }, () =>
    call('DELETE', `${PATH}?now=true`),
  );
});
