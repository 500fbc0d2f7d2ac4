import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PluginSpec } from '../../../src/model/plugin-spec.ts';
import { ModuleError } from '../../../src/module/module-error.ts';
import { judgeTrial } from '../../../src/module/trial/judge-trial.ts';
import { type TrialResult, toNotRun } from '../../../src/module/trial/trial-result.ts';
import { toTrialInput } from '../../../src/module/trial/try-plugin.ts';

const result = (more: Partial<TrialResult>): TrialResult => ({ ...toNotRun(''), tookMs: 4, ...more });

function errorOf(more: Partial<TrialResult>): ModuleError {
  try {
    judgeTrial(result(more));
  } catch (error) {
    assert.ok(error instanceof ModuleError, String(error));
    assert.ok(error.hint);
    return error;
  }
  return assert.fail('nothing was thrown');
}

test('a plugin that starts gives facts', () => {
  assert.deepEqual(judgeTrial(result({ outcome: 'ok' })), { outcome: 'ok', tookMs: 4, unknowable: [] });
  assert.equal(judgeTrial(result({ outcome: 'ok', leaving: 'it traps' })).leaving, 'it traps');
});

test('a plugin that says no after it asked a node is let through, with all that is known', () => {
  const logs = [{ level: 'error' as const, message: 'no such file' }];
  assert.deepEqual(judgeTrial(result({ outcome: 'unsure', reason: 'why', logs, unknowable: ['env A'] })), {
    outcome: 'unsure',
    reason: 'why',
    logs: ['no such file'],
    tookMs: 4,
    unknowable: ['env A'],
  });
});

const codes = [
  ['broken', 'broken-wasm', false],
  ['refused', 'trial-refused', false],
  ['trapped', 'trial-trapped', false],
  ['timed-out', 'trial-timeout', false],
  ['out-of-memory', 'trial-memory', false],
  ['not-run', 'trial-not-run', true],
] as const;
for (const [outcome, code, transient] of codes)
  test(`${outcome} is ${code}, and ${transient ? 'passes' : 'stays'}`, () => {
    const error = errorOf({ outcome });
    assert.deepEqual([error.code, error.transient], [code, transient]);
  });

test('a refusal holds the words of the plugin, and points at its configuration', () => {
  const error = errorOf({
    outcome: 'refused',
    logs: [
      { level: 'info', message: 'starting' },
      { level: 'error', message: 'realm: expected a string, got number' },
    ],
  });
  assert.equal(
    error.message,
    'the plugin refuses this configuration: "realm: expected a string, got number"',
  );
  assert.deepEqual(
    error.faults.map(({ pointer }) => pointer),
    ['/spec/pluginConfig'],
  );
});

test('without warnings and errors the last words are told', () => {
  const logs = ['one', 'two', 'three', 'four'].map(message => ({ level: 'info' as const, message }));
  assert.match(errorOf({ outcome: 'refused', logs }).message, /: "two", "three", "four"$/);
});

const spec: PluginSpec = { namespace: 'edge', name: 'auth', url: 'oci://example/auth:1', createdAt: 0 };
const on = (envoyVersion: string) => ({ envoyVersion, nodes: ['it'] });

test('a plugin is tried with the texts that Envoy would be given', () => {
  const full = {
    ...spec,
    pluginName: 'root',
    pluginConfig: { b: 1, a: 'x' },
    env: [{ name: 'A', value: 'b' }],
  };
  assert.deepEqual(toTrialInput(full, []), {
    envoyVersion: '',
    plugin: 'edge/auth',
    pluginConfig: '{"a":"x","b":1}',
    pluginName: 'root',
    env: [{ name: 'A', value: 'b' }],
  });
  assert.equal(toTrialInput({ ...spec, pluginConfig: {} }, []).pluginConfig, '');
});

test('the oldest Envoy that is meant decides what a plugin may do', () => {
  assert.equal(toTrialInput(spec, [on('1.40.0'), on('1.9.2'), on('')]).envoyVersion, '1.9.2');
  assert.equal(toTrialInput(spec, [on('')]).envoyVersion, '');
});
