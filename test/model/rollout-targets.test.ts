import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Side } from '../../src/model/assignment.ts';
import { derivePluginState } from '../../src/model/plugin-state.ts';
import { type ClassifyInput, classifyNode, toPlacement } from '../../src/model/rollout-targets.ts';
import { makeConfig, makePresence, makeSide, makeSpec, makeVerdict, NOW } from './records.ts';

const GATEWAYS = { selector: { matchLabels: { app: 'gateway' } } };
const WEB = { selector: { matchLabels: { app: 'web' } } };

/** A gateway in an update from revision 1 to 2; in words, e.g. `out Selector`. */
function classify(over: Partial<ClassifyInput> = {}): string {
  const found = classifyNode({
    plugin: makeSpec(),
    from: makeSide(1),
    to: makeSide(2),
    presence: makePresence(),
    verdicts: [],
    excluded: false,
    config: () => makeConfig(),
    rootNamespace: 'istio-system',
    now: NOW,
    ...over,
  });
  return found.kind === 'out' ? `out ${found.reason}` : found.kind;
}

test('a node whose revision changes is a target, connected or not; one whose does not is the same', () => {
  assert.equal(classify(), 'target');
  assert.equal(classify({ presence: makePresence({ connected: false }) }), 'target');
  assert.equal(classify({ to: makeSide(1) }), 'same');
  assert.equal(classify({ from: makeSide(null), to: makeSide(null) }), 'same');
});

test('of an install and a delete the selected nodes are targets', () => {
  assert.equal(classify({ from: makeSide(null) }), 'target');
  assert.equal(classify({ to: makeSide(null) }), 'target');
  assert.equal(classify({ from: makeSide(null), to: makeSide(1, WEB) }), 'out Selector');
  assert.equal(classify({ from: makeSide(1, WEB), to: makeSide(null, WEB) }), 'out Selector');
});

test('of a changed selector those that enter and those that leave are targets, and nobody else', () => {
  const enters = { from: makeSide(1, WEB), to: makeSide(1, GATEWAYS) };
  assert.equal(classify(enters), 'target');
  assert.equal(classify({ from: enters.to, to: enters.from }), 'target');
  assert.equal(classify({ from: makeSide(1), to: makeSide(1, GATEWAYS) }), 'same');
  assert.equal(
    classify({ from: makeSide(1, WEB), to: makeSide(1, { selector: { matchLabels: { x: 'y' } } }) }),
    'out Selector',
  );
});

test('the same revision on other listeners or in another format is a change', () => {
  const on = (name: string): Side => makeSide(1, { targetRefs: [{ kind: 'Listener', name }] });
  assert.equal(classify({ from: on('a'), to: on('b') }), 'target');
  assert.equal(classify({ from: on('a'), to: on('a') }), 'same');
  assert.equal(classify({ to: { ...makeSide(1), format: 2 } }), 'target');
});

test('a node that cannot, must not or has nowhere to run it is out, and the reason is said', () => {
  const capabilities = { filterChain: true, wasm: false, failReload: true };
  assert.equal(classify({ presence: makePresence({}, { capabilities }) }), 'out NoV8');
  assert.equal(classify({ excluded: true }), 'out Excluded');
  assert.equal(classify({ presence: makePresence({ slots: [] }) }), 'out NoPlace');
  assert.equal(classify({ presence: makePresence({ slots: ['attache.authn'] }) }), 'out NoPlace');
});

test('the place is that of the phase it goes to; of a node that leaves, of the phase it has', () => {
  const presence = makePresence({ slots: ['attache.authn'] });
  const config = (revision: number) => makeConfig({ phase: revision === 1 ? 'AUTHN' : 'STATS' });
  assert.equal(classify({ presence, config }), 'out NoPlace');
  assert.equal(classify({ presence, config, to: makeSide(null) }), 'target');
  assert.equal(classify({ presence, config, from: makeSide(2), to: makeSide(1) }), 'target');
});

test('a node that has just connected is given time to ask for its places', () => {
  assert.equal(classify({ presence: makePresence({ slots: [], since: NOW - 100 }) }), 'target');
});

test('before 1.39 a node is a target without a place: that comes with the listener once it was moved', () => {
  const capabilities = { filterChain: false, wasm: true, failReload: true };
  assert.equal(classify({ presence: makePresence({ slots: [] }, { capabilities }) }), 'target');
});

test('equal choices of nodes are equal placements', () => {
  assert.deepEqual(toPlacement(makeSpec(GATEWAYS)), GATEWAYS);
  assert.deepEqual(toPlacement(makeSpec({ message: 'x' })), {});
});

test('property: a target that was moved is waited for: it is not called out before it could answer', () => {
  const side = fc.record({
    revision: fc.constantFrom(null, 1, 2),
    placement: fc.constantFrom({}, GATEWAYS, WEB),
    format: fc.constant(1),
  });
  const slots = fc.constantFrom(
    [],
    ['attache.last'],
    ['attache.last/a'],
    ['default/auth'],
    ['attache.authn'],
  );
  fc.assert(
    fc.property(side, side, slots, fc.boolean(), (from, to, asked, excluded) => {
      const presence = makePresence({ slots: asked });
      const running =
        from.revision === null ? [] : [makeVerdict(from.revision, from.revision, { slot: asked[0] ?? '' })];
      const kind = classify({ from, to, presence, excluded, verdicts: running });
      const state = derivePluginState({
        plugin: makeSpec(),
        presence,
        verdicts: running,
        side: to,
        assignedAt: NOW,
        excluded,
        config: () => makeConfig(),
        rootNamespace: 'istio-system',
        now: NOW,
      });
      if (kind === 'target' && state.desiredRevision !== null) assert.notEqual(state.state, 'NotTargeted');
      if (kind === 'out Excluded') assert.notEqual(state.state, 'Pending');
    }),
  );
});
