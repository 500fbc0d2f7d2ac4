import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_CLAIMED, withPush } from '../../../src/xds/sotw/claims.ts';
import { toSlotsVersion } from '../../../src/xds/sotw/response.ts';

const toPush = (name: string, version: string) => ({
  ...{ name, version, template: { bytes: Buffer.from(version), holes: [] } },
  ...{ capabilities: [], tags: [] },
});

test('whoever had the same before has the same after the same push, and it is made once', () => {
  const push = toPush('s', '1.v');
  const { versions } = NOTHING_CLAIMED;
  const one = withPush(versions, push);
  assert.deepEqual(one, { versions: new Map([['s', '1.v']]), claim: toSlotsVersion(one.versions) });
  assert.equal(withPush(versions, { ...push }), one);
});

test('what differs in what was there before, in its place or in its version, is something else', () => {
  const push = toPush('s', '1.v');
  const first = withPush(NOTHING_CLAIMED.versions, push);
  const others = [
    withPush(new Map([['u', '2.v']]), push),
    withPush(NOTHING_CLAIMED.versions, { ...push, name: 'u' }),
    withPush(NOTHING_CLAIMED.versions, { ...push, version: '1.w' }),
  ];
  assert.deepEqual(
    others.map(({ versions }) => [...versions].join(' ')),
    ['u,2.v s,1.v', 'u,1.v', 's,1.w'],
  );
  assert.equal(new Set([first, ...others].map(it => it.claim)).size, 4);
});
