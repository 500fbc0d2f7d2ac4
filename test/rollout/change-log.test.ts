import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeLog } from '../../src/rollout/change-log.ts';

test('a reader gets what came since he read', () => {
  const log = new ChangeLog();
  log.note('a');
  const seen = log.end;
  assert.deepEqual(log.since(seen), []);
  log.note('b');
  log.note('b');
  assert.deepEqual(log.since(seen), ['b', 'b']);
  assert.deepEqual(log.since(0), ['a', 'b', 'b']);
});

test('a reader who fell far behind is told so, and the log does not grow without end', () => {
  const log = new ChangeLog();
  for (let number = 0; number < 200_000; number += 1) log.note(`${number}`);
  assert.equal(log.since(0), undefined);
  assert.ok((log.since(199_990)?.length ?? 0) === 10);
  assert.equal(log.since(199_999)?.[0], '199999');
});
