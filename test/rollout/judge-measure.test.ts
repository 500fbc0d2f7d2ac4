import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeMetrics, repeat } from '../model/metric-records.ts';
import { control, FLUSH, GOOD, gate, MOVED_AT, node, reportOf, watchSoak } from './judge-facts.ts';

test('latency: the 99th percentile against an absolute and a relative limit', () => {
  const slow = { ok: 100, latency: [0, 0, 0, 0, 0, 0, 100] };
  const absolute = { kind: 'latency-p99', max: '50ms', maxIncrease: undefined };
  const { last } = watchSoak(repeat(slow, 20), { rollout: gate(absolute) });
  assert.equal(last.fail?.text, 'canary 100 ms, control 0 ms, 600 requests; limit 50 ms');
  const relative = watchSoak(repeat(slow, 20), {
    others: [control(slow)],
    rollout: gate({ kind: 'latency-p99' }),
  });
  assert.deepEqual(relative.verdicts, ['pass', 'pass', 'pass']);
});

test('latency without others is compared with the samples that remain from before the move', () => {
  const slow = { ok: 100, latency: [0, 0, 0, 0, 0, 0, 100] };
  const over = { others: [], rollout: gate({ kind: 'latency-p99', maxIncrease: '20%' }) };
  assert.match(
    watchSoak(repeat(slow, 20), over).last.fail?.text ?? '',
    /^canary 100 ms, before 0 ms, 600 requests/,
  );
  const metrics = makeMetrics(MOVED_AT, FLUSH, repeat(slow, 20));
  const none = watchSoak([], { ...over, moved: [node('edge-1', [], { metrics })] });
  assert.equal(none.last.pause?.reason, 'Inconclusive');
});

test("a plugin's counter is judged per request", () => {
  const rollout = gate({ kind: 'metric', metric: 'auth_denied', max: '5%' });
  const { last } = watchSoak(repeat({ ok: 100, denied: 9 }, 20), { rollout });
  assert.equal(last.fail?.text, 'canary 9 %, control 0 %, 600 requests; limit 5 % or 2 % above the others');
  const under = gate({ kind: 'metric', metric: 'auth_denied', max: '10%', maxIncrease: undefined });
  assert.deepEqual(watchSoak(repeat({ ok: 100, denied: 9 }, 20), { rollout: under }).verdicts, [
    'pass',
    'pass',
    'pass',
  ]);
});

test('a counter that no moved node ever sent is an error', () => {
  const rollout = gate({ kind: 'metric', metric: 'auth_dneied', max: '5%' });
  const { last } = watchSoak(repeat(GOOD, 20), { rollout });
  assert.equal(reportOf(last, 'mine').text, 'no moved node ever sent a metric auth_dneied');
  assert.equal(last.pause?.reason, 'MetricErrors');
});

test('memory is judged in the bake only, node by node', () => {
  const MiB = 1024 ** 2;
  const lean = repeat({ memoryBytes: 100 * MiB }, 30);
  const metrics = (bytes: number) =>
    makeMetrics(0, FLUSH, [...lean.slice(0, 12), ...repeat({ memoryBytes: bytes }, 20)]);
  const moved = [
    node('edge-1', [], { metrics: metrics(110 * MiB) }),
    node('edge-2', [], { metrics: metrics(130 * MiB) }),
  ];
  const rollout = gate({ kind: 'memory', maxIncrease: '20%' });
  assert.deepEqual(watchSoak([], { moved, rollout }).verdicts, []);
  const { last } = watchSoak([], { moved, rollout, baking: true });
  assert.equal(last.fail?.text, 'canary 130 MiB, before 100 MiB; limit 20 % above the others');
  assert.deepEqual(last.fail?.failing, ['edge-2']);
  const roomy = watchSoak([], {
    moved,
    rollout: gate({ kind: 'memory', max: '200MiB', maxIncrease: undefined }),
    baking: true,
  });
  assert.deepEqual(roomy.verdicts, ['pass', 'pass', 'pass']);
});

test('many nodes that are a little worse: the failure names none of them, and counts all', () => {
  const moved = ['a', 'b', 'c'].map(id => node(id, repeat({ ok: 7, bad: 1 }, 20), { at: MOVED_AT }));
  const { last } = watchSoak([], {
    moved,
    totalMs: 30_000,
    others: [control({ ok: 100 })],
    rollout: gate({ minRequests: 20 }),
  });
  assert.equal(last.fail?.count, 3);
  const one = watchSoak([], {
    moved: [...moved, node('d', repeat(GOOD, 20))],
    rollout: gate({ failures: 0 }),
  });
  assert.deepEqual(one.last.fail?.failing, ['a', 'b', 'c']);
});
