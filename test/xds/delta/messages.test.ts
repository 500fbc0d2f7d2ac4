import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtoRegistry } from '../../../src/compile/proto-registry.ts';
import { decodeDeltaRequest, encodeDeltaResponse } from '../../../src/xds/delta/messages.ts';
import { readFields } from '../../../src/xds/protobuf-fields.ts';
import { XdsError } from '../../../src/xds/xds-error.ts';

const registry = new ProtoRegistry();
const REQUEST = registry.lookup('envoy.service.discovery.v3.DeltaDiscoveryRequest');
const RESPONSE = registry.lookup('envoy.service.discovery.v3.DeltaDiscoveryResponse');
const ANY = registry.lookup('google.protobuf.Any');
const TYPE = 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const bytes = fc.uint8Array({ maxLength: 20 }).map(it => Buffer.from(it));

test('a request made with the real protos is read as it was meant', () => {
  const request = fc.record({
    typeUrl: text,
    resourceNamesSubscribe: fc.array(text, { maxLength: 4 }),
    resourceNamesUnsubscribe: fc.array(text, { maxLength: 4 }),
    initialResourceVersions: fc.dictionary(text, text, { maxKeys: 4 }),
    responseNonce: text,
    errorDetail: fc.option(fc.record({ code: fc.nat(20), message: text }), { nil: undefined }),
    node: fc.option(fc.record({ id: text, cluster: text }), { nil: undefined }),
    resourceLocatorsSubscribe: fc.array(fc.record({ name: text }), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(request, sent => {
      const read = decodeDeltaRequest(REQUEST.encode(REQUEST.fromObject(sent)).finish());
      assert.equal(read.typeUrl, sent.typeUrl);
      assert.deepEqual(read.subscribe, sent.resourceNamesSubscribe);
      assert.deepEqual(read.unsubscribe, sent.resourceNamesUnsubscribe);
      assert.deepEqual([...read.initialVersions].sort(), Object.entries(sent.initialResourceVersions).sort());
      assert.equal(read.responseNonce, sent.responseNonce);
      assert.equal(read.errorDetail, sent.errorDetail?.message.trim());
      assert.equal(read.node === undefined, sent.node === undefined);
    }),
  );
});

test('a response is read with the real protos as it was meant', () => {
  const resource = fc.record({ name: text, version: text, value: bytes });
  const response = fc.record({
    nonce: text,
    resources: fc.array(resource, { maxLength: 4 }),
    removed: fc.array(text, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(response, ({ nonce, resources, removed }) => {
      const encoded = encodeDeltaResponse({
        typeUrl: TYPE,
        nonce,
        removed,
        resources: resources.map(({ name, version, value }) => ({
          name,
          version,
          any: ANY.encode({ type_url: TYPE, value }).finish(),
        })),
      });
      const read = RESPONSE.toObject(RESPONSE.decode(encoded), {
        defaults: true,
        arrays: true,
        bytes: Array,
      });
      assert.equal(read.typeUrl, TYPE);
      assert.equal(read.nonce, nonce);
      assert.deepEqual(read.removedResources, removed);
      assert.deepEqual(
        read.resources.map((it: Record<string, unknown>) => [it.name, it.version, it.resource]),
        resources.map(it => [it.name, it.version, { type_url: TYPE, value: [...it.value] }]),
      );
    }),
  );
});

test('equal responses are equal bytes, whose tail is the nonce', () => {
  const response = { typeUrl: TYPE, resources: [], removed: ['a'] };
  const one = encodeDeltaResponse({ ...response, nonce: '1' });
  const two = encodeDeltaResponse({ ...response, nonce: '2' });
  assert.deepEqual(one.subarray(0, -1), two.subarray(0, -1));
  assert.notDeepEqual(one, two);
});

test('a NACK is told by error_detail alone, be its text empty', () => {
  const nack = REQUEST.encode(REQUEST.fromObject({ typeUrl: TYPE, errorDetail: { code: 13 } })).finish();
  assert.equal(decodeDeltaRequest(nack).errorDetail, '');
  const ack = REQUEST.encode(REQUEST.fromObject({ typeUrl: TYPE, responseNonce: '1' })).finish();
  assert.equal(decodeDeltaRequest(ack).errorDetail, undefined);
});

test("the newline at the end of Envoy's text is gone", () => {
  const errorDetail = { code: 13, message: 'Error adding/updating listener(s) l: bad\n' };
  const request = REQUEST.encode(REQUEST.fromObject({ errorDetail })).finish();
  assert.equal(decodeDeltaRequest(request).errorDetail, 'Error adding/updating listener(s) l: bad');
});

test('an empty message is a request that says nothing', () => {
  assert.deepEqual(decodeDeltaRequest(new Uint8Array()), {
    form: 'delta',
    node: undefined,
    typeUrl: '',
    subscribe: [],
    unsubscribe: [],
    initialVersions: new Map(),
    responseNonce: '',
    errorDetail: undefined,
  });
});

/** Bytes are read, or an XdsError `malformed-message` says that they cannot be; nothing else is thrown. */
function survives(input: Uint8Array): void {
  try {
    decodeDeltaRequest(input);
  } catch (thrown) {
    assert.ok(thrown instanceof XdsError, String(thrown));
    assert.equal(thrown.code, 'malformed-message');
  }
}

test('malformed input is refused with its code, never with a crash', () => {
  for (const hex of ['ff', '0a', '0aff', '12ffffffff0f', '2a03', '0b', '3a020a', 'ffffffffffffffffffff'])
    assert.throws(() => decodeDeltaRequest(Buffer.from(hex, 'hex')), { code: 'malformed-message' }, hex);
});

test('arbitrary bytes never crash the reader', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), survives), { numRuns: 500 });
});

test('a real request that was cut or flipped never crashes the reader', () => {
  const whole = REQUEST.encode(
    REQUEST.fromObject({
      node: { id: 'edge-1' },
      typeUrl: TYPE,
      resourceNamesSubscribe: ['a', 'b'],
      initialResourceVersions: { a: '1' },
      responseNonce: '7',
      errorDetail: { code: 13, message: 'no' },
    }),
  ).finish();
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      survives(whole.subarray(0, at));
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ mask;
      survives(flipped);
    }),
    { numRuns: 500 },
  );
});

test('an error of ours inside a field keeps its code', () => {
  const inner = (): never => {
    throw new XdsError('node-id-missing', 'no id');
  };
  assert.throws(() => readFields(Buffer.from('0a00', 'hex'), inner), { code: 'node-id-missing' });
});
