import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from '../../src/cli/cli-error.ts';
import { formatError } from '../../src/cli/print-error.ts';
import { RestError } from '../../src/cli/rest-client.ts';
import { wrapWarning } from '../../src/cli/warning.ts';
import { at, NOW } from './rollout-views.ts';

test('C-B7: a freeze says who, since when by the reader’s clock, why, and what lifts it, on one line', () => {
  const frozen = new RestError({
    status: 423,
    code: 'frozen',
    detail: `frozen by admin since ${at('03:52:00')}: "on-call, until 09:00"`,
    hint: 'attache unfreeze lifts it.',
    errors: [],
  });
  assert.equal(
    formatError(frozen, NOW),
    'error: frozen by admin since 03:52:00: "on-call, until 09:00". attache unfreeze lifts it.',
  );
});

test('a server that is away is one line with what that means and what to do', () => {
  const away = new CliError('unreachable', 'http://127.0.0.1:18002 does not answer (connection refused)', {
    hint: 'Envoys go on as they are. Start it: attache serve',
  });
  assert.equal(
    formatError(away, NOW),
    'error: http://127.0.0.1:18002 does not answer (connection refused). Envoys go on as they are. Start it: attache serve',
  );
});

test('what is long has its hint on a line of its own, faults have theirs', () => {
  const hint = 'Take another one, or leave it as it is.';
  assert.equal(
    formatError(new CliError('bad-file', 'x'.repeat(120), { hint }), NOW),
    `error: ${'x'.repeat(120)}\n${hint}`,
  );
  const fault = { pointer: '/spec/match/0/mode', message: 'is not allowed', hint: 'Known: CLIENT' };
  const problem = new RestError({ status: 422, code: 'x', detail: 'not valid', errors: [fault] });
  assert.equal(
    formatError(problem, NOW),
    'error: not valid\n  spec.match[0].mode: is not allowed. Known: CLIENT',
  );
  assert.match(formatError('text', NOW), /^error: text\n.*please report it/);
});

test('a fault that the error itself quotes keeps its hint', () => {
  const message = 'url: plain http:// is for hosts of your own network';
  const fault = { pointer: '/url', message, hint: 'Start the server with --allow-private-host a.' };
  const problem = new RestError({ status: 422, code: 'x', detail: message, errors: [fault] });
  assert.equal(formatError(problem, NOW), `error: ${message}. ${fault.hint}`);
});

test('a long warning goes on below itself', () => {
  const warning =
    'edge/auth matches no node. It selects namespace edge; your 1 node is in namespace default. ' +
    'Put the node there: attache bootstrap --namespace edge …, or drop metadata.namespace from the document';
  assert.equal(
    wrapWarning(warning),
    'warning: edge/auth matches no node. It selects namespace edge; your 1 node is in namespace default.\n' +
      '         Put the node there: attache bootstrap --namespace edge …, or drop metadata.namespace from the document',
  );
  assert.equal(wrapWarning('mind the gap. it is wide.'), 'warning: mind the gap. it is wide.');
});
