import assert from 'node:assert/strict';
import { test } from 'node:test';
import { censusOf } from '../../src/api/census.ts';
import { countStates, groupStates } from '../../src/api/count-states.ts';
import { readFleet, statesOf } from '../../src/api/fleet.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import type { NodePresence } from '../../src/model/node.ts';
import type { NodeMetrics } from '../../src/model/node-metrics.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import { type CountedState, countNodes } from '../../src/model/plugin-status.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey, verdictKey } from '../../src/store/record-kinds.ts';
import {
  makeAssignment,
  makeMoved,
  makeNode,
  makePresence,
  makeRevision,
  makeSide,
  makeSpec,
} from '../compile/compile-samples.ts';
import { makeMetrics } from '../model/metric-records.ts';

const NOW = 1_000_000;
const PLUGIN = 'default/auth';
const SLOT = 'attache.authn';
const REFUSED = { contentHash: 'c3', plugin: PLUGIN, revision: 2, message: 'no', at: NOW - 5, healed: true };
/** What a node is like beside its number, in turn. */
const KINDS: readonly {
  readonly presence?: Partial<NodePresence>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly verdict?: Partial<NodeVerdict> | null;
}[] = [
  {},
  {},
  { labels: { app: 'web' } },
  { presence: { connected: false } },
  { presence: { slots: [] } },
  { presence: { silentSince: NOW - 100_000 } },
  { verdict: null },
  { verdict: { state: 'sent', accepted: null } },
  { verdict: { refused: REFUSED } },
];

async function setUp(assignment: Partial<Assignment>, ofEach = 5) {
  const store = createMemoryStore();
  for (const number of [1, 2])
    await store.put(
      'Revision',
      revisionKey(PLUGIN, number),
      makeRevision({ number, config: { phase: 'AUTHN' } }),
    );
  await store.put('Assignment', PLUGIN, makeAssignment(1, assignment));
  for (let i = 0; i < ofEach * KINDS.length; i += 1) {
    const { presence, labels = {}, verdict = {} } = KINDS[i % KINDS.length] ?? {};
    const id = `n${i}`;
    const process = `p${i}`;
    const times = { since: i * 1000, lastAckAt: NOW - i };
    const node = makeNode({ id, labels });
    await store.put(
      'NodePresence',
      id,
      makePresence(node, { process, slots: [SLOT], ...times, ...presence }),
    );
    if (verdict !== null) await store.put('NodeVerdict', verdictKey(id, SLOT), makeVerdict(id, i, verdict));
  }
  const excluded = { by: 'x', message: null, at: 1 };
  await store.put('NodePolicy', 'n1', { node: 'n1', excluded });
  const failing = makeMetrics(NOW - 20_000, 5_000, [{ crashes: 1 }, { crashes: 1 }, {}]);
  const metrics = new Map<string, NodeMetrics>([['n9', failing]]);
  return readFleet({
    store,
    rootNamespace: 'istio-system',
    now: NOW,
    startedAt: 0,
    metrics: id => metrics.get(id),
  });
}

function makeVerdict(node: string, i: number, over: Partial<NodeVerdict>): NodeVerdict {
  const revision = (i % 2) + 1;
  const content = { contentHash: `c${revision}`, plugins: [{ plugin: PLUGIN, revision }] };
  const tried = { ...content, acked: true };
  const accepted = { ...content, at: i };
  return {
    node,
    process: `p${i}`,
    slot: SLOT,
    state: 'accepted',
    since: i * 2000,
    tried,
    accepted,
    refused: null,
    ...over,
  };
}

const WEB = { selector: { matchLabels: { app: 'web' } } };
const NAMED = { targetRefs: [{ kind: 'NodeGroup', name: 'g', members: { nodes: ['n1*'] } }] } as const;
const SITUATIONS: readonly (readonly [string, Partial<Assignment>, Partial<PluginSpec>])[] = [
  ['all are on one side', {}, {}],
  ['the others are to have none', { base: makeSide(null) }, {}],
  ['it was deleted', { base: makeSide(null) }, { deleted: { by: 'x', at: 1, now: false } }],
  ['all were moved', { moved: [makeMoved(makeSide(2), 'everyone')] }, {}],
  ['all but one were moved', { moved: [makeMoved(makeSide(2), 'everyone', { except: ['n4'] })] }, {}],
  ['some were moved', { moved: [makeMoved(makeSide(2), ['n0', 'n2', 'n7'])] }, {}],
  ['a side selects by label', { base: makeSide(1, WEB), moved: [makeMoved(makeSide(2), 'everyone')] }, {}],
  ['a side names nodes', { base: makeSide(1, NAMED) }, {}],
];

for (const [what, assignment, fields] of SITUATIONS)
  test(`nodes are counted by situation as they are one by one: ${what}`, async () => {
    const fleet = await setUp(assignment);
    const spec = makeSpec(fields);
    const one = statesOf(fleet, spec).map(({ state }) => ({ state, count: 1 }));
    assert.deepEqual(countStates(fleet, spec), countNodes(one));
    assert.deepEqual(toWords(groupStates(fleet, spec)), toWords(one));
  });

function toWords(states: readonly CountedState[]): readonly string[] {
  return states.flatMap(({ state, count }) => Array.from({ length: count }, () => state.state)).toSorted();
}

test('nodes that refused, are silent, are excluded or may fail are looked at one by one, and every node once', async () => {
  const fleet = await setUp({});
  const { alike, apart } = censusOf(fleet);
  const ids = apart.map(({ node }) => node.id);
  assert.ok(
    ['n1', 'n5', 'n8', 'n9'].every(id => ids.includes(id)),
    ids.join(),
  );
  assert.equal(apart.length, 2 * 5 + 2);
  assert.equal(alike.flatMap(({ nodes }) => nodes).length + apart.length, fleet.nodes.length);
  const more = censusOf(await setUp({}, 10));
  assert.equal(more.alike.length, alike.length, 'more nodes of the same kinds stand in no other situations');
  assert.equal(more.apart.length, 2 * 10 + 2);
  assert.equal(censusOf({ ...fleet }), censusOf(fleet), 'taken once for an answer');
});
