import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LATENCY_BOUNDS_MS } from '../../../src/model/node-metrics.ts';
import { decodeMetrics, newFlush } from '../../../src/xds/metrics/decode-metrics.ts';
import { encodeMetrics, type Family } from './metrics-writer.ts';

const flushOf = (...families: readonly Family[]) => decodeMetrics(encodeMetrics({ families })).flush;

test('counters and gauges come out by what they are about, everything else is skipped', () => {
  const flush = flushOf(
    { name: 'cluster.up.upstream_rq_5xx', counter: 99 },
    { name: 'http.a.downstream_rq_2xx', counter: 10 },
    { name: 'http.b.downstream_rq_2xx', counter: 5 },
    { name: 'http.a.downstream_rq_5xx', counter: 1 },
    { name: 'http.admin.downstream_rq_5xx', counter: 50 },
    { name: 'http.a.downstream_rq_active', gauge: 2 },
    { name: 'wasm.default/a.vm_reload_success', counter: 2 },
    { name: 'wasm.default/a.vm_reload_backoff', counter: 16 },
    { name: 'wasm.envoy.wasm.runtime.v8.created', counter: 17 },
    { name: 'wasm.envoy.wasm.runtime.v8.active', gauge: 4 },
    { name: 'wasmcustom.hits', counter: 7 },
    { name: 'listener.127.0.0.1_80.downstream_cx_total', counter: 9 },
    { name: 'listener.127.0.0.1_80.downstream_cx_active', gauge: 2 },
    { name: 'server.concurrency', gauge: 2 },
    { name: 'server.memory_allocated', gauge: 1e7 },
    { name: 'extension_config_discovery.http_filter.p.config_reload', counter: 4 },
    { name: 'extension_config_discovery.http_filter.p.config_fail', counter: 1 },
  );
  assert.deepEqual(flush, {
    ...newFlush(),
    takenAt: 1000,
    byClass: [0, 15, 0, 0, 1],
    requestsActive: 2,
    vmCreated: 17,
    vmActive: 4,
    workers: 2,
    memoryBytes: 1e7,
    reloads: new Map([['default/a', 18]]),
    reloaded: 2,
    ecdsReload: new Map([['p', 4]]),
    ecdsFail: new Map([['p', 1]]),
    custom: new Map([['hits', 7]]),
    listenerOpened: new Map([['127.0.0.1_80', 9]]),
    listenerOpen: new Map([['127.0.0.1_80', 2]]),
  });
});

test('a histogram comes out as counts of each bucket, summed over listeners; the summary of the same name is skipped', () => {
  const name = 'http.a.downstream_rq_time';
  const flush = flushOf(
    { name, summary: true },
    {
      name,
      histogram: [
        [0.5, 17],
        [1, 20],
        [5, 20],
        [3_600_000, 20],
      ],
      total: 21,
    },
    { name: 'http.b.downstream_rq_time', histogram: [[1, 2]] },
  );
  assert.deepEqual(flush.latency.slice(0, 3), [17, 5, 0]);
  assert.equal(flush.latency.at(-1), 1);
  assert.equal(flush.latency.length, LATENCY_BOUNDS_MS.length + 1);
});

test('buckets that a user chose count for the first of ours that holds them', () => {
  const { latency } = flushOf({
    name: 'http.a.downstream_rq_time',
    histogram: [
      [3, 4],
      [7, 9],
      [1e9, 10],
    ],
  });
  assert.deepEqual([latency[2], latency[3], latency.at(-1)], [4, 5, 1]);
});

test('the node comes as bytes, and only where it is sent', () => {
  const families = [{ name: 'server.concurrency', gauge: 1 }];
  const { node } = decodeMetrics(encodeMetrics({ node: 'edge-1', families }));
  assert.equal(Buffer.from(node ?? []).toString('latin1'), '\n\x06edge-1');
  assert.equal(decodeMetrics(encodeMetrics({ families })).node, undefined);
});

test('names are bounded, and none of them is a prototype', () => {
  const families = Array.from({ length: 1000 }, (_, i) => ({ name: `wasmcustom.m${i}`, counter: 1 }));
  assert.equal(flushOf(...families).custom.size, 256);
  assert.deepEqual([...flushOf({ name: 'wasmcustom.__proto__', counter: 1 }).custom], [['__proto__', 1]]);
});

test('a number that is none counts as 0', () => {
  const { memoryBytes } = flushOf({ name: 'server.memory_allocated', gauge: Number.NaN });
  assert.equal(memoryBytes, 0);
});

test('whatever bytes come, they are read or refused as malformed', () => {
  const whole = encodeMetrics({
    node: 'edge-1',
    families: [
      { name: 'http.a.downstream_rq_time', histogram: [[1, 5]] },
      { name: 'wasm.default/a.vm_reload_success', counter: 2 },
    ],
  });
  const refuses = (bytes: Buffer): void => {
    try {
      decodeMetrics(bytes);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'malformed-message');
    }
  };
  for (let length = 0; length < whole.length; length++) refuses(whole.subarray(0, length));
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
      const bytes = Buffer.from(whole);
      bytes[at] = byte;
      refuses(bytes);
    }),
  );
  fc.assert(fc.property(fc.uint8Array(), bytes => refuses(Buffer.from(bytes))));
});
