import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memo } from '../../src/compile/memo.ts';

test('what is asked for stays, what is not is forgotten beyond the limit', () => {
  const memo = new Memo<object>(2);
  const kept = memo.get('kept', () => ({}));
  const lost = memo.get('lost', () => ({}));
  for (const key of ['a', 'b', 'c', 'd']) {
    memo.get(key, () => ({}));
    assert.equal(
      memo.get('kept', () => ({})),
      kept,
    );
  }
  assert.notEqual(
    memo.get('lost', () => ({})),
    lost,
  );
});
