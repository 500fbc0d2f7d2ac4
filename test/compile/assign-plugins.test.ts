import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignPlugins, compareInChain, matchesListener } from '../../src/compile/assign-plugins.ts';
import type { ListenerFacts } from '../../src/model/node.ts';
import { PHASES, type TrafficMatch } from '../../src/model/plugin-spec.ts';
import {
  assign,
  makeAssignment,
  makeNode,
  makePlugin,
  makeRevision,
  makeSpec,
  names,
} from './compile-samples.ts';

test('labels and namespace decide; the root namespace is for every node', () => {
  const pairs = [
    makePlugin('plain'),
    makePlugin('elsewhere', {}, { namespace: 'other' }),
    makePlugin('root', {}, { namespace: 'istio-system' }),
    makePlugin('labelled', {}, { selector: { matchLabels: { app: 'gateway' } } }),
  ];
  assert.deepEqual(names(assign(pairs).wanted), ['default/plain', 'istio-system/root']);
  const labelled = makeNode({ labels: { app: 'gateway' } });
  assert.deepEqual(names(assign(pairs, labelled).wanted), [
    'default/labelled',
    'default/plain',
    'istio-system/root',
  ]);
});

test('a node without a Wasm runtime gets no plugin', () => {
  const node = makeNode({ capabilities: { filterChain: true, wasm: false, failReload: true } });
  assert.deepEqual(assign([makePlugin('auth')], node).wanted, []);
});

test('wanted is the assigned revision, fallback the good one; none and missing ones are left out', () => {
  const revisions = [makeRevision({ number: 1 }), makeRevision({ number: 2 })];
  const assigned = (revision: number | null, good: number | null) => {
    const found = assignPlugins(
      {
        plugins: [makeSpec()],
        assignment: plugin => makeAssignment({ plugin, revision, good }),
        revision: (_plugin, number) => revisions.find(candidate => candidate.number === number),
        rootNamespace: 'istio-system',
      },
      makeNode(),
    );
    const numbers = (list: typeof found.wanted) => list.map(plugin => plugin.revision.number);
    return [numbers(found.wanted), numbers(found.fallback), found.missing.length];
  };
  assert.deepEqual(assigned(2, 1), [[2], [1], 0]);
  assert.deepEqual(assigned(1, null), [[1], [], 0]);
  assert.deepEqual(assigned(null, null), [[], [], 0]);
  assert.deepEqual(assigned(3, 1), [[], [1], 1]);
});

test('chain order: phase, priority, own namespace before root, age, name, namespace', () => {
  const pairs = [
    makePlugin('last', { phase: 'UNSPECIFIED_PHASE', priority: 100 }),
    makePlugin('root', {}, { namespace: 'istio-system', createdAt: 0 }),
    makePlugin('b', {}, { createdAt: 5 }),
    makePlugin('a', {}, { createdAt: 5 }),
    makePlugin('old', {}, { createdAt: 2 }),
    makePlugin('high', { priority: 7 }, { createdAt: 9 }),
    makePlugin('low', { priority: -1 }, { createdAt: 0 }),
    makePlugin('stats', { phase: 'STATS' }),
    makePlugin('authz', { phase: 'AUTHZ' }),
  ];
  assert.deepEqual(
    names(assign(pairs).wanted).map(name => name.split('/')[1]),
    ['high', 'old', 'a', 'b', 'root', 'low', 'authz', 'stats', 'last'],
  );
});

test('property: the order of the records makes no difference', () => {
  const plugin = fc
    .record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      namespace: fc.constantFrom('default', 'istio-system'),
      phase: fc.constantFrom(...PHASES.map(({ phase }) => phase)),
      priority: fc.integer({ min: -1, max: 1 }),
      createdAt: fc.integer({ min: 0, max: 1 }),
    })
    .map(({ name, namespace, phase, priority, createdAt }) =>
      makePlugin(name, { phase, priority }, { namespace, createdAt }),
    );
  const unique = fc.uniqueArray(plugin, { selector: pair => pair.revision.plugin });
  const shuffled = unique.chain(list =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  );
  fc.assert(
    fc.property(shuffled, ([list, other]) => {
      const [a, b] = [assign(list).wanted, assign(other).wanted];
      assert.deepEqual(names(a), names(b));
      const order = compareInChain('istio-system');
      for (const [i, next] of a.slice(1).entries()) assert.ok(order(a[i]!, next) < 0);
    }),
  );
});

test('match: ports and direction; OR over entries, AND inside', () => {
  const listener = (port: number, trafficDirection: ListenerFacts['trafficDirection']): ListenerFacts => ({
    name: 'x',
    port,
    trafficDirection,
  });
  const matches = (match: TrafficMatch[], on: ListenerFacts) => {
    const [plugin] = assign([makePlugin('auth', { match })]).wanted;
    return matchesListener(plugin!, on);
  };
  assert.ok(matches([], listener(1, 'INBOUND')));
  assert.ok(matches([{ ports: [1] }], listener(1, 'INBOUND')));
  assert.ok(!matches([{ ports: [2] }], listener(1, 'INBOUND')));
  assert.ok(matches([{ ports: [2] }, { mode: 'SERVER' }], listener(1, 'INBOUND')));
  assert.ok(!matches([{ ports: [1], mode: 'CLIENT' }], listener(1, 'INBOUND')));
  assert.ok(matches([{ mode: 'CLIENT' }], listener(1, 'UNSPECIFIED')));
  assert.ok(matches([{ mode: 'CLIENT' }], listener(1, 'OUTBOUND')));
  assert.ok(matches([{ mode: 'CLIENT_AND_SERVER', ports: [1] }], listener(1, 'INBOUND')));
});

test('a Listener reference means that listener only, unless another reference takes the whole node', () => {
  const targetRefs = [
    { kind: 'Listener', name: 'ingress' },
    { kind: 'Gateway', name: 'public' },
  ] as const;
  const only = (labels: Record<string, string>) =>
    assign([makePlugin('auth', {}, { targetRefs })], makeNode({ labels })).wanted[0]?.onlyListeners;
  assert.deepEqual(only({}), ['ingress']);
  assert.equal(only({ 'gateway.networking.k8s.io/gateway-name': 'public' }), undefined);
});
