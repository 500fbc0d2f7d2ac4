import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePhasePlace, toPhaseSlot } from '../../src/compile/phase-place.ts';

test('a place is a phase, with or without a listener, whatever the listener is called', () => {
  for (const listener of ['ingress', 'a/b', '0.0.0.0_80', '']) {
    const place = parsePhasePlace(toPhaseSlot('attache.authz', listener));
    assert.deepEqual(place, { phase: 'AUTHZ', slot: 'attache.authz', listener });
  }
  assert.deepEqual(parsePhasePlace('attache.last')?.phase, 'UNSPECIFIED_PHASE');
  for (const name of ['attache.authn2', 'authn', 'default/auth', ''])
    assert.equal(parsePhasePlace(name), undefined);
});
