import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trafficOf } from '../../src/model/listener-traffic.ts';
import type { MetricSample } from '../../src/model/node-metrics.ts';
import { makeSample } from './metric-records.ts';

const NOW = 1_000_000;

function traffic(samples: readonly (Partial<MetricSample> & { ago: number })[], isHttp = true) {
  const node = {
    node: 'a',
    process: 'p',
    samples: samples.map(({ ago, ...over }) => makeSample(NOW - ago, over)),
  };
  return trafficOf(node, { statName: 'in', isHttp }, NOW);
}

const on = (opened: number, open: number) => ({ listeners: { in: { opened, open } } });

test('open connections are traffic, and so are those that were opened in the last minute', () => {
  assert.deepEqual(traffic([{ ago: 5000, ...on(9, 2) }]), { state: 'carries', open: 2, opened: 0 });
  assert.deepEqual(
    traffic([
      { ago: 50_000, ...on(9, 0) },
      { ago: 5000, ...on(12, 0) },
    ]),
    {
      state: 'carries',
      open: 0,
      opened: 3,
    },
  );
  const restarted = [
    { ago: 50_000, ...on(9, 0) },
    { ago: 20_000, ...on(2, 0) },
    { ago: 5000, ...on(3, 0) },
  ];
  assert.deepEqual(traffic(restarted), { state: 'carries', open: 0, opened: 3 });
  assert.deepEqual(
    traffic([
      { ago: 50_000, ...on(9, 0) },
      { ago: 5000, ...on(9, 0) },
    ]),
    { state: 'idle' },
  );
});

test('a listener that the Envoy leaves out while it sends others has had no connection', () => {
  assert.deepEqual(traffic([{ ago: 5000, listeners: { other: { opened: 1, open: 1 } } }]), { state: 'idle' });
});

test('without figures it is unknown: none at all, old ones, or none of listeners while there are requests', () => {
  assert.deepEqual(trafficOf(undefined, { statName: 'in', isHttp: true }, NOW), { state: 'unknown' });
  assert.deepEqual(traffic([{ ago: 70_000, ...on(9, 2) }]), { state: 'unknown' });
  const served = [
    { ago: 50_000, byClass: [0, 5, 0, 0, 0] as const },
    { ago: 5000, byClass: [0, 9, 0, 0, 0] as const },
  ];
  assert.deepEqual(traffic(served), { state: 'unknown' });
  const quiet = [{ ago: 50_000 }, { ago: 5000 }];
  assert.deepEqual(traffic(quiet), { state: 'idle' }, 'no request on any listener');
  assert.deepEqual(traffic(quiet, false), { state: 'unknown' }, 'bytes are no requests');
});
