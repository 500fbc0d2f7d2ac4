import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { decodeNode } from '../../src/xds/node-codec.ts';
import { XdsError } from '../../src/xds/xds-error.ts';

const registry = new ProtoRegistry();

/** A node as Envoy writes it, from its proto3 JSON. */
function node(json: JsonObject): Uint8Array {
  return registry.encode('envoy.config.core.v3.Node', json);
}

const build = (majorNumber: number, minorNumber: number, patch: number): JsonObject => ({
  userAgentBuildVersion: { version: { majorNumber, minorNumber, patch } },
});

test('a node as a stock Envoy describes itself', () => {
  const read = decodeNode(
    node({
      id: 'edge-1',
      cluster: 'edge',
      locality: { region: 'r', zone: 'z-1', subZone: 's' },
      metadata: {
        NAMESPACE: 'prod',
        LABELS: { app: 'web', tier: 'front' },
        attache: { unanswered: 'deny', listeners: [{ name: 'in', port: 80, trafficDirection: 'INBOUND' }] },
      },
      userAgentName: 'envoy',
      ...build(1, 40, 0),
      extensions: [
        { name: 'envoy.filters.http.filter_chain', category: 'envoy.filters.http' },
        { name: 'envoy.filters.http.wasm', category: 'envoy.filters.http' },
        { name: 'envoy.wasm.runtime.v8', category: 'envoy.wasm.runtime' },
      ],
      clientFeatures: ['envoy.lb.does_not_support_overprovisioning'],
    }),
  );
  assert.deepEqual(read, {
    id: 'edge-1',
    cluster: 'edge',
    namespace: 'prod',
    labels: { app: 'web', tier: 'front' },
    zone: 'z-1',
    envoyVersion: '1.40.0',
    capabilities: { filterChain: true, wasm: true, failReload: true },
    bootstrap: {
      unanswered: 'deny',
      listeners: [{ name: 'in', port: 80, trafficDirection: 'INBOUND' }],
    },
  });
});

test('a node that says nothing but its id has the defaults', () => {
  assert.deepEqual(decodeNode(node({ id: 'n' })), {
    id: 'n',
    cluster: '',
    namespace: 'default',
    labels: {},
    zone: '',
    envoyVersion: '',
    capabilities: { filterChain: false, wasm: false, failReload: true },
    bootstrap: {},
  });
});

test('2. a node without an id is refused', () => {
  for (const json of [{}, { id: '' }, { cluster: 'c' }])
    assert.throws(() => decodeNode(node(json)), { code: 'node-id-missing' });
});

test('namespace and labels are read in lower case too; upper case wins', () => {
  const read = (metadata: JsonObject) => decodeNode(node({ id: 'n', metadata }));
  const lower = read({ namespace: 'a', labels: { x: '1' } });
  assert.deepEqual([lower.namespace, lower.labels], ['a', { x: '1' }]);
  const both = read({ namespace: 'a', NAMESPACE: 'b', labels: { x: '1' }, LABELS: { x: '2' } });
  assert.deepEqual([both.namespace, both.labels], ['b', { x: '2' }]);
});

test('metadata of the wrong type is taken for absent', () => {
  const table: readonly [JsonObject, unknown][] = [
    [{ NAMESPACE: 7 }, 'default'],
    [{ NAMESPACE: '' }, 'default'],
    [{ NAMESPACE: { a: 'b' } }, 'default'],
  ];
  for (const [metadata, expected] of table)
    assert.equal(decodeNode(node({ id: 'n', metadata })).namespace, expected);
  const labels = { a: 'yes', b: 1, c: null, d: ['x'], e: { f: 'g' } };
  assert.deepEqual(decodeNode(node({ id: 'n', metadata: { LABELS: labels } })).labels, { a: 'yes' });
  assert.deepEqual(decodeNode(node({ id: 'n', metadata: { LABELS: ['a'] } })).labels, {});
});

test('what a bootstrap says of itself is taken only where it is well formed', () => {
  const read = (attache: JsonObject | string) =>
    decodeNode(node({ id: 'n', metadata: { attache } })).bootstrap;
  assert.deepEqual(read('deny'), {});
  assert.deepEqual(read({ unanswered: 'maybe', listeners: 'all' }), {});
  assert.deepEqual(read({ unanswered: 'allow', listeners: [1, {}, { name: 'a' }] }), {
    unanswered: 'allow',
    listeners: [{ name: 'a', port: 0, trafficDirection: 'UNSPECIFIED' }],
  });
});

test('FAIL_RELOAD is there since Envoy 1.33, and assumed where the version is not told', () => {
  for (const [minor, expected] of [
    [32, false],
    [33, true],
    [40, true],
  ] as const)
    assert.equal(decodeNode(node({ id: 'n', ...build(1, minor, 2) })).capabilities.failReload, expected);
  assert.equal(decodeNode(node({ id: 'n', userAgentVersion: '1.30.1' })).capabilities.failReload, false);
});

test('Wasm needs the filter and the V8 runtime; one of them is not enough', () => {
  for (const names of [['envoy.filters.http.wasm'], ['envoy.wasm.runtime.v8'], ['envoy.wasm.runtime.null']])
    assert.equal(
      decodeNode(node({ id: 'n', extensions: names.map(name => ({ name })) })).capabilities.wasm,
      false,
    );
});

test('a prototype name in metadata changes no prototype', () => {
  const labels = Object.fromEntries([
    ['constructor', 'c'],
    ['toString', 't'],
  ]);
  const struct = node({ id: 'n', metadata: { LABELS: labels } });
  assert.equal(decodeNode(struct).labels.constructor, 'c');
  const evil = Buffer.from(struct).toString('latin1').replace('constructor', '__proto__xx');
  assert.equal(decodeNode(Buffer.from(evil, 'latin1')).labels.constructor, Object);
  assert.equal(Object.hasOwn(Object.prototype, 'xx'), false);
});

test('any JSON in the metadata is read as it was written', () => {
  const json = fc.dictionary(
    fc.string({ minLength: 1, maxLength: 5 }).filter(key => key !== '__proto__'),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 4 },
  );
  fc.assert(
    fc.property(json, labels => {
      const strings = Object.entries(labels).filter(([, value]) => typeof value === 'string');
      const read = decodeNode(node({ id: 'n', metadata: { LABELS: labels as JsonObject } }));
      assert.deepEqual(read.labels, Object.fromEntries(strings));
    }),
  );
});

test('arbitrary bytes, and a node that was cut or flipped, never crash the reader', () => {
  const whole = node({
    id: 'n',
    metadata: { LABELS: { a: 'b' }, list: [1, true, null] },
    ...build(1, 40, 0),
    extensions: [{ name: 'x' }],
  });
  const survives = (input: Uint8Array): void => {
    try {
      decodeNode(input);
    } catch (thrown) {
      assert.ok(thrown instanceof XdsError, String(thrown));
    }
  };
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.nat(whole.length - 1),
      fc.integer({ min: 1, max: 255 }),
      (noise, at, mask) => {
        survives(noise);
        survives(whole.subarray(0, at));
        const flipped = Buffer.from(whole);
        flipped[at] = (flipped[at] ?? 0) ^ mask;
        survives(flipped);
      },
    ),
    { numRuns: 500 },
  );
});

test('metadata nested without end is refused, not a full stack', () => {
  let value: Uint8Array = Buffer.from('2000', 'hex');
  const wrap = (field: number, inner: Uint8Array): Buffer => {
    const length: number[] = [];
    for (let rest = inner.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from([(field << 3) | 2, ...length]), inner]);
  };
  for (let depth = 0; depth < 6000; depth++) value = wrap(6, wrap(1, value));
  const struct = wrap(1, Buffer.concat([wrap(1, Buffer.from('k')), wrap(2, value)]));
  const bytes = Buffer.concat([wrap(1, Buffer.from('n')), wrap(3, struct)]);
  try {
    assert.equal(decodeNode(bytes).id, 'n');
  } catch (thrown) {
    assert.ok(thrown instanceof XdsError, String(thrown));
  }
});

test('a node that is cut off, or has a part that is longer than itself, is malformed and nothing else', () => {
  const whole = node({
    id: 'edge-1',
    metadata: { a: { b: [1, true, 'c'] } },
    ...build(1, 40, 0),
    extensions: [{ name: 'envoy.wasm.runtime.v8', category: 'envoy.wasm.runtime' }],
  });
  const isMalformed = (error: unknown): boolean =>
    error instanceof XdsError && (error.code === 'malformed-message' || error.code === 'node-id-missing');
  let malformed = 0;
  for (let size = 0; size < whole.length; size++) {
    try {
      decodeNode(whole.subarray(0, size));
    } catch (error) {
      assert.ok(isMalformed(error), `cut to ${size} of ${whole.length}: ${error}`);
      malformed += 1;
    }
  }
  assert.ok(malformed > whole.length / 2, `${malformed} of ${whole.length}`);
  // An extension of one byte, a number that goes on behind it; then one that says that it has 100.
  for (const extension of [
    [0x4a, 1, 0x80, 0x01],
    [0x4a, 100, 0x0a, 1, 0x61],
  ])
    assert.throws(() => decodeNode(Uint8Array.from([0x0a, 1, 0x61, ...extension])), isMalformed);
});
