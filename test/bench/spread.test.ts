import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSpread, formatTable, judge, toRatio, toSpread } from '../../bench/spread.ts';

test('the middle of an odd number of runs is one of them, of an even number between two', () => {
  assert.deepEqual(toSpread([5, 1, 3]), { median: 3, min: 1, max: 5 });
  assert.deepEqual(toSpread([4, 1, 2, 10]), { median: 3, min: 1, max: 10 });
});

test('a ratio compares run with run, not median with median', () => {
  assert.deepEqual(toRatio([10, 200, 30], [10, 100, 10]), { median: 2, min: 1, max: 3 });
});

test('a median on the line counts, and one beyond the must is missed', () => {
  const target = { must: 1, goal: 0.7 };
  const of = (median: number) => judge({ median, min: 0, max: 9 }, target);
  assert.deepEqual([of(0.7), of(0.71), of(1), of(1.01)], ['goal', 'met', 'met', 'missed']);
});

test('small figures get digits, and a spread of nothing is one number', () => {
  assert.equal(formatSpread({ median: 62, min: 55.4, max: 80 }), '62 (55–80)');
  assert.equal(formatSpread({ median: 0.5, min: 0.25, max: 1 }), '0.50 (0.25–1.00)');
  assert.equal(formatSpread({ median: 0, min: 0, max: 0 }), '0');
});

test('columns of a table are as wide as their widest cell', () => {
  assert.equal(
    formatTable(['a', 'figure'], [['long', '1']]),
    ['| a    | figure |', '| ---- | ------ |', '| long | 1      |'].join('\n'),
  );
});
