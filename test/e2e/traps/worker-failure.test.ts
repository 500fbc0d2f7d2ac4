import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { E2E_VERSIONS } from '../../harness/envoy-binary.ts';
import { withSeed } from '../../harness/fixture-modules.ts';
import { probe } from '../../harness/probe.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { CountedSlot } from './vm-counts.ts';

const WORKERS = 2;
const WHOLE = { created: WORKERS + 3, active: WORKERS + 2 };

/** A module under a digest that no Envoy has seen. */
async function fresh(name: string, seed: string) {
  return withSeed((await buildPlugin(name)).bytes, seed);
}

for (const version of E2E_VERSIONS) {
  test(`trap: a plugin that starts on no worker is ACKed, and requests pass without it, on Envoy ${version}`, t =>
    passesWithoutIt(t, version));
  test(`trap: VMs that do not start are created all the same, only fewer are alive, on Envoy ${version}`, t =>
    countsTell(t, version));
}

async function passesWithoutIt(t: TestContext, version: string): Promise<void> {
  const slot = new CountedSlot(await startRawScene(t, { version, concurrency: WORKERS }), version);
  const port = await slot.serve();
  for (const failurePolicy of ['FAIL_CLOSED', 'FAIL_RELOAD', 'FAIL_OPEN'] as const) {
    const module = await fresh('faulty/worker-only', failurePolicy);
    await slot.put({ name: 'default/a', module, failurePolicy });
    for (let i = 0; i < 10; i++) {
      const answer = await probe(port);
      assert.deepEqual([answer.status, answer.headers['x-worker-only']], [200, undefined], failurePolicy);
    }
    await slot.put();
  }
}

async function countsTell(t: TestContext, version: string): Promise<void> {
  const slot = new CountedSlot(await startRawScene(t, { version, concurrency: WORKERS }), version);
  await slot.serve();
  const stamps = [await fresh('stamp', 'one'), await fresh('stamp', 'two')] as const;
  const fails = [await fresh('faulty/worker-only', 'one'), await fresh('faulty/worker-only', 'two')] as const;
  const stamp = (module: (typeof stamps)[0], text: string) => ({
    name: 'default/a',
    module,
    configuration: { stamp: text },
  });
  const step = async (what: string, expected: object): Promise<void> =>
    assert.deepEqual(await slot.moved(), expected, what);

  await slot.put(stamp(stamps[0], 'x'));
  await step('the first plugin', WHOLE);
  await slot.put(stamp(stamps[0], 'y'));
  await step('another configuration', { created: 1, active: 0 });
  await slot.put(stamp(stamps[0], 'y'));
  await step('only another tag', { created: 0, active: 0 });
  await slot.put(stamp(stamps[1], 'y'));
  await step('another module', { created: WHOLE.created, active: 0 });

  await slot.put({ name: 'default/a', module: fails[0] });
  await step('a module that starts on no thread after the trial', {
    created: WHOLE.created,
    active: 1 - WHOLE.active,
  });
  await slot.put(stamp(stamps[0], 'x'));
  await step('a good one again', { created: WHOLE.created, active: WHOLE.active - 1 });
  await slot.put({ name: 'default/a', module: fails[1], configuration: { from: 99 } });
  await step('a module that starts everywhere', { created: WHOLE.created, active: 0 });
  await slot.put({ name: 'default/a', module: fails[1], configuration: { from: 6 } });
  await step('and not with another configuration', { created: 1, active: 1 - WHOLE.active });
}

for (const version of E2E_VERSIONS)
  test(`trap: a worker that is busy with a start holds back every flush, on Envoy ${version}`, async t => {
    const scene = await startRawScene(t, { version, concurrency: WORKERS });
    const slot = new CountedSlot(scene, version);
    await slot.serve();
    const module = await fresh('faulty/slow-configure', version);
    const configured = (from: number) => ({
      name: 'default/a',
      module,
      configuration: { ms: 3_000, from },
    });
    const startsPerRound = WORKERS + 2;
    await slot.put(configured(99));
    // The last start of a round is slow; where that is the main thread's, the ACK is, and tells nothing.
    for (let round = 2; ; round++) {
      const began = Date.now();
      await slot.put(configured(startsPerRound * round));
      const ackedMs = Date.now() - began;
      await scene.sink.nextFlush();
      if (ackedMs >= 2_000 && round < 9) continue;
      assert.ok(ackedMs < 2_000, 'the main thread was slow each time');
      assert.ok(Date.now() - began >= 3_000, 'two flushes came while a worker was busy');
      return;
    }
  });
