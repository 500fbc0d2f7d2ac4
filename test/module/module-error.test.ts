import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModuleError } from '../../src/module/module-error.ts';

test('what others wrote is in a message as far as it is short, and it shows where it was cut', () => {
  const long = 'x'.repeat(1_000_000);
  const { message, hint } = new ModuleError('bad-manifest', `manifest of ${long}`, { hint: `Ask ${long}` });
  for (const [text = '', start] of [
    [message, 'manifest of xxx'],
    [hint, 'Ask xxx'],
  ] as const) {
    assert.equal(text.length, 4_001);
    assert.ok(text.startsWith(start) && text.endsWith('x…'));
  }
});

test('a fault keeps all that it was made with', () => {
  const cause = new Error('why');
  const faults = [{ pointer: '/spec/url', message: 'wrong' }];
  const error = new ModuleError('registry-busy', 'busy', { cause, hint: 'Wait.', faults, retryAfterMs: 7 });
  const { code, message, hint, retryAfterMs, transient } = error;
  assert.deepEqual(
    [code, message, hint, retryAfterMs, transient],
    ['registry-busy', 'busy', 'Wait.', 7, true],
  );
  assert.deepEqual([error.cause, error.faults], [cause, faults]);
  assert.equal(new ModuleError('bad-manifest', 'x').hint, undefined);
});
