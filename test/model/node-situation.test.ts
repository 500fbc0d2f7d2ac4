import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NodePresence } from '../../src/model/node.ts';
import { type Situation, selectsAlike, situationOf } from '../../src/model/node-situation.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import { derivePluginState, isDone, isLasting, type NodePluginState } from '../../src/model/plugin-state.ts';
import { countNodes } from '../../src/model/plugin-status.ts';
import { makeConfig, makePresence, makeSide, makeSpec, NOW, PLUGIN } from './records.ts';

/** What counts of a node, and what does not: times, and its id. */
const looks = fc.record({
  connected: fc.boolean(),
  labels: fc.constantFrom({ app: 'gateway' }, { app: 'web' }),
  capabilities: fc.constantFrom(
    { filterChain: true, wasm: true, failReload: true },
    { filterChain: false, wasm: true, failReload: true },
    { filterChain: true, wasm: false, failReload: true },
  ),
  slots: fc.constantFrom([], ['attache.authn'], ['attache.last'], ['attache.authn', 'attache.last']),
  verdicts: fc.uniqueArray(
    fc.record({
      slot: fc.constantFrom('attache.authn', 'attache.last'),
      process: fc.constantFrom('p1', 'p0'),
      state: fc.constantFrom<NodeVerdict['state'][]>('sent', 'fetching', 'unreachable', 'accepted'),
      tried: fc.constantFrom(null, 0, 1, 2),
      accepted: fc.constantFrom(null, 0, 1, 2),
      loaded: fc.boolean(),
    }),
    { selector: ({ slot }) => slot, maxLength: 2 },
  ),
});
const times = fc.record({
  id: fc.constantFrom('edge-1', 'edge-2'),
  since: fc.integer({ min: NOW - 100_000, max: NOW }),
  at: fc.integer({ min: NOW - 100_000, max: NOW }),
  assignedAt: fc.integer({ min: NOW - 100_000, max: NOW }),
});
type Look = typeof looks extends fc.Arbitrary<infer T> ? T : never;
type Times = typeof times extends fc.Arbitrary<infer T> ? T : never;

const SOME_TIME: Times = { id: 'edge-1', since: 1, at: 1, assignedAt: 1 };

function toPresence({ connected, labels, capabilities, slots }: Look, { id, since }: Times): NodePresence {
  return makePresence({ connected, since, slots: [...slots] }, { id, labels: { ...labels }, capabilities });
}

function toVerdicts({ verdicts }: Look, { id, at }: Times): readonly NodeVerdict[] {
  const content = (revision: number) => ({
    contentHash: `hash-${revision}`,
    plugins: revision === 0 ? [] : [{ plugin: PLUGIN, revision }],
  });
  return verdicts.map(({ slot, process, state, tried, accepted, loaded }) => ({
    node: id,
    process,
    slot,
    state,
    since: at,
    tried: tried === null ? null : { ...content(tried), acked: at % 2 === 0 },
    accepted:
      accepted === null ? null : { ...content(accepted), at, ...(loaded ? { loaded: [PLUGIN] } : {}) },
    refused: null,
  }));
}

function derive(look: Look, time: Times): NodePluginState {
  return derivePluginState({
    plugin: makeSpec(),
    presence: toPresence(look, time),
    verdicts: toVerdicts(look, time),
    side: makeSide(2, { selector: { matchLabels: { app: 'gateway' } } }),
    assignedAt: time.assignedAt,
    config: () => makeConfig(),
    rootNamespace: 'istio-system',
    now: NOW,
  });
}

function toCounted(state: NodePluginState): unknown {
  return [countNodes([{ state, count: 1 }]), isDone(state), state.state === 'Fetching', state.revision];
}

test('nodes are in one situation where only ids and times differ, and a lasting state of one counts as the others do', () => {
  const seen = new Map<Situation, string>();
  let lasting = 0;
  fc.assert(
    fc.property(looks, times, times, (look, one, other) => {
      const situation = situationOf(toPresence(look, one), toVerdicts(look, one));
      assert.ok(situation !== undefined);
      assert.equal(situationOf(toPresence(look, other), toVerdicts(look, other)), situation);
      const text = JSON.stringify([toPresence(look, SOME_TIME), toVerdicts(look, SOME_TIME)]);
      assert.equal(seen.get(situation) ?? text, text);
      seen.set(situation, text);
      const state = derive(look, one);
      if (!isLasting(state, toPresence(look, one))) return;
      lasting += 1;
      assert.deepEqual(toCounted(derive(look, other)), toCounted(state));
    }),
    { numRuns: 500 },
  );
  assert.ok(lasting > 50, `${lasting} states were lasting`);
});

test('a node that refused something, that refuses a listener or that is silent is looked at by itself', () => {
  const [verdict] = toVerdicts(
    {
      verdicts: [
        { slot: 'attache.last', process: 'p1', state: 'accepted', tried: 2, accepted: 1, loaded: false },
      ],
    } as unknown as Look,
    SOME_TIME,
  );
  assert.ok(verdict);
  const refused = { contentHash: 'x', message: 'no', at: 1, healed: true };
  assert.equal(situationOf(makePresence(), [{ ...verdict, refused }]), undefined);
  assert.equal(situationOf(makePresence({ silentSince: 1 }), [verdict]), undefined);
  const nack = { typeUrl: 't', name: 'l', version: '1', message: 'no', at: 1 };
  assert.equal(situationOf(makePresence({ nacks: [nack] }), [verdict]), undefined);
  assert.notEqual(situationOf(makePresence(), [verdict]), undefined);
});

test('a group that names nodes selects by id, and no situation tells of it', () => {
  const toRef = (members: object) => ({
    targetRefs: [{ kind: 'NodeGroup', name: 'canary', members }] as const,
  });
  assert.equal(selectsAlike(toRef({ nodes: ['edge-*'] })), false);
  assert.equal(selectsAlike(toRef({ selector: { matchLabels: { app: 'web' } } })), true);
  assert.equal(selectsAlike({}), true);
});
