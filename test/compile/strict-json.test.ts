import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { toStrictJson } from '../../src/compile/strict-json.ts';
import { CLUSTER_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';

const registry = new ProtoRegistry();

test('names of enums in any case are what Envoy takes them for', () => {
  const loose = { '@type': CLUSTER_TYPE, name: 'app', type: 'strict_dns', lb_policy: 'Round_Robin' };
  const strict = { ...loose, type: 'STRICT_DNS', lb_policy: 'ROUND_ROBIN' };
  assert.deepEqual(registry.encodeAny(loose), registry.encodeAny(strict));
  assert.deepEqual(loose.type, 'strict_dns', 'what was given stays as it is');
});

test('one thing in place of a list is a list of it, at any depth and inside an Any', () => {
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'main',
    codec_type: 'auto',
    http_filters: { name: 'router' },
    route_config: { virtual_hosts: { name: 'all', domains: '*' } },
  };
  const listener = {
    '@type': LISTENER_TYPE,
    name: 'main',
    filter_chains: { filters: { name: 'hcm', typed_config: manager } },
  };
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on what came, whatever it is.
  const decoded: any = registry.decodeAny(registry.encodeAny(listener));
  const inner = decoded.filterChains[0].filters[0].typedConfig;
  assert.deepEqual(inner.httpFilters, [{ name: 'router' }]);
  assert.deepEqual(inner.routeConfig.virtualHosts, [{ name: 'all', domains: ['*'] }]);
});

test('an empty object in place of an Any is none', () => {
  const loose = {
    '@type': LISTENER_TYPE,
    name: 'main',
    listener_filters: [{ name: 'envoy.filters.listener.tls_inspector', typed_config: {} }],
  };
  assert.deepEqual(registry.decodeAny(registry.encodeAny(loose)).listenerFilters, [
    { name: 'envoy.filters.listener.tls_inspector' },
  ]);
});

test('what is wrong stays wrong, with the place that it has in what was given', () => {
  const wrong = { '@type': CLUSTER_TYPE, name: 'app', type: 'sticky', nam: 1 };
  assert.throws(
    () => registry.encodeAny(wrong),
    (error: { faults: { pointer: string }[] }) => {
      assert.deepEqual(
        error.faults.map(fault => fault.pointer),
        ['/type', '/nam'],
      );
      return true;
    },
  );
});

test('strict JSON comes out as it went in', () => {
  const strict = {
    '@type': CLUSTER_TYPE,
    name: 'app',
    type: 'EDS',
    eds_cluster_config: { eds_config: { ads: {} } },
  };
  assert.deepEqual(toStrictJson(registry, strict), strict);
});
