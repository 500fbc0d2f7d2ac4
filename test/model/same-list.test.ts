import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameList } from '../../src/model/same-list.ts';

test('lists are the same with the very same parts in the same order, and no more of them', () => {
  const part = {};
  const list = [part, 1];
  for (const [one, other, isSame] of [
    [list, list, true],
    [list, [part, 1], true],
    [list, [{}, 1], false],
    [list, [1, part], false],
    [list, [part], false],
    [[part], list, false],
    [[], [], true],
    [[undefined], [], false],
  ] as const)
    assert.equal(isSameList<unknown>(one, other), isSame);
});

test('who compares otherwise says how', () => {
  const isEqual = (a: { readonly of: number }, b: { readonly of: number }): boolean => a.of === b.of;
  assert.equal(isSameList([{ of: 1 }], [{ of: 1 }], isEqual), true);
  assert.equal(isSameList([{ of: 1 }], [{ of: 2 }], isEqual), false);
});
