import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModuleError } from '../../src/module/module-error.ts';
import { toGivenUp, toRetryDelayMs } from '../../src/module/retry-policy.ts';

test('waits double up to a minute, by half of them by chance, and not before the other side asked', () => {
  assert.deepEqual(
    [1, 2, 3, 9, 100].map(failures => toRetryDelayMs(failures, 1)),
    [250, 500, 1_000, 60_000, 60_000],
  );
  assert.equal(toRetryDelayMs(1, 0), 125);
  assert.equal(toRetryDelayMs(1, 0, 5_000), 5_000);
  assert.equal(toRetryDelayMs(1, 0, 24 * 3_600_000), 3_600_000);
});

test('C-B4: what was given up does not say that it is tried again, but what to do', () => {
  const fault = new ModuleError('registry-unreachable', 'r cannot be reached', {
    hint: 'Check the host. It is tried again.',
  });
  const { code, message, hint } = toGivenUp(fault, 3_600_000);
  assert.deepEqual([code, message], ['registry-unreachable', 'r cannot be reached']);
  assert.equal(
    hint,
    'Check the host. Attaché asked for 60 min and gave up: retry the rollout, or apply again.',
  );
});
