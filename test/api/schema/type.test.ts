import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type as TypeBox } from 'typebox';
import { Type } from '../../../src/api/schema/type.ts';

/** Each builder, without options and with them, in all the ways that schemas here are put together. */
function build(type: typeof Type): Readonly<Record<string, unknown>> {
  const text = type.String({ minLength: 1, description: 'a text' });
  const maybe = type.Optional(text);
  const inner = type.Object({ maybe });
  return {
    Array: [type.Array(text), type.Array(inner, { maxItems: 2 })],
    Boolean: [type.Boolean(), type.Boolean({ default: true })],
    Integer: [type.Integer(), type.Integer({ minimum: 1 })],
    Intersect: [
      type.Intersect([inner, type.Object({ text })]),
      type.Intersect([inner], { description: 'd' }),
    ],
    Literal: [type.Literal('a'), type.Literal(1), type.Literal(true, { description: 'd' })],
    Null: [type.Null(), type.Null({ description: 'd' })],
    Number: [type.Number(), type.Number({ maximum: 1.5 })],
    Object: [
      type.Object({}),
      inner,
      type.Object({ text, maybe, inner }, { additionalProperties: false }),
      type.Object({ again: inner.properties.maybe, spread: { ...maybe } }),
    ],
    Optional: [maybe, type.Optional(maybe), type.Object({ twice: type.Optional(maybe) })],
    Record: [type.Record(type.String(), text), type.Record(type.String(), inner, { maxProperties: 3 })],
    Ref: [type.Ref('Plugin#'), type.Ref('Plugin#', { description: 'd' })],
    String: [type.String(), text],
    Union: [type.Union([text, type.Null()]), type.Optional(type.Union([text], { description: 'd' }))],
    Unknown: [type.Unknown(), type.Unknown({ description: 'd' })],
    Unsafe: [type.Unsafe({ type: ['string', 'null'] }), type.Object({ a: type.Optional(type.Unsafe({})) })],
  };
}

test('every builder makes what the one of TypeBox makes, member by member', () => {
  const ours = build(Type);
  assert.deepEqual(Object.keys(ours), Object.keys(Type));
  assert.equal(JSON.stringify(ours), JSON.stringify(build(TypeBox)));
});

test('a schema that was made optional stays required where it stood before', () => {
  const text = Type.String();
  Type.Optional(text);
  assert.deepEqual(Type.Object({ text }).required, ['text']);
});
