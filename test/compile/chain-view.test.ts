import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignPlugins } from '../../src/compile/assign-plugins.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import { viewChains } from '../../src/model/chain-view.ts';
import type { ListenerFacts, NodeIdentity } from '../../src/model/node.ts';
import { toListenerFacts } from '../../src/model/plugin-listeners.ts';
import { PHASES } from '../../src/model/plugin-spec.ts';
import {
  makeAssignment,
  makeCompiler,
  makeInputs,
  makeListener,
  makeMoved,
  makeNode,
  makePresence,
  makeResource,
  makeRevision,
  makeSide,
} from './compile-samples.ts';

const PORTS = [8080, 9090];
const targetRefs = [{ kind: 'Listener', name: 'l0' }] as const;

/** A plugin whose revisions 1 and 2 differ in where they stand. */
const config = fc.record({
  phase: fc.constantFrom(...PHASES.map(({ phase }) => phase)),
  priority: fc.integer({ min: 0, max: 1 }),
  match: fc.constantFrom(
    [],
    [{ ports: [8080] }],
    [{ mode: 'CLIENT' as const }],
    [{ mode: 'SERVER' as const }],
  ),
});
const side = fc
  .record({ revision: fc.constantFrom(null, 1, 2), placement: fc.constantFrom({}, { targetRefs }) })
  .map(({ revision, placement }) => makeSide(revision, placement));
const plugin = fc.record({
  name: fc.constantFrom('default/a', 'default/b', 'istio-system/a', 'istio-system/c', 'elsewhere/a'),
  createdAt: fc.integer({ min: 0, max: 1 }),
  base: side,
  moved: side,
  nodes: fc.constantFrom(['edge-1'], ['edge-2'], 'everyone' as const),
  configs: fc.tuple(config, config),
});
const places = fc.subarray(PHASES.map(({ slot }) => slot));

/** A user may put places in another order; what is shown goes by phase. */
const phaseIndex = (name: string) =>
  PHASES.findIndex(({ slot }) => name === slot || name.startsWith(`${slot}/`));

test('property: the chain that is shown is the chain that is compiled, listener by listener', () => {
  const compiler = makeCompiler();
  const scene = fc.record({
    plugins: fc.uniqueArray(plugin, { selector: ({ name }) => name, maxLength: 5 }),
    /** By listener: phases whose place the user wrote without its name. */
    served: fc.array(places, { maxLength: 2 }),
    own: fc.boolean(),
  });
  fc.assert(
    fc.property(scene, ({ plugins, served, own }) => {
      const assignments: Assignment[] = plugins.map(({ name, createdAt, base, moved, nodes }) =>
        makeAssignment(1, { plugin: name, createdAt, base, moved: [makeMoved(moved, nodes)] }),
      );
      const revisions = plugins.flatMap(({ name, configs }) =>
        configs.map((it, i) => makeRevision({ plugin: name, number: i + 1, config: it })),
      );
      const revision = (name: string, number: number) =>
        revisions.find(it => it.plugin === name && it.number === number);
      const listeners = served.map((bare, i) =>
        makeListener({
          name: `l${i}`,
          port: PORTS[i] ?? 0,
          filters: [...bare.map(name => ({ name })), { name: 'envoy.filters.http.router' }],
        }),
      );
      const ownListeners: ListenerFacts[] = own
        ? [{ name: 'own', port: 1, trafficDirection: 'INBOUND' }]
        : [];
      const node: NodeIdentity = makeNode({ bootstrap: { listeners: ownListeners } });
      const snapshot = compiler.compile(
        makeInputs({
          bootstrapListeners: ownListeners,
          plugins: assignPlugins({ assignments, revision, rootNamespace: 'istio-system' }, node),
          resources: listeners.map((it, i) => makeResource(it, { name: `l${i}` })),
        }),
      );
      const slots = [
        ...new Set([
          ...[...snapshot.listenerSlots.values()].flatMap(it => it.slots),
          ...(own ? PHASES.map(({ slot }) => slot) : []),
        ]),
      ];
      const chains = viewChains(makePresence(node, { slots }), {
        assignments,
        config: (name, number) => revision(name, number)?.config,
        listenersOf: () => listeners.map(toListenerFacts),
        rootNamespace: 'istio-system',
      });
      const shown = new Map(chains.map(({ listener, entries }) => [listener, entries]));
      const compiled = (names: readonly string[]) =>
        names.flatMap(name => snapshot.slot(name).wanted.plugins).map(it => `${it.plugin}@${it.revision}`);
      for (const [name, { slots: its }] of snapshot.listenerSlots) {
        // A listener all of whose places are without its name is shown together with the others of that kind.
        const entries = shown.get(name) ?? shown.get(null) ?? shown.get('own');
        assert.deepEqual(
          entries?.map(it => `${it.plugin}@${it.revision}`),
          compiled(its.toSorted((a, b) => phaseIndex(a) - phaseIndex(b))),
          `${name}: ${its}`,
        );
      }
    }),
    { numRuns: 100 },
  );
});
