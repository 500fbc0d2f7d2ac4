import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergePatch } from '../../src/model/merge-patch.ts';
import type { JsonValue } from '../../src/model/plugin-spec.ts';

test('every example of RFC 7396, appendix A', () => {
  const examples: readonly (readonly [JsonValue, JsonValue, JsonValue])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of examples)
    assert.deepEqual(mergePatch(target, patch), result, JSON.stringify(patch));
});

test('neither side is changed, and a key of the language itself is a key', () => {
  const target = { a: { b: 1 } };
  assert.deepEqual(mergePatch(target, { a: { b: null }, toString: 'x' }), { a: {}, toString: 'x' });
  assert.deepEqual(target, { a: { b: 1 } });
});
