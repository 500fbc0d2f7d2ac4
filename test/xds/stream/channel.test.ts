import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER_TYPE, EXTENSION_CONFIG_TYPE, LISTENER_TYPE } from '../../../src/model/type-url.ts';
import { Channel, type RememberedVersions } from '../../../src/xds/stream/channel.ts';
import { messageOf } from '../model/message-of.ts';
import { decodeSotwResponse } from '../model/sotw-wire.ts';
import { sotwRequest } from '../sotw/type-story.ts';

const open = (typeUrl?: string): Channel => new Channel('sotw', typeUrl, () => {});

/** The requests of one stream for places, one after the other: what each adds and drops. */
function placesStory(remembered: RememberedVersions = new Map()) {
  const sent: Buffer[] = [];
  const channel = new Channel('sotw', EXTENSION_CONFIG_TYPE, bytes => sent.push(bytes));
  const ask = (names: readonly string[], versionInfo = '') => {
    const isFirst = channel.begins(EXTENSION_CONFIG_TYPE);
    return channel.readSlots(sotwRequest({ names, versionInfo }), isFirst, remembered, new Map());
  };
  /** Pushes and ACKs; the version that the client has now. */
  const push = (name: string, version: string): string => {
    const template = { bytes: Buffer.from(name), holes: [] };
    channel.pushSlot({ name, version, template, capabilities: [], tags: [] }, '1');
    channel.slotAcked(remembered);
    return decodeSotwResponse(messageOf(sent.at(-1) ?? assert.fail())).versionInfo;
  };
  return { channel, ask, push };
}

test('3. on a stream of one type the type is implied; on one of all types it is not', () => {
  assert.equal(open(CLUSTER_TYPE).typeOf(sotwRequest({ typeUrl: '' })), CLUSTER_TYPE);
  assert.equal(open(CLUSTER_TYPE).typeOf(sotwRequest({ typeUrl: CLUSTER_TYPE })), CLUSTER_TYPE);
  assert.equal(open().typeOf(sotwRequest({ typeUrl: LISTENER_TYPE })), LISTENER_TYPE);
  assert.throws(() => open().typeOf(sotwRequest({ typeUrl: '' })), { code: 'type-url-missing' });
});

test('a stream of one type is for no other', () => {
  const request = sotwRequest({ typeUrl: LISTENER_TYPE });
  assert.throws(() => open(CLUSTER_TYPE).typeOf(request), { code: 'type-url-foreign' });
});

test('4. nonces are not empty and never come twice', () => {
  const channel = open();
  const nonces = Array.from({ length: 300 }, () => channel.nextNonce());
  assert.equal(new Set(nonces).size, 300);
  assert.ok(nonces.every(Boolean));
});

test('5. each type begins once', () => {
  const channel = open();
  const begun = [CLUSTER_TYPE, LISTENER_TYPE, CLUSTER_TYPE].map(type => channel.begins(type));
  assert.deepEqual(begun, [true, true, false]);
});

test('22, 28. places: each request names all; what is missing is dropped, what is back is asked for anew', () => {
  const { channel, ask } = placesStory();
  const change = ({ subscribe, unsubscribe }: ReturnType<typeof ask>) => [subscribe, unsubscribe];
  assert.deepEqual(change(ask(['s', 'u', 's'])), [['s', 'u'], []]);
  assert.deepEqual(change(ask(['s', 'u'])), [[], []]);
  assert.deepEqual(change(ask(['u', 'v'])), [['v'], ['s']]);
  assert.deepEqual(change(ask(['s', 'u', 'v'])), [['s'], []]);
  assert.deepEqual(change(ask([])), [[], ['u', 'v', 's']]);
  assert.equal(channel.slots.size, 0);
});

test('31. a version counts on the first request only', () => {
  const remembered: RememberedVersions = new Map();
  const first = placesStory(remembered);
  first.ask(['s']);
  const version = first.push('s', '1.v');
  const again = placesStory(remembered);
  assert.deepEqual(again.ask(['s'], version).versions, new Map([['s', '1.v']]));
  assert.deepEqual(again.ask(['s'], version).versions, new Map());
});

test('31. a version that nobody knows is not taken for none', () => {
  assert.equal(placesStory().ask(['s'], 'of somebody else').versions, undefined);
});

test('31. each push stands for all places; the version before it is forgotten', () => {
  const remembered: RememberedVersions = new Map();
  const { ask, push } = placesStory(remembered);
  ask(['s', 'u']);
  const one = push('s', '1.v');
  const both = push('u', '2.v');
  assert.notEqual(one, both);
  assert.deepEqual([...remembered.keys()], [both]);
  assert.equal(push('u', '2.v'), both);
});

test('what is remembered of one process does not grow without bound', () => {
  const remembered: RememberedVersions = new Map();
  for (let i = 0; i < 400; i++) {
    const { ask, push } = placesStory(remembered);
    ask([`s${i}`]);
    push(`s${i}`, '1.v');
  }
  assert.equal(remembered.size, 256);
});
