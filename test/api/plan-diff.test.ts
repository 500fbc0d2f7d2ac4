import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffLeaves } from '../../src/api/plan-diff.ts';

const linesOf = (before: unknown, after: unknown) =>
  diffLeaves(before, after, 'spec').map(change => `${change.path}: ${change.before} → ${change.after}`);

test('every leaf that differs has its path and both values as JSON', () => {
  assert.deepEqual(
    linesOf(
      { pluginConfig: { realm: 'example', deep: { a: 1, b: [1, 2] } }, priority: 5 },
      { pluginConfig: { realm: 'laptop', deep: { a: 1, b: [1, 3, 4] } }, phase: 'AUTHN' },
    ),
    [
      'spec.phase: null → "AUTHN"',
      'spec.pluginConfig.deep.b[1]: 2 → 3',
      'spec.pluginConfig.deep.b[2]: null → 4',
      'spec.pluginConfig.realm: "example" → "laptop"',
      'spec.priority: 5 → null',
    ],
  );
});

test('what is added or removed whole is told leaf by leaf; empty objects are leaves', () => {
  assert.deepEqual(linesOf(undefined, { url: 'oci://r/a', pluginConfig: {} }), [
    'spec.pluginConfig: null → {}',
    'spec.url: null → "oci://r/a"',
  ]);
  assert.deepEqual(linesOf({ a: { b: 1 } }, { a: {} }), ['spec.a.b: 1 → null']);
  assert.deepEqual(linesOf({ a: [] }, { a: { b: 1 } }), ['spec.a: [] → null', 'spec.a.b: null → 1']);
  assert.deepEqual(linesOf({ a: null }, {}), ['spec.a: null → null']);
});

test('odd keys stand in brackets, and lists are in the order of their numbers', () => {
  assert.deepEqual(linesOf({}, { 'a.b': 1, 'topology/zone': 2, '': 3 }), [
    'spec[""]: null → 3',
    'spec["a.b"]: null → 1',
    'spec["topology/zone"]: null → 2',
  ]);
  const twelve = Array.from({ length: 12 }, (_, i) => i);
  assert.deepEqual(
    diffLeaves([], twelve, 'x').map(change => change.path),
    twelve.map(i => `x[${i}]`),
  );
});

test('equal values differ in nothing, others in something, and the other way round is the mirror image', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const [one, two] = [JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))];
      assert.deepEqual(diffLeaves(one, structuredClone(one), 'x'), []);
      const there = diffLeaves(one, two, 'x');
      const back = diffLeaves(two, one, 'x').map(({ path, before, after }) => ({
        path,
        before: after,
        after: before,
      }));
      assert.deepEqual(there, back);
      let same = true;
      try {
        assert.deepStrictEqual(one, two);
      } catch {
        same = false;
      }
      assert.equal(there.length === 0, same);
    }),
  );
});
