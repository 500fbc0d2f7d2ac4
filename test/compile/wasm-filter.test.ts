import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchTimeoutSeconds, toWasmFilter } from '../../src/compile/wasm-filter.ts';
import { makeRevision, registry, SINGLE } from './compile-samples.ts';

test('the fetch timeout is 10 s plus the size at 1 MB/s', () => {
  assert.deepEqual([0, 1, 1_000_000, 1_000_001, 32 << 20].map(fetchTimeoutSeconds), [10, 11, 11, 12, 44]);
});

test('half a surrogate pair does not keep the plugin, and with it the slot, from being encoded', () => {
  const half = '\ud800';
  const env = [
    { name: `A${half}`, value: half },
    { name: half, valueFrom: 'HOST' as const },
  ];
  const config = { env, pluginName: half, pluginConfig: { [half]: half } };
  const push = { nackOnCodeCacheMiss: true, capability: 'c'.repeat(64), tag: 't'.repeat(16) };
  assert.ok(registry.encodeAny(toWasmFilter(makeRevision({ config }), SINGLE, push)).length > 0);
});
