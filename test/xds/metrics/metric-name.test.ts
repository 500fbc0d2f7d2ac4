import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MetricName, readMetricName } from '../../../src/xds/metrics/metric-name.ts';

const read = (name: string): MetricName | undefined => {
  const bytes = Buffer.from(`before${name}after`);
  return readMetricName(bytes, 6, 6 + Buffer.byteLength(name));
};

test('the names that we read, as Envoy 1.36.2 to 1.40.0 spell them', () => {
  const table: readonly [string, MetricName][] = [
    ['http.ingress.downstream_rq_5xx', { kind: 'responses', statusClass: 5 }],
    ['http.a.b.downstream_rq_1xx', { kind: 'responses', statusClass: 1 }],
    ['http.ingress.downstream_rq_time', { kind: 'latency' }],
    ['http.ingress.downstream_rq_active', { kind: 'requestsActive' }],
    ['wasm.envoy.wasm.runtime.v8.created', { kind: 'vmCreated' }],
    ['wasm.envoy.wasm.runtime.v8.active', { kind: 'vmActive' }],
    ['wasm.default/auth.vm_reload_success', { kind: 'reloads', of: 'default/auth', succeeded: true }],
    ['wasm.default/a.b.vm_reload_backoff', { kind: 'reloads', of: 'default/a.b', succeeded: false }],
    ['wasm.default/auth.vm_reload_failure', { kind: 'reloads', of: 'default/auth', succeeded: false }],
    ['wasmcustom.my.own', { kind: 'custom', of: 'my.own' }],
    ['server.concurrency', { kind: 'workers' }],
    ['server.memory_allocated', { kind: 'memoryBytes' }],
    ['server.total_connections', { kind: 'connections' }],
    ['server.hot_restart_epoch', { kind: 'hotRestartEpoch' }],
    [
      'extension_config_discovery.http_filter.attache.authn/in.config_reload',
      { kind: 'ecdsReload', of: 'attache.authn/in' },
    ],
    [
      'extension_config_discovery.http_filter.attache.authn/in.config_fail',
      { kind: 'ecdsFail', of: 'attache.authn/in' },
    ],
    ['listener.127.0.0.1_80.downstream_cx_total', { kind: 'listenerOpened', of: '127.0.0.1_80' }],
    ['listener.[__]_80.downstream_cx_active', { kind: 'listenerOpen', of: '[__]_80' }],
  ];
  for (const [name, meaning] of table) assert.deepEqual(read(name), meaning, name);
});

test('what is like them is not read', () => {
  for (const name of [
    '',
    'http.admin.downstream_rq_2xx',
    'http.admin.downstream_rq_active',
    'http.downstream_rq_2xx',
    'http.ingress.downstream_rq_6xx',
    'http.ingress.downstream_rq_total',
    'http.ingress.downstream_cx_active',
    'listener.0.0.0.0_80.http.ingress.downstream_rq_2xx',
    'listener.0.0.0.0_80.worker_0.downstream_cx_total',
    'listener.0.0.0.0_80.ssl.fail_verify_total',
    'listener.admin.downstream_cx_total',
    'listener.admin.main_thread.downstream_cx_active',
    'listener_manager.total_listeners_active',
    'cluster.up.upstream_rq_5xx',
    'wasm.default/auth.vm_reload',
    'wasm.remote_load_cache_hits',
    'server.state',
    'server.toString',
    'extension_config_discovery.network_filter.x.config_reload',
    'extension_config_discovery.http_filter.x.config_conflict',
    `wasmcustom.${'x'.repeat(300)}`,
  ])
    assert.equal(read(name), undefined, name);
});
