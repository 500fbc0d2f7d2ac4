import assert from 'node:assert/strict';
import { test } from 'node:test';
import { derivePluginState, type NodePluginState, type StateInput } from '../../src/model/plugin-state.ts';
import { makeAssignment, makePresence, makeRefused, makeSpec, makeVerdict, NOW } from './records.ts';

function derive(over: Partial<StateInput> = {}): NodePluginState {
  return derivePluginState({
    spec: makeSpec(),
    presence: makePresence(),
    verdicts: [],
    assignment: makeAssignment(),
    rootNamespace: 'istio-system',
    now: NOW,
    ...over,
  });
}

test('a node with another label is not targeted, and the label is named', () => {
  const state = derive({ spec: makeSpec({ selector: { matchLabels: { app: 'web' } } }) });
  assert.equal(state.state, 'NotTargeted');
  assert.equal(state.reason, 'Selector');
  assert.match(state.detail ?? '', /app=web.*app=gateway/);
});

test('a node of another namespace is not targeted, but a plugin of the root namespace reaches it', () => {
  assert.equal(derive({ spec: makeSpec({ namespace: 'edge' }) }).reason, 'Selector');
  assert.equal(derive({ spec: makeSpec({ namespace: 'istio-system' }) }).state, 'Pending');
});

test('a node that is not selected any more and still runs it is Removing', () => {
  const state = derive({
    spec: makeSpec({ selector: { matchLabels: { app: 'web' } } }),
    verdicts: [makeVerdict(1, 1)],
  });
  assert.deepEqual([state.state, state.reason, state.revision], ['Pending', 'Removing', 1]);
});

test('an Envoy without Wasm is not targeted', () => {
  const capabilities = { filterChain: true, wasm: false, failReload: true };
  assert.equal(derive({ presence: makePresence({}, { capabilities }) }).reason, 'NoV8');
});

test('a node without any place, or with other places only, has NoPlace', () => {
  assert.equal(derive({ presence: makePresence({ slots: [] }) }).reason, 'NoPlace');
  const other = derive({ presence: makePresence({ slots: ['attache.authn'] }) });
  assert.deepEqual([other.state, other.reason], ['NotTargeted', 'NoPlace']);
});

test('a node that has just connected is given time to ask for its places', () => {
  const state = derive({ presence: makePresence({ slots: [], since: NOW - 100 }) });
  assert.deepEqual([state.state, state.reason], ['Pending', null]);
});

test('before 1.39 the place of a plugin comes with the listener that follows its assignment', () => {
  const capabilities = { filterChain: false, wasm: true, failReload: true };
  const presence = makePresence({ slots: ['default/other'] }, { capabilities });
  assert.equal(derive({ presence, assignment: makeAssignment({ since: NOW - 100 }) }).state, 'Pending');
  assert.equal(derive({ presence }).reason, 'NoPlace');
});

test('before 1.39 a bare phase place that holds another plugin is no place', () => {
  const capabilities = { filterChain: false, wasm: true, failReload: true };
  const taken = makeVerdict(null, null, {
    tried: { contentHash: 'x', plugins: [{ plugin: 'default/other', revision: 1 }] },
  });
  const presence = makePresence({ slots: ['attache.last'] }, { capabilities });
  assert.equal(derive({ presence, verdicts: [taken] }).reason, 'NoPlace');
  assert.equal(derive({ verdicts: [taken] }).state, 'Pending');
});

test('without a good revision it is Pending, and after a refusal with nothing to go back to Refused', () => {
  const assignment = makeAssignment({ revision: null, good: null });
  assert.deepEqual([derive({ assignment }).state, derive({ assignment }).reason], ['Pending', 'NoRevision']);
  assert.equal(derive({ assignment: undefined }).reason, 'NoRevision');
  const refused = makeVerdict(null, null, { state: 'refused', refused: makeRefused(1, true) });
  const state = derive({ assignment, verdicts: [refused] });
  assert.equal(state.state, 'Refused');
  assert.equal(state.refusal?.revision, 1);
});

test('the words of a push: Pending, Sent, Stale, Fetching, Accepted', () => {
  const at = (verdict: ReturnType<typeof makeVerdict>) => derive({ verdicts: [verdict] });
  assert.equal(derive().state, 'Pending');
  assert.equal(at(makeVerdict(1, 1)).state, 'Pending');
  assert.equal(at(makeVerdict(2, 1, { state: 'sent' })).state, 'Sent');
  assert.equal(at(makeVerdict(2, 1, { state: 'sent', since: NOW - 60_000 })).state, 'Stale');
  assert.equal(at(makeVerdict(2, 1, { state: 'fetching' })).state, 'Fetching');
  assert.equal(at(makeVerdict(2, 1, { state: 'unreachable' })).reason, 'Unreachable');
  const accepted = at(makeVerdict(2, 2));
  assert.deepEqual([accepted.state, accepted.revision, accepted.since], ['Accepted', 2, NOW - 4_000]);
});

test('it stays Accepted while another plugin of the same place is on its way', () => {
  assert.equal(derive({ verdicts: [makeVerdict(2, 2, { state: 'sent' })] }).state, 'Accepted');
});

test("a refusal shows Envoy's text, since when, and where the cause is", () => {
  const state = derive({ verdicts: [makeVerdict(2, 1, { state: 'refused', refused: makeRefused(2) })] });
  assert.deepEqual([state.state, state.since, state.revision], ['Refused', NOW - 2_000, 1]);
  assert.equal(state.refusal?.message, 'Unable to create Wasm plugin default/auth');
  assert.match(state.refusal?.cause ?? '', /Envoy log; look for 'wasm log default\/auth'/);
});

test('back on the good revision it is Accepted, and the refusal stays to be read', () => {
  const verdict = makeVerdict(1, 1, { refused: makeRefused(2, true) });
  const state = derive({ assignment: makeAssignment({ revision: 1 }), verdicts: [verdict] });
  assert.deepEqual([state.state, state.revision, state.refusal?.revision], ['Accepted', 1, 2]);
});

test("another plugin's refusal is not ours", () => {
  const refused = { ...makeRefused(2), plugin: 'default/other' };
  const state = derive({ verdicts: [makeVerdict(2, 1, { state: 'sent', refused })] });
  assert.deepEqual([state.state, state.refusal], ['Sent', null]);
});

test('a refusal in which Envoy names no plugin counts for each one that was tried', () => {
  const { plugin: _plugin, revision: _revision, ...refused } = makeRefused(2);
  assert.equal(derive({ verdicts: [makeVerdict(2, 1, { state: 'refused', refused })] }).state, 'Refused');
});

test('what an earlier process accepted is not what runs now', () => {
  const state = derive({ verdicts: [makeVerdict(2, 2, { process: 'p0' })] });
  assert.deepEqual([state.state, state.revision], ['Pending', null]);
});

test("another node's verdicts are not looked at", () => {
  assert.equal(derive({ verdicts: [makeVerdict(2, 2, { node: 'edge-2' })] }).state, 'Pending');
});

test('a disconnected node shows what was known last, and says so', () => {
  const state = derive({ presence: makePresence({ connected: false }), verdicts: [makeVerdict(2, 2)] });
  assert.deepEqual([state.state, state.revision, state.lastKnown], ['Accepted', 2, true]);
});

test('with places in two listeners the worse one counts, and both are waited for', () => {
  const presence = makePresence({ slots: ['attache.last/a', 'attache.last/b'] });
  const first = makeVerdict(2, 2, { slot: 'attache.last/a' });
  assert.equal(derive({ presence, verdicts: [first] }).state, 'Pending');
  const second = makeVerdict(2, 1, { slot: 'attache.last/b', state: 'sent' });
  const both = derive({ presence, verdicts: [first, second] });
  assert.deepEqual([both.state, both.revision], ['Sent', 1]);
});

test('with match the listeners that were not chosen are not waited for', () => {
  const presence = makePresence({ slots: ['attache.last/a', 'attache.last/b'] });
  const spec = makeSpec({ match: [{ ports: [80] }] });
  const verdicts = [makeVerdict(2, 2, { slot: 'attache.last/a' })];
  assert.equal(derive({ presence, spec, verdicts }).state, 'Accepted');
});

test('where a place bears the name of the plugin, its phase place is not waited for', () => {
  const presence = makePresence({ slots: ['attache.last', 'default/auth'] });
  const verdicts = [makeVerdict(2, 2, { slot: 'default/auth' })];
  assert.equal(derive({ presence, verdicts }).state, 'Accepted');
});

test('a place may bear the name of a plugin of the own namespace without that namespace', () => {
  const presence = makePresence({ slots: ['auth'] });
  assert.equal(derive({ presence, verdicts: [makeVerdict(2, 2, { slot: 'auth' })] }).state, 'Accepted');
  assert.equal(derive({ presence, spec: makeSpec({ name: 'other' }) }).reason, 'NoPlace');
});

test('with match, and nothing sent though nothing is on its way: no listener was chosen', () => {
  const spec = makeSpec({ match: [{ ports: [80] }] });
  const state = derive({ spec, verdicts: [makeVerdict(null, null)] });
  assert.deepEqual([state.state, state.reason], ['NotTargeted', 'NoPlace']);
  const busy = derive({ spec, verdicts: [makeVerdict(null, null, { state: 'fetching' })] });
  assert.deepEqual([busy.state, busy.reason], ['Pending', null]);
  const early = derive({ spec, assignment: makeAssignment({ since: NOW - 100 }) });
  assert.equal(early.state, 'Pending');
});
