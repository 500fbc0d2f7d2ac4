import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError, type CliErrorCode, NEXT_STEPS } from '../../src/cli/cli-error.ts';
import { formatError } from '../../src/cli/print-error.ts';
import { RestError } from '../../src/cli/rest-client.ts';
import { ConfigError } from '../../src/config.ts';
import { run } from './run-main.ts';

const NOW = Date.parse('2026-07-01T03:00:00Z');

test('every error of the command line says what to do next', () => {
  const codes = Object.keys(NEXT_STEPS) as CliErrorCode[];
  assert.ok(codes.length >= 17);
  for (const code of codes) {
    const text = formatError(new CliError(code, 'it did not work'), NOW);
    assert.ok(text.endsWith(NEXT_STEPS[code]), text);
    assert.match(NEXT_STEPS[code], /^[A-Za-z].{15,}/, code);
  }
  const own = new CliError('bad-file', 'it did not work', { hint: 'Do this.' });
  assert.equal(formatError(own, NOW), 'error: it did not work. Do this.');
});

test('an error of the server without a next step names the page about its code', () => {
  const bare = new RestError({ status: 409, code: 'illegal-action', detail: 'it is over', errors: [] });
  assert.equal(formatError(bare, NOW), 'error: it is over. What to do: docs/errors.md#illegal-action');
  const fault = { pointer: '/spec', message: 'is wrong' };
  const faulty = new RestError({ status: 422, code: 'wrong-type', detail: 'no', errors: [fault] });
  assert.equal(
    formatError(faulty, NOW),
    'error: no\n  spec: is wrong\nWhat to do: docs/errors.md#wrong-type',
  );
  const helped = new RestError({
    status: 422,
    code: 'wrong-type',
    detail: 'no',
    errors: [{ ...fault, hint: 'Quote it.' }],
  });
  assert.equal(formatError(helped, NOW), 'error: no\n  spec: is wrong. Quote it.');
  const settings = new ConfigError('bad-config', '--data: no', {
    faults: [{ pointer: '', message: '--data: no' }],
  });
  assert.match(formatError(settings, NOW), /docs\/errors\.md#bad-config$/);
});

test('a misspelt verb or flag has its nearest, and every fault of usage a next step', async () => {
  for (const [args, nearest] of [
    [['rolout'], /Did you mean rollout\?/],
    [['rollout', 'statuss', 'auth'], /Did you mean status\?/],
    [['get', 'nodes', '--watsh'], /Did you mean --watch\?/],
    [['get', 'nods'], /Did you mean nodes\?/],
    [['describe', 'plugn', 'auth'], /Did you mean plugin\?/],
    [['apply'], /Add --help for an example\./],
    [['get', 'nodes', '-o', 'xml'], /Add --help for an example\./],
    [['nope'], /Add --help for an example\./],
    [['help', 'rolout'], /Did you mean rollout\?/],
    [['help', 'rollout', 'statuss', 'auth'], /Did you mean status\?/],
  ] as const) {
    const { code, err } = await run(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(err, nearest, args.join(' '));
  }
});
