import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignPlugins } from '../../src/compile/assign-plugins.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import { compareInChain } from '../../src/model/chain-order.ts';
import type { ListenerFacts } from '../../src/model/node.ts';
import { matchesListener } from '../../src/model/plugin-listeners.ts';
import { PHASES, type TrafficMatch } from '../../src/model/plugin-spec.ts';
import {
  assign,
  makeAssignment,
  makeMoved,
  makeNode,
  makePlugin,
  makeRevision,
  makeSide,
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

/** Revisions wanted and to fall back to of default/auth, which has revisions 1 and 2, and how many are missing. */
function assigned(assignment: Assignment, node = makeNode()) {
  const revisions = [makeRevision({ number: 1 }), makeRevision({ number: 2 })];
  const found = assignPlugins(
    {
      assignments: [assignment],
      revision: (_plugin, number) => revisions.find(candidate => candidate.number === number),
      rootNamespace: 'istio-system',
    },
    node,
  );
  const numbers = (list: typeof found.wanted) => list.map(plugin => plugin.revision.number);
  return [numbers(found.wanted), numbers(found.fallback), found.missing.length];
}

const edge2 = makeNode({ id: 'edge-2' });

test('a moved node gets what it was moved to, the others what was proven; that is what both fall back to', () => {
  const assignment = makeAssignment(1, { moved: [makeMoved(makeSide(2), ['edge-1'])] });
  assert.deepEqual(assigned(assignment), [[2], [1], 0]);
  assert.deepEqual(assigned(assignment, edge2), [[1], [1], 0]);
});

test('a revision that is none or missing is left out', () => {
  assert.deepEqual(assigned(makeAssignment(null)), [[], [], 0]);
  const missing = makeAssignment(1, { moved: [makeMoved(makeSide(3), ['edge-1'])] });
  assert.deepEqual(assigned(missing), [[], [1], 1]);
  assert.deepEqual(assigned(makeAssignment(3)), [[], [], 1]);
});

test('of a first install only the moved nodes know: it is in no chain of the others', () => {
  const assignment = makeAssignment(null, { moved: [makeMoved(makeSide(1), ['edge-1'])] });
  assert.deepEqual(assigned(assignment), [[1], [], 0]);
  assert.deepEqual(assigned(assignment, edge2), [[], [], 0]);
});

test('a node that leaves gets none, and its fallback is what it had', () => {
  const leaving = makeAssignment(1, { moved: [makeMoved(makeSide(null), ['edge-1'])] });
  assert.deepEqual(assigned(leaving), [[], [1], 0]);
  assert.deepEqual(assigned(leaving, edge2), [[1], [1], 0]);
});

test('everyone holds the nodes still to come, but not those left out', () => {
  const everyone = makeAssignment(1, {
    moved: [makeMoved(makeSide(2), 'everyone', { except: ['edge-1'] })],
  });
  assert.deepEqual(assigned(everyone, makeNode({ id: 'joined later' })), [[2], [1], 0]);
  assert.deepEqual(assigned(everyone), [[1], [1], 0]);
});

test('nodes that a superseding rollout has not reached keep what the one before gave them', () => {
  const revised = makeAssignment(null, {
    moved: [
      makeMoved(makeSide(1), ['edge-1', 'edge-2']),
      makeMoved(makeSide(2), ['edge-2'], { rollout: 'default.auth.2' }),
    ],
  });
  assert.deepEqual(assigned(revised), [[1], [], 0]);
  assert.deepEqual(assigned(revised, edge2), [[2], [], 0]);
  assert.deepEqual(assigned(revised, makeNode({ id: 'edge-3' })), [[], [], 0]);
});

test('a changed selector takes hold node by node: each goes by the placement of its side', () => {
  const gateways = { selector: { matchLabels: { app: 'gateway' } } };
  const moved = makeMoved(makeSide(1, gateways), ['edge-1', 'gateway-1']);
  const assignment = makeAssignment(1, {
    base: makeSide(1, { selector: { matchLabels: { app: 'web' } } }),
    moved: [moved],
  });
  const web = (id: string) => makeNode({ id, labels: { app: 'web' } });
  const gateway = (id: string) => makeNode({ id, labels: { app: 'gateway' } });
  assert.deepEqual(assigned(assignment, web('edge-1')), [[], [1], 0]);
  assert.deepEqual(assigned(assignment, web('edge-2')), [[1], [1], 0]);
  assert.deepEqual(assigned(assignment, gateway('gateway-1')), [[1], [], 0]);
  assert.deepEqual(assigned(assignment, gateway('gateway-2')), [[], [], 0]);
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
