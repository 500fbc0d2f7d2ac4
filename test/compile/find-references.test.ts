import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeFindReferences } from '../../src/compile/find-references.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, ROUTE_TYPE } from '../../src/model/type-url.ts';
import { HCM, makeResource, registry } from './compile-samples.ts';

const find = makeFindReferences(registry);
const EXT = 'type.googleapis.com/envoy.extensions';

function namesOf(resource: JsonObject): readonly string[] {
  return find(makeResource(resource)).map(({ type, name }) => `${type} ${name}`);
}

function listener(typed_config: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    '@type': LISTENER_TYPE,
    name: 'l',
    filter_chains: [{ filters: [{ name: 'f', typed_config }], ...more }],
  };
}

test('a listener names a route over ADS, clusters in filters, and secrets over ADS', () => {
  const ads = { ads: {}, resource_api_version: 'V3' };
  const manager = {
    '@type': HCM,
    rds: { config_source: ads, route_config_name: 'web' },
    http_filters: [
      {
        name: 'authz',
        typed_config: {
          '@type': `${EXT}.filters.http.ext_authz.v3.ExtAuthz`,
          grpc_service: { envoy_grpc: { cluster_name: 'authz' } },
        },
      },
      {
        name: 'jwt',
        typed_config: {
          '@type': `${EXT}.filters.http.jwt_authn.v3.JwtAuthentication`,
          providers: { p: { remote_jwks: { http_uri: { uri: 'http://x', cluster: 'jwks' } } } },
        },
      },
    ],
  };
  const tls = {
    '@type': `${EXT}.transport_sockets.tls.v3.DownstreamTlsContext`,
    common_tls_context: {
      tls_certificate_sds_secret_configs: [
        { name: 'cert', sds_config: ads },
        { name: 'file', sds_config: { path_config_source: { path: '/x' } } },
      ],
      validation_context_sds_secret_config: { name: 'ca', sds_config: ads },
    },
  };
  assert.deepEqual(
    namesOf(listener(manager, { transport_socket: { name: 'tls', typed_config: tls } })).toSorted(),
    ['clusters authz', 'clusters jwks', 'routes web', 'secrets ca', 'secrets cert'],
  );
  const elsewhere = { '@type': HCM, rds: { config_source: { path: '/x' }, route_config_name: 'web' } };
  assert.deepEqual(namesOf(listener(elsewhere)), []);
});

test('a TCP listener and routes name clusters, weighted and mirrored ones too, each once', () => {
  const tcp = `${EXT}.filters.network.tcp_proxy.v3.TcpProxy`;
  assert.deepEqual(namesOf(listener({ '@type': tcp, cluster: 'a' })), ['clusters a']);
  const weighted = {
    clusters: [
      { name: 'a', weight: 1 },
      { name: 'b', weight: 1 },
    ],
  };
  assert.deepEqual(namesOf(listener({ '@type': tcp, weighted_clusters: weighted })), [
    'clusters a',
    'clusters b',
  ]);
  const route = {
    '@type': ROUTE_TYPE,
    name: 'r',
    virtualHosts: [
      {
        name: 'v',
        domains: ['*'],
        routes: [
          { match: { prefix: '/a' }, route: { cluster: 'a', requestMirrorPolicies: [{ cluster: 'm' }] } },
          { match: { prefix: '/b' }, route: { weightedClusters: weighted } },
          { match: { prefix: '/c' }, route: { cluster_header: 'x-cluster' } },
          { match: { prefix: '/d' }, redirect: { host_redirect: 'a' } },
        ],
      },
    ],
  };
  assert.deepEqual(namesOf(route), ['clusters a', 'clusters m', 'clusters b']);
});

test('a cluster names its endpoints where they come over ADS, by its own name or by another', () => {
  const cluster = (more: JsonObject) => ({ '@type': CLUSTER_TYPE, name: 'c', ...more });
  const eds_config = { ads: {} };
  assert.deepEqual(namesOf(cluster({ type: 'EDS', eds_cluster_config: { eds_config } })), ['endpoints c']);
  assert.deepEqual(namesOf(cluster({ type: 'EDS', eds_cluster_config: { eds_config, service_name: 's' } })), [
    'endpoints s',
  ]);
  assert.deepEqual(namesOf(cluster({ type: 'EDS', eds_cluster_config: { eds_config: { path: '/x' } } })), []);
  assert.deepEqual(namesOf(cluster({ type: 'STATIC' })), []);
});

test('a reference has its place', () => {
  const [reference] = find(
    makeResource(listener({ '@type': HCM, rds: { config_source: { ads: {} }, route_config_name: 'web' } })),
  );
  assert.equal(reference?.pointer, '/filter_chains/0/filters/0/typed_config/rds/route_config_name');
});
