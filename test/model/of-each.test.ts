import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofEach } from '../../src/model/of-each.ts';

test('it is made once for each object, also where what is made counts as nothing', () => {
  const asked: object[] = [];
  const isLarge = ofEach((of: readonly number[]) => {
    asked.push(of);
    return of.length > 2;
  });
  const [small, large] = [[1], [1, 2, 3]];
  assert.deepEqual(
    [isLarge(small), isLarge(large), isLarge(small), isLarge(large)],
    [false, true, false, true],
  );
  assert.deepEqual(asked, [small, large]);
  assert.equal(isLarge([1]), false);
  assert.equal(asked.length, 3, 'an equal object is another one');
});

test('what could not be made is tried again', () => {
  let isThere = false;
  const find = ofEach((_of: object) => (isThere ? 'found' : undefined));
  const of = {};
  assert.equal(find(of), undefined);
  isThere = true;
  assert.equal(find(of), 'found');
});
