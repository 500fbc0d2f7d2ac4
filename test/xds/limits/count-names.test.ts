import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiscoveryRequest } from '../../../src/xds/discovery-request.ts';
import { checkNames } from '../../../src/xds/limits/count-names.ts';

const base = { node: undefined, typeUrl: 't', responseNonce: '', errorDetail: undefined };
const sotw = (...names: string[]): DiscoveryRequest => ({ ...base, form: 'sotw', versionInfo: '', names });
const delta = (subscribe: string[], unsubscribe: string[] = [], versions = 0): DiscoveryRequest => ({
  ...base,
  form: 'delta',
  subscribe,
  unsubscribe,
  initialVersions: new Map(Array.from({ length: versions }, (_, i) => [`v${i}`, '1'])),
});
const TOO_MANY = { code: 'too-many-names', limit: 'names' };

test('sotw: the names of a request take the place of those of its type', () => {
  const before = { ofType: new Set(['a', 'b', 'c']), others: 2 };
  checkNames(sotw('d', 'e', 'f'), before, 5);
  assert.throws(() => checkNames(sotw('d', 'e', 'f', 'g'), before, 5), TOO_MANY);
});

test('delta: names add up, known ones count once, those that go make room', () => {
  const before = { ofType: new Set(['a', 'b', 'c']), others: 2 };
  checkNames(delta(['a', 'b', 'b']), before, 5);
  assert.throws(() => checkNames(delta(['d']), before, 5), TOO_MANY);
  checkNames(delta(['d'], ['a']), before, 5);
  assert.throws(() => checkNames(delta(['d'], ['x', 'y']), before, 5), TOO_MANY);
});

test('delta: versions that a client brings count too', () => {
  const before = { ofType: new Set<string>(), others: 0 };
  checkNames(delta([], [], 5), before, 5);
  assert.throws(() => checkNames(delta([], [], 6), before, 5), TOO_MANY);
});
