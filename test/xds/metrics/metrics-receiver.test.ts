import assert from 'node:assert/strict';
import { test } from 'node:test';
import { windowOf } from '../../../src/model/metric-window.ts';
import { reloadsSince } from '../../../src/model/node-health.ts';
import type { NodeMetrics } from '../../../src/model/node-metrics.ts';
import { LiveTable } from '../../../src/store/live-table.ts';
import { ANY_NODE } from '../../../src/xds/identity/node-right.ts';
import { createMetricsReceiver } from '../../../src/xds/metrics/metrics-receiver.ts';
import { FakeClock } from '../model/fake-clock.ts';
import { encodeMetrics, type Family, type Message } from './metrics-writer.ts';

/** A receiver, and the processes of the nodes that it may ask for. */
function setUp(processes: Record<string, string | null> = { 'edge-1': 'p1' }, began: { at?: number } = {}) {
  const clock = new FakeClock();
  const metrics = new LiveTable<NodeMetrics>();
  const flushes: string[] = [];
  const receiver = createMetricsReceiver({
    metrics,
    clock,
    owners: {
      processOf: nodeId => processes[nodeId],
      beganAt: () => began.at,
      onFlush: (nodeId, peer, { vmCreated }) => flushes.push(`${nodeId} ${peer} ${vmCreated}`),
    },
  });
  return { clock, metrics, receiver, processes, flushes };
}

const message = (at: number, families: readonly Family[], node?: string): Buffer =>
  encodeMetrics({ at, families, ...(node === undefined ? {} : { node }) } satisfies Message);
const answered = (count: number): Family => ({ name: 'http.in.downstream_rq_2xx', counter: count });
const took = (count: number): Family => ({ name: 'http.in.downstream_rq_time', histogram: [[1, count]] });

test('the first message names the node, each makes a sample, and latencies add up', () => {
  const { clock, metrics, receiver, flushes } = setUp();
  const stream = receiver.open('peer', ANY_NODE);
  stream.onMessage(message(1, [answered(3), took(3)], 'edge-1'));
  clock.run(5000);
  stream.onMessage(message(2, [answered(5), took(2)]));
  const { process, samples } = metrics.get('edge-1') ?? assert.fail();
  assert.equal(process, 'p1');
  assert.deepEqual(
    samples.map(({ at, byClass, latency }) => [at - (samples[0]?.at ?? 0), byClass[1], latency[1]]),
    [
      [0, 3, 3],
      [5000, 5, 5],
    ],
  );
  assert.deepEqual(flushes, ['edge-1 peer null', 'edge-1 peer null']);
});

test('a stream that breaks goes on where it was; a new process begins anew', () => {
  const { clock, metrics, receiver, processes } = setUp();
  receiver.open('a', ANY_NODE).onMessage(message(1, [took(3)], 'edge-1'));
  clock.run(5000);
  receiver.open('b', ANY_NODE).onMessage(message(2, [took(4)], 'edge-1'));
  assert.equal(metrics.get('edge-1')?.samples.at(-1)?.latency[1], 7);
  processes['edge-1'] = 'p2';
  receiver.open('c', ANY_NODE).onMessage(message(3, [took(1)], 'edge-1'));
  const { samples, process } = metrics.get('edge-1') ?? assert.fail();
  assert.deepEqual([process, samples.length, samples[0]?.latency[1]], ['p2', 1, 1]);
});

const crashed = (count: number): Family => ({
  name: 'wasm.default/auth.vm_reload_success',
  counter: count,
});

test('a crash before the first flush of a new process is one; requests before it are of the past', () => {
  const began: { at?: number } = {};
  const { clock, metrics, receiver } = setUp(undefined, began);
  began.at = clock.now();
  const movedAt = clock.now() + 10;
  clock.run(5000);
  const stream = receiver.open('peer', ANY_NODE);
  stream.onMessage(message(1, [answered(300), crashed(1)], 'edge-1'));
  clock.run(5000);
  stream.onMessage(message(2, [answered(304), crashed(1)]));
  const known = metrics.get('edge-1');
  assert.equal(reloadsSince(known, 'default/auth', movedAt), 1);
  assert.equal(windowOf(known, 0, clock.now())?.requests, 4);
});

test('crashes from before our own start are of the past', () => {
  const { clock, metrics, receiver } = setUp();
  const stream = receiver.open('peer', ANY_NODE);
  stream.onMessage(message(1, [crashed(1)], 'edge-1'));
  clock.run(5000);
  stream.onMessage(message(2, [crashed(1)]));
  assert.equal(reloadsSince(metrics.get('edge-1'), 'default/auth', 0), 0);
});

test('a node that nobody knows leaves nothing, until it is known', () => {
  const { metrics, receiver, processes } = setUp({});
  const stream = receiver.open('peer', ANY_NODE);
  stream.onMessage(message(1, [answered(1)], 'edge-9'));
  assert.equal(metrics.get('edge-9'), undefined);
  processes['edge-9'] = null;
  stream.onMessage(message(2, [answered(2)]));
  assert.equal(metrics.get('edge-9')?.samples.length, 1);
});

test('a stream that names no node ends with its code', () => {
  const { receiver } = setUp();
  assert.throws(() => receiver.open('peer', ANY_NODE).onMessage(message(1, [answered(1)])), {
    code: 'node-id-missing',
  });
  assert.throws(() => receiver.open('peer', ANY_NODE).onMessage(Buffer.from('ffff', 'hex')), {
    code: 'malformed-message',
  });
});

test('a flush in pieces is one sample, and proves nothing', () => {
  const { metrics, receiver, flushes, clock } = setUp();
  const stream = receiver.open('peer', ANY_NODE);
  stream.onMessage(message(1, [answered(3)], 'edge-1'));
  stream.onMessage(message(1, [took(3)]));
  stream.onMessage(message(1, [{ name: 'cluster.up.upstream_rq_2xx', counter: 3 }]));
  const { samples } = metrics.get('edge-1') ?? assert.fail();
  assert.deepEqual([samples.length, samples[0]?.byClass[1], samples[0]?.latency[1]], [1, 3, 3]);
  clock.run(5000);
  stream.onMessage(message(2, [answered(4)]));
  stream.onMessage(message(2, [took(1)]));
  assert.equal(metrics.get('edge-1')?.samples.length, 2);
  assert.equal(metrics.get('edge-1')?.samples.at(-1)?.latency[1], 4);
  assert.equal(flushes.length, 1);
});

test('a node that is silent for a quarter of an hour leaves no samples, and neither does one that is forgotten', () => {
  const { clock, metrics, receiver, processes } = setUp();
  processes['edge-2'] = 'p2';
  receiver.open('peer', ANY_NODE).onMessage(message(1, [answered(1)], 'edge-1'));
  receiver.open('peer', ANY_NODE).onMessage(message(1, [answered(1)], 'edge-2'));
  receiver.forget('edge-2');
  assert.equal(metrics.get('edge-2'), undefined);
  clock.run(15 * 60_000);
  assert.ok(metrics.get('edge-1'));
  clock.run(3 * 60_000);
  assert.equal(metrics.get('edge-1'), undefined);
  receiver.stop();
});
