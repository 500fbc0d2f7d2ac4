import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { groupEqualNodes } from '../../src/api/equal-nodes.ts';
import type { Assignment, Side } from '../../src/model/assignment.ts';
import { type ChainInput, viewChains } from '../../src/model/chain-view.ts';
import type { NodePresence } from '../../src/model/node.ts';
import { makeAssignment, makePresence } from '../model/records.ts';

const word = fc.constantFrom('x', 'y');
const labels = fc.record({ app: word, host: fc.constantFrom('1', '2', '3') }, { requiredKeys: [] });
const ids = ['n0', 'n1', 'n2', 'n3', 'n4', 'n5'];

const presence = (id: string): fc.Arbitrary<NodePresence> =>
  fc
    .record({
      namespace: fc.constantFrom('default', 'edge'),
      labels,
      filterChain: fc.boolean(),
      listeners: fc.subarray(['ingress', 'egress']),
      slots: fc.subarray(['attache.authn', 'attache.last', 'attache.last/ingress', 'default/p1']),
    })
    .map(({ slots, filterChain, listeners, ...node }) =>
      makePresence(
        { slots },
        {
          id,
          ...node,
          capabilities: { filterChain, wasm: true, failReload: true },
          bootstrap: {
            listeners: listeners.map(name => ({ name, port: 1, trafficDirection: 'UNSPECIFIED' })),
          },
        },
      ),
    );

const side: fc.Arbitrary<Side> = fc
  .record({ revision: fc.constantFrom(null, 1, 2), app: fc.option(word), gateway: fc.option(word) })
  .map(({ revision, app, gateway }) => ({
    revision,
    placement: {
      ...(app === null ? {} : { selector: { matchLabels: { app } } }),
      ...(gateway === null ? {} : { targetRefs: [{ kind: 'Gateway' as const, name: gateway }] }),
    },
    format: 1,
  }));

const assignment = (name: string): fc.Arbitrary<Assignment> =>
  fc
    .record({ base: side, moved: fc.array(fc.record({ side, nodes: fc.subarray(ids) }), { maxLength: 2 }) })
    .map(({ base, moved }) =>
      makeAssignment({
        plugin: `default/${name}`,
        base,
        moved: moved.map((entry, i) => ({ rollout: String(i), since: 1, ...entry })),
      }),
    );

test('nodes of one group have the same chains, and every node is in one group', () => {
  fc.assert(
    fc.property(
      fc.tuple(...ids.map(presence)),
      fc.tuple(assignment('p1'), assignment('p2')),
      (nodes, assignments) => {
        const groups = groupEqualNodes(nodes, assignments, []);
        assert.deepEqual(
          groups.flatMap(group => group.map(({ node }) => node.id)).toSorted(),
          [...ids].toSorted(),
        );
        const input: ChainInput = {
          assignments,
          config: plugin => ({
            phase: plugin === 'default/p1' ? 'AUTHN' : 'UNSPECIFIED_PHASE',
            priority: 0,
            match: [],
          }),
          listenersOf: () => [],
          rootNamespace: 'istio-system',
        };
        for (const [first, ...others] of groups)
          for (const other of others) assert.deepEqual(viewChains(other, input), viewChains(first, input));
      },
    ),
  );
});

test('labels that nobody asks for tell no nodes apart', () => {
  const nodes = ids.map(id => makePresence({}, { id, labels: { app: 'x', host: id } }));
  assert.equal(groupEqualNodes(nodes, [], [{ selector: { matchLabels: { app: 'x' } } }]).length, 1);
  assert.equal(groupEqualNodes(nodes, [], [{ selector: { matchLabels: { host: 'n1' } } }]).length, 6);
});
