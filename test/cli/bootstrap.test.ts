import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { type BootstrapOptions, toBootstrap } from '../../src/cli/bootstrap-document.ts';
import { manageBootstrap } from '../../src/cli/bootstrap-from.ts';
import { NO_PROOF } from '../../src/cli/bootstrap-proof.ts';
import { describeManaged } from '../../src/cli/bootstrap-summary.ts';

const OPTIONS: BootstrapOptions = {
  id: 'laptop',
  cluster: undefined,
  namespace: undefined,
  labels: {},
  adminPort: undefined,
  leanStats: false,
  xds: { host: '127.0.0.1', port: 18000 },
  modules: { host: 'attache.example', port: 18001 },
  layout: 'chain',
  plugins: [],
  unanswered: 'deny',
  runtimes: [],
  proof: NO_PROOF,
};

const folder = fileURLToPath(new URL('bootstrap/', import.meta.url));
const USERS = readFileSync(`${folder}users-envoy.txt`, 'utf8');

/** `UPDATE_GOLDEN=1` writes what comes out; the diff is to be read before it is committed. */
function assertGolden(name: string, actual: string): void {
  if (process.env.UPDATE_GOLDEN) writeFileSync(folder + name, actual);
  assert.equal(actual, readFileSync(folder + name, 'utf8'));
}

/** Removes from `text` the lines that are not in `original`, in order. */
function withoutAdded(text: string, original: string): string {
  const wanted = original.split('\n');
  return text
    .split('\n')
    .filter(line => line === wanted[0] && wanted.shift() !== undefined)
    .join('\n');
}

test("a user's file comes out with every line of it, and what Attaché needs", () => {
  const managed = manageBootstrap(USERS, 'envoy.yaml', OPTIONS);
  assertGolden('managed.txt', managed.text);
  assert.equal(withoutAdded(managed.text, USERS), USERS);
  assertGolden('summary.txt', `${describeManaged('envoy.yaml', managed, OPTIONS)}\n`);
});

test('the places stand before the router, in the order of the phases', () => {
  const { text } = manageBootstrap(USERS, 'envoy.yaml', OPTIONS);
  const [listener] = parse(text).static_resources.listeners;
  const names = listener.filter_chains[0].filters[0].typed_config.http_filters.map(
    (filter: { name: string }) => filter.name,
  );
  assert.deepEqual(names, [
    'cors',
    'attache.authn',
    'attache.authz',
    'attache.stats',
    'attache.last',
    'envoy.filters.http.router',
  ]);
});

test('the node says what its own listeners are and what their places do unanswered', () => {
  const options = { ...OPTIONS, namespace: 'edge', labels: { role: 'edge' }, unanswered: 'allow' } as const;
  const { node } = parse(manageBootstrap(USERS, 'envoy.yaml', options).text);
  assert.deepEqual(node, {
    id: 'laptop',
    cluster: 'laptop',
    metadata: {
      NAMESPACE: 'edge',
      LABELS: { role: 'edge' },
      attache: {
        unanswered: 'allow',
        listeners: [{ name: 'ingress', port: 10000, trafficDirection: 'UNSPECIFIED' }],
      },
    },
  });
});

test('deny waits without end and is closed; allow waits 15 s and lets through', () => {
  const discovery = (unanswered: 'deny' | 'allow') => {
    const { text } = manageBootstrap(USERS, 'envoy.yaml', { ...OPTIONS, unanswered });
    const [listener] = parse(text).static_resources.listeners;
    return listener.filter_chains[0].filters[0].typed_config.http_filters[1].config_discovery;
  };
  assert.equal(discovery('deny').config_source.initial_fetch_timeout, '0s');
  assert.deepEqual(discovery('deny').default_config.rules, {});
  assert.equal(discovery('deny').default_config.rules_stat_prefix, 'attache_closed');
  assert.equal(discovery('allow').config_source.initial_fetch_timeout, '15s');
  assert.equal(discovery('allow').default_config.rules, undefined);
});

test('before Envoy 1.39 the named plugins get a place each', () => {
  const options = {
    ...OPTIONS,
    layout: 'single',
    namespace: 'edge',
    plugins: ['auth', 'root/limit'],
  } as const;
  const managed = manageBootstrap(USERS, 'envoy.yaml', options);
  assert.deepEqual(managed.listeners[0]?.added, ['edge/auth', 'root/limit']);
  assert.doesNotMatch(managed.text, /FilterChainConfig/);
});

test('a place that stands there already is kept where it is', () => {
  const own = USERS.replace(
    '          - name: cors\n',
    '          - name: attache.authn\n            config_discovery: {}\n          - name: cors\n',
  );
  const managed = manageBootstrap(own, 'envoy.yaml', OPTIONS);
  assert.deepEqual(managed.listeners[0]?.added, ['attache.authz', 'attache.stats', 'attache.last']);
});

test('node, dynamic resources, clusters and sinks of the user are completed', () => {
  const own = `
node: {id: mine, metadata: {team: blue}}
dynamic_resources:
  lds_config: {path_config_source: {path: /etc/envoy/lds.yaml}}
stats_sinks: [{name: envoy.stat_sinks.statsd}]
static_resources: {clusters: [{name: attache_xds, type: STATIC}]}
`;
  const managed = manageBootstrap(own, 'envoy.yaml', { ...OPTIONS, id: undefined });
  const value = parse(managed.text);
  assert.deepEqual([value.node.id, value.node.cluster, value.node.metadata.team], ['mine', 'mine', 'blue']);
  assert.deepEqual(Object.keys(value.dynamic_resources).sort(), ['ads_config', 'cds_config', 'lds_config']);
  assert.deepEqual(
    value.static_resources.clusters.map((cluster: { name: string }) => cluster.name),
    ['attache_modules', 'attache_xds'],
  );
  assert.equal(value.stats_sinks.length, 2);
  assert.deepEqual(managed.kept, ['dynamic_resources.lds_config', 'cluster attache_xds']);
});

test('what it wrote it keeps, also with another form of xDS', () => {
  const once = manageBootstrap(USERS, 'envoy.yaml', OPTIONS).text;
  const own = once.replace('api_type: DELTA_GRPC', 'api_type: GRPC');
  assert.notEqual(own, once);
  const again = manageBootstrap(own, 'envoy.yaml', OPTIONS);
  assert.deepEqual(parse(again.text), parse(own));
  assert.ok(again.kept.includes('dynamic_resources.ads_config'));
  const summary = describeManaged('envoy.yaml', again, OPTIONS);
  assert.match(summary, /kept .*ads_config/);
  assert.doesNotMatch(summary, /added .*ads_config/);
});

test('a bootstrap in JSON stays JSON', () => {
  const own = JSON.stringify(parse(USERS), null, 2);
  const managed = manageBootstrap(own, 'envoy.json', OPTIONS);
  const fromYaml = parse(manageBootstrap(USERS, 'envoy.yaml', OPTIONS).text);
  assert.deepEqual(JSON.parse(managed.text), fromYaml);
});

test('camel case and listeners that share an anchor are understood', () => {
  const own = `
staticResources:
  listeners:
  - name: a
    filterChains:
    - filters:
      - name: hcm
        typedConfig: &hcm
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          httpFilters:
          - name: envoy.filters.http.router
  - name: b
    filterChains:
    - filters:
      - name: hcm
        typedConfig: *hcm
  - name: tcp
`;
  const { text, listeners } = manageBootstrap(own, 'envoy.yaml', OPTIONS);
  assert.deepEqual(
    listeners.map(one => [one.facts.name, one.added.length, one.managerCount]),
    [
      ['a', 4, 1],
      ['b', 0, 1],
      ['tcp', 0, 0],
    ],
  );
  assert.equal(text.match(/attache\.authn/g)?.length, 1);
});

test('with several listeners each phase place names its own', () => {
  const listener = (name: string) => ({
    name,
    filter_chains: [
      {
        filters: [
          {
            name: 'hcm',
            typed_config: {
              '@type':
                'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              http_filters: [{ name: 'envoy.filters.http.router' }],
            },
          },
        ],
      },
    ],
  });
  const own = JSON.stringify({ static_resources: { listeners: [listener('in'), listener('out')] } });
  const { listeners } = manageBootstrap(own, 'envoy.json', OPTIONS);
  assert.deepEqual(
    listeners.map(one => one.added[0]),
    ['attache.authn/in', 'attache.authn/out'],
  );
});

test('what cannot be completed is refused, with its place', () => {
  const refuse = (text: string, options: BootstrapOptions = OPTIONS) =>
    assert.throws(() => manageBootstrap(text, 'envoy.yaml', options), { name: 'CliError' });
  refuse('a: [\n');
  refuse('- 1\n');
  refuse(USERS, { ...OPTIONS, id: undefined });
  refuse('dynamic_resources: {ads_config: {}}\n');
});

test('runtimes are layers over ADS, below that of the admin page; layers of the user stay as they are', () => {
  const options = { ...OPTIONS, runtimes: ['base', 'limits'] };
  const rtds_config = { ads: {}, resource_api_version: 'V3' };
  const layers = [
    { name: 'base', rtds_layer: { name: 'base', rtds_config } },
    { name: 'limits', rtds_layer: { name: 'limits', rtds_config } },
    { name: 'admin', admin_layer: {} },
  ];
  assert.deepEqual(parse(toBootstrap('edge-1', options)).layered_runtime, { layers });
  assert.deepEqual(parse(manageBootstrap(USERS, 'envoy.yaml', options).text).layered_runtime, { layers });
  const own = 'node: {id: x}\nlayered_runtime: {layers: [{name: mine, static_layer: {a: 1}}]}\n';
  const managed = manageBootstrap(own, 'envoy.yaml', options);
  assert.deepEqual(parse(managed.text).layered_runtime.layers.length, 1);
  assert.ok(managed.kept.includes('layered_runtime'));
});

test('a bootstrap of our own', () => {
  const options = { ...OPTIONS, adminPort: 9901, leanStats: true, labels: { role: 'edge' } };
  assertGolden('own.txt', toBootstrap('edge-1', options));
  const plain = parse(toBootstrap('edge-1', OPTIONS));
  assert.deepEqual([plain.admin, plain.stats_config], [undefined, undefined]);
  assert.deepEqual(
    plain.static_resources.clusters.map((cluster: { type: string }) => cluster.type),
    ['STATIC', 'STRICT_DNS'],
  );
});
