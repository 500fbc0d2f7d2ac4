import assert from 'node:assert/strict';
import { readFleet } from '../../src/api/fleet.ts';
import { planPlugin } from '../../src/api/plan-plugin.ts';
import type { PlanState } from '../../src/api/plan-state.ts';
import type { ModulePlan } from '../../src/model/module-plan.ts';
import { type PluginSpec, toPluginName } from '../../src/model/plugin-spec.ts';
import type { ResourceSpec } from '../../src/model/resource.ts';
import { hashConfig, hashRevision, type Revision, toRevisionConfig } from '../../src/model/revision.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import type { Store } from '../../src/store/store.ts';
import { makeAssignment, makePresence, makeSide, NOW } from '../model/records.ts';

/** A fleet in a store, and plans of what documents would do to it. */

const DIGESTS: Readonly<Record<string, string>> = { one: '9f2c4be01d77', two: '41d0aa93be02' };
function makeRevision(spec: PluginSpec, number: number, digest = 'one'): Revision {
  const config = toRevisionConfig(spec);
  const sha256 = (DIGESTS[digest] ?? digest).padEnd(64, '0');
  return {
    plugin: toPluginName(spec),
    number,
    contentHash: hashRevision(sha256, config),
    configHash: hashConfig(config),
    config,
    module: { sha256, sizeBytes: 254_000, url: spec.url, layout: 'cncf', abi: '0.2.1', importCount: 27 },
    createdAt: 1,
  };
}

/** A module stage with one module per word, and the revisions that were made so far. */
export async function planModule(store: Store, spec: PluginSpec, digest = 'one'): Promise<ModulePlan> {
  const { records } = await store.list('Revision', `${toPluginName(spec)}/`);
  const known = records.map(record => record.value);
  const revision = makeRevision(spec, known.length + 1, digest);
  const same = known.find(one => one.contentHash === revision.contentHash);
  return { kind: 'revision', revision: same ?? revision, isNew: same === undefined };
}

/** As after a successful rollout of this document. */
export async function roll(store: Store, spec: PluginSpec, digest = 'one'): Promise<void> {
  const plugin = toPluginName(spec);
  const module = await planModule(store, spec, digest);
  assert.ok(module.kind === 'revision');
  const { revision } = module;
  const specRevision = await store.put('PluginSpec', plugin, spec);
  await store.put('Revision', revisionKey(plugin, revision.number), revision);
  const progress = { plugin, specRevision, state: 'ready', revision: revision.number, since: 1 } as const;
  await store.put('ModuleProgress', plugin, progress);
  const { createdAt, selector } = spec;
  const base = makeSide(revision.number, selector === undefined ? {} : { selector });
  await store.put('Assignment', plugin, makeAssignment({ plugin, createdAt, base }));
}

export async function readState(store: Store, resources: readonly ResourceSpec[] = []): Promise<PlanState> {
  const fleet = await readFleet({
    store,
    rootNamespace: 'istio-system',
    now: NOW,
    startedAt: 0,
    metrics: () => undefined,
  });
  return {
    fleet,
    resources: new Map(resources.map(one => [`${one.type}/${one.namespace}/${one.name}`, one])),
  };
}

export async function addNodes(store: Store, ...ids: readonly string[]): Promise<void> {
  const bootstrap = {
    listeners: [{ name: 'ingress', port: 10000, trafficDirection: 'UNSPECIFIED' as const }],
  };
  for (const id of ids) await store.put('NodePresence', id, makePresence({}, { id, bootstrap }));
}

export async function planApply(store: Store, spec: PluginSpec, digest = 'one') {
  const module = await planModule(store, spec, digest);
  return planPlugin(await readState(store), { spec, module }).plan;
}
