import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { toCounter, toHistogram } from '../../../src/api/metrics/create-meter.ts';
import type { MetricRow } from '../../../src/api/metrics/metric-table.ts';
import { toBuckets, toTallies } from '../../../src/api/metrics/tallies.ts';

const COUNTER: MetricRow = { name: 'x_total', type: 'counter', help: 'h "\\', labels: { kind: '', why: '' } };
const HISTOGRAM: MetricRow = { name: 'y', type: 'histogram', help: 'h', labels: {}, buckets: [0.05, 1, 10] };
const LABELS = ['a', 'b"c'].flatMap(kind => ['d', 'e'].map(why => ({ kind, why })));

test('tallies are told as a counter of prom-client would, also where nothing was counted, and at every scrape', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const toTally = toTallies(COUNTER, ours);
  const counter = toCounter(COUNTER, theirs);
  const tallies = LABELS.map(labels => {
    counter.inc(labels, 0);
    return toTally(labels);
  });
  const compare = async () => assert.equal(await ours.metrics(), await theirs.metrics());
  await compare();
  for (const [times, labels] of LABELS.entries()) {
    counter.inc(labels, times);
    const tally = tallies[times];
    if (tally !== undefined) tally.count += times;
    await compare();
  }
});

test('buckets are told as a histogram of prom-client would, whatever was observed', async () => {
  const value = fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.constantFrom(0, 0.05, 1, 10));
  const property = fc.asyncProperty(fc.array(value, { maxLength: 30 }), async observed => {
    const [ours, theirs] = [new Registry(), new Registry()];
    const observe = toBuckets(HISTOGRAM, ours);
    const histogram = toHistogram(HISTOGRAM, theirs);
    for (const one of observed) {
      observe(one);
      histogram.observe(one);
    }
    assert.equal(await ours.metrics(), await theirs.metrics());
  });
  await fc.assert(property, { numRuns: 50 });
});
