import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sortKeys } from '../../src/compile/sort-keys.ts';
import type { JsonValue } from '../../src/model/plugin-spec.ts';

test('keys are sorted at every depth, lists keep their order', () => {
  const sorted = sortKeys({ b: [{ d: 1, c: 2 }, 'z', 'a'], a: null });
  assert.equal(JSON.stringify(sorted), '{"a":null,"b":[{"c":2,"d":1},"z","a"]}');
});

test('property: nothing is lost, and sorting twice is sorting once', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const sorted = sortKeys(value as JsonValue);
      assert.deepEqual(sorted, value);
      assert.equal(JSON.stringify(sortKeys(sorted)), JSON.stringify(sorted));
    }),
  );
});
