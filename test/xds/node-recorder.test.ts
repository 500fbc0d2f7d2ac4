import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../src/model/event.ts';
import type { NodePresence, ResourceNack } from '../../src/model/node.ts';
import type { NodeVerdict } from '../../src/model/node-verdict.ts';
import { SlotStory } from './push/slot-story.ts';
import { NODE, setUp, withSlots } from './recorder-story.ts';

const NACK: ResourceNack = { typeUrl: 't', name: 'l1', version: '2', message: 'bad', at: 5 };

test('a node that owes an answer is silent until it answers or goes', () => {
  const { recorder, presence, take, attach } = setUp();
  const process = attach();
  recorder.connected(NODE, process, 10);
  recorder.silent(process, 20);
  assert.equal(presence()?.silentSince, 20);
  recorder.silent(process, 20);
  assert.deepEqual(take(), [], 'said once');
  recorder.silent(process, undefined);
  assert.equal(presence()?.silentSince, undefined);
  recorder.silent(process, 30);
  recorder.disconnected(process, 40);
  const gone = presence();
  assert.deepEqual([gone?.connected, gone?.silentSince], [false, undefined]);
});

test('a node that connects is recorded with its process, and an event says so', () => {
  const { recorder, take, attach } = setUp();
  const process = attach();
  recorder.connected(NODE, process, 10);
  const [record, event, ...more] = take();
  assert.equal(more.length, 0);
  assert.deepEqual(record?.value, {
    node: NODE,
    process: process.id,
    connected: true,
    since: 10,
    firstSeenAt: 10,
    slots: [],
    nacks: [],
  });
  assert.equal((event!.value as Event).type, 'node.connected');
});

test('a node that goes stays on record, with when', () => {
  const { recorder, presence, attach } = setUp();
  const process = attach();
  recorder.connected(NODE, process, 10);
  recorder.disconnected(process, 20);
  const record = presence();
  assert.deepEqual([record?.connected, record?.since, record?.firstSeenAt], [false, 20, 10]);
});

test('a node that goes twice, and one that nobody knows, is no news', () => {
  const { recorder, take, attach } = setUp();
  const process = attach();
  recorder.disconnected(process, 1);
  recorder.connected(NODE, process, 10);
  recorder.disconnected(process, 20);
  take();
  recorder.disconnected(process, 30);
  assert.deepEqual(take(), []);
});

test('at our start nobody is connected, whatever the records say; the rest of them is kept', () => {
  const known = {
    node: NODE,
    process: 'p',
    connected: true,
    since: 1,
    lastAckAt: 7,
    firstSeenAt: 1,
    slots: ['x'],
  };
  const { recorder, presence, take } = setUp([{ ...known, nacks: [NACK] }]);
  recorder.forgetConnections(50);
  assert.deepEqual(presence(), { ...known, nacks: [NACK], connected: false, since: 50 });
  recorder.forgetConnections(60);
  assert.deepEqual(take(), []);
});

test('a new process forgets slots and refusals of the old one, not when the node was first seen', () => {
  const known = { node: NODE, process: 'old', connected: false, since: 1, lastAckAt: 7, firstSeenAt: 1 };
  const { recorder, presence, attach } = setUp([{ ...known, slots: ['x'], nacks: [NACK] }]);
  recorder.connected(NODE, attach(), 10);
  const record = presence();
  assert.deepEqual([record?.slots, record?.nacks, record?.firstSeenAt, record?.lastAckAt], [[], [], 1, 7]);
});

test('the end of an old process does not disconnect the node that has a new one', () => {
  const { recorder, take, attach } = setUp();
  const old = attach();
  recorder.connected(NODE, old, 10);
  const young = attach();
  recorder.connected(NODE, young, 11);
  take();
  recorder.disconnected(old, 12);
  recorder.nacks(old, [NACK]);
  withSlots(old, { x: SlotStory.accepted('a@1') });
  recorder.slots(old, 12);
  assert.deepEqual(take(), []);
});

test('ACKs touch the record once a second at most', () => {
  const { recorder, presence, take, attach } = setUp();
  recorder.connected(NODE, attach(), 10_000);
  take();
  recorder.acked(NODE.id, 10_000);
  assert.equal(presence()?.lastAckAt, 10_000);
  recorder.acked(NODE.id, 10_999);
  assert.deepEqual(take(), []);
  recorder.acked(NODE.id, 11_000);
  assert.equal(presence()?.lastAckAt, 11_000);
});

test('an ACK that the record of a place tells of touches no other, but of an Envoy that says by it that it saw a listener', () => {
  for (const [filterChain, expected] of [
    [true, undefined],
    [false, 10_000],
  ] as const) {
    const { recorder, presence, attach } = setUp();
    recorder.connected({ ...NODE, capabilities: { ...NODE.capabilities, filterChain } }, attach(), 10_000);
    recorder.acked(NODE.id, 10_000, true);
    assert.equal(presence()?.lastAckAt, expected);
  }
});

test('refused resources are written when they change', () => {
  const { recorder, presence, take, attach } = setUp();
  const process = attach();
  recorder.connected(NODE, process, 10);
  recorder.nacks(process, [NACK]);
  assert.deepEqual(presence()?.nacks, [NACK]);
  recorder.nacks(process, [{ ...NACK }]);
  assert.deepEqual(take(), []);
  recorder.nacks(process, []);
  assert.deepEqual(presence()?.nacks, []);
});

test('slots are written when they change: the names with the node, a verdict each', () => {
  const { recorder, take, attach } = setUp();
  const process = attach();
  recorder.connected(NODE, process, 10);
  take();
  withSlots(process, { x: SlotStory.accepted('a@1'), y: SlotStory.accepted('b@1') });
  recorder.slots(process, 20);
  const first = take();
  assert.deepEqual(
    first.map(({ kind, key }) => [kind, key]),
    [
      ['NodeVerdict', 'edge-1\nx'],
      ['NodeVerdict', 'edge-1\ny'],
      ['NodePresence', 'edge-1'],
    ],
  );
  assert.deepEqual((first[2]!.value as NodePresence).slots, ['x', 'y']);
  recorder.slots(process, 30);
  assert.deepEqual(take(), []);
  withSlots(process, { x: SlotStory.accepted('a@1'), y: SlotStory.accepted('b@2') });
  recorder.slots(process, 40);
  assert.deepEqual(
    take().map(({ key }) => key),
    ['edge-1\ny'],
    'an equal verdict is not written again',
  );
});

test('a slot that Envoy dropped leaves the names of the node', () => {
  const { recorder, presence, take, attach } = setUp();
  const process = attach();
  recorder.connected(NODE, process, 10);
  withSlots(process, { x: SlotStory.accepted('a@1') });
  recorder.slots(process, 20);
  take();
  withSlots(process, { x: SlotStory.accepted('a@1').event({ type: 'unsubscribed' }) });
  recorder.slots(process, 30);
  assert.deepEqual(presence()?.slots, []);
});

test('a refusal is one event, however often its record is written', () => {
  const { recorder, events, take, attach } = setUp();
  const process = attach();
  recorder.connected(NODE, process, 10);
  take();
  const story = SlotStory.accepted('a@1').want('a@2', 'a@1');
  story.push();
  story.refuse('a');
  withSlots(process, { x: story });
  recorder.slots(process, 20);
  assert.deepEqual(events(), ['node.refused']);
  story.push();
  withSlots(process, { x: story.ack() });
  recorder.slots(process, 30);
  assert.deepEqual(events(), []);
});

test('after our restart a stored refusal is no new event, and an unchanged verdict is not written', () => {
  const before = setUp();
  const first = before.attach();
  before.recorder.connected(NODE, first, 10);
  const story = SlotStory.accepted('a@1').want('a@2', 'a@1');
  story.push();
  withSlots(first, { x: story.refuse('a') });
  before.recorder.slots(first, 20);
  const written = before.take();
  const stored = written.find(it => it.kind === 'NodeVerdict')?.value as NodeVerdict;
  const presence = written.findLast(it => it.kind === 'NodePresence')?.value as NodePresence;

  const after = setUp([presence], [stored]);
  after.registry.restore([presence], [stored]);
  const process = after.attach(false);
  assert.equal(process.id, first.id);
  after.recorder.connected(NODE, process, 100);
  after.take();
  const slot = process.state.slots.get('x') ?? assert.fail('the place was not restored');
  const next = { ...slot, subscribed: true, want: story.state.want };
  process.state = { ...process.state, slots: new Map([['x', next]]) };
  after.recorder.slots(process, 100);
  assert.deepEqual(after.take(), []);
});

test('whoever waits for what was recorded is called by the writer, not before', () => {
  const { recorder, attach, durable } = setUp();
  recorder.connected(NODE, attach(), 10);
  let called = 0;
  recorder.whenDurable(() => called++);
  assert.equal(called, 0);
  for (const callback of durable) callback();
  assert.equal(called, 1);
});

test('what is proven of a slot is written when it is proven, not again', () => {
  const { recorder, take, attach } = setUp();
  const process = attach();
  recorder.connected(NODE, process, 10);
  withSlots(process, { x: SlotStory.accepted('a@1') });
  recorder.slots(process, 20);
  take();
  const parts = new Map([['default/a', { revision: 1, partHash: 'h' }]]);
  process.proof = { ...process.proof, loaded: new Map([['x', parts]]) };
  recorder.slots(process, 30);
  const [record, ...more] = take();
  const verdict = record?.value as NodeVerdict | undefined;
  assert.deepEqual(verdict?.accepted?.loaded, ['default/a']);
  assert.equal(more.length, 0);
  recorder.slots(process, 40);
  assert.deepEqual(take(), []);
});

test('a node that is forgotten leaves no record, and is seen for the first time when it comes back', () => {
  const { recorder, take, presence, attach } = setUp();
  const process = attach();
  recorder.connected(NODE, process, 10);
  withSlots(process, { x: SlotStory.accepted('a@1'), y: SlotStory.accepted('b@1') });
  recorder.slots(process, 20);
  recorder.disconnected(process, 30);
  take();
  recorder.forget(NODE.id);
  recorder.forget('nobody');
  assert.deepEqual(
    take().map(({ kind, key, value }) => [kind, key, value]),
    [
      ['NodePresence', 'edge-1', 'deleted'],
      ['NodeVerdict', 'edge-1\nx', 'deleted'],
      ['NodeVerdict', 'edge-1\ny', 'deleted'],
    ],
  );
  recorder.connected(NODE, attach(false), 40);
  assert.equal(presence()?.firstSeenAt, 40);
});

test('several Envoys with one node.id are all told of, and one more is an event', () => {
  const { recorder, presence, take, events, attach } = setUp();
  const envoy = (n: number) => ({ address: `10.0.0.${n}:1`, since: n, envoyVersion: '1.40.0' });
  recorder.connected(NODE, attach(), 10);
  recorder.sharedBy(NODE.id, [envoy(1)], 10);
  assert.equal(presence()?.envoys, undefined);
  recorder.connected(NODE, attach(), 11);
  take();
  recorder.sharedBy(NODE.id, [envoy(1), envoy(2)], 11);
  const [told, event] = take().map(it => it.value) as [NodePresence, Event];
  assert.deepEqual(told.envoys, [envoy(1), envoy(2)]);
  assert.equal(event.type, 'node.shared');
  assert.match(event.message, /2 Envoys .*10\.0\.0\.1:1, 10\.0\.0\.2:1/);
  const third = attach();
  recorder.connected(NODE, third, 12);
  recorder.sharedBy(NODE.id, [1, 2, 3].map(envoy), 12);
  assert.deepEqual(events(), ['node.connected', 'node.shared']);
  recorder.sharedBy(NODE.id, [1, 3].map(envoy), 13);
  assert.deepEqual(events(), []);
  recorder.sharedBy(NODE.id, [envoy(3)], 14);
  assert.equal(presence()?.envoys, undefined);
});

test('when the newer of two Envoys goes, the records are about the older one again', () => {
  const { recorder, registry, presence, take, attach } = setUp();
  const older = attach();
  withSlots(older, { s: SlotStory.accepted('a@1') });
  recorder.connected(NODE, older, 10);
  recorder.slots(older, 10);
  const newer = attach();
  recorder.connected(NODE, newer, 20);
  withSlots(newer, { s: SlotStory.accepted('b@1') });
  recorder.slots(newer, 21);
  take();
  registry.handOver(older);
  recorder.handedOver(NODE, older, 10, 30);
  registry.detach(newer);
  const writes = take();
  assert.ok(writes.some(it => it.kind === 'NodeVerdict' && (it.value as NodeVerdict).process === older.id));
  const last = writes.findLast(it => it.kind === 'NodePresence')?.value as NodePresence;
  assert.deepEqual([last.process, last.connected, last.since, last.slots], [older.id, true, 10, ['s']]);
  recorder.disconnected(newer, 31);
  assert.equal(presence(), undefined, 'the other one is still there');
  assert.equal(registry.current(NODE.id), older);
  assert.equal(registry.byId(newer.id), undefined);
});
