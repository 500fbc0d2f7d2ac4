/** Node matchers of CSDS: each kind of string and value, ignore_case, paths, and a regular expression that would never end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeIdentity } from '../../../src/model/node.ts';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import { matchNodes } from '../../../src/xds/status/match-nodes.ts';
import { nodeOf } from './facts.ts';

const NODES: readonly NodeIdentity[] = [
  nodeOf('edge-1', { namespace: 'blue', labels: { app: 'shop' } }),
  nodeOf('Edge-2', {
    bootstrap: { unanswered: 'deny', listeners: [{ name: 'main', port: 8080, trafficDirection: 'INBOUND' }] },
  }),
];

const match = (...matchers: readonly JsonObject[]) => matchNodes(matchers, NODES).map(({ id }) => id);
const byId = (node_id: JsonObject) => match({ node_id });
const byValue = (path: readonly string[], value: JsonObject) =>
  match({ node_metadatas: [{ path: path.map(key => ({ key })), value }] });

test('no matcher fits all', () => {
  assert.deepEqual(match(), ['edge-1', 'Edge-2']);
});

test('strings: exact, prefix, suffix, contains, with and without case', () => {
  assert.deepEqual(byId({ exact: 'edge-1' }), ['edge-1']);
  assert.deepEqual(byId({ exact: 'edge-2' }), []);
  assert.deepEqual(byId({ exact: 'edge-2', ignore_case: true }), ['Edge-2']);
  assert.deepEqual(byId({ exact: '' }), []);
  assert.deepEqual(byId({ prefix: 'edge' }), ['edge-1']);
  assert.deepEqual(byId({ prefix: 'EDGE', ignore_case: true }), ['edge-1', 'Edge-2']);
  assert.deepEqual(byId({ suffix: '-2' }), ['Edge-2']);
  assert.deepEqual(byId({ contains: 'ge-' }), ['edge-1', 'Edge-2']);
});

test('a regular expression has to match the whole id', () => {
  assert.deepEqual(byId({ safe_regex: { regex: '[eE]dge-.' } }), ['edge-1', 'Edge-2']);
  assert.deepEqual(byId({ safe_regex: { regex: 'edge' } }), []);
  assert.deepEqual(byId({ safe_regex: { regex: 'edge-1|x' } }), ['edge-1']);
});

test('a regular expression that backtracks without end is ended', () => {
  const nodes = [nodeOf(`${'a'.repeat(60)}!`)];
  const began = performance.now();
  const slow = { node_id: { safe_regex: { regex: '(a+)+' } } };
  assert.throws(() => matchNodes([slow], nodes), { code: 'bad-node-matcher' });
  assert.ok(performance.now() - began < 5_000);
});

test('what cannot be used is refused', () => {
  for (const matcher of [
    {},
    { node_id: {} },
    { node_id: { custom: {} } },
    { node_id: { safe_regex: { regex: '[' } } },
    { node_id: { safe_regex: { regex: 'a'.repeat(1001) } } },
    { node_metadatas: [{ value: { bool_match: true } }] },
    { node_metadatas: [{ path: [{ key: 'a' }], value: {} }] },
    { node_metadatas: [{ path: [{ key: 'a' }] }] },
  ])
    assert.throws(() => match(matcher), { code: 'bad-node-matcher' }, JSON.stringify(matcher));
});

test('metadata: a path of keys, and each kind of value', () => {
  assert.deepEqual(byValue(['LABELS', 'app'], { string_match: { exact: 'shop' } }), ['edge-1']);
  assert.deepEqual(byValue(['LABELS', 'app'], { present_match: true }), ['edge-1']);
  assert.deepEqual(byValue(['LABELS', 'app', 'x'], { present_match: true }), []);
  assert.deepEqual(byValue(['LABELS', 'constructor'], { present_match: true }), []);
  assert.deepEqual(byValue(['LABELS', 'app'], { null_match: {} }), []);
  assert.deepEqual(byValue(['NAMESPACE'], { bool_match: false }), []);
  const port = (value: JsonObject) => byValue(['attache', 'listeners'], { list_match: { one_of: value } });
  assert.deepEqual(port({ present_match: true }), ['Edge-2']);
  const either = (...values: readonly JsonObject[]) =>
    byValue(['NAMESPACE'], { or_match: { value_matchers: values } });
  assert.deepEqual(either({ string_match: { exact: 'blue' } }, { string_match: { prefix: 'def' } }), [
    'edge-1',
    'Edge-2',
  ]);
  assert.deepEqual(byValue(['NAMESPACE'], { double_match: { range: { start: 1, end: 2 } } }), []);
});

test('the parts of a matcher must all fit; of several matchers one is enough', () => {
  const blue = { path: [{ key: 'NAMESPACE' }], value: { string_match: { exact: 'blue' } } };
  assert.deepEqual(match({ node_id: { suffix: '-2' }, node_metadatas: [blue] }), []);
  assert.deepEqual(match({ node_id: { suffix: '-2' } }, { node_metadatas: [blue] }), ['edge-1', 'Edge-2']);
  assert.deepEqual(match({ node_metadatas: [blue, blue] }), ['edge-1']);
});
