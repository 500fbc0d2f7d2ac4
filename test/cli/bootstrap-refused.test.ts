/** What `attache bootstrap --from` cannot complete or move: refused, and where it stands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manageBootstrap } from '../../src/cli/bootstrap-from.ts';
import { FROM_OPTIONS, readShape } from '../harness/bootstrap-shapes.ts';

const REFUSED: readonly (readonly [string, string, string])[] = [
  ['types of version 2', readShape('version-2.yaml'), 'envoy.yaml:10:20'],
  ['merge keys', 'a: &a {x: 1}\nb:\n  <<: *a\n', 'envoy.yaml:3:3'],
  [
    'another control plane and no listener in the file',
    'dynamic_resources:\n  ads_config: {grpc_services: [{envoy_grpc: {cluster_name: other}}]}\n',
    'envoy.yaml:2:15',
  ],
];
for (const [what, text, place] of REFUSED)
  test(`refused, with its place: ${what}`, () => {
    assert.throws(() => manageBootstrap(text, 'envoy.yaml', FROM_OPTIONS), {
      code: 'bootstrap-refused',
      message: new RegExp(`^${place}: `),
    });
  });

test('a template is no YAML, and the error says so', () => {
  const text = 'static_resources:\n{%- if tls %}\n  listeners: []\n{%- endif %}\n';
  assert.throws(() => manageBootstrap(text, 'envoy.yaml.tpl', FROM_OPTIONS), {
    code: 'bad-file',
    hint: /template/,
  });
});

test('a port that is filled in later is not known, and stays as it stands', () => {
  const text = readShape('sinks.yaml').replace('port_value: 10000', 'port_value: "$PORT"');
  const { listeners } = manageBootstrap(text, 'envoy.yaml', FROM_OPTIONS);
  assert.equal(listeners[0]?.facts.port, 0);
});

const UNMOVABLE: readonly (readonly [string, string, string])[] = [
  [
    'a listener whose part something else needs',
    'static_resources:\n  listeners: [{name: a, address: &x {}}]\n  clusters: [*x]\n',
    'envoy.yaml:3:14',
  ],
  ['two of one name', 'static_resources:\n  listeners: [{name: a}, {name: a}]\n', 'envoy.yaml:2:26'],
  ['one without name and port', 'static_resources:\n  listeners: [{}]\n', 'envoy.yaml:2:15'],
  ['an api_listener', 'static_resources:\n  listeners: [{name: a, api_listener: {}}]\n', 'envoy.yaml:2:15'],
  ['listeners from a file', readShape('files.yaml'), 'envoy.yaml:9:5'],
  ['another control plane', readShape('other-ads.yaml'), 'envoy.yaml:5:5'],
];
for (const [what, text, place] of UNMOVABLE)
  test(`not moved, with its place: ${what}`, () => {
    assert.throws(() => manageBootstrap(text, 'envoy.yaml', FROM_OPTIONS, 'move'), {
      code: 'bootstrap-refused',
      message: new RegExp(`^${place}: `),
    });
  });
