import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCheckResource } from '../../src/compile/check-resource.ts';
import type { CompileError } from '../../src/compile/compile-error.ts';
import { findSensitive } from '../../src/compile/sensitive-fields.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { LISTENER_TYPE, SECRET_TYPE } from '../../src/model/type-url.ts';
import { makeResource, registry } from './compile-samples.ts';

const check = makeCheckResource(registry);
const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
const tls = { certificate_chain: { inline_string: 'CERT' }, private_key: { inline_string: 'S3CRET' } };

function secret(parts: JsonObject): JsonObject {
  return { '@type': SECRET_TYPE, name: 'tls', ...parts };
}

async function refusal(resource: JsonObject): Promise<CompileError> {
  return check(makeResource(resource, { type: 'secrets' })).then(
    () => assert.fail('accepted'),
    (thrown: CompileError) => thrown,
  );
}

test('what Envoy marks as sensitive is found in every kind of secret, and however it is written', () => {
  const found = (parts: JsonObject) => findSensitive(registry, secret(parts));
  assert.deepEqual(found({ tls_certificate: tls }), ['/tls_certificate/private_key']);
  assert.deepEqual(found({ tlsCertificate: { privateKey: { inlineString: 'x' }, password: {} } }), [
    '/tlsCertificate/privateKey',
    '/tlsCertificate/password',
  ]);
  assert.deepEqual(found({ session_ticket_keys: { keys: [{ inline_bytes: 'eA==' }] } }), [
    '/session_ticket_keys/keys',
  ]);
  assert.deepEqual(found({ generic_secret: { secret: { inline_string: 'x' } } }), ['/generic_secret/secret']);
  assert.deepEqual(found({ validation_context: { trusted_ca: { inline_string: 'CA' } } }), []);
});

test('a private key inside a listener is found too', () => {
  const listener = {
    '@type': LISTENER_TYPE,
    name: 'l',
    filter_chains: [
      {
        transport_socket: {
          name: 'tls',
          typed_config: { '@type': TLS, common_tls_context: { tls_certificates: [tls] } },
        },
      },
    ],
  };
  assert.deepEqual(findSensitive(registry, listener), [
    '/filter_chains/0/transport_socket/typed_config/common_tls_context/tls_certificates/0/private_key',
  ]);
});

test('a secret that does not fit its type is not quoted by the error that says so', async () => {
  for (const key of [
    'S3CRET',
    { inline_bytes: 'S3CRET!' },
    { inline_string: ['S3CRET'] },
    { environment_variable: 7, inline_string: 'S3CRET' },
  ]) {
    const error = await refusal(secret({ tls_certificate: { ...tls, private_key: key as JsonObject } }));
    const text = [error.message, error.hint, error.stack, JSON.stringify(error.faults), String(error.cause)];
    assert.ok(!text.join(' ').includes('S3CRET'), error.message);
    assert.equal(error.code, 'wrong-type');
    assert.match(error.faults[0]?.pointer ?? '', /^\/tls_certificate\/private_key/);
  }
});

test('what was read from the API is not taken for a secret', async () => {
  const error = await refusal(secret({ tls_certificate: { ...tls, private_key: '[redacted]' } }));
  assert.equal(error.code, 'redacted-value');
  assert.deepEqual(
    error.faults.map(({ pointer }) => pointer),
    ['/tls_certificate/private_key'],
  );
  const inside = { ...tls, private_key: { inline_string: '[redacted]' } };
  assert.equal((await refusal(secret({ tls_certificate: inside }))).code, 'redacted-value');
});
