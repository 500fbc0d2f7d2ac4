import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDuration, parseLimit, parsePercent } from '../../src/model/rollout-units.ts';

const DURATIONS: readonly (readonly [unknown, number | undefined])[] = [
  ['0s', 0],
  ['500ms', 500],
  ['30s', 30_000],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['1h2m3s4ms', 3_723_004],
  ['720h', 2_592_000_000],
  ['721h', undefined],
  ['9'.repeat(400).concat('h'), undefined],
  ['10', undefined],
  ['', undefined],
  ['m', undefined],
  ['1s1m', undefined],
  ['1.5h', undefined],
  ['-1s', undefined],
  ['1 m', undefined],
  [30, undefined],
  [null, undefined],
];

test('a duration has units, from hours to milliseconds, in order', () => {
  for (const [text, ms] of DURATIONS) assert.equal(parseDuration(text), ms, String(text));
});

test('every duration is read as it was meant', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.nat(600), fc.nat(600), (h, m, s) => {
      assert.equal(parseDuration(`${h}h${m}m${s}s`), ((h * 60 + m) * 60 + s) * 1000);
    }),
  );
});

test('a share is a number and a percent sign', () => {
  assert.equal(parsePercent('10%'), 10);
  assert.equal(parsePercent('0.5 %'), 0.5);
  for (const wrong of ['10', '%', '-1%', '1e3%', 10, undefined]) assert.equal(parsePercent(wrong), undefined);
});

test('a limit is percent, milliseconds or bytes, as the kind of gate has it', () => {
  assert.equal(parseLimit('5xx', 'max', '5%'), 5);
  assert.equal(parseLimit('5xx', 'max', 5), 5);
  assert.equal(parseLimit('5xx', 'maxIncrease', 2), 2);
  assert.equal(parseLimit('latency-p99', 'max', '250ms'), 250);
  assert.equal(parseLimit('latency-p99', 'max', 250), undefined);
  assert.equal(parseLimit('latency-p99', 'maxIncrease', '20%'), 20);
  assert.equal(parseLimit('memory', 'max', '512MiB'), 512 * 1024 ** 2);
  assert.equal(parseLimit('memory', 'max', '1.5Gi'), 1.5 * 1024 ** 3);
  assert.equal(parseLimit('memory', 'max', '2MB'), 2_000_000);
  assert.equal(parseLimit('memory', 'max', 4096), 4096);
  assert.equal(parseLimit('metric', 'max', '1%'), 1);
  for (const wrong of [-1, Number.POSITIVE_INFINITY, Number.NaN, 'much', null, {}])
    assert.equal(parseLimit('memory', 'max', wrong), undefined);
});
