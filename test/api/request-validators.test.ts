import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCompilers } from '../../src/api/request-validators.ts';
import { Type } from '../../src/api/schema/type.ts';

/** As fastify asks for the validator of a part of a route. */
function compile(schema: object) {
  const build = createCompilers().buildValidator as unknown as (
    named: object,
    options: object,
  ) => (route: object) => ((value: unknown) => unknown) & { errors?: readonly { keyword: string }[] };
  return build({}, { customOptions: { coerceTypes: true, removeAdditional: false } })({ schema });
}

test('a value is checked, changed to what the schema says, and what is wrong with it is told', () => {
  const validate = compile(
    Type.Object({ limit: Type.Integer({ default: 5 }) }, { additionalProperties: false }),
  );
  const query = { limit: '7' };
  assert.equal(validate(query), true);
  assert.deepEqual(query, { limit: 7 });
  const empty = {};
  assert.equal(validate(empty), true);
  assert.deepEqual(empty, { limit: 5 });
  assert.equal(validate({ limit: 'x' }), false);
  assert.equal(validate.errors?.[0]?.keyword, 'type');
});

test('where nothing may be said, nothing passes and anything else is refused', () => {
  const validate = compile(Type.Object({}, { additionalProperties: false }));
  assert.equal(validate({}), true);
  assert.equal(validate({ a: '1' }), false);
  assert.equal(validate.errors?.[0]?.keyword, 'additionalProperties');
  assert.equal(validate([]), false);
});

test('a schema of no JSON schema is refused with the first value', () => {
  assert.throws(() => compile({ type: 'text' })('a'), /schema is invalid/);
});
