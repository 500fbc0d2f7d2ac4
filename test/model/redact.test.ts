import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blotParts, redact } from '../../src/model/redact.ts';
import { REDACTED } from '../../src/model/show-resource.ts';

test('fields, headers and DataSources that a name makes a secret lose their text; where is said', () => {
  const { value, redacted } = redact({
    name: 'auth',
    client_password: 'x',
    apiKey: 'y',
    privateKey: { inlineString: 'z' },
    headers: [
      { key: 'Authorization', value: 'abc' },
      { key: 'x-env', value: 'prod' },
    ],
  });
  assert.deepEqual(value, {
    name: 'auth',
    client_password: REDACTED,
    apiKey: REDACTED,
    privateKey: { inlineString: REDACTED },
    headers: [
      { key: 'Authorization', value: REDACTED },
      { key: 'x-env', value: 'prod' },
    ],
  });
  assert.deepEqual(redacted, ['/client_password', '/apiKey', '/privateKey/inlineString', '/headers/0/value']);
});

test('what is no secret stays: numbers, objects of that name, names of secrets', () => {
  const plain = {
    imagePullSecret: 'registry-login',
    tokenBucket: { maxTokens: 5, fillInterval: '1s' },
    accepted: 3,
    message: 'no such plugin',
    none: null,
  };
  assert.deepEqual(redact(plain), { value: plain, redacted: [] });
});

test('configurations and environments of plugins keep their shape alone', () => {
  const { value } = redact({
    spec: { pluginConfig: { users: ['ann'], realm: { name: 'r' }, limit: 5 } },
    vmConfig: { env: [{ name: 'REGION', value: 'eu' }] },
    wasm: {
      vmConfig: { runtime: 'v8', environmentVariables: { keyValues: { REGION: 'eu' } } },
      configuration: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: '{"a":1}' },
    },
  });
  assert.deepEqual(value, {
    spec: { pluginConfig: { users: [REDACTED], realm: { name: REDACTED }, limit: 5 } },
    vmConfig: { env: [{ name: REDACTED, value: REDACTED }] },
    wasm: {
      vmConfig: { runtime: 'v8', environmentVariables: { keyValues: { REGION: REDACTED } } },
      configuration: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: REDACTED },
    },
  });
});

test('secrets inside a text go, the text stays', () => {
  const key = '-----BEGIN RSA PRIVATE KEY-----\nAAA\n-----END RSA PRIVATE KEY-----';
  const { value } = redact({
    url: 'https://ann:pw@registry.example/auth',
    module: `http://h/v1/modules/sha256/aa?cap=${'0'.repeat(64)}&tag=1`,
    log: `got Authorization: Bearer abcdef123456 and ${key}.`,
  });
  assert.deepEqual(value, {
    url: `https://${REDACTED}@registry.example/auth`,
    module: `http://h/v1/modules/sha256/aa?cap=${REDACTED}&tag=1`,
    log: `got Authorization: Bearer ${REDACTED} and ${REDACTED}.`,
  });
});

test('a long text takes no longer than it is long: whoever may write one could stop the server with it', () => {
  const length = 40_000;
  for (const part of [
    'a',
    'atn_',
    'att_',
    'a://',
    'Bearer ',
    'cap=',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----END ',
  ]) {
    const text = part.repeat(length / part.length);
    const begin = performance.now();
    blotParts(text);
    assert.ok(performance.now() - begin < 1_000, part);
  }
});
