import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseCount,
  parseDuration,
  parseSelector,
  parseVersions,
  parseWord,
} from '../../src/cli/parse-option.ts';

test('a duration has units, and no unit is an error', () => {
  const cases = { '30s': 30_000, '10m': 600_000, '1h30m': 5_400_000, '2d': 172_800_000, '0s': 0 };
  for (const [text, ms] of Object.entries(cases)) assert.equal(parseDuration(text), ms, text);
  for (const bad of ['', '30', 's', '1m1h', '-1s', '1.5h', '1 h'])
    assert.throws(() => parseDuration(bad), bad);
});

test('a selector is one or more labels, also over several options', () => {
  assert.deepEqual(parseSelector('a=b,c=d'), { a: 'b', c: 'd' });
  assert.deepEqual(parseSelector('c=e', { a: 'b', c: 'd' }), { a: 'b', c: 'e' });
  assert.throws(() => parseSelector('a'));
});

test('a count is whole and not zero; a word is one of the known', () => {
  assert.equal(parseCount('7'), 7);
  for (const bad of ['0', '-1', '1.5', 'x']) assert.throws(() => parseCount(bad), bad);
  assert.equal(parseWord('fast', 'standard')('fast'), 'fast');
  assert.throws(() => parseWord('fast')('slow'), /expected fast/);
});

test('releases of Envoy are one or more, also over several options', () => {
  assert.deepEqual(parseVersions('1.36.2, 1.40', ['1.39.3']), ['1.39.3', '1.36.2', '1.40']);
  for (const bad of ['', ',', 'v1.40.0', '1', '1.40.0,x']) assert.throws(() => parseVersions(bad), bad);
});
