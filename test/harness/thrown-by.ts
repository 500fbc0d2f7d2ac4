import assert from 'node:assert/strict';

/** What `act` throws, which has to be a `kind`. */
export function thrownBy<E>(kind: abstract new (...args: never[]) => E, act: () => unknown): E {
  try {
    act();
  } catch (thrown) {
    assert.ok(thrown instanceof kind, String(thrown));
    return thrown;
  }
  return assert.fail('nothing was thrown');
}
