import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { ResourceSpec } from '../../src/model/resource.ts';
import { markOtherSecrets, openResource, sealResource } from '../../src/model/resource-secret.ts';
import { createSeal } from '../../src/store/seal.ts';

const random = (bytes: number) => randomBytes(bytes).toString('hex');
const seal = createSeal(Buffer.alloc(32, 1), random);
const KEY = 'secrets/default/tls';
const resource: JsonObject = { name: 'tls', a: [{ key: 'S3CRET', 'b/c': 'open' }], list: ['S3CRET', 'x'] };

function stored(sensitive: readonly string[]): ResourceSpec {
  const parts = sealResource(seal, KEY, resource, sensitive);
  return { type: 'secrets', namespace: 'default', name: 'tls', createdAt: 1, ...parts };
}

test('what is stored of a secret does not hold it, and opens to what it was', () => {
  const spec = stored(['/a/0/key', '/list']);
  assert.ok(!JSON.stringify(spec).includes('S3CRET'));
  assert.deepEqual(spec.resource, {
    name: 'tls',
    a: [{ key: '[redacted]', 'b/c': 'open' }],
    list: '[redacted]',
  });
  assert.deepEqual(openResource(seal, spec), resource);
});

test('a resource without secrets is stored as it is', () => {
  const spec = stored([]);
  assert.equal(spec.sealed, undefined);
  assert.equal(openResource(seal, spec), resource);
});

test('another key, or another name, opens nothing', () => {
  const spec = stored(['/list']);
  assert.equal(openResource(createSeal(Buffer.alloc(32, 2), random), spec), undefined);
  assert.equal(openResource(seal, { ...spec, name: 'other' }), undefined);
});

test('a comparison tells that a secret is another one, and not which', () => {
  const shown = { name: 'tls', key: '[redacted]', same: '[redacted]', fresh: '[redacted]' };
  const before = {
    shown: { name: 'tls', key: '[redacted]', same: '[redacted]' },
    full: { name: 'tls', key: 'one', same: { a: 1, b: 2 } },
  };
  const after = { shown, full: { name: 'tls', key: 'two', same: { b: 2, a: 1 }, fresh: 'x' } };
  assert.deepEqual(markOtherSecrets(before, after), { ...shown, key: '[redacted], another one' });
  const closed = markOtherSecrets({ ...before, full: undefined }, after);
  assert.equal(closed.same, '[redacted], another one', 'nobody knows');
});
