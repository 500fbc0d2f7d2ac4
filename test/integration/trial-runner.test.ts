import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createTrialRunner, type TrialRunnerOptions } from '../../src/module/trial/trial-runner.ts';
import { buildProxyWasm } from '../fixtures/wasm-builder.ts';
import { callWith, drop, fill, growMemory, i32, loop, unreachable, when } from '../fixtures/wasm-code.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { systemClock } from '../module/actors.ts';
import { build, input, log, proxyLog, TEXT_AT } from '../module/trial/trial-modules.ts';

function makeRunner(t: TestContext, options: Partial<TrialRunnerOptions> = {}) {
  const runner = createTrialRunner({ clock: systemClock, ...options });
  stopAfter(t, { stop: () => runner.close() });
  return runner;
}

const yes = i32(1);
const hello = { imports: [proxyLog], data: { at: TEXT_AT, text: 'hello' } };

test('a plugin runs in a process of its own, and what it says comes back', async t => {
  const runner = makeRunner(t);
  const good = await runner.run(build({ proxy_on_configure: [...log(2, 5), ...yes] }, hello), input);
  assert.deepEqual([good.outcome, good.logs], ['ok', [{ level: 'info', message: 'hello' }]]);
  const bad = await runner.run(build({ proxy_on_configure: [...log(4, 5), ...i32(0)] }, hello), input);
  assert.deepEqual([bad.outcome, bad.logs], ['refused', [{ level: 'error', message: 'hello' }]]);
  assert.equal((await runner.run(build({ _start: unreachable }), input)).outcome, 'trapped');
  assert.equal((await runner.run(build({ _start: [0xff] }), input)).outcome, 'broken');
});

test('a loop is ended at its limit, and what it had said is kept', async t => {
  const runner = makeRunner(t, { limitMs: 300 });
  const result = await runner.run(
    build({ proxy_on_vm_start: [...log(3, 5), ...loop(), ...yes] }, hello),
    input,
  );
  assert.equal(result.outcome, 'timed-out');
  assert.equal(result.reason, 'proxy_on_vm_start did not end within 0.3 s');
  assert.deepEqual(result.logs, [{ level: 'warn', message: 'hello' }]);
});

test('a loop that fills memory cannot be interrupted, and is ended all the same', async t => {
  const runner = makeRunner(t, { limitMs: 300 });
  const codes = {
    proxy_on_configure: [...growMemory(1000), ...drop, ...loop(fill(0, 1, 65_536_000)), ...yes],
  };
  assert.equal((await runner.run(build(codes), input)).outcome, 'timed-out');
});

test('a flood of log lines does not fill our memory', async t => {
  const runner = makeRunner(t, { limitMs: 300 });
  const result = await runner.run(
    build({ proxy_on_configure: [...loop(log(2, 60_000)), ...yes] }, hello),
    input,
  );
  assert.equal(result.outcome, 'timed-out');
  assert.equal(result.logs.length, 50);
  assert.equal(result.hasMoreLogs, true);
});

test('a plugin that takes all memory there is and then fails is out of memory', async t => {
  const grow = [...growMemory(160), ...i32(-1), 0x46, ...when(unreachable)];
  const result = await makeRunner(t).run(build({ proxy_on_configure: [...loop(grow), ...yes] }), input);
  assert.equal(result.outcome, 'out-of-memory');
  assert.match(result.reason, /taken 10\d\d MiB of memory/);
});

test('a plugin that needs more than a small process has is tried with what Envoy gives', async t => {
  const runner = makeRunner(t);
  const gibibyte = build({}, { memoryPages: 16_384 });
  assert.equal((await runner.run(gibibyte, input)).outcome, 'ok');
  const grown = [...growMemory(4000), ...i32(-1), 0x46, ...when(unreachable), ...yes];
  assert.equal((await runner.run(build({ proxy_on_configure: grown }), input)).outcome, 'ok');
  const table = build({}, { tableSize: 10_000_000 });
  assert.equal((await runner.run(table, input)).outcome, 'ok');
});

test('more memory than Envoy gives is not to be had', async t => {
  const result = await makeRunner(t).run(build({}, { memoryPages: 16_385 }), input);
  assert.equal(result.outcome, 'out-of-memory');
});

test('memory and tables that are imported are made for the module', async t => {
  const imports = [{ module: 'env', name: 'memory', memoryPages: 2 }, proxyLog];
  const module = build(
    { proxy_on_configure: [...callWith(0, 2, 131_000, 4), ...drop, ...yes] },
    { imports, memoryPages: 0 },
  );
  const { outcome, logs } = await makeRunner(t).run(module, input);
  assert.deepEqual([outcome, logs.length], ['ok', 1]);
});

test('recursion goes as deep as in Envoy, and without end traps', async t => {
  const runner = makeRunner(t);
  // f(n) = n == 0 ? 1 : f(n - 1), once as deep as asked.
  const recurse = [0x20, 0, 0x45, 0x04, 0x7f, ...yes, 0x05, 0x20, 0, ...i32(-1), 0x6a, 0x10, 2, 0x0b];
  const module = (depth: number) =>
    buildProxyWasm({
      exports: [
        { name: 'f', type: 'i32->i32', code: recurse },
        { name: 'proxy_on_configure', type: 'i32,i32->i32', code: callWith(2, depth) },
      ],
    });
  assert.equal((await runner.run(module(30_000), input)).outcome, 'ok');
  const { outcome, reason } = await runner.run(module(-1), input);
  assert.equal(outcome, 'trapped');
  assert.match(reason, /call stack/);
});

test('the configuration and the environment are those of the plugin', async t => {
  const sizes = { module: 'wasi_snapshot_preview1', name: 'environ_sizes_get', type: 'i32,i32->i32' };
  const read = { module: 'env', name: 'proxy_get_buffer_bytes', type: 'i32,i32,i32,i32,i32->i32' };
  const code = [
    ...[...callWith(1, 64, 68), ...drop, ...callWith(2, 7, 0, 100, 72, 76), ...drop],
    // Logs the configuration, wherever it is.
    ...[...i32(2), ...i32(72), 0x28, 2, 0, ...i32(76), 0x28, 2, 0, 0x10, 0, ...drop],
    // One variable; that of the host is not there.
    ...[...i32(64), 0x28, 2, 0, ...i32(1), 0x46],
  ];
  const module = build({ proxy_on_configure: code }, { imports: [proxyLog, sizes, read] });
  const env = [
    { name: 'A', value: 'b' },
    { name: 'HOME', valueFrom: 'HOST' as const },
  ];
  const result = await makeRunner(t).run(module, { ...input, pluginConfig: '{"a":"ü"}', env });
  assert.deepEqual([result.outcome, result.logs[0]?.message], ['ok', '{"a":"ü"}']);
  assert.deepEqual(result.wanted.hostEnv, ['HOME']);
});

test('two run at once, the others wait, and one more than may wait is not run', async t => {
  const runner = makeRunner(t, { limitMs: 200, waiting: 1 });
  const slow = build({ _start: loop() });
  const results = await Promise.all([1, 2, 3, 4].map(() => runner.run(slow, input)));
  assert.deepEqual(
    results.map(({ outcome }) => outcome),
    ['timed-out', 'timed-out', 'timed-out', 'not-run'],
  );
  assert.match(results[3]?.reason ?? '', /wait/);
});

test('close ends what runs and what waits; a signal ends its own run alone', async t => {
  const runner = makeRunner(t);
  const slow = build({ _start: loop() });
  const giveUp = new AbortController();
  const given = runner.run(slow, input, giveUp.signal);
  const others = Promise.allSettled([1, 2].map(() => runner.run(slow, input)));
  giveUp.abort(new Error('given up'));
  await assert.rejects(given, /given up/);
  await runner.close();
  for (const other of await others)
    assert.equal(other.status === 'rejected' && other.reason.name, 'AbortError');
  await assert.rejects(runner.run(slow, input), { name: 'AbortError' });
});
