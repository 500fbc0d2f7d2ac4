import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameAim } from '../../src/model/assignment.ts';
import { parseDocument } from '../../src/model/document.ts';
import { groupsOfNode, isMember, type NodeGroup, withMembers } from '../../src/model/node-group.ts';
import { parseNodeGroupDocument } from '../../src/model/node-group-document.ts';
import { parsePluginDocument, toPluginDocumentSpec } from '../../src/model/plugin-document.ts';
import { findOnlyListeners } from '../../src/model/plugin-listeners.ts';
import { toPlacement } from '../../src/model/rollout-targets.ts';
import { findSelectionMiss, selects } from '../../src/model/selector.ts';
import { makePresence, makeSpec } from './records.ts';

const { node } = makePresence(
  {},
  { id: 'edge-1', namespace: 'default', labels: { tier: 'edge', zone: 'a' } },
);
const makeGroup = (over: Partial<NodeGroup> = {}): NodeGroup => ({
  namespace: 'default',
  name: 'edge',
  by: 'admin',
  createdAt: 1,
  ...over,
});
const byLabels = (matchLabels: Record<string, string>) => ({ selector: { matchLabels } });
const document = (spec: unknown) => ({
  apiVersion: 'attache/v1',
  kind: 'NodeGroup',
  metadata: { name: 'edge' },
  spec,
});

test('a node is in a group when it has all labels, and one of the ids where there are some', () => {
  const cases = [
    [byLabels({ tier: 'edge' }), true],
    [byLabels({ tier: 'edge', zone: 'a' }), true],
    [byLabels({ tier: 'edge', zone: 'b' }), false],
    [byLabels({ constructor: 'x' }), false],
    [{ nodes: ['edge-1'] }, true],
    [{ nodes: ['edge-2', 'edge-*'] }, true],
    [{ nodes: ['edge'] }, false],
    [{ nodes: ['*-1'] }, true],
    [{ ...byLabels({ tier: 'core' }), nodes: ['edge-1'] }, false],
  ] as const;
  for (const [group, expected] of cases) assert.equal(isMember(group, node), expected, JSON.stringify(group));
  const slashed = { id: 'a/b/c', labels: {} };
  assert.equal(
    isMember({ nodes: ['a/*'] }, slashed),
    true,
    'a star takes slashes: they mean nothing in an id',
  );
});

test('a group holds nodes of its namespace; in the root namespace of every one', () => {
  const groups = [
    makeGroup({ name: 'own', ...byLabels({ tier: 'edge' }) }),
    makeGroup({ name: 'other', namespace: 'shop', ...byLabels({ tier: 'edge' }) }),
    makeGroup({ name: 'root', namespace: 'istio-system', nodes: ['edge-*'] }),
  ];
  const names = groupsOfNode(node, groups, 'istio-system').map(({ name }) => name);
  assert.deepEqual(names, ['own', 'root']);
});

test('a plugin selects by the groups it names, any of them, and by no group that is not there', () => {
  const targetRefs = ['edge', 'core'].map(name => ({ kind: 'NodeGroup', name }) as const);
  const plugin = makeSpec({ targetRefs });
  const groups = new Map([['default/edge', makeGroup(byLabels({ tier: 'edge' }))]]);
  assert.equal(selects(plugin, node, 'istio-system'), false);
  const miss = findSelectionMiss(plugin, node, 'istio-system');
  assert.deepEqual([miss?.what, miss?.key, miss?.wanted], ['targetRef', 'NodeGroup', 'edge']);
  const resolved = withMembers(plugin, groups);
  assert.equal(selects(resolved, node, 'istio-system'), true);
  assert.equal(selects(resolved, { ...node, namespace: 'shop' }, 'istio-system'), false);
  assert.deepEqual(withMembers(resolved, new Map()), plugin, 'a group that went holds nobody');
  const elsewhere = new Map([['shop/edge', makeGroup({ namespace: 'shop', ...byLabels({ tier: 'edge' }) })]]);
  assert.equal(selects(withMembers(plugin, elsewhere), node, 'istio-system'), false);
  const plain = makeSpec({ targetRefs: [{ kind: 'Listener', name: 'in' }] });
  assert.equal(withMembers(plain, groups), plain);
});

test('a changed group is another aim, and one of a listener too is lifted by it', () => {
  const listener = { kind: 'Listener', name: 'in' } as const;
  const spec = makeSpec({ targetRefs: [{ kind: 'NodeGroup', name: 'edge' }, listener] });
  const as = (members: Partial<NodeGroup>) => {
    const groups = new Map([['default/edge', makeGroup(members)]]);
    return { revision: 1, placement: toPlacement(withMembers(spec, groups)), format: 1 };
  };
  assert.ok(isSameAim(as(byLabels({ tier: 'edge' })), as({ ...byLabels({ tier: 'edge' }), by: 'ann' })));
  assert.ok(!isSameAim(as(byLabels({ tier: 'edge' })), as(byLabels({ tier: 'core' }))));
  const only = (members: Partial<NodeGroup>) =>
    findOnlyListeners(spec, as(members).placement, node, 'istio-system');
  assert.equal(only(byLabels({ tier: 'edge' })), undefined);
  assert.deepEqual(only(byLabels({ tier: 'core' })), ['in']);
});

test('what a document of a plugin shows is what was written, without whom its groups stand for', () => {
  const written = {
    apiVersion: 'attache/v1',
    kind: 'Plugin',
    metadata: { name: 'auth' },
    spec: { url: 'oci://r.example/auth:1', targetRefs: [{ kind: 'NodeGroup', name: 'edge' }] },
  };
  const parsed = parsePluginDocument(written);
  assert.ok(!Array.isArray(parsed));
  const resolved = withMembers(parsed, new Map([['default/edge', makeGroup({ nodes: ['a'] })]]));
  assert.deepEqual(resolved.targetRefs?.[0]?.members, { nodes: ['a'] });
  assert.deepEqual(toPluginDocumentSpec(resolved), written.spec);
  const sneaked = { ...written, spec: { ...written.spec, targetRefs: [{ ...resolved.targetRefs?.[0] }] } };
  const refused = parsePluginDocument(sneaked);
  assert.ok(Array.isArray(refused) && refused[0]?.pointer === '/spec/targetRefs/0/members');
});

test('a document says labels, ids or both', () => {
  const spec = { selector: { matchLabels: { tier: 'edge' } }, nodes: ['edge-*'] };
  assert.deepEqual(parseNodeGroupDocument(document(spec)), { namespace: 'default', name: 'edge', ...spec });
  const parsed = parseDocument(document({ nodes: ['a'] }));
  assert.ok(!Array.isArray(parsed) && parsed.kind === 'nodegroup');
});

const refused: readonly [string, unknown, string][] = [
  ['nobody', {}, 'missing-field /spec/selector'],
  ['no labels', { selector: { matchLabels: {} } }, 'missing-field /spec/selector'],
  ['no ids', { nodes: [] }, 'out-of-bounds /spec/nodes'],
  ['an empty id', { nodes: [''] }, 'out-of-bounds /spec/nodes/0'],
  ['a text for ids', { nodes: 'edge-1' }, 'wrong-type /spec/nodes'],
  ['a misspelling', { selectors: {} }, 'unknown-field /spec/selectors'],
  [
    'a wildcard for a label',
    { selector: { matchLabels: { tier: '*' } } },
    'out-of-bounds /spec/selector/matchLabels/tier',
  ],
];
for (const [name, spec, expected] of refused)
  test(`a group of ${name} is refused, with its place`, () => {
    const faults = parseNodeGroupDocument(document(spec));
    assert.ok(Array.isArray(faults));
    assert.ok(
      faults.some(({ code, pointer }) => `${code} ${pointer}` === expected),
      JSON.stringify(faults),
    );
  });

test('another kind is no group, and what is no object has one fault', () => {
  const faults = parseNodeGroupDocument({ ...document({ nodes: ['a'] }), apiVersion: 'v1' });
  assert.ok(Array.isArray(faults));
  assert.deepEqual(
    faults.map(({ code, pointer }) => `${code} ${pointer}`),
    ['unknown-kind /apiVersion'],
  );
  assert.equal((parseNodeGroupDocument(5) as unknown[]).length, 1);
});
