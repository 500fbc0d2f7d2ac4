import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idIn, nameOf } from '../../src/rollout/rollout-text.ts';
import { makeRollout, makeSide } from '../model/records.ts';

test('a sentence that names a rollout has its id; one about the plugin alone has none', () => {
  const rollout = makeRollout({
    id: 'edge.auth.v2.9',
    plugin: 'edge/auth.v2',
    from: makeSide(7),
    to: makeSide(8),
  });
  assert.equal(idIn(`${nameOf(rollout)} paused: by admin: "see (default.other.3)"`), 'edge.auth.v2.9');
  assert.equal(idIn(`${nameOf({ ...rollout, to: null })} waits`), 'edge.auth.v2.9');
  assert.equal(idIn(`${nameOf({ ...rollout, to: makeSide(null) })} goes on`), 'edge.auth.v2.9');
  assert.equal(idIn('edge/auth: revision 8 is held back (see edge.auth.9)'), undefined);
  assert.equal(idIn('edge/auth: forgotten with its history; no node runs it'), undefined);
});
