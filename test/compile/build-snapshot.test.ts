import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SnapshotInputs } from '../../src/compile/build-snapshot.ts';
import { RBAC_TYPE } from '../../src/compile/filter-types.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { CLUSTER_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';
import {
  assign,
  makeCompiler,
  makeInputs,
  makeListener,
  makePlugin,
  makeResource,
  ROUTER,
  registry,
  SINGLE,
} from './compile-samples.ts';

const compiler = makeCompiler();
const listener = makeResource(makeListener());

function compile(over: Partial<SnapshotInputs>): Snapshot {
  return compiler.compile(makeInputs(over));
}

/** Plugins in a slot, and whether there is a warning. */
function inSlot(snapshot: Snapshot, name: string): [string[], boolean] {
  const slot = snapshot.slot(name);
  return [slot.wanted.plugins.map(({ plugin }) => plugin), slot.warning !== undefined];
}

function decodeModuleCluster(snapshot: Snapshot): JsonObject {
  const cluster = snapshot.resources.get(CLUSTER_TYPE)?.get('attache_modules');
  assert.ok(cluster);
  return registry.decodeAny(cluster.any);
}

test('equal inputs give the same object, other inputs another version', () => {
  const plugins = assign([makePlugin('auth')]);
  const a = compile({ plugins, resources: [listener] });
  assert.equal(compile({ plugins: assign([makePlugin('auth')]), resources: [structuredClone(listener)] }), a);
  const others = [
    compile({ plugins }),
    compile({ plugins, resources: [{ ...listener, unanswered: 'allow' }] }),
    compile({ plugins: assign([makePlugin('auth', { pluginConfig: { a: 1 } })]), resources: [listener] }),
    compile({ plugins: { ...plugins, fallback: [] }, resources: [listener] }),
    compile({ plugins, resources: [listener], capabilities: SINGLE }),
    compile({ plugins, resources: [listener], namespace: 'other' }),
  ];
  assert.equal(new Set([a, ...others].map(snapshot => snapshot.version)).size, 7);
});

test('snapshots share what is equal: encoded listeners and slots', () => {
  const a = compile({ plugins: assign([makePlugin('auth')]), resources: [listener] });
  const b = compile({
    plugins: assign([makePlugin('auth'), makePlugin('stats', { phase: 'STATS' })]),
    resources: [listener],
  });
  assert.notEqual(a, b);
  const bytes = (snapshot: Snapshot) => snapshot.resources.get(LISTENER_TYPE)?.get('ingress');
  assert.equal(bytes(a), bytes(b));
  assert.equal(a.slot('attache.authn/ingress').wanted, b.slot('attache.authn/ingress').wanted);
  assert.equal(a.slot('attache.authn/ingress'), a.slot('attache.authn/ingress'));
  assert.notEqual(a.slot('attache.stats/ingress').wanted, b.slot('attache.stats/ingress').wanted);
});

test('a chain node: every phase holds its plugins, and plugin changes leave the listener alone', () => {
  const plugins = assign([
    makePlugin('b', { priority: 1 }),
    makePlugin('a', { priority: 2 }),
    makePlugin('z', { phase: 'AUTHZ' }),
  ]);
  const snapshot = compile({ plugins, resources: [listener] });
  assert.deepEqual(snapshot.listenerSlots.get('ingress'), {
    slots: [
      'attache.authn/ingress',
      'attache.authz/ingress',
      'attache.stats/ingress',
      'attache.last/ingress',
    ],
    fetchTimeoutMs: 0,
  });
  assert.deepEqual(inSlot(snapshot, 'attache.authn/ingress'), [['default/a', 'default/b'], false]);
  assert.deepEqual(inSlot(snapshot, 'attache.authz/ingress'), [['default/z'], false]);
  assert.deepEqual(inSlot(snapshot, 'attache.last/ingress'), [[], false]);
});

test('match chooses among listeners by port, served or of the bootstrap', () => {
  const other = makeResource(makeListener({ name: 'admin', port: 9090 }), { name: 'admin' });
  const plugins = assign([makePlugin('auth', { match: [{ ports: [8080] }] })]);
  const bootstrapListeners = [{ name: 'own', port: 8080, trafficDirection: 'UNSPECIFIED' as const }];
  const snapshot = compile({ plugins, resources: [listener, other], bootstrapListeners });
  assert.deepEqual(inSlot(snapshot, 'attache.authn/ingress'), [['default/auth'], false]);
  assert.deepEqual(inSlot(snapshot, 'attache.authn/admin'), [[], false]);
  assert.deepEqual(inSlot(snapshot, 'attache.authn/own'), [['default/auth'], false]);
});

test('a bare place holds what is for every listener it may be on; others are left out with a warning', () => {
  const plugins = assign([makePlugin('all'), makePlugin('some', { match: [{ ports: [8080] }] })]);
  const facts = (...ports: number[]) =>
    ports.map(port => ({ name: `l${port}`, port, trafficDirection: 'UNSPECIFIED' as const }));
  const bare = (...ports: number[]) =>
    inSlot(compile({ plugins, bootstrapListeners: facts(...ports) }), 'attache.authn');
  assert.deepEqual(bare(), [['default/all'], true]);
  assert.deepEqual(bare(8080), [['default/all', 'default/some'], false]);
  assert.deepEqual(bare(8080, 9090), [['default/all'], true]);
  assert.deepEqual(bare(9090), [['default/all'], false]);
  assert.deepEqual(inSlot(compile({ plugins }), 'attache.authn/unknown'), [['default/all'], true]);
});

test('a plugin by name, with or without namespace, stands alone in its slot; anything else passes through', () => {
  const snapshot = compile({ plugins: assign([makePlugin('auth')]) });
  assert.deepEqual(inSlot(snapshot, 'default/auth'), [['default/auth'], false]);
  assert.deepEqual(inSlot(snapshot, 'auth'), [['default/auth'], false]);
  assert.deepEqual(inSlot(snapshot, 'other/auth'), [[], true]);
  assert.deepEqual(inSlot(snapshot, 'attache.unknown'), [[], true]);
  const filter = registry.decodeAny(snapshot.slot('auth').wanted.verdict.bytes).typedConfig as JsonObject;
  assert.match(String(filter['@type']), /wasm\.v3\.Wasm$/);
});

test('a single node: the listener names its plugins; a phase place holds one, and a second is told', () => {
  const plugins = assign([
    makePlugin('a', { priority: 1 }),
    makePlugin('b'),
    makePlugin('p', { phase: 'STATS', match: [{ ports: [9] }] }),
  ]);
  const snapshot = compile({ plugins, resources: [listener], capabilities: SINGLE });
  assert.deepEqual(snapshot.listenerSlots.get('ingress')?.slots, ['default/a', 'default/b']);
  assert.deepEqual(inSlot(snapshot, 'default/b'), [['default/b'], false]);
  assert.deepEqual(inSlot(snapshot, 'attache.authn'), [['default/a'], true]);
  const reordered = compile({
    plugins: assign([makePlugin('a'), makePlugin('b', { priority: 1 })]),
    resources: [listener],
    capabilities: SINGLE,
  });
  assert.deepEqual(reordered.listenerSlots.get('ingress')?.slots, ['default/b', 'default/a']);
});

test('a single node: a plugin with a place of its own in the listener gets no second one, however it is named there', () => {
  const slotsWith = (filter: JsonObject, namespace = 'default') => {
    const router = { name: 'router', typed_config: { '@type': ROUTER } };
    const resources = [makeResource(makeListener({ filters: [filter, router] }), { namespace })];
    const plugins = assign([makePlugin('auth')]);
    const snapshot = compile({ plugins, resources, namespace, capabilities: SINGLE });
    return snapshot.listenerSlots.get('ingress')?.slots;
  };
  const config_discovery = {
    config_source: { ads: {}, resource_api_version: 'V3' },
    type_urls: ['type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm'],
  };
  assert.deepEqual(slotsWith({ name: 'default/auth', config_discovery }), ['default/auth']);
  assert.deepEqual(slotsWith({ name: 'auth', config_discovery }), ['auth']);
  // In another namespace that is the name of another plugin, and a filter of the user's is no place.
  assert.deepEqual(slotsWith({ name: 'auth', config_discovery }, 'other'), ['auth', 'default/auth']);
  assert.deepEqual(slotsWith({ name: 'auth', typed_config: { '@type': RBAC_TYPE } }), ['default/auth']);
});

test('the fallback of a slot has every plugin at its good revision', () => {
  const wanted = assign([makePlugin('a', { pluginConfig: { v: 2 } }), makePlugin('b')]).wanted;
  const fallback = assign([makePlugin('a', { pluginConfig: { v: 1 } })]).fallback;
  const { wanted: now, fallback: good } = compile({ plugins: { wanted, fallback, missing: [] } }).slot(
    'attache.authn',
  );
  assert.deepEqual(
    now.plugins.map(part => part.plugin),
    ['default/a', 'default/b'],
  );
  assert.deepEqual(
    good.plugins.map(part => part.plugin),
    ['default/a'],
  );
  assert.notEqual(now.plugins[0]?.partHash, good.plugins[0]?.partHash);
});

test('the module cluster is there unless the user has one of that name', () => {
  assert.equal(decodeModuleCluster(compile({})).type, 'STATIC');
  const own = { '@type': CLUSTER_TYPE, name: 'attache_modules', connect_timeout: '9s' };
  const snapshot = compile({ resources: [makeResource(own)] });
  assert.equal(decodeModuleCluster(snapshot).connectTimeout, '9s');
  assert.equal(snapshot.resources.get(CLUSTER_TYPE)?.size, 1);
});

test("a user's extension config is served as it is", () => {
  const resource = {
    '@type': 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
    name: 'mine',
    typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC' },
  };
  const slot = compile({ resources: [makeResource(resource, { type: 'extensions' })] }).slot('mine');
  assert.deepEqual(slot.wanted.verdict.bytes, registry.encodeAny(resource));
  assert.deepEqual([slot.warning, slot.wanted.plugins], [undefined, []]);
  const taken = makeResource({ ...resource, name: 'attache.authn' }, { type: 'extensions' });
  const plugins = assign([makePlugin('auth')]);
  assert.deepEqual(inSlot(compile({ resources: [taken], plugins }), 'attache.authn'), [
    ['default/auth'],
    false,
  ]);
});

test('a resource that cannot be encoded is left out and logged; the others are served', () => {
  const lines: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (_: object, text: string) => lines.push(text) };
  const bad = makeResource({ ...makeListener({ name: 'bad' }), nonsense: 1 }, { name: 'bad' });
  const snapshot = makeCompiler(log).compile(makeInputs({ resources: [bad, listener] }));
  assert.deepEqual([...(snapshot.resources.get(LISTENER_TYPE)?.keys() ?? [])], ['ingress']);
  assert.equal(lines.length, 1);
});
