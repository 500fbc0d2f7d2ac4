import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER_TYPE, ROUTE_TYPE } from '../../../src/model/type-url.ts';
import { toResponse } from '../../../src/xds/sotw/response.ts';
import { newSubscription, type Subscription } from '../../../src/xds/stream/subscription.ts';
import { decodeSotwResponse } from '../model/sotw-wire.ts';
import { setVersionOf, toResources } from './type-story.ts';

const having = (text: string): Subscription => {
  const bytes = toResources(text);
  const has = new Map([...bytes].map(([name, { version }]) => [name, version]));
  return { ...newSubscription('set'), wildcard: true, has, bytes };
};
const texts = (resources: readonly Uint8Array[]): string[] => resources.map(it => Buffer.from(it).toString());

test('24. a set goes out whole, and its version is that of what is in it', () => {
  const resources = toResources('a@1 b@2');
  const changed = [resources.get('b') ?? assert.fail()];
  const bytes = toResponse(CLUSTER_TYPE, '7', { resources: changed, removed: [] }, having('a@1'), resources);
  const read = decodeSotwResponse(bytes);
  assert.deepEqual(
    [read.typeUrl, read.nonce, read.versionInfo],
    [CLUSTER_TYPE, '7', setVersionOf('a@1 b@2')],
  );
  assert.deepEqual(texts(read.resources), ['a@1', 'b@2']);
});

test('30. while something is held back, the version is that of what was sent, not of what there is', () => {
  const resources = toResources('a@2 b@2');
  const changed = [resources.get('b') ?? assert.fail()];
  const bytes = toResponse(
    CLUSTER_TYPE,
    '7',
    { resources: changed, removed: [] },
    having('a@1 b@1'),
    resources,
  );
  assert.equal(decodeSotwResponse(bytes).versionInfo, setVersionOf('a@1 b@2'));
});

test('25, 30. of other types what changed goes out, under the version of all there is of the type', () => {
  const resources = toResources('a@1 b@2', ROUTE_TYPE);
  const state = { ...newSubscription('part'), names: new Set(['a', 'b']), has: new Map([['a', '1']]) };
  const changed = [resources.get('b') ?? assert.fail()];
  const read = decodeSotwResponse(
    toResponse(ROUTE_TYPE, '8', { resources: changed, removed: [] }, state, resources),
  );
  assert.deepEqual(texts(read.resources), ['b@2']);
  assert.equal(read.versionInfo, setVersionOf('a@1 b@2'));
});
