import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin, listPlugins } from '../../plugins/build.ts';
import { checkModule } from '../../src/module/check-module.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { createTrialRunner, type TrialInput } from '../../src/module/trial/trial-runner.ts';
import { THIRD_PARTY_ROOT_ID, thirdPartyModule } from '../harness/fixture-modules.ts';
import { systemClock } from '../module/actors.ts';
import { input } from '../module/trial/trial-modules.ts';

const runner = createTrialRunner({ clock: systemClock });
const run = (bytes: Uint8Array, more: Partial<TrialInput> = {}) => runner.run(bytes, { ...input, ...more });

/** Where none makes a plugin slow, or is not enough. */
const CONFIGURATIONS: Readonly<Record<string, string>> = {
  'basic-auth': '{"users":{"alice":"secret"}}',
  'faulty/slow-to-load': '{"seconds":"0"}',
};

for (const name of await listPlugins())
  test(`${name} starts in a trial run, unless the check of its bytes refuses it`, async () => {
    const { bytes } = await buildPlugin(name);
    try {
      checkModule(bytes, []);
    } catch (error) {
      assert.ok(error instanceof ModuleError, String(error));
      return;
    }
    const { outcome, reason } = await run(bytes, { pluginConfig: CONFIGURATIONS[name] ?? '' });
    assert.deepEqual([outcome, reason], ['ok', '']);
  });

test('refuses-config passes: it looks at the node, which is said', async () => {
  const { bytes } = await buildPlugin('faulty/refuses-config');
  const { outcome, unknowable, wanted } = await run(bytes);
  assert.equal(outcome, 'ok');
  assert.deepEqual(wanted.properties, ['xds.node.id']);
  assert.deepEqual(unknowable, ['property xds.node.id is known to the node alone']);
});

test('a configuration that a plugin refuses is refused with its own words', async () => {
  const { bytes } = await buildPlugin('add-header');
  const { outcome, logs } = await run(bytes, { pluginConfig: '{"value":5}' });
  assert.equal(outcome, 'refused');
  assert.deepEqual(logs, [{ level: 'error', message: 'value: expected a string, got number' }]);
  const refuses = await run((await buildPlugin('faulty/refuses-config-by-value')).bytes, {
    pluginConfig: '{"refuse":true}',
  });
  assert.deepEqual([refuses.outcome, refuses.logs[0]?.message], ['refused', 'refuse: is true']);
});

test('the plugin not written by us runs under its root id, and traps under another', async () => {
  const { bytes } = await thirdPartyModule();
  const good = await run(bytes, { pluginName: THIRD_PARTY_ROOT_ID, pluginConfig: 'x' });
  assert.equal(good.outcome, 'ok');
  const bad = await run(bytes, { pluginName: 'other' });
  assert.equal(bad.outcome, 'trapped');
  assert.match(bad.logs.at(-1)?.message ?? '', /Missing root context factory for root id: other/);
});

test('metrics and shared data that a plugin asks for are told', async () => {
  const stamp = await run((await buildPlugin('stamp')).bytes);
  assert.deepEqual(stamp.wanted.metrics, ['stamp_requests']);
  const workerOnly = await run((await buildPlugin('faulty/worker-only')).bytes);
  assert.equal(workerOnly.outcome, 'ok');
  assert.match(workerOnly.unknowable[0] ?? '', /shared data "starts"/);
});
