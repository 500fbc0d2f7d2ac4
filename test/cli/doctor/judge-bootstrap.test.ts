import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { manageBootstrap } from '../../../src/cli/bootstrap-from.ts';
import { judgeBootstrap } from '../../../src/cli/doctor/judge-bootstrap.ts';
import { readBootstrap } from '../../../src/cli/doctor/read-bootstrap.ts';
import { FROM_OPTIONS, readShape } from '../../harness/bootstrap-shapes.ts';

const read = (text: string) => readBootstrap(parse(text, { logLevel: 'error' }));
const judge = (text: string) => judgeBootstrap(read(text)).map(({ level, code }) => `${level} ${code}`);
const manage = (shape: string) => manageBootstrap(readShape(shape), shape, FROM_OPTIONS).text;
const GOOD = manage('own-wasm.yaml');
const ALL_OK = ['ok node', 'ok ads', 'ok places', 'ok sink'];

test('a completed bootstrap is well in every respect', () => {
  assert.deepEqual(judge(GOOD), ALL_OK);
});

test("a user's own: it knows no Attaché, and no more than that is said", () => {
  assert.deepEqual(judge(readShape('listeners.yaml')), ['ok node', 'problem no-ads']);
});

/** One thing of a good bootstrap spoiled, and what is found. */
const SPOILED: readonly (readonly [string, RegExp, string, readonly string[]])[] = [
  ['no node', / {2}id: laptop\n/, '', ['problem no-node', 'ok ads', 'ok places', 'ok sink']],
  [
    'ADS of others',
    /grpc_services:\n {4}- envoy_grpc:\n {8}cluster_name: attache_xds/,
    'grpc_services: [{envoy_grpc: {cluster_name: other}}]\n    x:\n    - a:\n        b: c',
    ['ok node', 'problem other-control-plane', 'ok places', 'ok sink'],
  ],
  [
    'listeners from a file',
    /lds_config: \{.*\}\n/,
    'lds_config: {path_config_source: {path: /lds.yaml}}\n',
    ['ok node', 'ok ads', 'warning listeners-elsewhere', 'ok places', 'ok sink'],
  ],
  [
    'no source of clusters',
    / {2}cds_config: \{.*\}\n/,
    '',
    ['ok node', 'ok ads', 'warning clusters-elsewhere', 'ok places', 'ok sink'],
  ],
  [
    'no cluster to Attaché',
    /- name: attache_xds\n/,
    '- name: attache\n',
    ['ok node', 'ok ads', 'problem no-xds-cluster', 'ok places', 'ok sink'],
  ],
  [
    'HTTP/1.1',
    /http2_protocol_options/,
    'http_protocol_options',
    ['ok node', 'ok ads', 'problem xds-not-http2', 'ok places', 'ok sink'],
  ],
  [
    'no keepalive',
    /connection_keepalive: \{[^}]*\}/,
    '',
    ['ok node', 'ok ads', 'warning xds-no-keepalive', 'ok places', 'ok sink'],
  ],
  [
    'no sink',
    /envoy\.config\.metrics\.v3\.MetricsServiceConfig/,
    'x.Other',
    ['ok node', 'ok ads', 'ok places', 'warning no-sink'],
  ],
  [
    'flushes on demand',
    /^stats_sinks:/m,
    'stats_flush_on_admin: true\nstats_sinks:',
    [...ALL_OK, 'warning flush-on-admin'],
  ],
  [
    'slow flushes',
    /^stats_sinks:/m,
    'stats_flush_interval: 60s\nstats_sinks:',
    [...ALL_OK, 'warning slow-flush'],
  ],
  [
    'a matcher',
    /^stats_sinks:/m,
    'stats_config: {stats_matcher: {exclusion_list: {patterns: [{prefix: http.}]}}}\nstats_sinks:',
    ['ok node', 'ok ads', 'ok places', 'warning stats-left-out'],
  ],
  [
    'a place that does not wait',
    /initial_fetch_timeout: 0s/,
    'initial_fetch_timeout: 15s',
    ['ok node', 'ok ads', 'ok places', 'problem place-timeout', 'ok sink'],
  ],
  [
    'an old type',
    /envoy\.extensions\.filters\.http\.router\.v3\.Router/,
    'envoy.config.filter.http.router.v2.Router',
    ['problem old-api', ...ALL_OK],
  ],
];
for (const [what, pattern, replacement, findings] of SPOILED)
  test(`found: ${what}`, () => {
    const spoiled = GOOD.replace(pattern, replacement);
    assert.notEqual(spoiled, GOOD);
    assert.deepEqual(judge(spoiled), findings);
  });

test('a listener without places is named; one of TCP needs none', () => {
  const text = manage('listeners.yaml').replaceAll(
    /name: attache\.\w+\/outbound\n( +)config_discovery:/g,
    'name: other\n$1x:',
  );
  const findings = judgeBootstrap(read(text)).filter(({ code }) => code.includes('places'));
  assert.deepEqual(
    findings.map(({ level, code }) => [level, code]),
    [
      ['ok', 'places'],
      ['warning', 'no-places'],
    ],
  );
  assert.match(findings[1]?.text ?? '', /^listener outbound: /);
});

test('modules may be fetched from a cluster that Attaché delivers', () => {
  const without = GOOD.replace('name: attache_modules\n', 'name: other\n');
  assert.deepEqual(judge(without), ALL_OK);
  const static_ = without.replace(
    /cds_config: \{.*\}/,
    'cds_config: {path_config_source: {path: /cds.yaml}}',
  );
  assert.ok(judge(static_).includes('problem no-modules-cluster'));
});

test('nothing that parses makes it throw', () => {
  for (const value of [
    null,
    1,
    [],
    { node: 1, static_resources: [{}], stats_sinks: { a: 1 }, dynamic_resources: 'x' },
  ])
    assert.ok(judgeBootstrap(readBootstrap(value)).length > 0);
});
