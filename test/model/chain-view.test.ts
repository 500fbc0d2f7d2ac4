import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Assignment, findSide, type Side } from '../../src/model/assignment.ts';
import { toChainText } from '../../src/model/chain-text.ts';
import { type ChainInput, compareChains, viewChains } from '../../src/model/chain-view.ts';
import type { ListenerFacts } from '../../src/model/node.ts';
import type { RevisionConfig } from '../../src/model/revision.ts';
import { makeConfig, makePresence, makeSide } from './records.ts';

const SINGLE = { filterChain: false, wasm: true, failReload: true };
const ALL_ON = (listener: string) =>
  ['authn', 'authz', 'stats', 'last'].map(phase => `attache.${phase}/${listener}`);

function listener(name: string, port = 8080): ListenerFacts {
  return { name, port, trafficDirection: 'UNSPECIFIED' };
}

/** Plugins by `namespace/name`, all at revision 1. */
function world(
  plugins: Readonly<Record<string, Partial<RevisionConfig> & { createdAt?: number; side?: Side }>>,
  listeners: readonly ListenerFacts[] = [listener('ingress')],
): ChainInput {
  const assignments: Assignment[] = Object.entries(plugins).map(([plugin, { createdAt = 1, side }]) => ({
    plugin,
    createdAt,
    base: side ?? makeSide(1),
    moved: [],
    since: 1,
  }));
  return {
    assignments,
    config: (plugin, revision) => (revision > 2 ? undefined : makeConfig(plugins[plugin])),
    listenersOf: () => listeners,
    rootNamespace: 'istio-system',
  };
}

const onIngress = makePresence({ slots: ALL_ON('ingress') });

test('the chain of a listener is in order, and each plugin says why it stands behind the one before', () => {
  const [chain] = viewChains(
    onIngress,
    world({
      'default/last': {},
      'istio-system/root': { phase: 'AUTHN', priority: 5 },
      'default/young': { phase: 'AUTHN', priority: 5, createdAt: 3 },
      'default/old': { phase: 'AUTHN', priority: 5 },
      'default/twin': { phase: 'AUTHN', priority: 5 },
      'default/high': { phase: 'AUTHN', priority: 7 },
    }),
  );
  assert.deepEqual(
    chain?.entries.map(({ plugin, cause, why }) => [plugin, cause, why]),
    [
      ['default/high', null, null],
      ['default/old', 'priority', 'priority 5 is lower than 7'],
      ['default/twin', 'name', 'same priority, created at the same time: by name'],
      ['default/young', 'age', 'same priority: created later'],
      [
        'istio-system/root',
        'namespace-before-root',
        'same priority: the root namespace comes after the others',
      ],
      ['default/last', 'phase', 'no phase comes after phase AUTHN'],
    ],
  );
  assert.equal(
    toChainText(chain?.entries ?? [], 'default'),
    'high (AUTHN) → old (AUTHN) → twin (AUTHN) → young (AUTHN) → istio-system/root (AUTHN) → last → router',
  );
});

test('two plugins of one phase and priority are a tie that names both and what decided', () => {
  const ties = (plugins: Parameters<typeof world>[0]) => viewChains(onIngress, world(plugins))[0]?.ties;
  assert.deepEqual(ties({ 'default/a': { createdAt: 2 }, 'default/b': {} }), [
    'default/b and default/a have the same place: no phase and priority 0. default/b comes first, because it was created earlier. To choose, give them different priorities.',
  ]);
  assert.deepEqual(ties({ 'default/a': { priority: 1 }, 'default/b': {} }), []);
  assert.deepEqual(ties({ 'default/a': { phase: 'AUTHN' }, 'default/b': {} }), []);
  assert.equal(ties({ 'default/a': {}, 'default/b': {}, 'default/c': {} })?.length, 2);
});

test('no tie where the two never meet: on other listeners', () => {
  const presence = makePresence({ slots: [...ALL_ON('a'), ...ALL_ON('b')] });
  const input = world(
    { 'default/a': { match: [{ ports: [1] }] }, 'default/b': { match: [{ ports: [2] }] } },
    [listener('a', 1), listener('b', 2)],
  );
  assert.deepEqual(
    viewChains(presence, input).map(({ where, entries, ties }) => [where, entries.length, ties.length]),
    [
      ['a', 1, 0],
      ['b', 1, 0],
    ],
  );
});

const namesOn = (presence: ReturnType<typeof makePresence>, input: ChainInput) =>
  viewChains(presence, input).map(({ listener: name, where, entries }) => [
    name,
    where,
    entries.map(({ plugin }) => plugin.split('/')[1]).join(' '),
  ]);

test('places without a listener: what is meant for some listeners stands there only if it is meant for all', () => {
  const presence = makePresence();
  const plugins = { 'default/all': {}, 'default/some': { match: [{ ports: [1] }] } };
  assert.deepEqual(namesOn(presence, world(plugins, [])), [[null, 'every listener', 'all']]);
  assert.deepEqual(namesOn(presence, world(plugins, [listener('a', 1)])), [['a', 'a', 'all some']]);
  const two = [listener('a', 1), listener('b', 2)];
  assert.deepEqual(namesOn(presence, world(plugins, two)), [[null, 'a, b', 'all']]);
  const own = makePresence({}, { bootstrap: { listeners: two } });
  assert.deepEqual(namesOn(own, world(plugins, [])), [[null, 'a, b', 'all']]);
});

test('a listener with one place of its own and the rest without: each plugin is where its phase has one', () => {
  const presence = makePresence({ slots: ['attache.authn', ...ALL_ON('ingress').slice(1)] });
  const plugins = { 'default/auth': { phase: 'AUTHN' as const }, 'default/last': {} };
  assert.deepEqual(namesOn(presence, world(plugins)), [['ingress', 'ingress', 'auth last']]);
});

test('a node that has asked for no place yet shows the listeners that are known', () => {
  const presence = makePresence({ slots: [] });
  assert.deepEqual(namesOn(presence, world({ 'default/a': {} })), [['ingress', 'ingress', 'a']]);
  assert.deepEqual(namesOn(presence, world({ 'default/a': {} }, [])), []);
});

test('an Envoy without Wasm has an empty chain, and a revision that is not there stands nowhere', () => {
  const none = makePresence({}, { capabilities: { filterChain: true, wasm: false, failReload: true } });
  assert.deepEqual(namesOn(none, world({ 'default/a': {} })), [['ingress', 'ingress', '']]);
  assert.deepEqual(namesOn(onIngress, world({ 'default/a': { side: makeSide(3) } })), [
    ['ingress', 'ingress', ''],
  ]);
});

test('before 1.39: by listener where Attaché serves it, else by the places that the Envoy asked for', () => {
  const plugins = { 'default/a': { priority: 1 }, 'default/b': {}, 'default/c': { phase: 'STATS' as const } };
  const served = makePresence({ slots: ['default/a'] }, { capabilities: SINGLE });
  assert.deepEqual(namesOn(served, world(plugins)), [['ingress', 'ingress', 'c a b']]);
  assert.deepEqual(namesOn(served, world(plugins, [])), [[null, 'every listener', 'a']]);
  const bare = makePresence({ slots: ['attache.last', 'attache.stats'] }, { capabilities: SINGLE });
  assert.deepEqual(namesOn(bare, world(plugins, [])), [[null, 'every listener', 'c a']]);
});

const node = (id: string, over = {}) => makePresence({ slots: ALL_ON('ingress') }, { id, ...over });
const toNone = (plugin: string) => (assignment: Assignment, id: string) =>
  assignment.plugin === plugin ? makeSide(null) : findSide(assignment, id);

test('nodes of equal chains before and after are one group', () => {
  const input = world({ 'default/auth': { phase: 'AUTHN' }, 'edge/limit': {} });
  const nodes = [node('a'), node('b'), node('c', { namespace: 'edge' })];
  const groups = compareChains(nodes, input, toNone('default/auth'), findSide);
  assert.deepEqual(
    groups.map(({ nodes: ids, before, after, order }) => [ids, before.length, after.length, order]),
    [
      [['a', 'b'], 0, 1, 'changed'],
      [['c'], 1, 1, 'unchanged'],
    ],
  );
});

test('another revision in the same place leaves the order unchanged', () => {
  const input = world({ 'default/auth': {}, 'default/limit': { priority: -1 } });
  const after = ({ plugin }: Assignment) => makeSide(plugin === 'default/auth' ? 2 : 1);
  const [group] = compareChains([node('a')], input, findSide, after);
  assert.deepEqual(
    group?.before.map(({ revision }) => revision),
    [1, 1],
  );
  assert.deepEqual(
    group?.after.map(({ revision }) => revision),
    [2, 1],
  );
  assert.deepEqual([group?.order, group?.listenerUpdate, group?.layout], ['unchanged', false, 'chain']);
});

test('only before 1.39, and only on a listener that Attaché serves, another order is a listener update', () => {
  const input = world({ 'default/auth': {} });
  const update = (over: object, from = input) =>
    compareChains([node('a', over)], from, toNone('default/auth'), findSide).map(it => it.listenerUpdate);
  assert.deepEqual(update({}), [false]);
  assert.deepEqual(update({ capabilities: SINGLE }), [true]);
  const own = { capabilities: SINGLE, bootstrap: { listeners: [listener('ingress')] } };
  assert.deepEqual(update(own, world({ 'default/auth': {} }, [])), [false]);
});
