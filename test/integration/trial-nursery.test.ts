import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import type { Clock } from '../../src/model/ports.ts';
import { SpareChild } from '../../src/module/trial/spare-child.ts';
import { SMALL, toLimitMs } from '../../src/module/trial/trial-bounds.ts';
import { createTrialNursery } from '../../src/module/trial/trial-nursery.ts';
import type { RunTrialProcess } from '../../src/module/trial/trial-process.ts';
import { createTrialRunner } from '../../src/module/trial/trial-runner.ts';
import { growMemory, i32, loop, unreachable, when } from '../fixtures/wasm-code.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { systemClock } from '../module/actors.ts';
import { build, input } from '../module/trial/trial-modules.ts';

const good = build({ proxy_on_configure: i32(1) });

/** A runner whose runs begin in a child that waits for them. */
function makeSpares(t: TestContext, limitMs = 2_000) {
  const spare = new SpareChild(SMALL, systemClock);
  const used: (number | undefined)[] = [];
  const runProcess: RunTrialProcess = async (...run) => {
    used.push(await spare.prepare());
    return spare.run(...run);
  };
  const runner = createTrialRunner({ clock: systemClock, limitMs, runProcess });
  stopAfter(t, {
    async stop() {
      await runner.close();
      spare.close();
    },
  });
  return { spare, runner, used };
}

test('a child that was started ahead serves one run, and none waits after close', async t => {
  const { spare, runner, used } = makeSpares(t);
  assert.equal((await runner.run(good, input)).outcome, 'ok');
  assert.equal((await runner.run(good, input)).outcome, 'ok');
  assert.equal(new Set(used).size, 2);
  const waiting = await spare.prepare();
  assert.ok(waiting !== undefined && isAlive(waiting));
  assert.equal(await spare.prepare(), waiting, 'one waits, not two');
  spare.close();
  for (const pid of [...used, waiting]) await untilGone(pid);
  assert.equal(await spare.prepare(), undefined);
});

test('what hangs, traps, or takes memory in a child that waited is judged as in a new one', async t => {
  const { runner, used } = makeSpares(t, 300);
  const outcome = async (module: Uint8Array) => (await runner.run(module, input)).outcome;
  assert.equal(await outcome(build({ _start: loop() })), 'timed-out');
  assert.equal(await outcome(build({ _start: unreachable })), 'trapped');
  assert.equal(await outcome(build({ _start: [0xff] })), 'broken');
  assert.equal(await outcome(build({ proxy_on_configure: i32(0) })), 'refused');
  const grow = [...growMemory(160), ...i32(-1), 0x46, ...when(unreachable)];
  assert.equal(await outcome(build({ proxy_on_configure: [...loop(grow), ...i32(1)] })), 'out-of-memory');
  assert.equal(await outcome(build({}, { memoryPages: 16_384 })), 'ok', 'tried with what Envoy gives');
  assert.equal(await outcome(good), 'ok');
  for (const pid of used.slice(0, -1)) await untilGone(pid);
});

test('a child that died while it waited costs no run', async t => {
  const { spare, runner } = makeSpares(t);
  const waiting = await spare.prepare();
  assert.ok(waiting !== undefined);
  process.kill(waiting, 'SIGKILL');
  assert.equal((await runner.run(good, input)).outcome, 'ok');
});

test('a run that was given up before it began leaves no child behind', async t => {
  const { spare } = makeSpares(t);
  const waiting = await spare.prepare();
  const bounds = { ...SMALL, limitMs: toLimitMs(good.length) };
  const order = { envoyMinor: 40, plugin: 'a', rootId: '', configuration: '', env: [], hostEnv: [], now: 0 };
  await assert.rejects(spare.run(good, order, bounds, AbortSignal.abort()), { name: 'AbortError' });
  await untilGone(waiting);
});

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
  const close = async () => {
    await runner.close();
    await nursery.close();
  };
  stopAfter(t, { stop: close });
  const find = async () => {
    const [process_] = await childrenOf(process.pid, 'nursery-entry');
    const [waiting] = process_ === undefined ? [] : await childrenOf(process_);
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

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilGone(pid: number | undefined): Promise<void> {
  assert.ok(pid !== undefined);
  await until(() => !isAlive(pid), { what: `the end of process ${pid}` });
}

async function childrenOf(parent: number, named = ''): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args=']);
  return stdout
    .split('\n')
    .map(line => /^\s*(\d+)\s+(\d+)\s+(.*)/.exec(line) ?? [])
    .filter(([, , ppid, args = '']) => Number(ppid) === parent && args.includes(named))
    .map(([, pid]) => Number(pid));
}
