import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFit } from '../../../src/module/trial/fit-child.ts';
import type { ChildCost, TrialEnd, TrialEvent } from '../../../src/module/trial/trial-protocol.ts';

const cost: ChildCost = { residentMiB: 56, processorMs: 120 };

function told(
  outcome: TrialEnd = 'ok',
  memoryPages = 17,
  left: Omit<TrialEvent & { kind: 'left' }, 'kind'> = { reason: '', cost },
): readonly TrialEvent[] {
  const end = { kind: 'end', outcome, reason: '', tookMs: 2, memoryPages } as const;
  return [{ kind: 'ready' }, end, ...(outcome === 'ok' ? [{ kind: 'left', ...left } as const] : [])];
}

test('a child is used again after a run that went well to its end, and only so often', () => {
  assert.equal(isFit(told(), 1), true);
  assert.equal(isFit(told(), 49), true);
  assert.equal(isFit(told(), 50), false);
});

test('a child is not used again after anything else', () => {
  for (const outcome of ['refused', 'trapped', 'broken', 'out-of-memory'] as const)
    assert.equal(isFit(told(outcome), 1), false);
  assert.equal(isFit(told('ok', 17, { reason: 'proxy_on_done: unreachable', cost }), 1), false);
  assert.equal(isFit(told().slice(0, -1), 1), false, 'it did not come to leaving');
  assert.equal(isFit([], 1), false);
});

test('a child that has grown is not used again, and one that does not tell either', () => {
  assert.equal(isFit(told('ok', 257), 1), false);
  assert.equal(isFit(told('ok', 17, { reason: '', cost: { ...cost, residentMiB: 129 } }), 1), false);
  assert.equal(isFit(told('ok', 17, { reason: '', cost: { ...cost, processorMs: 10_001 } }), 1), false);
  assert.equal(isFit(told('ok', 17, { reason: '' }), 1), false);
});
