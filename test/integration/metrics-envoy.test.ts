/** What real Envoys push of their stats, and what the receiver makes of it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { toLeanStats } from '../../src/cli/bootstrap-parts.ts';
import type { MetricSample } from '../../src/model/node-metrics.ts';
import { SLOT } from '../e2e/traps/raw-serving.ts';
import { CountedSlot } from '../e2e/traps/vm-counts.ts';
import { E2E_VERSIONS } from '../harness/envoy-binary.ts';
import { probe } from '../harness/probe.ts';
import { startRawScene } from '../harness/raw-scene.ts';
import { until } from '../harness/wait.ts';

const LEAN = { stats_config: toLeanStats() };

for (const version of E2E_VERSIONS)
  for (const [what, extra] of [
    ['all its stats', {}],
    ['what --lean-stats lets through', LEAN],
  ] as const)
    test(`Envoy ${version} pushes ${what}: all that is read of it is there`, t =>
      readsAll(t, version, extra));

async function readsAll(t: TestContext, version: string, extra: object): Promise<void> {
  const scene = await startRawScene(t, { version, concurrency: 2, bootstrapExtra: extra });
  const slot = new CountedSlot(scene, version);
  const port = await slot.serve();
  const stamp = { name: 'default/stamp', module: await buildPlugin('stamp'), configuration: { stamp: 'x' } };
  const trapping = { name: 'default/traps', module: await buildPlugin('faulty/traps-on-request') };
  await slot.put(stamp);
  for (let i = 0; i < 20; i++) assert.equal((await probe(port)).status, 200);
  const newest = (): MetricSample | undefined => scene.sink.samplesOf('raw').at(-1);
  const counted = (sample: MetricSample | undefined): number =>
    sample?.latency.reduce((sum, count) => sum + count, 0) ?? 0;

  await scene.sink.nextFlush();
  const { memoryBytes, listeners, ...first } = newest() ?? assert.fail();
  assert.deepEqual(
    { ...first, at: 0, latency: counted(newest()), ecds: Object.keys(first.ecds) },
    {
      at: 0,
      byClass: [0, 20, 0, 0, 0],
      latency: 20,
      vmCreated: 5,
      vmActive: 4,
      workers: 2,
      reloads: {},
      ecds: [SLOT],
      custom: { stamp_requests: 20 },
    },
  );
  assert.deepEqual(Object.keys(listeners), ['127.0.0.1_0'], 'by its address, and no thread or admin page');
  assert.equal(listeners['127.0.0.1_0']?.opened, 20);
  assert.ok((memoryBytes ?? 0) > 1_000_000);
  assert.equal(scene.sink.flushes.at(-1)?.requestsActive, 0);
  assert.equal(scene.sink.flushes.at(-1)?.hotRestartEpoch, 0);
  assert.notEqual(scene.sink.flushes.at(-1)?.connections, null);

  // Histograms come per interval: without requests nothing is added.
  await scene.sink.nextFlush();
  assert.equal(counted(newest()), 20);

  await slot.put(trapping);
  for (let i = 0; i < 10; i++) assert.equal((await probe(port)).status, 503);
  await until(() => (newest()?.reloads['default/traps'] ?? 0) > 0, { what: 'crashes to be counted' });
  // A flush may come between the requests.
  await until(() => newest()?.byClass[4] === 10, { what: 'all answers to be counted' });
  assert.equal(counted(newest()), 30);
  assert.ok((newest()?.ecds[SLOT]?.fail ?? 0) > 0, 'a miss counts as a failure');

  // With the last VM the counts go.
  await slot.put();
  await until(() => newest()?.vmActive === 0 || newest()?.vmActive === null, { what: 'the VMs to go' });
}
