import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  derivePluginState,
  isDone,
  type NodePluginState,
  PLUGIN_STATES,
  type StateInput,
} from '../../src/model/plugin-state.ts';
import type { RevisionConfig } from '../../src/model/revision.ts';
import { LISTENER_TYPE } from '../../src/model/type-url.ts';
import { makeConfig, makePresence, makeRefused, makeSide, makeSpec, makeVerdict, NOW } from './records.ts';

/** On a node that is to run revision 2 everywhere. */
function derive(over: Partial<StateInput> = {}): NodePluginState {
  return derivePluginState({
    plugin: makeSpec(),
    presence: makePresence(),
    verdicts: [],
    side: makeSide(2),
    assignedAt: NOW - 10_000,
    config: () => makeConfig(),
    rootNamespace: 'istio-system',
    now: NOW,
    ...over,
  });
}

const OTHER_LABEL = { selector: { matchLabels: { app: 'web' } } };
const SINGLE = { filterChain: false, wasm: true, failReload: true };

test('a node with another label is not targeted, and the label is named', () => {
  const state = derive({ side: makeSide(2, OTHER_LABEL) });
  assert.equal(state.state, 'NotTargeted');
  assert.equal(state.reason, 'Selector');
  assert.match(state.detail ?? '', /app=web.*app=gateway/);
});

test('a node of another namespace is not targeted, but a plugin of the root namespace reaches it', () => {
  assert.equal(derive({ plugin: makeSpec({ namespace: 'edge' }) }).reason, 'Selector');
  assert.equal(derive({ plugin: makeSpec({ namespace: 'istio-system' }) }).state, 'Pending');
});

test('a node that is not selected any more and still runs it is Removing', () => {
  const state = derive({
    side: makeSide(2, OTHER_LABEL),
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

test('a node that has had no place for long has none for a new revision either', () => {
  const presence = makePresence({ slots: [], since: NOW - 60_000 });
  assert.equal(derive({ presence, assignedAt: NOW }).reason, 'NoPlace');
  assert.equal(derive({ presence: makePresence({ slots: [], since: NOW }) }).state, 'Pending');
});

test('a node that has just connected is given time to ask for its places', () => {
  const state = derive({ presence: makePresence({ slots: [], since: NOW - 100 }) });
  assert.deepEqual([state.state, state.reason], ['Pending', null]);
});

test('before 1.39 the place of a plugin comes with the listener that follows its assignment', () => {
  const presence = makePresence({ slots: ['default/other'] }, { capabilities: SINGLE });
  assert.equal(derive({ presence, assignedAt: NOW - 100 }).state, 'Pending');
  assert.equal(derive({ presence }).reason, 'NoPlace');
});

test('before 1.39 a bare phase place that holds another plugin is no place', () => {
  const taken = makeVerdict(null, null, {
    tried: { contentHash: 'x', acked: false, plugins: [{ plugin: 'default/other', revision: 1 }] },
  });
  const presence = makePresence({ slots: ['attache.last'] }, { capabilities: SINGLE });
  assert.equal(derive({ presence, verdicts: [taken] }).reason, 'NoPlace');
  assert.equal(derive({ verdicts: [taken] }).state, 'Pending');
});

test('without a good revision it is Pending, and after a refusal with nothing to go back to Refused', () => {
  const side = makeSide(null);
  assert.deepEqual([derive({ side }).state, derive({ side }).reason], ['Pending', 'NoRevision']);
  assert.equal(derive({ side: undefined }).reason, 'NoRevision');
  assert.equal(derive({ side: undefined, plugin: makeSpec(OTHER_LABEL) }).reason, 'Selector');
  const refused = makeVerdict(null, null, { state: 'refused', refused: makeRefused(1, true) });
  const state = derive({ side, verdicts: [refused] });
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

test('before 1.39 a silent node may have got the place: Pending, Sent, Stale, and never without a place', () => {
  const node = { ...makePresence().node, capabilities: SINGLE };
  const at = (ago: number, over: object = {}) => {
    const presence = { ...makePresence({ slots: [], since: NOW - 600_000 }), node, ...over };
    return derive({ presence, assignedAt: NOW - ago });
  };
  assert.equal(at(5_000, { lastAckAt: NOW - 10_000 }).state, 'Pending');
  assert.equal(at(5_000, { lastAckAt: NOW - 4_000 }).reason, 'NoPlace', 'it answered since');
  assert.equal(at(6_500, { lastAckAt: NOW - 10_000 }).reason, 'NoPlace', 'it owes no answer');
  const silent = at(7_000, { silentSince: NOW - 7_000 });
  assert.deepEqual([silent.state, silent.since], ['Sent', NOW - 7_000]);
  assert.equal(at(70_000, { silentSince: NOW - 70_000 }).state, 'Stale');
  const nack = { typeUrl: LISTENER_TYPE, name: 'in', version: '2', message: 'no', at: NOW - 9_000 };
  const refused = at(9_000, { nacks: [nack], lastAckAt: NOW - 5_000 });
  assert.deepEqual([refused.state, refused.detail], ['Pending', 'the node refuses listener in: no']);
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
  const state = derive({ side: makeSide(1), verdicts: [verdict] });
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
  const config = () => makeConfig({ match: [{ ports: [80] }] });
  const verdicts = [makeVerdict(2, 2, { slot: 'attache.last/a' })];
  assert.equal(derive({ presence, config, verdicts }).state, 'Accepted');
});

test('where a place bears the name of the plugin, its phase place is not waited for', () => {
  const presence = makePresence({ slots: ['attache.last', 'default/auth'] });
  const verdicts = [makeVerdict(2, 2, { slot: 'default/auth' })];
  assert.equal(derive({ presence, verdicts }).state, 'Accepted');
});

test('a place may bear the name of a plugin of the own namespace without that namespace', () => {
  const presence = makePresence({ slots: ['auth'] });
  assert.equal(derive({ presence, verdicts: [makeVerdict(2, 2, { slot: 'auth' })] }).state, 'Accepted');
  assert.equal(derive({ presence, plugin: makeSpec({ name: 'other' }) }).reason, 'NoPlace');
});

test('with match, and nothing sent though nothing is on its way: no listener was chosen', () => {
  const config = () => makeConfig({ match: [{ ports: [80] }] });
  const state = derive({ config, verdicts: [makeVerdict(null, null)] });
  assert.deepEqual([state.state, state.reason], ['NotTargeted', 'NoPlace']);
  const busy = derive({ config, verdicts: [makeVerdict(null, null, { state: 'fetching' })] });
  assert.deepEqual([busy.state, busy.reason], ['Pending', null]);
  const early = derive({ config, assignedAt: NOW - 100 });
  assert.equal(early.state, 'Pending');
});

test('the words are in order, the worst first: a node is as bad as its worst place', () => {
  assert.deepEqual(PLUGIN_STATES.slice(0, 2), ['Degraded', 'Refused']);
  assert.deepEqual(PLUGIN_STATES.slice(-3), ['Accepted', 'Loaded', 'NotTargeted']);
});

test('Loaded is shown where every place proved it, Accepted where one did not', () => {
  const presence = makePresence({ slots: ['attache.last/a', 'attache.last/b'] });
  const at = (slot: string, loaded: readonly string[]) => {
    const verdict = makeVerdict(2, 2, { slot });
    return { ...verdict, accepted: verdict.accepted && { ...verdict.accepted, loaded } };
  };
  const [a, b] = [at('attache.last/a', ['default/auth']), at('attache.last/b', ['default/auth'])];
  assert.equal(derive({ presence, verdicts: [a, b] }).state, 'Loaded');
  const one = derive({ presence, verdicts: [a, at('attache.last/b', ['default/other'])] });
  assert.equal(one.state, 'Accepted');
  assert.ok(isDone(one));
});

test('what runs and fails is Degraded, with the numbers, also while it is sent something else', () => {
  const degraded = '398 of 398 requests answered 503';
  const now = derive({ verdicts: [makeVerdict(2, 2)], degraded });
  assert.deepEqual([now.state, now.detail, isDone(now)], ['Degraded', degraded, false]);
  const going = { verdicts: [makeVerdict(1, 2, { state: 'sent' })], side: makeSide(1), degraded } as const;
  assert.equal(derive(going).state, 'Degraded');
  assert.equal(derive({ degraded }).state, 'Pending', 'nothing runs that could fail');
  const out = derive({ verdicts: [makeVerdict(2, 2)], degraded, excluded: true });
  assert.equal(out.state, 'NotTargeted');
});

test('an excluded node is NotTargeted and shows what it runs; one that is not selected says that instead', () => {
  const state = derive({ verdicts: [makeVerdict(1, 1)], side: makeSide(1), excluded: true });
  assert.deepEqual([state.state, state.reason, state.revision], ['NotTargeted', 'Excluded', 1]);
  assert.equal(derive({ excluded: true, side: makeSide(2, OTHER_LABEL) }).reason, 'Selector');
});

test('a node that is to run none is done when no accepted content holds the plugin', () => {
  const side = makeSide(null);
  const words = (verdicts: StateInput['verdicts']) => {
    const state = derive({ side, verdicts });
    return [state.state, state.reason, state.revision, isDone(state)];
  };
  assert.deepEqual(words([makeVerdict(2, 2)]), ['Pending', 'Removing', 2, false]);
  assert.deepEqual(words([makeVerdict(null, 2)]), ['Pending', 'Removing', 2, false]);
  const pushed = makeVerdict(null, 2, {
    state: 'sent',
    tried: { contentHash: 'none', acked: false, plugins: [] },
  });
  assert.deepEqual(words([pushed]), ['Sent', 'Removing', 2, false]);
  assert.equal(words([{ ...pushed, since: NOW - 60_000 }])[0], 'Stale');
  const gone = {
    ...pushed,
    state: 'accepted',
    accepted: { contentHash: 'none', at: NOW, plugins: [] },
  } as const;
  assert.deepEqual(words([gone]), ['Pending', 'NoRevision', null, true]);
  const refused = makeVerdict(2, 2, { slot: 'attache.last/gone' });
  assert.equal(words([refused])[3], true, 'a place that the node does not ask for any more');
});

test('a node that may still take what was sent has not let go of it', () => {
  const side = makeSide(null);
  const sent = derive({ side, verdicts: [makeVerdict(2, null, { state: 'sent' })] });
  assert.deepEqual([sent.reason, isDone(sent)], ['Removing', false]);
  assert.ok(
    isDone(derive({ side, verdicts: [makeVerdict(2, null, { state: 'refused', refused: makeRefused(2) })] })),
  );
});

test('of a deleted plugin a node that is rid of it is not targeted', () => {
  const plugin = makeSpec({ deleted: { at: NOW, by: 'admin', now: false } });
  const state = derive({ plugin, side: makeSide(null) });
  assert.deepEqual([state.state, state.reason], ['NotTargeted', 'Removed']);
  assert.equal(derive({ plugin, side: makeSide(null), verdicts: [makeVerdict(2, 2)] }).reason, 'Removing');
  assert.equal(derive({ plugin, verdicts: [makeVerdict(2, 2)] }).state, 'Accepted', 'its step has not come');
});

test('going back is not done while the node may still take what it was sent before', () => {
  const side = makeSide(1);
  const word = (verdict: ReturnType<typeof makeVerdict>) => derive({ side, verdicts: [verdict] }).state;
  assert.equal(word(makeVerdict(2, 1, { state: 'accepted' })), 'Pending');
  assert.equal(word(makeVerdict(2, 1, { state: 'refused', refused: makeRefused(2) })), 'Accepted');
  assert.equal(word(makeVerdict(1, 1)), 'Accepted');
  const missed = makeVerdict(2, 1, { state: 'fetching' });
  assert.equal(word(missed), 'Accepted', 'it downloads what it would not take without');
});

test('before a plugin is anywhere, whom it is meant for is what its document says', () => {
  const plugin = makeSpec(OTHER_LABEL);
  assert.equal(derive({ plugin, side: makeSide(null) }).reason, 'Selector');
  assert.equal(derive({ plugin, side: makeSide(1), verdicts: [makeVerdict(1, 1)] }).state, 'Accepted');
});

test('a look whether the node reaches us says nothing about a plugin', () => {
  const probe = { contentHash: 'probe', acked: false, plugins: [{ plugin: 'attache/probe', revision: 0 }] };
  assert.equal(derive({ verdicts: [makeVerdict(2, 2, { state: 'sent', tried: probe })] }).state, 'Accepted');
});

test('a refusal of an earlier try does not count against this one', () => {
  const earlier = makeVerdict(2, 1, { state: 'sent', refused: makeRefused(2, true) });
  assert.equal(derive({ verdicts: [earlier], assignedAt: NOW - 1_000 }).state, 'Sent');
  assert.equal(derive({ verdicts: [earlier] }).state, 'Refused');
});

const PHASE_OF: Readonly<Record<number, RevisionConfig['phase']>> = { 1: 'UNSPECIFIED_PHASE', 2: 'AUTHN' };

test('with another phase it is done when the new place has it and the old one has lost it', () => {
  const config = (revision: number) => makeConfig({ phase: PHASE_OF[revision] ?? 'STATS' });
  const old = makeVerdict(1, 1);
  const fresh = makeVerdict(2, 2, { slot: 'attache.authn' });
  const empty = { contentHash: 'none', acked: true, plugins: [] };
  const left = { ...old, tried: empty, accepted: { ...empty, at: NOW } };
  const words = (verdicts: StateInput['verdicts']) => {
    const state = derive({ config, verdicts });
    return [state.state, isDone(state)];
  };
  assert.deepEqual(words([old]), ['Pending', false]);
  assert.deepEqual(words([old, fresh]), ['Pending', false]);
  assert.deepEqual(words([{ ...old, tried: empty, state: 'sent' }, fresh]), ['Sent', false]);
  assert.deepEqual(words([left, fresh]), ['Accepted', true]);
  assert.deepEqual(words([left]), ['Pending', false]);
});

test('with a match that leaves a listener out it is done when that one has lost it', () => {
  const presence = makePresence({ slots: ['attache.last/a', 'attache.last/b'] });
  const config = () => makeConfig({ match: [{ ports: [80] }] });
  const a = makeVerdict(2, 2, { slot: 'attache.last/a' });
  const empty = { contentHash: 'none', acked: true, plugins: [] };
  const b = makeVerdict(1, 1, { slot: 'attache.last/b' });
  assert.equal(derive({ presence, config, verdicts: [a, b] }).state, 'Pending');
  const sent = { ...b, tried: empty, state: 'sent' } as const;
  assert.equal(derive({ presence, config, verdicts: [a, sent] }).state, 'Sent');
  const lost = { ...b, tried: empty, accepted: { ...empty, at: NOW } };
  assert.equal(derive({ presence, config, verdicts: [a, lost] }).state, 'Accepted');
});

test('a gone node shows what it ran last as last known, whatever it is to run now', () => {
  const presence = makePresence({ connected: false });
  const state = derive({ presence, verdicts: [makeVerdict(1, 1)] });
  assert.deepEqual([state.revision, state.desiredRevision, state.lastKnown], [1, 2, true]);
});
