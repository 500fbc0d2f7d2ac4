import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from '../../src/cli/cli-error.ts';
import { EXIT, toExitCode, worstExitCode } from '../../src/cli/exit-code.ts';
import { RestError } from '../../src/cli/rest-client.ts';
import { ConfigError } from '../../src/config.ts';
import { StoreError } from '../../src/store/store-error.ts';

test('an error becomes the exit code of its code', () => {
  assert.equal(toExitCode(new CliError('bad-usage', '')), 2);
  assert.equal(toExitCode(new ConfigError('bad-config', '')), 2);
  assert.equal(toExitCode(new CliError('check-timeout', '')), 6);
  assert.equal(toExitCode(new StoreError('data-directory-in-use', '')), 7);
  assert.equal(toExitCode(new CliError('unreachable', '')), 1);
});

test('what the server answers keeps its code', () => {
  const conflict = new RestError({ status: 409, code: 'conflict', detail: '', errors: [] });
  assert.equal(toExitCode(conflict), 7);
  assert.equal(toExitCode(new RestError({ status: 422, code: 'unknown-field', detail: '', errors: [] })), 1);
});

test('anything else that is thrown is an error', () => {
  for (const thrown of [new Error('x'), 'x', undefined]) assert.equal(toExitCode(thrown), EXIT.error);
});

test('of several documents the worst code wins', () => {
  assert.equal(worstExitCode([]), 0);
  assert.equal(worstExitCode([0, 0]), 0);
  assert.equal(worstExitCode([0, 6, 4]), 4);
  assert.equal(worstExitCode([4, 1, 0]), 1);
  assert.equal(worstExitCode([0, 6]), 6);
});
