import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFleet, statesOf } from '../../src/api/fleet.ts';
import { StateMemo } from '../../src/api/state-memo.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import { derivePluginState, type StateInput } from '../../src/model/plugin-state.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey, verdictKey } from '../../src/store/record-kinds.ts';
import { makeAssignment, makeNode, makePresence, makeRevision } from '../compile/compile-samples.ts';

const PROCESS = 'ab'.repeat(8);
const SLOT = 'attache.authn';
const SPEC = { namespace: 'default', name: 'auth', url: 'oci://x/y:1', by: 'test', createdAt: 1 };

function makeVerdict(node: string, revision: number): NodeVerdict {
  const plugins = [{ plugin: 'default/auth', revision }];
  const tried = { contentHash: `c${revision}`, acked: true, plugins };
  const accepted = { contentHash: `c${revision}`, at: 1, plugins };
  return { node, process: PROCESS, slot: SLOT, state: 'accepted', since: 1, tried, accepted, refused: null };
}

/** `default/auth` at revision 1, accepted by so many nodes. */
async function setUp(nodes: number) {
  const store = createMemoryStore();
  const ids = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const putNode = (id: string, over = {}) =>
    store.put(
      'NodePresence',
      id,
      makePresence(makeNode({ id }), { process: PROCESS, slots: [SLOT], ...over }),
    );
  const putVerdict = (id: string, revision: number) =>
    store.put('NodeVerdict', verdictKey(id, SLOT), makeVerdict(id, revision));
  const assign = (over = {}) => store.put('Assignment', 'default/auth', makeAssignment(1, over));
  await store.put('PluginSpec', 'default/auth', SPEC);
  await store.put(
    'Revision',
    revisionKey('default/auth', 1),
    makeRevision({ number: 1, config: { phase: 'AUTHN' } }),
  );
  await assign();
  for (const id of ids) {
    await putNode(id);
    await putVerdict(id, 1);
  }
  let now = 1e9;
  const read = () =>
    readFleet({ store, rootNamespace: 'r', now: now++, startedAt: 0, metrics: () => undefined });
  const readStates = async () => statesOf(await read(), SPEC).map(({ state }) => state);
  return { store, putNode, putVerdict, assign, read, readStates };
}

test('an answer after a commit shows it, and what was not written is the same object', async () => {
  const { store, read, putVerdict } = await setUp(3);
  const before = await read();
  const verdicts = before.verdicts.get('n0');
  await store.put('PluginSpec', 'default/auth', { ...SPEC, message: 'later' });
  await putVerdict('n1', 2);
  const after = await read();
  assert.equal(after.specs.get('default/auth')?.value.message, 'later');
  assert.equal(after.verdicts.get('n1')?.[0]?.accepted?.plugins[0]?.revision, 2);
  assert.equal(after.nodes[0], before.nodes[0]);
  assert.equal(after.verdicts.get('n0'), verdicts);
  assert.equal(after.assignments, before.assignments);
  assert.equal(
    before.specs.get('default/auth')?.value.message,
    undefined,
    'an answer that is under way is not changed',
  );
});

test('states follow what was written: a verdict, a side, who is excluded, who is gone', async () => {
  const { store, readStates, putNode, putVerdict, assign } = await setUp(3);
  const words = async () => (await readStates()).map(({ state, revision }) => `${state} ${revision}`);
  assert.deepEqual(await words(), ['Accepted 1', 'Accepted 1', 'Accepted 1']);
  await putVerdict('n1', 2);
  assert.deepEqual(await words(), ['Accepted 1', 'Pending 2', 'Accepted 1']);
  await putVerdict('n1', 1);
  await assign({ since: 5 });
  assert.deepEqual(await words(), ['Accepted 1', 'Accepted 1', 'Accepted 1']);
  await store.put('NodePolicy', 'n0', { node: 'n0', excluded: { by: 'x', message: null, at: 1 } });
  await putNode('n2', { connected: false });
  const states = await readStates();
  assert.deepEqual(
    states.map(({ state, lastKnown }) => [state, lastKnown]),
    [
      ['NotTargeted', false],
      ['Accepted', false],
      ['Accepted', true],
    ],
  );
  await store.delete('NodePresence', 'n1');
  assert.equal((await readStates()).length, 2);
});

test('only what changed is derived again, however many nodes there are', async () => {
  for (const nodes of [10, 200]) {
    const { read, putVerdict } = await setUp(nodes);
    const memo = new StateMemo();
    let derived = 0;
    const derive = (input: StateInput) => {
      derived += 1;
      return derivePluginState(input);
    };
    const states = async () => {
      derived = 0;
      const fleet = await read();
      const side = fleet.assignments.get('default/auth')?.base;
      const config = (revision: number) => fleet.revisions.get(revisionKey('default/auth', revision))?.config;
      for (const presence of fleet.nodes) {
        const verdicts = fleet.verdicts.get(presence.node.id) ?? [];
        const input = { plugin: SPEC, presence, verdicts, side, assignedAt: 0, config, rootNamespace: 'r' };
        memo.get('default/auth', { ...input, now: fleet.now }, derive);
      }
      return derived;
    };
    assert.equal(await states(), nodes);
    assert.equal(await states(), 0);
    await putVerdict('n3', 1);
    assert.equal(await states(), 1);
  }
});
