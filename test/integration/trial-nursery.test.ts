import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import type { Clock } from '../../src/model/ports.ts';
import { createTrialNursery } from '../../src/module/trial/trial-nursery.ts';
import { createTrialRunner } from '../../src/module/trial/trial-runner.ts';
import { i32 } from '../fixtures/wasm-code.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { childrenOf, TRIAL_CHILD, untilGone } from '../harness/process-tree.ts';
import { until } from '../harness/wait.ts';
import { systemClock } from '../module/actors.ts';
import { build, input } from '../module/trial/trial-modules.ts';

const good = build({ proxy_on_configure: i32(1) });

/** A nursery, and what of it runs: the pid of its process, and that of the child which waits there. */
function makeNursery(t: TestContext) {
  let busyShare = 1;
  const readBusyShare = () => busyShare;
  const keepMs = 1_000_000;
  let noLonger = () => {};
  const clock: Clock = {
    ...systemClock,
    after(delayMs, callback) {
      if (delayMs === keepMs) noLonger = callback;
      return systemClock.after(delayMs, callback);
    },
  };
  const nursery = createTrialNursery({ clock, readBusyShare, keepMs });
  const runner = createTrialRunner({ clock: systemClock, runProcess: nursery.run });
  let loads = 0;
  const known = {
    sha256: sha256Hex(good),
    sizeBytes: good.length,
    async load() {
      loads++;
      return good;
    },
  };
  const close = async () => {
    await runner.close();
    await nursery.close();
  };
  stopAfter(t, { stop: close });
  const find = async () => {
    const [process_] = await childrenOf(process.pid, 'nursery-entry');
    const [waiting] = process_ === undefined ? [] : await childrenOf(process_, TRIAL_CHILD);
    return { process: process_, waiting };
  };
  return {
    close,
    find,
    /** The time is over for which it is kept. */
    letGo: () => noLonger(),
    beIdle: () => {
      busyShare = 0;
    },
    run: async () => (await runner.run(good, input)).outcome,
    runKnown: Object.assign(async () => (await runner.run(known, input)).outcome, { loads: () => loads }),
    untilWaits: () =>
      until(
        async () => {
          const { process: pid, waiting } = await find();
          return pid === undefined || waiting === undefined ? undefined : { process: pid, waiting };
        },
        { what: 'a child that waits' },
      ),
  };
}

test('a nursery is started when the first run is through and the server idle, and readies a child for each next run', async t => {
  const { run, find, beIdle, untilWaits, close } = makeNursery(t);
  assert.equal(await run(), 'ok');
  assert.equal(await run(), 'ok');
  assert.deepEqual(await find(), { process: undefined, waiting: undefined });
  beIdle();
  const first = await untilWaits();
  assert.equal(await run(), 'ok');
  await untilGone(first.waiting);
  const second = await untilWaits();
  assert.equal(second.process, first.process);
  assert.notEqual(second.waiting, first.waiting);
  await close();
  await untilGone(second.process);
  await untilGone(second.waiting);
});

test('further runs of a plugin and module start no process, and its bytes are not asked for again', async t => {
  const { run, runKnown, find, beIdle, untilWaits } = makeNursery(t);
  beIdle();
  await run();
  const first = await untilWaits();
  assert.equal(await runKnown(), 'ok');
  const all = async () => childrenOf(first.process, TRIAL_CHILD);
  await until(async () => (await all()).length === 2, { what: 'the next one to wait' });
  const pids = await all();
  for (let i = 0; i < 10; i++) assert.equal(await runKnown(), 'ok');
  assert.deepEqual(await all(), pids);
  assert.ok(pids.includes(first.waiting), 'it runs where it ran first');
  assert.equal((await find()).process, first.process);
  assert.equal(runKnown.loads(), 1);
});

test('a nursery that dies costs no run, and is replaced', async t => {
  const { run, beIdle, untilWaits } = makeNursery(t);
  beIdle();
  await run();
  const first = await untilWaits();
  process.kill(first.process, 'SIGKILL');
  assert.equal(await run(), 'ok');
  // What waited there has nobody left that could send it an order.
  await untilGone(first.waiting);
  assert.notEqual((await untilWaits()).process, first.process);
});

test('a nursery that nobody needs any more ends', async t => {
  const { run, find, beIdle, untilWaits, letGo } = makeNursery(t);
  beIdle();
  await run();
  const { process: pid, waiting } = await untilWaits();
  letGo();
  await untilGone(pid);
  await untilGone(waiting);
  assert.deepEqual(await find(), { process: undefined, waiting: undefined });
  assert.equal(await run(), 'ok');
});
