/** What the places of a client hold that comes back with one version for all of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TAGS, toVersion, type Variant } from '../../../src/xds/push/attempt.ts';
import { newSlot, type SlotState } from '../../../src/xds/push/slot-state.ts';
import { recallVersions } from '../../../src/xds/sotw/recall-versions.ts';
import { toSlotsVersion } from '../../../src/xds/sotw/response.ts';
import { slotContent } from '../model/content.ts';

/** A slot whose record says this; `tried`: `2`, or `2.w` in the warming form. */
function slot(name: string, accepted: string | null, tried = accepted): SlotState {
  const [contentHash = '', form] = tried?.split('.') ?? [];
  const variant: Variant = form === 'w' ? 'warming' : 'verdict';
  return {
    ...newSlot(name),
    accepted:
      accepted === null ? null : { contentHash: accepted, plugins: [], tags: NO_TAGS, number: undefined },
    tried: tried === null ? null : { contentHash, variant, tags: NO_TAGS, plugins: [], clean: true },
  };
}

const known = (...slots: SlotState[]): Map<string, SlotState> => new Map(slots.map(it => [it.slot, it]));
const versions = (held: Record<string, string>): Map<string, string> =>
  new Map(Object.entries(held).map(([name, hash]) => [name, toVersion(hash, 'verdict')]));
const claimOf = (held: Record<string, string>): string => toSlotsVersion(versions(held));

test('30. the version of places is equal for equal contents, whatever the order of the pushes', () => {
  assert.equal(claimOf({ s: '1', u: '2' }), claimOf({ u: '2', s: '1' }));
  assert.notEqual(claimOf({ s: '1', u: '2' }), claimOf({ s: '2', u: '1' }));
});

test('31. what was accepted under a version that we remember, as far as it is asked for', () => {
  const remembered = new Map([['claim', versions({ s: '1', u: '2' })]]);
  assert.deepEqual(recallVersions('claim', ['s'], remembered, new Map()), versions({ s: '1' }));
});

test('31. after our restart: what the records say was accepted', () => {
  const slots = known(slot('s', '1'), slot('u', '2'), slot('other', '3'));
  const held = { s: '1', u: '2' };
  assert.deepEqual(recallVersions(claimOf(held), ['s', 'u'], new Map(), slots), versions(held));
});

test('31. or that and the last push of one place, whose ACK came while nobody recorded it', () => {
  const slots = known(slot('s', '1', '9'), slot('u', '2'));
  const held = { s: '9', u: '2' };
  assert.deepEqual(recallVersions(claimOf(held), ['s', 'u'], new Map(), slots), versions(held));
  const before = { s: '1', u: '2' };
  assert.deepEqual(recallVersions(claimOf(before), ['s', 'u'], new Map(), slots), versions(before));
});

test('the warming form is a version of its own', () => {
  const slots = known(slot('s', null, '1.w'));
  const held = new Map([['s', toVersion('1', 'warming')]]);
  assert.deepEqual(recallVersions(toSlotsVersion(held), ['s'], new Map(), slots), held);
  assert.equal(recallVersions(claimOf({ s: '1' }), ['s'], new Map(), slots), undefined);
});

test('31. a record does not tell the form: its last push may have been ACKed in the warming one', () => {
  const slots = known(slot('s', '1'), slot('new', null, '2'));
  const held = new Map([...versions({ s: '1' }), ['new', toVersion('2', 'warming')]]);
  assert.deepEqual(recallVersions(toSlotsVersion(held), ['s', 'new'], new Map(), slots), held);
});

test('a place that was never answered is no part of the version', () => {
  const slots = known(slot('s', '1'), slot('new', null));
  assert.deepEqual(recallVersions(claimOf({ s: '1' }), ['s', 'new'], new Map(), slots), versions({ s: '1' }));
});

test('31. what several places are to have, accepted while nobody recorded it', () => {
  const want = (name: string, accepted: string | null, wanted: string): SlotState => {
    const content = { ...slotContent([]), contentHash: wanted };
    const fallback = { ...slotContent([]), contentHash: 'good' };
    return {
      ...slot(name, accepted),
      want: { wanted: content, fallback, probe: () => content, recall: () => undefined },
    };
  };
  const slots = known(want('s', '1', '3'), want('u', '2', '4'), want('new', null, '5'));
  for (const held of [
    { s: '3', u: '4' },
    { s: '3', u: '4', new: '5' },
    { s: '1', u: '4', new: 'good' },
  ])
    assert.deepEqual(recallVersions(claimOf(held), ['s', 'u', 'new'], new Map(), slots), versions(held));
  assert.equal(recallVersions(claimOf({ s: '4', u: '2' }), ['s', 'u'], new Map(), slots), undefined);
});

test('31. a place that it let go of is in its version still', () => {
  const slots = known(slot('s', '1'), slot('u', '2', '3'));
  for (const held of [{ s: '1', u: '2' }, { s: '1', u: '3' }, { s: '1' }])
    assert.deepEqual(recallVersions(claimOf(held), ['s'], new Map(), slots), versions({ s: '1' }));
});

test('31. so many places are not tried in every way', () => {
  const names = Array.from({ length: 200 }, (_, i) => `s${i}`);
  const slots = known(...names.map(name => slot(name, '1', '2')));
  const held = Object.fromEntries(names.map((name, i) => [name, i === 7 ? '2' : '1']));
  assert.deepEqual(recallVersions(claimOf(held), names, new Map(), slots), versions(held));
  assert.equal(recallVersions('foreign', names, new Map(), slots), undefined);
});

test('anything else: nobody knows', () => {
  const slots = known(slot('s', '1'), slot('u', '2'));
  assert.equal(recallVersions('foreign', ['s', 'u'], new Map(), slots), undefined);
  assert.equal(recallVersions(claimOf({ s: '1' }), ['s'], new Map(), new Map()), undefined);
});
