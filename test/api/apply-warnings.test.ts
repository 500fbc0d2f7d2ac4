import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findPluginWarnings } from '../../src/api/apply-warnings.ts';
import { readFleet } from '../../src/api/fleet.ts';
import type { NodePresence } from '../../src/model/node.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import { derivePluginState } from '../../src/model/plugin-state.ts';
import { toRevisionConfig } from '../../src/model/revision.ts';
import { toPlacement } from '../../src/model/rollout-targets.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { makeNode, makePresence } from '../compile/compile-samples.ts';

const NOW = 1e9;
const PROCESS = 'ab'.repeat(8);
const SLOTS = ['attache.authn', 'attache.authn/l1', 'attache.authz', 'auth', 'default/auth', 'other'];

const specs: fc.Arbitrary<PluginSpec> = fc
  .record(
    {
      phase: fc.constantFrom('AUTHN' as const, 'AUTHZ' as const),
      match: fc.constantFrom([], [{ ports: [80] }]),
      targetRefs: fc.constantFrom([], [{ kind: 'Listener' as const, name: 'l1' }]),
    },
    { requiredKeys: [] },
  )
  .map(given => ({
    namespace: 'default',
    name: 'auth',
    url: 'oci://x/y:1',
    by: 'x',
    createdAt: 1,
    ...given,
  }));

const presences: fc.Arbitrary<NodePresence> = fc
  .record({
    slots: fc.subarray(SLOTS),
    filterChain: fc.boolean(),
    wasm: fc.boolean(),
    connected: fc.constantFrom(true, true, false),
    namespace: fc.constantFrom('default', 'default', 'edge'),
    since: fc.constantFrom(1, NOW - 10),
  })
  .map(({ filterChain, wasm, namespace, ...given }) => {
    const capabilities = { filterChain, wasm, failReload: true };
    return makePresence(makeNode({ id: 'n', namespace, capabilities }), { process: PROCESS, ...given });
  });

const verdictLists: fc.Arbitrary<readonly NodeVerdict[]> = fc
  .subarray(SLOTS)
  .chain(slots => fc.tuple(fc.constant(slots), fc.constantFrom('default/auth', 'default/mine')))
  .map(([slots, plugin]) =>
    slots.map(slot => {
      const tried = { contentHash: 'c', acked: true, plugins: [{ plugin, revision: 1 }] };
      const accepted = { contentHash: 'c', at: 1, plugins: tried.plugins };
      return {
        node: 'n',
        process: PROCESS,
        slot,
        state: 'accepted',
        since: 1,
        tried,
        accepted,
        refused: null,
      };
    }),
  );

test('property: that a node cannot run a plugin is said of those whose state would say so, and of no other', async () => {
  const store = createMemoryStore();
  const none = await readFleet({
    store,
    rootNamespace: 'r',
    now: NOW,
    startedAt: 0,
    metrics: () => undefined,
  });
  const seen = new Set<boolean>();
  fc.assert(
    fc.property(specs, presences, verdictLists, (spec, presence, verdicts) => {
      const fleet = { ...none, nodes: [presence], verdicts: new Map([['n', verdicts]]) };
      const config = toRevisionConfig(spec);
      const side = { revision: 1, placement: toPlacement(spec), format: 1 };
      const { reason } = derivePluginState({
        plugin: { namespace: 'default', name: 'auth' },
        presence,
        verdicts,
        side,
        assignedAt: 0,
        config: () => config,
        rootNamespace: 'r',
        now: NOW,
      });
      const isUnable = presence.connected && (reason === 'NoPlace' || reason === 'NoV8');
      seen.add(isUnable);
      const said = findPluginWarnings(fleet, spec).some(text =>
        text.startsWith('n cannot run default/auth: '),
      );
      assert.equal(said, isUnable);
    }),
    { numRuns: 500 },
  );
  assert.equal(seen.size, 2);
});
