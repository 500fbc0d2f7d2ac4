import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { SMALL } from '../../src/module/trial/trial-bounds.ts';
import { TrialChildren } from '../../src/module/trial/trial-children.ts';
import type { RunTrialProcess } from '../../src/module/trial/trial-process.ts';
import { createTrialRunner } from '../../src/module/trial/trial-runner.ts';
import {
  callWith,
  drop,
  growMemory,
  i32,
  load,
  loop,
  parameter,
  unreachable,
  when,
} from '../fixtures/wasm-code.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { childrenOf, TRIAL_CHILD, untilGone } from '../harness/process-tree.ts';
import { systemClock } from '../module/actors.ts';
import { build, input } from '../module/trial/trial-modules.ts';

const good = build({ proxy_on_configure: i32(1) });
const configuredWith = (size: number, ...code: number[][]) => [
  ...parameter(1),
  ...i32(size),
  0x46,
  ...when(...code),
];
const isSet = (at: number) => [...load(at), ...when(unreachable)];
const set = (at: number) => [...i32(at), ...i32(1), 0x36, 2, 0];
const define = { module: 'env', name: 'proxy_define_metric', type: 'i32,i32,i32,i32->i32' };
const [MARK, ID, FIRST_COUNTER] = [2048, 2052, 4];
/** Traps where it finds anything of a run before; what it does then is told by the length of its configuration. */
const moody = build(
  {
    proxy_on_configure: [
      ...isSet(MARK),
      ...set(MARK),
      ...[...callWith(0, 0, MARK, 4, ID), ...drop],
      ...[...load(ID), ...i32(FIRST_COUNTER), 0x47, ...when(unreachable)],
      ...configuredWith(1, unreachable),
      ...configuredWith(2, loop()),
      ...configuredWith(3, i32(0), [0x0f]),
      ...configuredWith(4, growMemory(300), drop),
      ...i32(1),
    ],
    proxy_on_done: [...load(ID), ...i32(FIRST_COUNTER), 0x46],
  },
  { imports: [define] },
);
const [TRAPS, LOOPS, REFUSES, GROWS] = ['1', '22', '333', '4444'];

/** Runs as a nursery has them made. */
function makeChildren(t: TestContext, limitMs = 2_000) {
  const children = new TrialChildren(SMALL, systemClock);
  const runProcess: RunTrialProcess = async ({ sha256, load: read }, order, bounds, signal) => {
    const key = sha256 && `${order.plugin} ${sha256}`;
    const isThere = key !== undefined && children.keys.includes(key);
    const again = isThere && (await children.run({ key, bytes: undefined, order, bounds }, signal));
    const result = again || (await children.run({ key, bytes: await read(), order, bounds }, signal));
    assert.ok(result !== undefined);
    return result;
  };
  const runner = createTrialRunner({ clock: systemClock, limitMs, runProcess });
  stopAfter(t, {
    async stop() {
      await runner.close();
      children.close();
      for (const pid of await list()) await untilGone(pid);
    },
  });
  const list = () => childrenOf(process.pid, TRIAL_CHILD);
  const known = (bytes: Uint8Array) => ({
    sha256: sha256Hex(bytes),
    sizeBytes: bytes.length,
    load: async () => bytes,
  });
  return {
    children,
    list,
    /** A module without a digest. */
    run: async (bytes: Uint8Array) => (await runner.run(bytes, input)).outcome,
    /** One with a digest, which can be known. */
    runKnown: async (bytes: Uint8Array, pluginConfig = '', plugin = input.plugin) =>
      (await runner.run(known(bytes), { ...input, pluginConfig, plugin })).outcome,
  };
}

test('a child that was started ahead serves a run, and none waits after close', async t => {
  const { children, run, list } = makeChildren(t);
  const first = await children.prepare();
  assert.equal(await children.prepare(), first, 'one waits, not two');
  assert.equal(await run(good), 'ok');
  await untilGone(first);
  const second = await children.prepare();
  assert.deepEqual(await list(), [second]);
  children.close();
  await untilGone(second);
  assert.equal(await children.prepare(), undefined);
});

test('what hangs, traps, or takes memory in a child that waited is judged as in a new one', async t => {
  const { children, run } = makeChildren(t, 300);
  const outcome = async (module: Uint8Array) => {
    const waiting = await children.prepare();
    const found = await run(module);
    await untilGone(waiting);
    return found;
  };
  assert.equal(await outcome(build({ _start: loop() })), 'timed-out');
  assert.equal(await outcome(build({ _start: unreachable })), 'trapped');
  assert.equal(await outcome(build({ _start: [0xff] })), 'broken');
  assert.equal(await outcome(build({ proxy_on_configure: i32(0) })), 'refused');
  const grow = [...growMemory(160), ...i32(-1), 0x46, ...when(unreachable)];
  assert.equal(await outcome(build({ proxy_on_configure: [...loop(grow), ...i32(1)] })), 'out-of-memory');
  assert.equal(await outcome(build({}, { memoryPages: 16_384 })), 'ok', 'tried with what Envoy gives');
  assert.equal(await outcome(good), 'ok');
});

test('a child that died while it waited costs no run', async t => {
  const { children, run, runKnown, list } = makeChildren(t);
  const waiting = await children.prepare();
  assert.ok(waiting !== undefined);
  process.kill(waiting, 'SIGKILL');
  assert.equal(await run(good), 'ok');
  assert.equal(await runKnown(good), 'ok');
  for (const pid of await list()) process.kill(pid, 'SIGKILL');
  assert.equal(await runKnown(good), 'ok');
});

test('a run that was given up before it began leaves no child behind', async t => {
  const { children } = makeChildren(t);
  const waiting = await children.prepare();
  const order = { envoyMinor: 40, plugin: 'a', rootId: '', configuration: '', env: [], hostEnv: [], now: 0 };
  const run = { key: undefined, bytes: good, order, bounds: { ...SMALL, limitMs: 2_000 } };
  await assert.rejects(children.run(run, AbortSignal.abort()), { name: 'AbortError' });
  await untilGone(waiting);
});

test('a plugin and its module run in one child over and over, and find nothing of a run before', async t => {
  const { runKnown, list } = makeChildren(t);
  assert.equal(await runKnown(moody), 'ok');
  const pids = await list();
  assert.equal(pids.length, 1);
  for (let i = 0; i < 20; i++) assert.equal(await runKnown(moody, 'x'.repeat(5 + i)), 'ok');
  assert.deepEqual(await list(), pids);
});

test('another plugin, or another module, runs in another child', async t => {
  const { runKnown, list } = makeChildren(t);
  assert.equal(await runKnown(moody), 'ok');
  const [first] = await list();
  assert.equal(await runKnown(moody, '', 'other/it'), 'ok');
  assert.equal((await list()).length, 2);
  // No more than two are kept: the one that was used longest ago goes.
  assert.equal(await runKnown(good), 'ok');
  await untilGone(first);
  assert.equal((await list()).length, 2);
});

test('a run that goes wrong is judged in a new child too, and neither is used again', async t => {
  const { children, runKnown, list } = makeChildren(t, 300);
  for (const [config, outcome] of [
    [TRAPS, 'trapped'],
    [LOOPS, 'timed-out'],
    [REFUSES, 'refused'],
  ] as const) {
    assert.equal(await runKnown(moody), 'ok');
    const [used] = await list();
    assert.equal(await runKnown(moody, config), outcome);
    await untilGone(used);
    assert.deepEqual(children.keys, []);
    assert.equal(await runKnown(moody), 'ok');
  }
});

test('a child whose plugin took much memory is not used again', async t => {
  const { children, runKnown, list } = makeChildren(t);
  assert.equal(await runKnown(moody), 'ok');
  const [used] = await list();
  assert.equal(await runKnown(moody, GROWS), 'ok');
  await untilGone(used);
  assert.deepEqual(children.keys, []);
});
