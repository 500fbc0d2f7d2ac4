import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocument } from '../../src/model/document.ts';
import { parseResourceDocument, toResourceDocumentSpec } from '../../src/model/resource-document.ts';
import { CLUSTER_TYPE, LISTENER_TYPE } from '../../src/model/type-url.ts';

const listener = { '@type': LISTENER_TYPE, name: 'ingress_http' };
const frame = {
  apiVersion: 'attache/v1',
  kind: 'EnvoyResource',
  metadata: { name: 'ingress', namespace: 'edge' },
};

function faultsOf(document: unknown): string[] {
  const parsed = parseResourceDocument(document);
  assert.ok(Array.isArray(parsed), 'the document was taken');
  return parsed.map(fault => `${fault.code} ${fault.pointer}`);
}

test('a bare Envoy resource is named after its Envoy name', () => {
  assert.deepEqual(parseResourceDocument(listener), {
    type: 'listeners',
    namespace: 'default',
    name: 'ingress_http',
    resource: listener,
  });
});

test('an Envoy name that cannot stand in a path gets a readable one, and two such names stay apart', () => {
  const nameOf = (name: string) => {
    const parsed = parseResourceDocument({ '@type': CLUSTER_TYPE, name });
    assert.ok(!Array.isArray(parsed));
    return parsed.name;
  };
  assert.match(nameOf('outbound|80||a.b'), /^outbound-80-a\.b-[0-9a-f]{8}$/);
  assert.notEqual(nameOf('a/b'), nameOf('a|b'));
  assert.match(nameOf('///'), /^r-[0-9a-f]{8}$/);
});

test('an endpoint assignment is named by its cluster', () => {
  const parsed = parseResourceDocument({
    '@type': 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    cluster_name: 'echo',
  });
  assert.ok(!Array.isArray(parsed));
  assert.deepEqual([parsed.type, parsed.name], ['endpoints', 'echo']);
});

test('the framed form takes its parts beside metadata or under spec', () => {
  const parts = {
    selector: { matchLabels: { app: 'x' } },
    slots: { unanswered: 'allow' },
    resource: listener,
  };
  const expected = {
    type: 'listeners',
    namespace: 'edge',
    name: 'ingress',
    selector: { matchLabels: { app: 'x' } },
    unanswered: 'allow',
    resource: listener,
  };
  assert.deepEqual(parseResourceDocument({ ...frame, ...parts }), expected);
  const nested = parseResourceDocument({ ...frame, spec: parts });
  assert.deepEqual(nested, expected);
  assert.ok(!Array.isArray(nested));
  assert.deepEqual(toResourceDocumentSpec(nested), parts);
});

test('refused: what is not there, not known or in the wrong place', () => {
  assert.deepEqual(faultsOf({ ...frame }), ['missing-field /resource']);
  assert.deepEqual(faultsOf({ ...frame, resource: { name: 'x' } }), ['missing-field /resource/@type']);
  assert.deepEqual(faultsOf({ '@type': LISTENER_TYPE }), ['missing-field /name']);
  assert.deepEqual(faultsOf({ '@type': 'type.googleapis.com/envoy.config.listener.v3.Listner', name: 'a' }), [
    'not-supported /@type',
  ]);
  assert.deepEqual(faultsOf({ ...frame, resource: listener, slots: { unanswered: 'open' } }), [
    'out-of-bounds /slots/unanswered',
  ]);
  assert.deepEqual(faultsOf({ ...frame, resourc: listener, resource: listener }), ['unknown-field /resourc']);
  const cluster = { '@type': CLUSTER_TYPE, name: 'c' };
  assert.deepEqual(faultsOf({ ...frame, resource: cluster, slots: { unanswered: 'deny' } }), [
    'contradiction /slots',
  ]);
  assert.deepEqual(faultsOf([]), ['wrong-type ']);
});

test('a document is read by its kind, and an unknown kind is refused', () => {
  const plugin = { apiVersion: 'attache/v1', kind: 'Plugin', metadata: { name: 'a' }, spec: { url: 'r/a' } };
  const kinds = [plugin, listener, { ...frame, resource: listener }].map(document => {
    const parsed = parseDocument(document);
    return Array.isArray(parsed) ? 'faults' : parsed.kind;
  });
  assert.deepEqual(kinds, ['plugin', 'resource', 'resource']);
  for (const [document, code] of [
    [{ kind: 'Pod' }, 'unknown-kind'],
    [{}, 'missing-field'],
    ['text', 'wrong-type'],
    [null, 'wrong-type'],
  ] as const) {
    const parsed = parseDocument(document);
    assert.ok(Array.isArray(parsed));
    assert.deepEqual(
      parsed.map(fault => fault.code),
      [code],
    );
  }
});

test('a type that has not even a text is no type', () => {
  const textless: unknown = JSON.parse('{"toString": 1, "valueOf": 1}');
  for (const document of [
    { '@type': textless, name: 'a' },
    { ...frame, spec: { resource: { '@type': textless } } },
  ])
    assert.ok(Array.isArray(parseResourceDocument(document)));
});
