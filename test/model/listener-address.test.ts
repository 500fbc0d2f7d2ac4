import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAddressConflicts, keepOnePerAddress } from '../../src/model/address-conflicts.ts';
import { toListenerAddresses, toListenerStatName } from '../../src/model/listener-address.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { ResourceSpec } from '../../src/model/resource.ts';
import { makeNode } from '../compile/compile-samples.ts';

function on(address: string, port: number, more: object = {}): JsonObject {
  return { name: `l${port}`, address: { socket_address: { address, port_value: port, ...more } } };
}

function spec(name: string, resource: JsonObject, over: Partial<ResourceSpec> = {}): ResourceSpec {
  return { type: 'listeners', namespace: 'default', name, resource, createdAt: 1, ...over };
}

test('an address is one address in every form of JSON, and with every address of a listener', () => {
  assert.deepEqual(toListenerAddresses(on('0.0.0.0', 443)), ['tcp 0.0.0.0:443']);
  const camel = { address: { socketAddress: { address: '0.0.0.0', portValue: '443' } } };
  assert.deepEqual(toListenerAddresses(camel), ['tcp 0.0.0.0:443']);
  assert.deepEqual(toListenerAddresses(on('::0', 1)), toListenerAddresses(on('0::', 1)));
  const two = { ...on('10.0.0.1', 80), additional_addresses: [on('10.0.0.2', 80)] };
  assert.deepEqual(toListenerAddresses(two), ['tcp 10.0.0.1:80', 'tcp 10.0.0.2:80']);
  assert.deepEqual(toListenerAddresses({ address: { pipe: { path: '/run/x' } } }), ['pipe /run/x']);
});

test('another protocol, network namespace or host is another address; port 0 and none are no address', () => {
  const all = [
    on('0.0.0.0', 443),
    on('0.0.0.0', 443, { protocol: 'UDP' }),
    on('127.0.0.1', 443),
    on('0.0.0.0', 443, { network_namespace_filepath: '/run/ns' }),
    { ...on('0.0.0.0', 443), bind_to_port: false },
  ].flatMap(toListenerAddresses);
  assert.equal(new Set(all).size, 5);
  assert.deepEqual([on('0.0.0.0', 0), { name: 'x' }, { address: 'x' }].flatMap(toListenerAddresses), []);
});

test('the stats of a listener go by its prefix, else by its address as Envoy writes it', () => {
  assert.equal(toListenerStatName(on('127.0.0.1', 80)), '127.0.0.1_80');
  assert.equal(toListenerStatName(on('::', 80)), '[__]_80');
  assert.equal(toListenerStatName({ ...on('127.0.0.1', 80), stat_prefix: 'a:b' }), 'a_b');
  assert.equal(toListenerStatName({ name: 'x' }), '');
});

test('two listeners of one node on one address: the younger document is left out', () => {
  const old = spec('old', on('0.0.0.0', 80));
  const young = spec('young', on('0.0.0.0', 80), { createdAt: 2 });
  const other = spec('other', on('0.0.0.0', 81), { createdAt: 3 });
  const cluster = spec('c', on('0.0.0.0', 80), { type: 'clusters' });
  const found = findAddressConflicts([young, other, cluster, old], [makeNode({ id: 'n' })], 'root');
  assert.deepEqual(found, [{ address: 'tcp 0.0.0.0:80', kept: old, dropped: young, node: 'n' }]);
  const { kept, conflicts } = keepOnePerAddress([young, other, cluster, old]);
  assert.deepEqual(kept, [other, cluster, old]);
  assert.deepEqual(conflicts, [{ address: 'tcp 0.0.0.0:80', kept: old, dropped: young }]);
});

test('what is left out holds no address against a third', () => {
  const two = { ...on('0.0.0.0', 80), additional_addresses: [on('0.0.0.0', 81)] };
  const specs = [
    spec('a', on('0.0.0.0', 80)),
    spec('b', two, { createdAt: 2 }),
    spec('c', on('0.0.0.0', 81), { createdAt: 3 }),
  ];
  assert.deepEqual(
    keepOnePerAddress(specs).kept.map(({ name }) => name),
    ['a', 'c'],
  );
});

test('documents that no node has both of, and that need not meet, are in nobody’s way', () => {
  const select = (app: string) => ({ selector: { matchLabels: { app } } });
  const a = spec('a', on('0.0.0.0', 80), select('a'));
  const b = spec('b', on('0.0.0.0', 80), select('b'));
  assert.deepEqual(findAddressConflicts([a, b], [makeNode({ labels: { app: 'a' } })], 'root'), []);
  const wide = spec('wide', on('0.0.0.0', 80));
  assert.equal(findAddressConflicts([a, wide], [], 'root').length, 1, 'all nodes of a would have both');
});
