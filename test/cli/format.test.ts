import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../src/cli/format.ts';
import { formatTable } from '../../src/cli/table.ts';

process.env.TZ = 'UTC';
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

test('digests are cut', () => {
  assert.equal(format.formatDigest(`sha256:${'ab'.repeat(32)}`), 'abababababab');
});

test("a clock is the reader's own, with the date where it is not of today", () => {
  assert.equal(format.formatClock(NOW - 3_600_000, NOW), '11:00:00');
  assert.equal(format.formatClock(NOW + 600_000, NOW), '12:10:00');
  assert.equal(format.formatClock(NOW - 90_000_000, NOW), '2026-11-20 11:00:00');
});

test('history says an age, a time of the day, or how many days', () => {
  assert.equal(format.formatWhen('2026-11-21T11:59:20.000Z', NOW), '40s');
  assert.equal(format.formatWhen('2026-11-21T02:59:07.000Z', NOW), '02:59');
  assert.equal(format.formatWhen('2026-11-20T13:00:00.000Z', NOW), '13:00');
  assert.equal(format.formatWhen('2026-11-12T11:59:20.000Z', NOW), '9d');
});

test("times in a sentence become the reader's own", () => {
  const sentence = 'frozen by admin since 2026-11-21T03:52:00.123Z: "until 2026-11-21T10:00:00+01:00"';
  assert.equal(format.localizeTimes(sentence, NOW), 'frozen by admin since 03:52:00: "until 09:00:00"');
  assert.equal(format.localizeTimes('no time here: 12:00', NOW), 'no time here: 12:00');
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
