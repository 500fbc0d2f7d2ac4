import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findNearestName } from '../../src/model/nearest-name.ts';

test('a slip of the pen finds the name that was meant', () => {
  const names = ['http_filters', 'route_config', 'stat_prefix'];
  assert.equal(findNearestName('http_filter', names), 'http_filters');
  assert.equal(findNearestName('statPrefx', names), 'stat_prefix');
  assert.equal(findNearestName('routeConfig', names), 'route_config');
});

test('something else altogether finds nothing', () => {
  assert.equal(findNearestName('tracing', ['http_filters', 'route_config']), undefined);
  assert.equal(findNearestName('x', []), undefined);
});
