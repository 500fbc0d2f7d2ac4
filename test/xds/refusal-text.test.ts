import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXTENSION_CONFIG_TYPE, LISTENER_TYPE, SECRET_TYPE } from '../../src/model/type-url.ts';
import { decodeDeltaRequest } from '../../src/xds/delta/messages.ts';
import { withoutSecrets } from '../../src/xds/refusal-text.ts';
import { decodeSotwRequest } from '../../src/xds/sotw/messages.ts';

const RULE =
  'Proto constraint validation failed (SecretValidationError.TlsCertificate: embedded message failed validation | ' +
  'caused by DataSourceValidationError.EnvironmentVariable: value length must be at least 1 characters)';
const DUMP = `${RULE}: name: "bad"\ntls_certificate {\n  private_key { inline_string: "S3CRET \\" (key)" }\n}\n`;

test('the resource that Envoy quotes after the rule it breaks is left out, whatever its type', () => {
  for (const type of [SECRET_TYPE, LISTENER_TYPE]) assert.equal(withoutSecrets(type, DUMP), RULE);
});

test('of a secret nothing in quotes is kept', () => {
  const text = 'Failed to load "S3CRET \\" it" of <inline>';
  assert.equal(withoutSecrets(SECRET_TYPE, text), 'Failed to load "[redacted]" of <inline>');
  assert.equal(
    withoutSecrets(LISTENER_TYPE, 'listener "a" has no route "b"'),
    'listener "a" has no route "b"',
  );
});

test('the texts of our places stay as they are, and so does silence', () => {
  assert.equal(withoutSecrets(EXTENSION_CONFIG_TYPE, DUMP), DUMP);
  assert.equal(withoutSecrets(SECRET_TYPE, undefined), undefined);
});

test('both forms of a request come without it', () => {
  const field = (number: number, bytes: Buffer) =>
    Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
  const status = field(2, Buffer.from(DUMP));
  const type = Buffer.from(SECRET_TYPE);
  assert.equal(decodeDeltaRequest(Buffer.concat([field(7, status), field(2, type)])).errorDetail, RULE);
  assert.equal(decodeSotwRequest(Buffer.concat([field(6, status), field(4, type)])).errorDetail, RULE);
});

function varint(value: number): Buffer {
  return value < 128 ? Buffer.from([value]) : Buffer.from([(value & 127) | 128, value >> 7]);
}
