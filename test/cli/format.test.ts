import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../src/cli/format.ts';
import { formatTable } from '../../src/cli/table.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');

test('an age is one number and one unit', () => {
  const cases: [number, string][] = [
    [-5, '0s'],
    [0, '0s'],
    [59, '59s'],
    [60, '1m'],
    [3599, '59m'],
    [3600, '1h'],
    [86_399, '23h'],
    [4 * 86_400, '4d'],
  ];
  for (const [seconds, text] of cases) assert.equal(format.formatAge(NOW - seconds * 1000, NOW), text);
  assert.equal(format.formatSince(null, NOW), '–');
  assert.equal(format.formatSince('2026-11-21T11:59:48.000Z', NOW), '12s');
});

test('a size has at most three figures', () => {
  assert.equal(format.formatSize(512), '512 B');
  assert.equal(format.formatSize(5_400), '5.4 KB');
  assert.equal(format.formatSize(254_321), '254 KB');
  assert.equal(format.formatSize(1_100_000), '1.1 MB');
});

test('digests are cut, counts agree with their noun', () => {
  assert.equal(format.formatDigest(`sha256:${'ab'.repeat(32)}`), 'abababababab');
  assert.equal(format.formatCount(1, 'node'), '1 node');
  assert.equal(format.formatCount(0, 'node'), '0 nodes');
  assert.equal(format.formatNumber(1204), '1,204');
});

test('a table is aligned, without blanks at line ends', () => {
  const text = formatTable({
    headings: ['NAME', 'ZONE', 'AGE'],
    rows: [
      ['demo-1', '–', '1m'],
      ['a', 'zone-b', ''],
    ],
  });
  assert.equal(text, ['NAME    ZONE    AGE', 'demo-1  –       1m', 'a       zone-b'].join('\n'));
});
