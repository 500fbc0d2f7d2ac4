import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtoRegistry } from '../../../src/compile/proto-registry.ts';
import { decodeSotwRequest, encodeSotwResponse } from '../../../src/xds/sotw/messages.ts';
import { XdsError } from '../../../src/xds/xds-error.ts';

const registry = new ProtoRegistry();
const REQUEST = registry.lookup('envoy.service.discovery.v3.DiscoveryRequest');
const RESPONSE = registry.lookup('envoy.service.discovery.v3.DiscoveryResponse');
const ANY = registry.lookup('google.protobuf.Any');
const TYPE = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const bytes = fc.uint8Array({ maxLength: 20 }).map(it => Buffer.from(it));

test('a request made with the real protos is read as it was meant', () => {
  const request = fc.record({
    versionInfo: text,
    typeUrl: text,
    resourceNames: fc.array(text, { maxLength: 5 }),
    responseNonce: text,
    errorDetail: fc.option(fc.record({ code: fc.nat(20), message: text }), { nil: undefined }),
    node: fc.option(fc.record({ id: text, cluster: text }), { nil: undefined }),
    resourceLocators: fc.array(fc.record({ name: text }), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(request, sent => {
      const read = decodeSotwRequest(REQUEST.encode(REQUEST.fromObject(sent)).finish());
      assert.equal(read.versionInfo, sent.versionInfo);
      assert.equal(read.typeUrl, sent.typeUrl);
      assert.deepEqual(read.names, sent.resourceNames);
      assert.equal(read.responseNonce, sent.responseNonce);
      assert.equal(read.errorDetail, sent.errorDetail?.message.trim());
      assert.equal(read.node === undefined, sent.node === undefined);
    }),
  );
});

test('a response is read with the real protos as it was meant', () => {
  const response = fc.record({ versionInfo: text, nonce: text, values: fc.array(bytes, { maxLength: 4 }) });
  fc.assert(
    fc.property(response, ({ versionInfo, nonce, values }) => {
      const resources = values.map(value => ANY.encode({ type_url: TYPE, value }).finish());
      const encoded = encodeSotwResponse({ typeUrl: TYPE, versionInfo, nonce, resources });
      const read = RESPONSE.toObject(RESPONSE.decode(encoded), {
        defaults: true,
        arrays: true,
        bytes: Array,
      });
      assert.deepEqual([read.typeUrl, read.versionInfo, read.nonce], [TYPE, versionInfo, nonce]);
      assert.deepEqual(
        read.resources,
        values.map(value => ({ type_url: TYPE, value: [...value] })),
      );
    }),
  );
});

test('equal responses are equal bytes, whose tail is the nonce', () => {
  const response = { typeUrl: TYPE, versionInfo: 'v', resources: [Buffer.from('a')] };
  const one = encodeSotwResponse({ ...response, nonce: '1' });
  const two = encodeSotwResponse({ ...response, nonce: '2' });
  assert.deepEqual(one.subarray(0, -1), two.subarray(0, -1));
  assert.notDeepEqual(one, two);
});

test('7. a NACK is told by error_detail alone, be its text empty; the newline at its end is gone', () => {
  const read = (errorDetail?: object) =>
    decodeSotwRequest(REQUEST.encode(REQUEST.fromObject({ versionInfo: 'v', errorDetail })).finish())
      .errorDetail;
  assert.equal(read({ code: 13 }), '');
  assert.equal(read(), undefined);
  assert.equal(
    read({ message: 'Error adding/updating listener(s) l: bad\n' }),
    'Error adding/updating listener(s) l: bad',
  );
});

test('an empty message is a request that says nothing', () => {
  assert.deepEqual(decodeSotwRequest(new Uint8Array()), {
    form: 'sotw',
    node: undefined,
    typeUrl: '',
    versionInfo: '',
    names: [],
    responseNonce: '',
    errorDetail: undefined,
  });
});

/** Bytes are read, or an XdsError `malformed-message` says that they cannot be; nothing else is thrown. */
function survives(input: Uint8Array): void {
  try {
    decodeSotwRequest(input);
  } catch (thrown) {
    assert.ok(thrown instanceof XdsError, String(thrown));
    assert.equal(thrown.code, 'malformed-message');
  }
}

test('malformed input is refused with its code, never with a crash', () => {
  for (const hex of ['ff', '0a', '0aff', '12ffffffff0f', '1a03', '0b', '32020a', 'ffffffffffffffffffff'])
    assert.throws(() => decodeSotwRequest(Buffer.from(hex, 'hex')), { code: 'malformed-message' }, hex);
});

test('arbitrary bytes, and real requests that were cut or flipped, never crash the reader', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), survives), { numRuns: 500 });
  const whole = REQUEST.encode(
    REQUEST.fromObject({
      versionInfo: 'v',
      node: { id: 'edge-1' },
      typeUrl: TYPE,
      resourceNames: ['a', 'b'],
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
