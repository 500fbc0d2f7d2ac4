import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../src/model/error.ts';
import { DEFAULT_XDS_LIMITS, parseXdsLimits } from '../../src/model/xds-limits.ts';

function parse(...texts: string[]) {
  const faults: Fault[] = [];
  return { limits: parseXdsLimits(texts, faults), faults: faults.map(fault => fault.message) };
}

test('limits that are not named have their defaults', () => {
  const { limits, faults } = parse('streams=12', ' names = 7 ', 'message-size=1MiB', 'first-request=2m');
  assert.deepEqual(faults, []);
  const named = { streams: 12, names: 7, 'message-size': 1_048_576, 'first-request': 120_000 };
  assert.deepEqual(limits, { ...DEFAULT_XDS_LIMITS, ...named });
});

test('what is no limit, or no value of it, is a fault that says what is', () => {
  for (const text of [
    'stream=1',
    'streams',
    'streams=0',
    'streams=1.5',
    'message-size=1KB',
    'first-request=10ms',
  ]) {
    const { faults } = parse(text);
    assert.equal(faults.length, 1, text);
    assert.match(faults[0] ?? '', /^--xds-limit .*expected/);
  }
});
